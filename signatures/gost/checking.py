"""A GOST signature against a key as certificates carry it: RFC 9215, RFC 9216, RFC 4491.

Byte orders: the key is X and Y little-endian, the signature s and r big-endian, the hash is the
number its bytes make little-endian.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from asn1crypto import core, keys
from cryptography.exceptions import InvalidSignature

from signatures.gost import libgcrypt, selftest
from signatures.gost.curves import CURVES, Curve

_LONGEST_KEY: Final = 512

HASH_OF: Final = {
    "gost3410_2012_256": "streebog256",
    "gost3410_2012_512": "streebog512",
    "gost3410_2001": "gost3411_94",
}
"""The only hash each kind of key goes with."""


class KeyInvalid(InvalidSignature):
    """The public key is no point of its curve, or not of the size its identifier says."""


class ValueInvalid(InvalidSignature):
    """The signature cannot be a signature at all: wrong length, or r or s out of range."""


class Unsupported(Exception):
    """The parameter set is not known here."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key whose point is known to lie on its curve."""

    kind: str
    curve: Curve
    point: tuple[int, int]


def is_gost(kind: str) -> bool:
    """Whether this name of a key algorithm is one of ours."""
    return kind in HASH_OF


def fits(kind: str, mechanism: str) -> bool:
    """Whether a signature algorithm goes with the key; the key's own identifier is used too."""
    return mechanism in (kind, f"{HASH_OF[kind]}_gost3410")


def key_of(info: keys.PublicKeyInfo) -> Key:
    """The key; raises `KeyInvalid` or `Unsupported`."""
    der = info.dump()
    if len(der) > _LONGEST_KEY:
        raise KeyInvalid
    return _key(der)


@lru_cache(maxsize=4096)
def _key(der: bytes) -> Key:
    try:
        info = keys.PublicKeyInfo.load(der, strict=True)
        kind = info.algorithm
        parameters = core.SequenceOf.load(info["algorithm"]["parameters"].dump(), spec=core.Any)
        name = core.ObjectIdentifier.load(parameters[0].dump()).dotted
        data = core.OctetString.load(bytes(info["public_key"]), strict=True).native
    except (ValueError, TypeError, IndexError) as problem:
        raise KeyInvalid from problem
    curve = CURVES.get(name)
    if curve is None:
        raise Unsupported(name)
    size = curve.size
    if len(data) != 2 * size or (size == 64) != (kind == "gost3410_2012_512"):
        raise KeyInvalid
    point = int.from_bytes(data[:size], "little"), int.from_bytes(data[size:], "little")
    if not curve.holds(*point):
        raise KeyInvalid
    return Key(kind, curve, point)


def verify(
    signature: bytes, data: bytes, *, key: keys.PublicKeyInfo, mechanism: str, prehashed: bool
) -> None:
    """Refuse a signature that does not fit; `data` is hashed here unless `prehashed`.

    Raises `InvalidSignature` or one of the more exact classes above; where libgcrypt is missing,
    `libgcrypt.Unavailable`.
    """
    if not selftest.is_passed():
        raise libgcrypt.Unavailable
    known = key_of(key)
    if not fits(known.kind, mechanism):
        raise InvalidSignature
    curve, size = known.curve, known.curve.size
    digest = data if prehashed else libgcrypt.Hash(HASH_OF[known.kind], data).digest()
    if len(signature) != 2 * size:
        raise ValueInvalid
    s, r = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    if not (0 < r < curve.q and 0 < s < curve.q):
        raise ValueInvalid
    if len(digest) != size:
        raise InvalidSignature
    if not libgcrypt.verify(curve, known.point, int.from_bytes(digest, "little"), r, s):
        raise InvalidSignature
