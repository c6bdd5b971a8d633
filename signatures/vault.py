"""Signing keys of organizations: sealed at rest, loaded once a process."""

import json
import uuid
from base64 import b64decode, b64encode
from pathlib import Path

from audit import events
from core import clock, db, sealing
from core.actor import Actor
from core.errors import InvalidInput
from signatures import keys, tokens
from signatures.keys import SigningKey

_PURPOSE = "signing-key"
_loaded: dict[uuid.UUID, SigningKey] = {}


async def keep_pkcs12(
    actor: Actor, organization_id: uuid.UUID, *, data: bytes, passphrase: bytes
) -> None:
    """Make a PKCS#12 file the organization's key; the former one is retired.

    Raises the errors of `keys.load_pkcs12` and `keys.check_certificate`, and keeps nothing then.
    """
    key = keys.load_pkcs12(data, passphrase=passphrase)
    material = {"data": b64encode(data).decode(), "passphrase": b64encode(passphrase).decode()}
    await _keep(actor, organization_id, "software", key, material)


async def keep_pkcs11(
    actor: Actor,
    organization_id: uuid.UUID,
    *,
    library: Path,
    token: str,
    label: str,
    pin: str,
    certificate: bytes,
) -> None:
    """Make a key on a PKCS#11 token the organization's key; the token is tried at once."""
    material = {
        "library": str(library), "token": token, "label": label, "pin": pin,
        "certificate": b64encode(certificate).decode(),
    }  # fmt: skip
    await _keep(actor, organization_id, "pkcs11", _open("pkcs11", material), material)


async def key_of(organization_id: uuid.UUID) -> SigningKey:
    """The organization's key, ready to sign; raises `no_signing_key`."""
    found = await db.row(
        """SELECT id, source, material FROM sealing_key
           WHERE organization_id = $1 AND retired_at IS NULL""",
        organization_id,
    )
    if found is None:
        raise InvalidInput(
            "У организации нет ключа подписи. Администратор добавляет его в настройках.",
            "The organization has no signing key. Its administrator adds one in the settings.",
            code="no_signing_key",
        )
    if found["id"] not in _loaded:
        opened = sealing.unseal(bytes(found["material"]), purpose=_PURPOSE)
        _loaded[found["id"]] = _open(found["source"], json.loads(opened))
    return _loaded[found["id"]]


def _open(source: str, material: dict[str, str]) -> SigningKey:
    if source == "software":
        return keys.load_pkcs12(
            b64decode(material["data"]), passphrase=b64decode(material["passphrase"])
        )
    return tokens.load_pkcs11(
        library=Path(material["library"]),
        token=material["token"],
        pin=material["pin"],
        label=material["label"],
        certificate=b64decode(material["certificate"]),
    )


async def _keep(
    actor: Actor, organization_id: uuid.UUID, source: str, key: SigningKey, material: dict[str, str]
) -> None:
    actor.require("administrator")
    keys.check_certificate(key.certificate)
    key_id, moment = clock.new_id(), clock.now()
    sealed = sealing.seal(json.dumps(material).encode(), purpose=_PURPOSE)
    async with db.transaction():
        await db.execute(
            """UPDATE sealing_key SET retired_at = $2
               WHERE organization_id = $1 AND retired_at IS NULL""",
            organization_id, moment,
        )  # fmt: skip
        await db.execute(
            """INSERT INTO sealing_key (id, organization_id, source, material, certificate_sha256,
                                        added_by, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7)""",
            key_id, organization_id, source, sealed, key.certificate.sha256, actor.id, moment,
        )  # fmt: skip
        await events.record(
            actor, "signing_key.kept", subject=("organization", organization_id),
            data={"certificate": key.certificate.sha256.hex(), "source": source},
        )  # fmt: skip
