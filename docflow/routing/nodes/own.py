"""This installation as a node: its name, its keys, and who looks after it."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit import events
from core import clock, db, sealing
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput, Unavailable
from core.settings import settings
from directory.states import OrganizationKind
from docflow.gateways.node import keys
from docflow.gateways.node.keys import KeyInfo, SigningKey
from docflow.gateways.node.messages import VERSIONS, Identity
from docflow.routing.nodes.states import NodeStatus

PURPOSE = "node key"
TERM = timedelta(days=730)
LEAD = timedelta(days=7)
"""Between the making of a new key and its first use: peers are told of it meanwhile."""
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Own:
    """This node."""

    id: uuid.UUID
    name: str
    base_url: str
    organization_id: uuid.UUID
    """Whose administrators look after it."""
    statement_number: int


def versions() -> tuple[int, ...]:
    """Versions of the protocol this installation speaks."""
    wanted = settings().node.versions
    return tuple(one for one in VERSIONS if not wanted or one in wanted)


def window() -> timedelta:
    """How far a signature's time may be from our clock."""
    return timedelta(seconds=settings().node.clock_window)


async def found(actor: Actor, *, name: str, base_url: str) -> uuid.UUID:
    """Make this installation a node, with its first key; done again it answers the same node.

    Needs an administrator of the organization that stands highest among those which administer
    themselves here; its administrators look after the node from then on.
    """
    actor.require("administrator")
    if not 1 <= len(name.strip()) <= MAX_NAME or not base_url.startswith(("https://", "http://")):
        raise InvalidInput(
            "Укажите название узла и его адрес, начинающийся с https://.",
            "Give the node's name and its address, which begins with https://.",
            code="node_name_invalid",
        )
    async with db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended('node.found', 0))")
        if (known := await own()) is not None:
            await require_keeper(actor)
            return known.id
        await _require_topmost(actor)
        node_id, moment = clock.new_id(), clock.now()
        await db.execute(
            """INSERT INTO node (id, name, base_url, status, versions, organization_id, created_at,
                                 updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $7)""",
            node_id, name.strip(), base_url.strip().rstrip("/"), NodeStatus.OWN,
            list(versions()), actor.home_id, moment,
        )  # fmt: skip
        await _new_key(actor, node_id, starts_at=moment)
        await events.record(actor, "node.founded", subject=("node", node_id))
    return node_id


async def _require_topmost(actor: Actor) -> None:
    """Nobody above the actor's organization has an administrator here."""
    above = await db.value(
        """WITH RECURSIVE above AS (
               SELECT $1::uuid AS id
               UNION
               SELECT l.parent_id FROM above AS a JOIN organization_link AS l ON l.child_id = a.id
                   AND l.valid_from <= $2 AND (l.valid_to IS NULL OR l.valid_to > $2))
           SELECT true FROM role_grant AS g WHERE g.role = 'administrator'
           AND g.organization_id IN (SELECT id FROM above WHERE id <> $1) LIMIT 1""",
        actor.home_id, clock.today(),
    )  # fmt: skip
    kind = await db.value("SELECT kind FROM organization WHERE id = $1", actor.home_id)
    if above or kind in (OrganizationKind.PRIMARY, OrganizationKind.OUTSIDE):
        raise _not_the_keeper()


async def require_keeper(actor: Actor) -> Own:
    """This node, if the actor administers the organization that looks after it."""
    actor.require("administrator")
    found_one = await needed()
    if actor.kind != "rule" and actor.organization_id != found_one.organization_id:
        raise _not_the_keeper()
    return found_one


def _not_the_keeper() -> Forbidden:
    return Forbidden(
        "Узлом управляют администраторы организации, которая его ведёт.",
        "The node is looked after by the administrators of the organization that runs it.",
        code="node_keeper_needed",
    )


async def own() -> Own | None:
    """This node, or None while the installation is none."""
    row = await db.row(
        """SELECT id, name, base_url, organization_id, statement_number FROM node
           WHERE status = 'own'"""
    )
    return None if row is None else Own(**row)


async def needed() -> Own:
    """This node; raises `node_not_founded` while there is none."""
    known = await own()
    if known is None:
        raise Conflict(
            "Эта установка ещё не узел обмена. Администратор создаёт узел в настройках обмена.",
            "This installation is no node yet. An administrator makes it one.",
            code="node_not_founded",
        )
    return known


async def rotate(actor: Actor, *, starts_at: datetime | None = None) -> str:
    """Make the next key; answers its fingerprint. Both are good until the old one's term ends.

    From `starts_at` (a week from now) we sign with it; peers learn of it by a statement signed
    with the old one, and need no new confirmation.
    """
    node = await require_keeper(actor)
    moment = starts_at or clock.now() + LEAD
    async with db.transaction():
        kid = await _new_key(actor, node.id, starts_at=moment)
    return keys.fingerprint(kid)


async def _new_key(actor: Actor, node_id: uuid.UUID, *, starts_at: datetime) -> str:
    key, secret = keys.new_key()
    await db.execute(
        """INSERT INTO node_key (kid, node_id, public, sealed, valid_from, valid_to, confirmed_by,
                                 confirmed_at, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)""",
        key.kid, node_id, key.private.public_key().public_bytes_raw(),
        sealing.seal(secret, purpose=PURPOSE, bound_to=key.kid.encode()), starts_at,
        starts_at + TERM, actor.id, clock.now(),
    )  # fmt: skip
    await events.record(
        actor, "node.key_made", subject=("node", node_id),
        data={"kid": key.kid, "valid_from": starts_at.isoformat()},
    )  # fmt: skip
    return key.kid


_opened: dict[str, SigningKey] = {}
"""Own keys by id: what a key id names never changes, so nothing here grows stale."""


def opened(kid: str | None) -> SigningKey | None:
    """An own key this process has used before."""
    return _opened.get(kid) if kid else None


async def signing_key() -> SigningKey:
    """The key we sign with now: of those in force the one that lasts longest."""
    row = await db.row(
        """SELECT k.kid, k.sealed FROM node_key AS k JOIN node AS n ON n.id = k.node_id
           WHERE n.status = 'own' AND k.revoked_at IS NULL AND k.valid_from <= $1
           AND k.valid_to > $1 ORDER BY k.valid_to DESC LIMIT 1""",
        clock.now(),
    )
    if row is None:
        raise Unavailable(
            "Срок ключа узла истёк: обмен остановлен. Администратор выпускает новый ключ.",
            "The node's key has expired and nothing is exchanged. An administrator makes a new"
            " one.",
            code="node_own_key_expired",
        )
    if row["kid"] not in _opened:
        secret = sealing.unseal(
            bytes(row["sealed"]), purpose=PURPOSE, bound_to=row["kid"].encode()
        )  # fmt: skip
        _opened[row["kid"]] = keys.signing_key(secret)
    return _opened[row["kid"]]


async def identity() -> Identity:
    """Who we are, for anybody who asks."""
    node = await needed()
    return Identity(
        node=node.id, name=node.name, keys=await key_infos(node.id), versions=versions(),
        time=clock.now(), base_url=node.base_url,
    )  # fmt: skip


async def key_infos(node_id: uuid.UUID) -> tuple[KeyInfo, ...]:
    """A node's keys that are not revoked and whose term has not ended."""
    rows = await db.rows(
        """SELECT public, valid_from, valid_to FROM node_key WHERE node_id = $1
           AND revoked_at IS NULL AND valid_to > $2 ORDER BY valid_from""",
        node_id, clock.now(),
    )  # fmt: skip
    return tuple(
        keys.key_info(bytes(one["public"]), valid_from=one["valid_from"],
                      valid_to=one["valid_to"]) for one in rows
    )  # fmt: skip
