"""Sealing a manifest, and what a seal is worth; pure."""

import hashlib
import hmac
import uuid
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.sandbox.errors import HostileInput
from docflow.gateways.offline.manifests import Manifest, Seal

_CONTEXT = b"docflow offline package 1\n"
"""Before what is signed, so that the signature serves no other purpose."""


def sealed_by_key(manifest: bytes, key: Ed25519PrivateKey) -> Seal:
    """The seal of an installation (RFC 8032) over the manifest's bytes."""
    public = key.public_key().public_bytes_raw()
    return Seal("ed25519", public.hex(), key.sign(_CONTEXT + manifest).hex())


def sealed_by_reply(manifest: bytes, *, package_id: uuid.UUID, reply_key: str) -> Seal:
    """The seal of whoever holds the package that is answered (HMAC-SHA256)."""
    value = hmac.new(bytes.fromhex(reply_key), _CONTEXT + manifest, hashlib.sha256).hexdigest()
    return Seal("reply", str(package_id), value)


def is_intact(manifest: bytes, seal: Seal) -> bool:
    """Does an installation's signature fit these bytes? Whose key it is, is another question."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(seal.key))
        key.verify(bytes.fromhex(seal.value), _CONTEXT + manifest)
    except (ValueError, InvalidSignature):
        return False
    return True


def require_good(
    manifest: bytes, seal: Seal, *, keys: Mapping[str, object], reply_keys: Mapping[str, str]
) -> None:
    """Refuse a seal that does not hold: `package_tampered`, `package_key_unknown`.

    `keys`: public keys (hexadecimal) of installations that are trusted. `reply_keys`: secrets of
    packages we gave out, by package id.
    """
    if seal.form == "ed25519":
        if not is_intact(manifest, seal):
            raise tampered("seal")
        if seal.key not in keys:
            raise unknown(seal.key)
        return
    secret = reply_keys.get(seal.key)
    if secret is None:
        raise unknown(seal.key)
    package_id = uuid.UUID(seal.key)
    wanted = sealed_by_reply(manifest, package_id=package_id, reply_key=secret).value
    if not hmac.compare_digest(wanted, seal.value):
        raise tampered("seal")


def require_answers_only(manifest: Manifest, seal: Seal) -> None:
    """A secret that lay in a package vouches for answers, never for documents."""
    if seal.form == "reply" and manifest.documents:
        raise tampered("documents")


def tampered(what: str) -> HostileInput:
    """The error for a package that is not as it was sealed."""
    return HostileInput(
        "Пакет изменён после подписания или повреждён. Возьмите у отправителя новый.",
        "The package was changed after it was sealed, or is damaged. Get a new one.",
        code="package_tampered", what=what,
    )  # fmt: skip


def unknown(key: str) -> HostileInput:
    """The error for a seal by a key nobody has vouched for."""
    return HostileInput(
        "Пакет подписан неизвестным ключом. Сверьте ключ установки с её администратором.",
        "The package is sealed by an unknown key. Compare the key with its administrator.",
        code="package_key_unknown", key=key,
    )  # fmt: skip
