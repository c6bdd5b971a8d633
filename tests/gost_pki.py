"""GOST authorities, signers and signatures for tests: made once a session by openssl's engine."""

import atexit
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import pytest

from core import clock
from demo import gost
from demo.gost import GostAuthority, Person, Signer
from signatures.trust import TrustStore

SETS = ("256-CryptoPro-A", "256-XchA", "256-A", "256-B", "512-A", "512-B", "512-C")

PERSON = Person(
    "Иванов Иван Иванович",
    surname="Иванов",
    given_name="Иван Иванович",
    title="Председатель",
    organization="Первичная профсоюзная организация",
    inn="007712345678",
    inn_le="7712345678",
    ogrn="1027712345678",
    snils="12345678901",
)


@dataclass(frozen=True)
class GostWorld:
    authority: GostAuthority
    signers: dict[str, Signer]
    revoked: Signer
    expired: Signer
    trust: TrustStore
    stranger: TrustStore
    folder: tempfile.TemporaryDirectory[str]

    @property
    def signer(self) -> Signer:
        return self.signers["256-A"]

    def sign(self, data: bytes, **options: object) -> bytes:
        return self.authority.sign_detached(data, self.signer, **options)  # type: ignore[arg-type]


@lru_cache(maxsize=1)
def _world() -> GostWorld:
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    place = Path(folder.name)
    authority = gost.create_gost_authority(place / "own")
    now = clock.now()
    signers = {name: authority.issue(PERSON, parameters=name) for name in (*SETS, "2001-A")}
    revoked = authority.issue(Person("Отозванный"))
    expired = authority.issue(
        Person("Прошлогодний"),
        not_before=now - timedelta(days=400),
        not_after=now - timedelta(days=30),
    )
    authority.revoke(revoked)
    stranger = gost.create_gost_authority(place / "other", name="Другой удостоверяющий центр")
    return GostWorld(
        authority, signers, revoked, expired, authority.trust(), stranger.trust(), folder
    )


def gost_world() -> GostWorld:
    """The world, or a skip that says what is not installed."""
    if not gost.is_available():
        pytest.skip("openssl's gost engine (libengine-gost-openssl) is not installed")
    return _world()
