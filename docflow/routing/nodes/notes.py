"""Notes to other nodes: reports, recalls, statements; frozen once, sent until they are answered.

A note is a row with its bytes and its uid. It is done when the other node's signed receipt says
that it has committed it, and it waits for a person when that node refuses it or is silent past its
limit. Notes of one node go one after the other; a node that does not answer delays no other.
"""

import logging
import uuid
from datetime import timedelta

from audit import transitions
from core import clock, db
from core.actor import RULE, Actor
from core.errors import NotFound, ServiceError
from core.jobs import RetryPolicy
from docflow.gateways.node import transport
from docflow.gateways.node.messages import Receipt, decode
from docflow.gateways.node.problems import PeerSilent
from docflow.gateways.node.transport import Answer, Declined
from docflow.routing.nodes import own, peers, points, prompting, receipts
from docflow.routing.nodes.states import NOTE_TRANSITIONS, NodeStatus, NoteStatus

log = logging.getLogger(__name__)

LIMIT = timedelta(days=7)
"""A note without a receipt for so long waits for a person; the node's silence shows before."""
PAUSES = RetryPolicy(first=timedelta(seconds=2), longest=timedelta(minutes=5))
LEASE = timedelta(minutes=2)
AT_ONCE = 50
SECONDS = 60.0


async def queue(
    node_id: uuid.UUID, uid: uuid.UUID, kind: str, body: bytes,
    *, document_id: uuid.UUID | None = None,
) -> None:  # fmt: skip
    """Write a note and ask that it goes; in the caller's transaction. The same uid is one note.

    A newer statement makes those that still wait void: it says all that they said.
    """
    moment = clock.now()
    if kind == "statement":
        for row in await db.rows(
            "SELECT id, status FROM node_note WHERE node_id = $1 AND kind = 'statement'"
            " AND status IN ('waiting', 'failed') FOR UPDATE",
            node_id,
        ):
            await _move(row, NoteStatus.VOID)
    await db.execute(
        """INSERT INTO node_note (id, node_id, kind, document_id, body, status, next_attempt_at,
                                  limit_at, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $7, $6, $6) ON CONFLICT (id) DO NOTHING""",
        uid, node_id, kind, document_id, body, moment, moment + LIMIT,
    )  # fmt: skip
    await prompting.tell(node_id)


async def due() -> list[uuid.UUID]:
    """Nodes for which a note waits whose time has come."""
    rows = await db.rows(
        """SELECT DISTINCT t.node_id FROM node_note AS t JOIN node AS n ON n.id = t.node_id
           WHERE t.status = 'waiting' AND t.next_attempt_at <= $1 AND n.status = 'active'""",
        clock.now(),
    )
    return [row["node_id"] for row in rows]


async def tell(node_id: uuid.UUID) -> int:
    """Send this node the notes that are due, oldest first; answers how many it has taken."""
    done = 0
    peer = await peers.peer(node_id)
    if peer.status is not NodeStatus.ACTIVE:
        return 0
    while batch := await _claimed(node_id):
        for place, note in enumerate(batch):
            try:
                await _tell_one(peer, note)
                done += 1
            except PeerSilent as problem:
                # nobody answers there: the rest of the batch need not try
                for one in batch[place:]:
                    await _postpone(one, problem)
                return done
            except ServiceError as problem:
                await _postpone(note, problem)
    return done


async def _claimed(node_id: uuid.UUID) -> list[db.Row]:
    now = clock.now()
    rows = await db.rows(
        """UPDATE node_note SET attempts = attempts + 1, next_attempt_at = $3, updated_at = $2
           WHERE id IN (SELECT id FROM node_note WHERE node_id = $1 AND status = 'waiting'
                        AND next_attempt_at <= $2 ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED)
           RETURNING *""",
        node_id, now, now + LEASE, AT_ONCE,
    )  # fmt: skip
    return sorted(rows, key=lambda row: row["id"])


async def _tell_one(peer: peers.Peer, note: db.Row) -> None:
    body = bytes(note["body"])
    points.reach("note_made")
    known = await peers.standing(peer.id)
    answer = await transport.ask(
        "POST", "/notes", body, way=peer.way, speaker=known.speaker(peers.version_for(peer)),
        key_of=known.find, seconds=SECONDS,
    )  # fmt: skip
    points.reach("note_answered")
    receipt = receipt_of(answer, uid=note["id"], sha256=transport.digest(body))
    async with db.transaction():
        row = await db.row("SELECT * FROM node_note WHERE id = $1 FOR UPDATE", note["id"])
        if row is None or row["status"] != NoteStatus.WAITING:
            return
        is_good = receipt.status != "refused" or receipt.reason in _OUTDATED
        await _move(
            row, NoteStatus.DONE if is_good else NoteStatus.FAILED,
            error_code=receipt.reason, error=(receipt.text or "")[:500] or None,
        )  # fmt: skip
        await receipts.keep(
            peer.id, answer.signed.proof(answer.body), uid=note["id"], kind="note",
            document_id=note["document_id"],
        )  # fmt: skip
        await known.heard()


_OUTDATED = frozenset({"statement_old"})
"""Refusals that end a note well: what it says is known there already."""


def receipt_of(answer: Answer, *, uid: uuid.UUID, sha256: str) -> Receipt:
    """The receipt in an answer; raises `PeerSilent` for one that is about something else."""
    receipt = decode(answer.body, Receipt)
    if (receipt.uid, receipt.sha256) != (uid, sha256):
        raise PeerSilent(reason="the receipt is about another message")
    return receipt


async def _postpone(note: db.Row, problem: ServiceError) -> None:
    code = problem.their_code if isinstance(problem, Declined) else problem.error_code
    moment = clock.now() + PAUSES.wait_with_jitter(note["attempts"])
    log.info("note %s for node %s: %s", note["id"], note["node_id"], code)
    async with db.transaction():
        row = await db.row("SELECT * FROM node_note WHERE id = $1 FOR UPDATE", note["id"])
        if row is None or row["status"] != NoteStatus.WAITING:
            return
        told = str(problem.details.get("reason") or problem.message_ru)[:500]
        if moment >= row["limit_at"]:
            await _move(row, NoteStatus.FAILED, error_code=code, error=told)
            return
        await db.execute(
            """UPDATE node_note SET next_attempt_at = $2, error_code = $3, error = $4,
                   updated_at = $5 WHERE id = $1""",
            row["id"], moment, code, told, clock.now(),
        )  # fmt: skip


async def retry(actor: Actor, note_id: uuid.UUID) -> None:
    """Send a note again now, the same bytes under the same uid."""
    await own.require_keeper(actor)
    async with db.transaction():
        row = await db.row("SELECT * FROM node_note WHERE id = $1 FOR UPDATE", note_id)
        if row is None:
            raise NotFound(note_id=str(note_id))
        fresh = {"next_attempt_at": clock.now(), "limit_at": clock.now() + LIMIT}
        if row["status"] == NoteStatus.WAITING:
            await db.execute(
                "UPDATE node_note SET next_attempt_at = $2 WHERE id = $1", note_id, clock.now()
            )
        else:
            await _move(row, NoteStatus.WAITING, actor=actor, **fresh)
        await prompting.tell(row["node_id"])


async def stuck(actor: Actor, *, limit: int = 100) -> list[db.Row]:
    """Notes that wait for a person, and those that wait longer than an hour, with the reason."""
    await own.require_keeper(actor)
    return await db.rows(
        """SELECT t.id, t.node_id, n.name AS node, t.kind, t.document_id, t.status, t.attempts,
                  t.next_attempt_at, t.limit_at, t.error_code, t.error, t.created_at
           FROM node_note AS t JOIN node AS n ON n.id = t.node_id
           WHERE t.status = 'failed' OR (t.status = 'waiting' AND t.created_at < $1)
           ORDER BY t.id LIMIT $2""",
        clock.now() - timedelta(hours=1), max(1, min(limit, 1000)),
    )  # fmt: skip


async def _move(row: db.Row, target: NoteStatus, *, actor: Actor = RULE, **assign: object) -> None:
    await transitions.move(
        actor, "node_note", row["id"], graph=NOTE_TRANSITIONS, source=NoteStatus(row["status"]),
        target=target, verb=f"node_note.{target.value}", assign=assign,
    )  # fmt: skip
