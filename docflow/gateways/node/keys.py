"""Keys of nodes: Ed25519 (RFC 8032), named by their thumbprint (RFC 7638 over an RFC 8037 key).

The same thumbprint, written in hexadecimal groups, is what two administrators read to each other.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core import canonical
from docflow.gateways.node.problems import BadMessage

SIZE = 32


class KeyInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A public key as nodes tell it: a JSON Web Key (RFC 8037) with its term."""

    kty: str = "OKP"
    crv: str = "Ed25519"
    kid: str
    """Thumbprint of the key, base64url without padding."""
    x: str
    """The 32 bytes of the key, base64url without padding."""
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A node's own key, ready to sign."""

    kid: str
    private: Ed25519PrivateKey


def new_key() -> tuple[SigningKey, bytes]:
    """A fresh key, and the 32 secret bytes it is kept as."""
    private = Ed25519PrivateKey.generate()
    return SigningKey(kid_of(private.public_key().public_bytes_raw()), private), (
        private.private_bytes_raw()
    )


def signing_key(secret: bytes) -> SigningKey:
    """The key that is kept as these 32 bytes."""
    private = Ed25519PrivateKey.from_private_bytes(secret)
    return SigningKey(kid_of(private.public_key().public_bytes_raw()), private)


def kid_of(public: bytes) -> str:
    """The JWK thumbprint: SHA-256 over the required members in order (RFC 7638 section 3)."""
    members = canonical.dumps({"crv": "Ed25519", "kty": "OKP", "x": to_text(public)})
    return to_text(hashlib.sha256(members).digest())


def fingerprint(kid: str) -> str:
    """The thumbprint for people: 16 groups of four hexadecimal digits."""
    digits = from_text(kid, size=SIZE).hex()
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))


def same_fingerprint(told: str, kid: str) -> bool:
    """Does what somebody typed, in whatever grouping and case, name this key?"""
    plain = "".join(sign for sign in told.lower() if sign.isalnum())
    return plain == fingerprint(kid).replace(" ", "")


def public_bytes(info: KeyInfo) -> bytes:
    """The key itself, checked against its own name; raises `BadMessage` (`key_malformed`)."""
    if (info.kty, info.crv) != ("OKP", "Ed25519") or info.valid_to <= info.valid_from:
        raise BadMessage(code="key_malformed")
    public = from_text(info.x, size=SIZE)
    if kid_of(public) != info.kid:
        raise BadMessage(code="key_malformed")
    return public


def public_key(public: bytes) -> Ed25519PublicKey:
    """The key object of 32 bytes; raises `BadMessage` for others."""
    try:
        return Ed25519PublicKey.from_public_bytes(public)
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise BadMessage(code="key_malformed") from problem


def key_info(public: bytes, *, valid_from: datetime, valid_to: datetime) -> KeyInfo:
    """How a key is told to others."""
    return KeyInfo(
        kid=kid_of(public), x=to_text(public), valid_from=valid_from, valid_to=valid_to
    )  # fmt: skip


def newest(infos: Sequence[KeyInfo], *, at: datetime) -> KeyInfo | None:
    """Of keys in force at `at` the one that lasts longest."""
    good = [one for one in infos if one.valid_from <= at < one.valid_to]
    return max(good, key=lambda one: one.valid_to, default=None)


def to_text(data: bytes) -> str:
    """Base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_text(text: str, *, size: int | None = None) -> bytes:
    """The bytes of base64url text; raises `BadMessage` for anything else."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as problem:
        raise BadMessage(code="key_malformed") from problem
    if size is not None and len(data) != size:
        raise BadMessage(code="key_malformed")
    return data
