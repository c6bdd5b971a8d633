"""Who lives where (размещение): what nodes claim of themselves, and what is done when two do.

Every installation holds the whole registry; an organization is served by one node. Who lives with
another node is reached by the channel ``node``; who is claimed by nobody is served here.
"""

import hashlib
import uuid
from collections.abc import Collection, Iterable

from audit import events, transitions
from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, InvalidInput, NotFound
from directory import selection
from directory.selection import Selector
from docflow.gateways.node.messages import Statement, encode
from docflow.routing.nodes import notes, own, peers
from docflow.routing.nodes.peers import Peer
from docflow.routing.nodes.states import CHANNEL, CONFLICT_TRANSITIONS, ConflictStatus
from notify import notices

_TO_NODE = f"""channels = array_prepend('{CHANNEL}',
    array_remove(array_remove(o.channels, '{CHANNEL}'), 'internal'))"""
_FROM_NODE = f"""channels = CASE WHEN o.channels <@ '{{{CHANNEL}}}' THEN '{{internal}}'
    ELSE array_remove(o.channels, '{CHANNEL}') END"""


async def serve(actor: Actor, *, selector: Selector) -> int:
    """This node serves these organizations from now on; tells every other node. Answers how many.

    Whoever lives elsewhere by that node's own statement becomes a conflict for an administrator.
    """
    node = await own.require_keeper(actor)
    selection.check(selector)
    sql, values = selection.ids_sql(selector, on=clock.today())
    async with db.transaction():
        wanted = [row["id"] for row in await db.rows(f"SELECT id FROM ({sql}) AS s", *values)]
        if not wanted:
            raise InvalidInput(
                "По этим условиям не нашлось ни одной организации.",
                "No organization fits these conditions.",
                code="no_organizations", field="selector",
            )  # fmt: skip
        taken = await _settle(node.id, wanted)
        await events.record(
            actor, "node.serves", subject=("node", node.id), data={"organizations": len(taken)}
        )
        await announce()
    return len(taken)


async def release(actor: Actor, organization_ids: Collection[uuid.UUID]) -> int:
    """These do not live here any more; where they live, their new node says."""
    node = await own.require_keeper(actor)
    async with db.transaction():
        gone = await _unsettle(node.id, organization_ids)
        await events.record(
            actor, "node.released", subject=("node", node.id), data={"organizations": gone}
        )
        await announce()
    return gone


async def announce() -> None:
    """Queue a statement of who lives here, and of our keys, for every active node."""
    node_id = (await own.needed()).id
    async with db.transaction():
        number = await db.value(
            """UPDATE node SET statement_number = statement_number + 1, statement_at = $2,
                   updated_at = $2 WHERE id = $1 RETURNING statement_number""",
            node_id, clock.now(),
        )  # fmt: skip
        codes = await _codes_of(node_id)
        identity = await own.identity()
        for peer in await peers.active():
            statement = Statement(
                uid=clock.new_id(), number=number, issued_at=clock.now(), identity=identity,
                serves=codes,
            )  # fmt: skip
            await notes.queue(peer.id, statement.uid, "statement", encode(statement))


async def _codes_of(node_id: uuid.UUID) -> tuple[str, ...]:
    rows = await db.rows(
        """SELECT o.code FROM node_residence AS r JOIN organization AS o ON o.id = r.organization_id
           WHERE r.node_id = $1 ORDER BY o.code""",
        node_id,
    )
    return tuple(row["code"] for row in rows)


async def take_statement(peer: Peer, statement: Statement, body: bytes) -> str | None:
    """Enter what a node says of itself; answers the reason of a refusal. In a transaction.

    Numbers only grow: an old statement, sent again by whomever, changes nothing.
    """
    if statement.identity.node != peer.id:
        return "statement_of_another"
    locked = await peers.peer(peer.id, lock=True)
    if statement.number <= locked.statement_number:
        return "statement_old"
    for info in statement.identity.keys:
        await peers.enter_key(peer.id, info, confirmed_by=None, is_confirmed=True)
    await db.execute(
        """UPDATE node_key SET revoked_at = $3 WHERE node_id = $1 AND revoked_at IS NULL
           AND kid <> ALL($2) AND valid_to > $3""",
        peer.id, [one.kid for one in statement.identity.keys], clock.now(),
    )  # fmt: skip
    ids = await _ids_of(statement.serves)
    before = await db.rows("SELECT organization_id FROM node_residence WHERE node_id = $1", peer.id)
    await _unsettle(peer.id, {row["organization_id"] for row in before} - set(ids))
    await _withdraw(peer.id, ids)
    settled = await _settle(peer.id, ids)
    await db.execute(
        """UPDATE node SET statement_number = $2, statement_sha256 = $3, statement_at = $4,
               versions = $5, name = $6, updated_at = $4 WHERE id = $1""",
        peer.id, statement.number, hashlib.sha256(body).digest(), clock.now(),
        list(statement.identity.versions), statement.identity.name[: own.MAX_NAME],
    )  # fmt: skip
    await events.record(
        RULE, "node.stated", subject=("node", peer.id),
        data={"number": statement.number, "claimed": len(statement.serves), "known": len(ids),
              "settled": len(settled)},
    )  # fmt: skip
    return None


async def _ids_of(codes: Iterable[str]) -> list[uuid.UUID]:
    rows = await db.rows("SELECT id FROM organization WHERE code = ANY($1)", list(codes))
    return [row["id"] for row in rows]


async def _settle(node_id: uuid.UUID, organization_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Let these live with a node; those who live with another one become conflicts."""
    moment = clock.now()
    rows = await db.rows(
        """INSERT INTO node_residence (organization_id, node_id, created_at)
           SELECT id, $2, $3 FROM unnest($1::uuid[]) AS t (id)
           ON CONFLICT (organization_id) DO NOTHING RETURNING organization_id""",
        list(organization_ids), node_id, moment,
    )  # fmt: skip
    fresh = [row["organization_id"] for row in rows]
    await _reach(node_id, fresh)
    await db.execute(
        """INSERT INTO node_conflict (id, organization_id, holder_id, claimant_id, status,
                                      created_at, updated_at)
           SELECT uuidv7(), r.organization_id, r.node_id, $2, 'open', $3, $3
           FROM node_residence AS r
           WHERE r.organization_id = ANY($1) AND r.node_id <> $2 AND NOT EXISTS (
               SELECT 1 FROM node_conflict AS c WHERE c.organization_id = r.organization_id
               AND c.claimant_id = $2 AND c.status <> 'withdrawn')""",
        list(organization_ids), node_id, moment,
    )  # fmt: skip
    disputed = await db.value(
        """SELECT count(*) FROM node_conflict WHERE claimant_id = $1 AND status = 'open'
           AND created_at = $2""",
        node_id, moment,
    )  # fmt: skip
    keeper = await own.own()
    if disputed and keeper is not None:
        await notices.post(
            keeper.organization_id, "node_conflict", ("node", node_id), data={"count": disputed}
        )
    return fresh


async def _unsettle(node_id: uuid.UUID, organization_ids: Collection[uuid.UUID]) -> int:
    """These leave a node; who else claims one of them gets it at once."""
    rows = await db.rows(
        """DELETE FROM node_residence WHERE node_id = $1 AND organization_id = ANY($2)
           RETURNING organization_id""",
        node_id, list(organization_ids),
    )  # fmt: skip
    gone = [row["organization_id"] for row in rows]
    await db.execute(
        f"UPDATE organization AS o SET {_FROM_NODE}, updated_at = $2 WHERE id = ANY($1)",
        gone, clock.now(),
    )  # fmt: skip
    for row in await db.rows(
        """SELECT * FROM node_conflict WHERE holder_id = $1 AND organization_id = ANY($2)
           AND status <> 'withdrawn'""",
        node_id, gone,
    ):  # fmt: skip
        await _move(RULE, row, ConflictStatus.WITHDRAWN)
        await _settle(row["claimant_id"], [row["organization_id"]])
    return len(gone)


async def _withdraw(claimant_id: uuid.UUID, still: Collection[uuid.UUID]) -> None:
    """Conflicts end whose claimant does not claim any more."""
    for row in await db.rows(
        """SELECT * FROM node_conflict WHERE claimant_id = $1 AND status <> 'withdrawn'
           AND organization_id <> ALL($2)""",
        claimant_id, list(still),
    ):  # fmt: skip
        await _move(RULE, row, ConflictStatus.WITHDRAWN)


async def _reach(node_id: uuid.UUID, organization_ids: Collection[uuid.UUID]) -> None:
    """Dispatches take the channel that leads to where an organization lives."""
    is_own = await db.value("SELECT status = 'own' FROM node WHERE id = $1", node_id)
    await db.execute(
        f"""UPDATE organization AS o SET {_FROM_NODE if is_own else _TO_NODE}, updated_at = $2
            WHERE id = ANY($1)""",
        list(organization_ids), clock.now(),
    )  # fmt: skip


async def conflicts(actor: Actor) -> list[db.Row]:
    """Organizations that two nodes claim, the undecided first."""
    actor.require("administrator", "clerk")
    return await db.rows(
        """SELECT c.id, c.organization_id, o.code, o.name, c.holder_id, h.name AS holder,
                  c.claimant_id, n.name AS claimant, c.status, c.decided_for, c.created_at
           FROM node_conflict AS c JOIN organization AS o ON o.id = c.organization_id
           JOIN node AS h ON h.id = c.holder_id JOIN node AS n ON n.id = c.claimant_id
           WHERE c.status <> 'withdrawn' ORDER BY c.status = 'decided', o.code LIMIT 1000"""
    )


async def decide(actor: Actor, conflict_id: uuid.UUID, *, for_node: uuid.UUID) -> None:
    """An administrator says with whom the organization lives; both claims may stand unchanged."""
    await own.require_keeper(actor)
    async with db.transaction():
        row = await db.row("SELECT * FROM node_conflict WHERE id = $1 FOR UPDATE", conflict_id)
        if row is None:
            raise NotFound(conflict_id=str(conflict_id))
        if row["status"] != ConflictStatus.OPEN:
            raise Conflict(code="illegal_transition", status=row["status"])
        if for_node not in (row["holder_id"], row["claimant_id"]):
            raise InvalidInput(
                "Решить можно только в пользу одного из двух узлов.",
                "It can only be decided for one of the two nodes.",
                code="node_not_in_conflict", field="for_node",
            )  # fmt: skip
        await _move(actor, row, ConflictStatus.DECIDED, decided_for=for_node, decided_by=actor.id)
        if for_node == row["claimant_id"]:
            await db.execute(
                """UPDATE node_residence SET node_id = $2, created_at = $3
                   WHERE organization_id = $1""",
                row["organization_id"], for_node, clock.now(),
            )  # fmt: skip
            await _reach(for_node, [row["organization_id"]])


async def _move(actor: Actor, row: db.Row, target: ConflictStatus, **assign: object) -> None:
    await transitions.move(
        actor, "node_conflict", row["id"], graph=CONFLICT_TRANSITIONS,
        source=ConflictStatus(row["status"]), target=target, verb=f"node_conflict.{target.value}",
        assign=assign, data={"organization_id": str(row["organization_id"])},
    )  # fmt: skip
