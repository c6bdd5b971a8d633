"""What the trust store has to prove a chain with, to be put into a file beside the signature."""

from datetime import datetime
from functools import lru_cache, partial

from core import clock
from signatures.chains import revocation_for
from signatures.revocation_data import Revocation, ValidationData
from signatures.trust import TrustStore


def from_trust(trust: TrustStore) -> Revocation:
    """What a trust store holds for a chain, its root included; fetches nothing.

    Every list and answer is verified before it is taken, once a minute for a chain.
    """
    return partial(_proved, trust=trust)


def _proved(chain: tuple[bytes, ...], *, trust: TrustStore) -> ValidationData:
    return _at_minute(chain, trust, clock.now().replace(second=0, microsecond=0))


@lru_cache(maxsize=64)
def _at_minute(chain: tuple[bytes, ...], trust: TrustStore, _: datetime) -> ValidationData:
    return ValidationData(*revocation_for(chain, trust, at=clock.now()))
