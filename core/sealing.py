"""Secrets at rest: sealed with a key of the installation, readable only for their purpose.

AES-256-GCM with a random nonce; the key of each purpose is derived from the setting SECRET_KEY by
HKDF-SHA256 (RFC 5869), so that one purpose's secrets never open as another's. Who takes the
database without the setting has nothing.
"""

import hashlib
import hmac
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import ServiceError
from core.settings import settings

_FORM = b"\x01"
"""First byte of what is sealed; another number means another algorithm."""
_NONCE = 12


class SealBroken(ServiceError):
    """What was sealed does not open: another SECRET_KEY, another purpose, or changed bytes."""

    code = "seal_broken"
    ru = "Не удалось прочитать сохранённый секрет. Сообщите администратору сервиса."
    en = "A stored secret cannot be read. Tell the operator of the service."


def seal(plain: bytes, *, purpose: str, bound_to: bytes = b"") -> bytes:
    """Encrypt and authenticate `plain`, 29 bytes longer; each call gives other bytes.

    `bound_to` names the place (a row's id, say): copied to another place it will not open.
    """
    nonce = secrets.token_bytes(_NONCE)
    return _FORM + nonce + _cipher(purpose).encrypt(nonce, plain, _FORM + bound_to)


def unseal(sealed: bytes, *, purpose: str, bound_to: bytes = b"") -> bytes:
    """Open what `seal` made with the same purpose and place; raises `SealBroken` otherwise."""
    if sealed[:1] != _FORM:
        raise SealBroken(purpose=purpose)
    nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
    try:
        return _cipher(purpose).decrypt(nonce, body, _FORM + bound_to)
    except (InvalidTag, ValueError) as problem:
        raise SealBroken(purpose=purpose) from problem


def tag(data: bytes, *, purpose: str) -> bytes:
    """A signature of this installation over `data` that only it can check (HMAC-SHA256, 32 bytes).

    Compare it with `hmac.compare_digest`.
    """
    info = f"tag: {purpose}"
    return hmac.new(_key(settings().secret_key, info), data, hashlib.sha256).digest()


def _cipher(purpose: str) -> AESGCM:
    return AESGCM(_key(settings().secret_key, purpose))


@lru_cache(maxsize=32)
def _key(secret: bytes, purpose: str) -> bytes:
    info = b"docflow sealing 1: " + purpose.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)
