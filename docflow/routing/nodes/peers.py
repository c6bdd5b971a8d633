"""Other nodes: entered by address, confirmed by fingerprint, trusted by key and by nothing else."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit import events, transitions
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from core.settings import settings
from docflow.gateways.node import keys, transport
from docflow.gateways.node.keys import KeyInfo, SigningKey
from docflow.gateways.node.messages import Identity, common_version
from docflow.gateways.node.problems import KeyRefused, PeerRefused, VersionRefused
from docflow.gateways.node.signing import KeyFinder
from docflow.gateways.node.transport import Speaker, Way
from docflow.routing.nodes import own
from docflow.routing.nodes.states import NODE_TRANSITIONS, NodeStatus


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node as we know it."""

    id: uuid.UUID
    name: str
    base_url: str
    status: NodeStatus
    versions: tuple[int, ...]
    allow_private: bool
    statement_number: int

    @property
    def way(self) -> Way:
        """How to reach it."""
        return _way(self.base_url, self.allow_private)


def _way(base_url: str, allow_private: bool) -> Way:
    told = settings().node
    return Way(base_url, allow_private, told.allow_http, told.ca_file)


async def enroll(
    actor: Actor, *, base_url: str, allow_private: bool = False
) -> tuple[uuid.UUID, list[str]]:
    """Ask the node at `base_url` who it is and enter it; answers its id and key fingerprints.

    Nothing is exchanged until an administrator has compared a fingerprint with the one the other
    side's administrator reads out (`confirm`). `allow_private` lets it have an address of one's
    own network. Asked again of a known node, it only follows its address.
    """
    node = await own.require_keeper(actor)
    told = await transport.identity(_way(base_url, allow_private), window=own.window())
    if told.node == node.id:
        raise InvalidInput(
            "Это адрес нашего собственного узла.", "This is our own node's address.",
            code="node_is_our_own",
        )  # fmt: skip
    async with db.transaction():
        await _enter(actor, told, base_url=base_url, allow_private=allow_private)
    return told.node, [keys.fingerprint(one.kid) for one in told.keys]


async def _enter(actor: Actor, told: Identity, *, base_url: str, allow_private: bool) -> None:
    moment = clock.now()
    is_new = await db.value(
        """INSERT INTO node (id, name, base_url, status, versions, allow_private, created_at,
                             updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
           ON CONFLICT (id) DO UPDATE SET base_url = excluded.base_url,
               allow_private = excluded.allow_private, versions = excluded.versions,
               updated_at = excluded.updated_at
           RETURNING xmax = 0""",
        told.node, told.name[: own.MAX_NAME], base_url.strip().rstrip("/"), NodeStatus.WAITING,
        list(told.versions), allow_private, moment,
    )  # fmt: skip
    for one in told.keys:
        await enter_key(told.node, one, confirmed_by=None, is_confirmed=False)
    await events.record(
        actor, "node.entered", subject=("node", told.node),
        data={"keys": [one.kid for one in told.keys], "is_new": is_new,
              "allow_private": allow_private},
    )  # fmt: skip


async def enter_key(
    node_id: uuid.UUID, info: KeyInfo, *, confirmed_by: uuid.UUID | None, is_confirmed: bool
) -> bool:
    """Write a key that a node named; answers whether it is new. In the caller's transaction.

    A key is one node's for ever: raises `node_key_taken` for another's.
    """
    public, moment = keys.public_bytes(info), clock.now()
    keys.public_key(public)
    known = await db.row("SELECT node_id, confirmed_at FROM node_key WHERE kid = $1", info.kid)
    if known is not None and known["node_id"] != node_id:
        raise Conflict(
            "Этот ключ уже принадлежит другому узлу.", "This key is another node's already.",
            code="node_key_taken",
        )  # fmt: skip
    if known is not None and (known["confirmed_at"] or not is_confirmed):
        return False
    await db.execute(
        """INSERT INTO node_key (kid, node_id, public, valid_from, valid_to, confirmed_by,
                                 confirmed_at, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT (kid) DO UPDATE SET confirmed_by = $6, confirmed_at = $7""",
        info.kid, node_id, public, info.valid_from, info.valid_to, confirmed_by,
        moment if is_confirmed else None, moment,
    )  # fmt: skip
    return True


async def confirm(actor: Actor, node_id: uuid.UUID, *, fingerprint: str) -> None:
    """An administrator has compared the fingerprint: from now on messages go and come.

    Raises `fingerprint_differs`: then somebody else may be answering at that address.
    """
    await own.require_keeper(actor)
    async with db.transaction():
        found = await peer(node_id, lock=True)
        waiting = await db.rows("SELECT kid FROM node_key WHERE node_id = $1", node_id)
        kid = next(
            (row["kid"] for row in waiting if keys.same_fingerprint(fingerprint, row["kid"])), None
        )
        if kid is None:
            raise InvalidInput(
                "Отпечаток не совпадает с ключом узла. Сверьте его с администратором того узла;"
                " если он верен, по этому адресу отвечает кто-то другой.",
                "The fingerprint is not that of the node's key. Compare it with that node's"
                " administrator; if it is right, somebody else answers at this address.",
                code="fingerprint_differs", field="fingerprint",
            )  # fmt: skip
        await db.execute(
            """UPDATE node_key SET confirmed_at = $2, confirmed_by = $3
               WHERE kid = $1 AND confirmed_at IS NULL""",
            kid, clock.now(), actor.id,
        )  # fmt: skip
        if found.status is NodeStatus.ACTIVE:
            return
        await transitions.move(
            actor, "node", node_id, graph=NODE_TRANSITIONS, source=found.status,
            target=NodeStatus.ACTIVE, verb="node.confirmed", data={"kid": kid},
        )  # fmt: skip


async def suspend(actor: Actor, node_id: uuid.UUID, *, reason: str) -> None:
    """Stop the exchange with a node; what waits for it goes on waiting."""
    await own.require_keeper(actor)
    found = await peer(node_id)
    await transitions.move(
        actor, "node", node_id, graph=NODE_TRANSITIONS, source=found.status,
        target=NodeStatus.SUSPENDED, verb="node.suspended", detail={"reason": reason[:1000]},
    )  # fmt: skip


async def revoke_key(actor: Actor, kid: str) -> None:
    """A key of another node is not to be accepted any more (stolen, given up)."""
    await own.require_keeper(actor)
    async with db.transaction():
        row = await db.row(
            """UPDATE node_key AS k SET revoked_at = coalesce(k.revoked_at, $2) FROM node AS n
               WHERE k.kid = $1 AND n.id = k.node_id RETURNING n.id""",
            kid, clock.now(),
        )  # fmt: skip
        if row is None:
            raise NotFound(kid=kid)
        await events.record(
            actor, "node.key_revoked", subject=("node", row["id"]), data={"kid": kid}
        )  # fmt: skip


async def peer(node_id: uuid.UUID, *, lock: bool = False) -> Peer:
    """A node other than ours; raises NotFound."""
    row = await db.row(
        f"""SELECT id, name, base_url, status, versions, allow_private, statement_number
            FROM node WHERE id = $1 AND status <> 'own' {"FOR UPDATE" if lock else ""}""",
        node_id,
    )
    if row is None:
        raise NotFound(node_id=str(node_id))
    return _peer(row)


async def active() -> list[Peer]:
    """All nodes with which messages are exchanged."""
    rows = await db.rows(
        """SELECT id, name, base_url, status, versions, allow_private, statement_number
           FROM node WHERE status = 'active' ORDER BY id"""
    )
    return [_peer(row) for row in rows]


def _peer(row: db.Row) -> Peer:
    return Peer(**{**row, "status": NodeStatus(row["status"]), "versions": tuple(row["versions"])})


def require_active(found: Peer) -> None:
    """Raise `node_not_active` unless messages are exchanged with this node."""
    if found.status is not NodeStatus.ACTIVE:
        raise PeerRefused(node_id=str(found.id), status=found.status.value)


async def listed(actor: Actor) -> list[dict[str, Any]]:
    """All nodes, ours first, with their keys and how many organizations live there."""
    actor.require("administrator", "clerk")
    rows = await db.rows(
        """SELECT n.id, n.name, n.base_url, n.status, n.versions, n.allow_private,
                  n.statement_number, n.statement_at, n.heard_at,
                  (SELECT count(*) FROM node_residence AS r WHERE r.node_id = n.id) AS residents
           FROM node AS n ORDER BY n.status <> 'own', n.name, n.id"""
    )
    known = await db.rows(
        """SELECT node_id, kid, valid_from, valid_to, confirmed_at, revoked_at FROM node_key
           ORDER BY valid_from"""
    )
    return [
        {**row, "keys": [{**one, "fingerprint": keys.fingerprint(one["kid"])}
                         for one in known if one["node_id"] == row["id"]]}
        for row in rows
    ]  # fmt: skip


async def key_finder(node_id: uuid.UUID) -> KeyFinder:
    """Finds a node's keys among those we accept; the refusal says what is wrong with others."""
    rows = await db.rows("SELECT * FROM node_key WHERE node_id = $1", node_id)
    return _finder({row["kid"]: row for row in rows})


def _finder(known: dict[str, db.Row]) -> KeyFinder:
    def find(kid: str) -> Ed25519PublicKey:
        row, now = known.get(kid), clock.now()
        if row is None or row["confirmed_at"] is None:
            raise KeyRefused(kid=kid[:100])
        if row["revoked_at"] is not None:
            raise _key_refused("node_key_revoked", "отозван", "was revoked", kid)
        if now >= row["valid_to"]:
            raise _key_refused("node_key_expired", "просрочен", "has expired", kid)
        if now < row["valid_from"]:
            raise _key_refused("node_key_not_yet", "ещё не действует", "is not in force yet", kid)
        return keys.public_key(bytes(row["public"]))

    return find


def _key_refused(code: str, ru: str, en: str, kid: str) -> KeyRefused:
    return KeyRefused(
        f"Ключ узла {ru}. Администратору того узла нужно выпустить новый ключ.",
        f"The node's key {en}. That node's administrator has to make a new one.",
        code=code, kid=kid,
    )  # fmt: skip


def version_for(found: Peer) -> int:
    """The newest version we both speak; raises `node_version_unsupported`."""
    common = common_version(found.versions, own.versions())
    if common is None:
        raise VersionRefused(versions=list(own.versions()), theirs=list(found.versions))
    return common


async def speaker(found: Peer, *, version: int | None = None) -> Speaker:
    """Us, speaking to this node."""
    node = await own.needed()
    return Speaker(
        await own.signing_key(), str(node.id), str(found.id), version or version_for(found),
        own.window(),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """We and another node, as both stand now: all that speaking to it takes."""

    own_id: uuid.UUID
    key: SigningKey
    peer: Peer
    find: KeyFinder
    heard_at: datetime | None

    def speaker(self, version: int) -> Speaker:
        """Us, speaking to it in this version."""
        return Speaker(self.key, str(self.own_id), str(self.peer.id), version, own.window())

    async def heard(self) -> None:
        """Note that a signed message of it has come, at most once a minute."""
        now = clock.now()
        if self.heard_at is None or self.heard_at < now - timedelta(minutes=1):
            await db.execute("UPDATE node SET heard_at = $2 WHERE id = $1", self.peer.id, now)


async def standing(node_id: uuid.UUID) -> Standing:
    """Both nodes and the other's keys in one question; raises NotFound."""
    row = await db.row(
        """SELECT n.id, n.name, n.base_url, n.status, n.versions, n.allow_private,
                  n.statement_number, n.heard_at, o.id AS own, (
                      SELECT k.kid FROM node_key AS k WHERE k.node_id = o.id
                      AND k.revoked_at IS NULL AND k.valid_from <= $2 AND k.valid_to > $2
                      ORDER BY k.valid_to DESC LIMIT 1) AS own_kid,
                  (SELECT coalesce(jsonb_agg(jsonb_build_object(
                       'kid', k.kid, 'public', encode(k.public, 'hex'),
                       'valid_from', k.valid_from, 'valid_to', k.valid_to,
                       'confirmed_at', k.confirmed_at, 'revoked_at', k.revoked_at)), '[]')
                   FROM node_key AS k WHERE k.node_id = n.id) AS keys
           FROM node AS n JOIN node AS o ON o.status = 'own'
           WHERE n.id = $1 AND n.status <> 'own'""",
        node_id, clock.now(),
    )  # fmt: skip
    if row is None:
        raise NotFound(node_id=str(node_id))
    own_id, own_kid, heard_at = row.pop("own"), row.pop("own_kid"), row.pop("heard_at")
    known = {one["kid"]: _key(one) for one in row.pop("keys")}
    key = own.opened(own_kid) or await own.signing_key()
    return Standing(own_id, key, _peer(row), _finder(known), heard_at)


def _key(told: dict[str, Any]) -> db.Row:
    moments = {name: told[name] and datetime.fromisoformat(told[name])
               for name in ("valid_from", "valid_to", "confirmed_at", "revoked_at")}  # fmt: skip
    return {**told, **moments, "public": bytes.fromhex(told["public"])}
