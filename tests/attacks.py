"""Every attack there is."""

from collections.abc import Iterator

from tests import attack_bytes, attack_parsers
from tests.attack_files import ATTACKS, Victim

__all__ = ["ATTACKS", "applied", "attack_bytes", "attack_parsers"]


def applied(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Every attack on this file that makes something else of it."""
    for name, attack in ATTACKS.items():
        made = attack(Victim(data))
        if made is not None and made != data:
            yield name, made
