"""Keys of packages: by which ours are sealed, and whose seals are trusted."""

import uuid
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import events
from core import clock, db, sealing
from core.actor import Actor
from core.errors import Forbidden, InvalidInput, NotFound
from directory import links
from docflow.routing.nodes import own

_PURPOSE = "offline package"
_HEX = 64


async def own_key() -> Ed25519PrivateKey:
    """The key this installation seals packages with: its node's, or one derived from SECRET_KEY.

    Raises Unavailable `node_own_key_expired`.
    """
    if await own.own() is not None:
        return (await own.signing_key()).private
    return Ed25519PrivateKey.from_private_bytes(sealing.tag(b"seal", purpose=_PURPOSE))


def reply_key(package_id: uuid.UUID) -> str:
    """The secret a package carries for answers made without an installation; nowhere stored."""
    return sealing.tag(package_id.bytes, purpose=f"{_PURPOSE} reply").hex()


@dataclass(frozen=True, slots=True)
class Trust:
    """For whom a key speaks: a node's for those who live there, another for an organization."""

    node_id: uuid.UUID | None = None
    organization_id: uuid.UUID | None = None
    for_id: uuid.UUID | None = None
    """The organization whose administrator has vouched; only it and those below take packages."""


async def trusted() -> dict[str, list[Trust]]:
    """Public keys (hexadecimal) that an administrator has confirmed and that are in force."""
    rows = await db.rows(
        """SELECT encode(k.public, 'hex') AS public, k.node_id, NULL::uuid AS organization_id,
                  NULL::uuid AS for_id
           FROM node_key AS k JOIN node AS n ON n.id = k.node_id
           WHERE n.status = 'active' AND k.confirmed_at IS NOT NULL AND k.revoked_at IS NULL
           AND k.valid_from <= $1 AND k.valid_to > $1
           UNION ALL
           SELECT public, NULL, organization_id, for_id FROM offline_key
           WHERE revoked_at IS NULL""",
        clock.now(),
    )
    found: dict[str, list[Trust]] = {}
    for row in rows:
        found.setdefault(row["public"], []).append(
            Trust(row["node_id"], row["organization_id"], row["for_id"])
        )
    return found


async def trust(actor: Actor, *, public: str, organization_id: uuid.UUID) -> None:
    """An administrator vouches for the key of an installation that is reached by sticks only.

    Its packages are taken for that organization and those below it. The key was compared over
    another way, by its 64 digits. Raises `key_form`, and Forbidden without authority over it.
    """
    actor.require("administrator")
    plain = "".join(public.lower().split())
    if len(plain) != _HEX or set(plain) - set("0123456789abcdef"):
        raise InvalidInput(
            "Ключ пакетов состоит из 64 шестнадцатеричных знаков.",
            "A key of packages has 64 hexadecimal digits.",
            code="key_form", field="public",
        )  # fmt: skip
    if not await _may_vouch(actor, organization_id):
        raise Forbidden(needs=["administrator"])
    async with db.transaction():
        await db.execute(
            """INSERT INTO offline_key (public, for_id, organization_id, added_by, added_at)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (public, for_id) DO UPDATE SET
                   organization_id = excluded.organization_id, added_by = excluded.added_by,
                   added_at = excluded.added_at, revoked_at = NULL""",
            plain, actor.home_id, organization_id, actor.account_id, clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "offline.key_trusted", subject=("organization", organization_id),
            data={"public": plain},
        )  # fmt: skip


async def distrust(actor: Actor, *, public: str) -> None:
    """Take no package by this key any more; NotFound for one the organization never trusted."""
    actor.require("administrator")
    async with db.transaction():
        found = await db.value(
            """UPDATE offline_key SET revoked_at = $3
               WHERE public = $1 AND for_id = $2 AND revoked_at IS NULL
               RETURNING organization_id""",
            public, actor.home_id, clock.now(),
        )  # fmt: skip
        if found is None:
            raise NotFound(key=public[:64])
        await events.record(
            actor, "offline.key_distrusted", subject=("organization", found),
            data={"public": public},
        )  # fmt: skip


async def _may_vouch(actor: Actor, organization_id: uuid.UUID) -> bool:
    """For those below, and for those above: a place without a network vouches for its centre."""
    today = clock.today()
    return await links.is_above(
        upper_id=actor.home_id, lower_id=organization_id, on=today
    ) or await links.is_above(upper_id=organization_id, lower_id=actor.home_id, on=today)


async def public_hex() -> str:
    """Our public key, as it is told to those who check our packages."""
    return (await own_key()).public_key().public_bytes_raw().hex()
