"""Keys that permits are signed with: Ed25519, sealed at rest, shown as a JWKS before they sign.

JWK and its thumbprint: RFC 8037, RFC 7638. Two keys are shown at least: the one that signs and the
one that will sign after it, so that a site which keeps the set for a month never lacks a key.
"""

import base64
import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit import events, transitions
from compliance.publishing.publication_states import PERMIT_KEY_TRANSITIONS, PermitKeyStatus
from core import canonical, clock, db, sealing
from core.actor import RULE, Actor
from core.errors import Conflict
from signatures import anchors

LONGEST = timedelta(days=30)
"""How long a permit holds at most; a retired key is shown that long."""
ROTATE_AFTER = timedelta(days=90)

_SEAL = "permit-key"
_LOCK = 0x7065726D6974  # "permit"


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that signs now."""

    id: uuid.UUID
    kid: str
    private: Ed25519PrivateKey = field(repr=False)


async def signer() -> Signer:
    """The key that signs now; the first two are made here, an old one is replaced by the next."""
    async with db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        found = await _active()
        if found is None:
            await _make(PermitKeyStatus.ACTIVE)
            await _make(PermitKeyStatus.NEXT)
        elif clock.now() - found["active_since"] > ROTATE_AFTER:
            await _rotate(RULE)
        found = await _active()
    if found is None:
        raise LookupError("the key that was just made is not there")
    opened = sealing.unseal(bytes(found["sealed"]), purpose=_SEAL, bound_to=found["id"].bytes)
    return Signer(found["id"], found["kid"], Ed25519PrivateKey.from_private_bytes(opened))


async def rotate(actor: Actor) -> str:
    """Let the next key sign from now on, and make one to follow it; answers the new key's id.

    For administrators of the organization that keeps the trust store. What the retired key signed
    holds to its end. Raises `permit_key_new` while sites cannot have seen the next key yet.
    """
    await anchors.require_keeper(actor)
    await signer()
    async with db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        return await _rotate(actor)


async def jwks() -> dict[str, list[dict[str, str]]]:
    """The public keys sites need: the next one, the one that signs, those retired of late."""
    await signer()
    found = await db.rows(
        """SELECT kid, public_key FROM permit_key
           WHERE status <> 'retired' OR retired_at > $1 ORDER BY id DESC""",
        clock.now() - LONGEST - timedelta(days=1),
    )
    return {"keys": [_jwk(row["kid"], bytes(row["public_key"])) for row in found]}


def encoded(data: bytes) -> str:
    """Base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def _active() -> db.Row | None:
    return await db.row("SELECT * FROM permit_key WHERE status = 'active'")


async def _rotate(actor: Actor) -> str:
    old = await _active()
    new = await db.row("SELECT * FROM permit_key WHERE status = 'next'")
    if old is None or new is None:
        raise LookupError("there are always two keys")
    if actor.kind != "rule" and clock.now() - new["created_at"] < timedelta(minutes=1):
        raise Conflict(
            "Ключ только что сменён, сайты ещё не получили следующий. Повторите через минуту.",
            "The key has just been replaced; sites cannot have the next one yet. Wait a minute.",
            code="permit_key_new",
        )
    await transitions.move(
        actor, "permit_key", old["id"], graph=PERMIT_KEY_TRANSITIONS,
        source=PermitKeyStatus.ACTIVE, target=PermitKeyStatus.RETIRED, verb="permit_key.retired",
        assign={"retired_at": clock.now()}, data={"kid": old["kid"]},
    )  # fmt: skip
    await transitions.move(
        actor, "permit_key", new["id"], graph=PERMIT_KEY_TRANSITIONS,
        source=PermitKeyStatus.NEXT, target=PermitKeyStatus.ACTIVE, verb="permit_key.activated",
        assign={"active_since": clock.now()}, data={"kid": new["kid"]},
    )  # fmt: skip
    await _make(PermitKeyStatus.NEXT)
    return str(new["kid"])


async def _make(status: PermitKeyStatus) -> None:
    private, key_id, moment = Ed25519PrivateKey.generate(), clock.new_id(), clock.now()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kid = encoded(hashlib.sha256(canonical.dumps(_bare(public))).digest())
    await db.execute(
        """INSERT INTO permit_key (id, kid, status, public_key, sealed, created_at, updated_at,
                                   active_since) VALUES ($1, $2, $3, $4, $5, $6, $6, $7)""",
        key_id, kid, status, public,
        sealing.seal(private.private_bytes_raw(), purpose=_SEAL, bound_to=key_id.bytes),
        moment, moment if status == PermitKeyStatus.ACTIVE else None,
    )  # fmt: skip
    await events.record(
        RULE, "permit_key.made", subject=("permit_key", key_id), change=(None, status),
        data={"kid": kid},
    )  # fmt: skip


def _bare(public: bytes) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": encoded(public)}


def _jwk(kid: str, public: bytes) -> dict[str, str]:
    return {**_bare(public), "kid": kid, "alg": "EdDSA", "use": "sig"}
