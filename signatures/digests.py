"""Hashes by the names that signatures use: SHA by hashlib, Streebog (GOST R 34.11-2012) beside it.

Names are those of asn1crypto: sha256, sha3_256, streebog256 …
"""

import hashlib
from typing import Final, Protocol

from signatures.gost import libgcrypt

Buffer = bytes | bytearray | memoryview

STRONG: Final = frozenset(
    ("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "streebog256", "streebog512")
)
WEAK: Final = frozenset(("md2", "md5", "sha1", "sha224"))
LEGACY: Final = "gost3411_94"
_GOST = frozenset(("streebog256", "streebog512", LEGACY))
_OLD = frozenset(("md5", "sha1", "sha224"))


class Running(Protocol):
    """A hash that takes bytes in pieces."""

    def update(self, data: Buffer, /) -> None:
        """Add bytes."""

    def digest(self) -> bytes:
        """The hash of what came so far."""


def is_known(name: str) -> bool:
    """Whether this installation can compute the hash; a weak one counts."""
    if name in _GOST:
        return libgcrypt.is_available()
    return name in STRONG or name in _OLD


def start(name: str, data: Buffer = b"") -> Running:
    """A running hash. Raises ValueError for a name that is not known here."""
    if not is_known(name):
        raise ValueError(f"no such hash here: {name}")
    if name in _GOST:
        return libgcrypt.Hash(name, data)
    return hashlib.new(name, data)


def digest(name: str, data: Buffer) -> bytes:
    """The hash of bytes that are all there. Raises as `start`."""
    return start(name, data).digest()
