"""After a restore from a backup: what the other node has and we no longer know, and back.

Each side tells what it has of the other. The one that asks learns of documents it has lost, keeps
their numbers from being given twice, and gets again what only the other remembers; the one that is
asked sends again what it was receipted for and the other does not know.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from audit import events
from core import clock, db, jobs
from core.actor import RULE, Actor
from core.errors import NotFound, Unavailable
from docflow.documents import journals
from docflow.gateways.node import transport
from docflow.gateways.node.messages import (
    KnownMessage,
    Manifest,
    Receipt,
    Reconcile,
    Reconciled,
    decode,
    encode,
)
from docflow.routing.carriage import Carried, Consignment, Kind
from docflow.routing.nodes import own, peers, prompting, residence, sending
from docflow.routing.nodes.intake import Call

SECONDS = 120.0
MOST = 20_000
"""Messages told in one answer, the oldest first; who has more asks again from the last one on."""
SLACK = timedelta(hours=1)
"""Clocks differ, and a backup takes its time: it is asked from so much earlier."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a reconciliation has found."""

    known: int
    """Messages both sides know."""
    lost: int
    """Messages of ours that only the other node knows (see `lost`)."""
    again: int
    """Messages the other node sends us again."""
    reports: int
    """Deliveries of ours on which it reports anew."""
    is_complete: bool
    """False: there are more, ask again."""


async def ask(actor: Actor, node_id: uuid.UUID, *, since: datetime) -> Found:
    """Compare with another node what went both ways since `since`, the time of the backup.

    Run it when the processes are up and waiting messages have gone, before anything new is
    registered; again at will. Numbers of lost documents are not given a second time.
    """
    await own.require_keeper(actor)
    peer, start = await peers.peer(node_id), since - SLACK
    question = Reconcile(since=start, have=await _have(node_id, start), documents=await _carried(
        node_id))  # fmt: skip
    answer = await transport.ask(
        "POST", "/reconcile", encode(question), way=peer.way, speaker=await peers.speaker(peer),
        key_of=await peers.key_finder(node_id), seconds=SECONDS,
    )  # fmt: skip
    told = decode(answer.body, Reconciled)
    async with db.transaction():
        found = await _compared(node_id, told)
        await _count_on(told.statement)
        await events.record(
            actor, "node.reconciled", subject=("node", node_id),
            data={"since": start.isoformat(), "known": found.known, "lost": found.lost,
                  "again": found.again, "reports": found.reports},
        )  # fmt: skip
    return found


async def lost(actor: Actor) -> list[db.Row]:
    """Messages that other nodes have and we do not know, the oldest first."""
    await own.require_keeper(actor)
    return await db.rows(
        """SELECT l.node_id, n.name AS node, l.uid, l.document_id, l.organization_id, l.number,
                  l.date, l.title, l.recipients, l.committed_at
           FROM node_lost AS l JOIN node AS n ON n.id = l.node_id ORDER BY l.uid LIMIT 1000"""
    )


async def _compared(node_id: uuid.UUID, told: Reconciled) -> Found:
    ours = await _ours(told.messages)
    gone = [one for one in told.messages if one.uid not in ours]
    for one in gone:
        await _enter_lost(node_id, one)
    return Found(len(told.messages) - len(gone), len(gone), told.again, told.reports,
                 len(told.messages) < MOST)  # fmt: skip


async def _ours(messages: tuple[KnownMessage, ...]) -> set[uuid.UUID]:
    """Messages we know, or all of whose deliveries we know.

    A backup may stand between a dispatch and its message: the deliveries are there and go out again
    under another uid, which the other node absorbs. Nothing of that is lost.
    """
    rows = await db.rows(
        """SELECT w.uid FROM unnest($1::uuid[], $2::text[]) AS w (uid, deliveries)
           WHERE EXISTS (SELECT 1 FROM consignment AS c WHERE c.id = w.uid)
              OR (w.deliveries <> '' AND NOT EXISTS (
                  SELECT 1 FROM string_to_table(w.deliveries, ' ') AS one (id)
                  WHERE NOT EXISTS (SELECT 1 FROM delivery AS v WHERE v.id = one.id::uuid)))""",
        [one.uid for one in messages],
        [" ".join(map(str, one.receipt.delivered + one.receipt.waiting)) for one in messages],
    )
    return {row["uid"] for row in rows}


async def _enter_lost(node_id: uuid.UUID, told: KnownMessage) -> None:
    author_id = await db.value("SELECT id FROM organization WHERE code = $1", told.author)
    await db.execute(
        """INSERT INTO node_lost (node_id, uid, document_id, organization_id, number, date, title,
                                  recipients, committed_at, told, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING""",
        node_id, told.uid, told.document, author_id, told.number[:200], told.date,
        told.title[:1000], len(told.receipt.delivered) + len(told.receipt.waiting),
        told.receipt.committed_at, msgspec.to_builtins(told), clock.now(),
    )  # fmt: skip
    is_ours = await db.value("SELECT true FROM document WHERE id = $1 AND number IS NOT NULL",
                             told.document)  # fmt: skip
    if author_id is not None and told.number and not is_ours:
        day = told.date or clock.today()
        await journals.mark_lost(author_id, number=told.number[:200], on=day)


async def _count_on(statement: int) -> None:
    """Statements go on behind the last one the other has heard, or it would pass them over."""
    moved = await db.value(
        """UPDATE node SET statement_number = $1, updated_at = $2
           WHERE status = 'own' AND statement_number < $1 RETURNING true""",
        statement, clock.now(),
    )  # fmt: skip
    if moved:
        await residence.announce()


async def _have(node_id: uuid.UUID, start: datetime) -> tuple[uuid.UUID, ...]:
    rows = await db.rows(
        """SELECT uid FROM node_message WHERE node_id = $1 AND kind = 'document'
           AND status = 'accepted' AND updated_at >= $2""",
        node_id, start,
    )  # fmt: skip
    return tuple(row["uid"] for row in rows)


async def _carried(node_id: uuid.UUID) -> tuple[uuid.UUID, ...]:
    rows = await db.rows(
        "SELECT DISTINCT document_id FROM node_carried WHERE node_id = $1", node_id
    )
    return tuple(row["document_id"] for row in rows)


async def answer(call: Call, asked: Reconcile) -> Reconciled:
    """What we have of the asking node; what it does not know of ours is sent and told again."""
    peer_id = call.peer.id
    async with db.transaction():
        return Reconciled(
            statement=call.peer.statement_number,
            messages=await _known(peer_id, asked.since),
            again=await _send_again(peer_id, asked),
            reports=await _report_anew(peer_id, asked),
        )


async def _known(node_id: uuid.UUID, since: datetime) -> tuple[KnownMessage, ...]:
    rows = await db.rows(
        """SELECT content, receipt FROM node_message WHERE node_id = $1 AND kind = 'document'
           AND status = 'accepted' AND created_at >= $2 ORDER BY created_at, id LIMIT $3""",
        node_id, since, MOST,
    )  # fmt: skip
    found = []
    for row in rows:
        manifest = decode(bytes(row["content"]), Manifest)
        card = manifest.card
        found.append(KnownMessage(
            uid=manifest.uid, document=card.id, author=manifest.author, kind=card.kind,
            number=card.number, date=card.date, title=card.title,
            receipt=decode(bytes(row["receipt"]), Receipt),
        ))  # fmt: skip
    return tuple(found)


async def _send_again(node_id: uuid.UUID, asked: Reconcile) -> int:
    """Messages we have that node's receipt for and it does not know of."""
    rows = await db.rows(
        """SELECT id FROM consignment WHERE channel = 'node' AND target = $1 AND status = 'done'
           AND updated_at >= $2 AND id <> ALL($3) ORDER BY id""",
        str(node_id), asked.since, list(asked.have),
    )  # fmt: skip
    for row in rows:
        await jobs.defer(prompting.AGAIN, key=str(row["id"]), consignment_id=row["id"])
    return len(rows)


async def _report_anew(node_id: uuid.UUID, asked: Reconcile) -> int:
    """What we told that node of its deliveries since then may be lost there: told once more."""
    rows = await db.rows(
        """UPDATE node_delivery AS n SET told_status = 'awaiting_relay', told_hop = false
           FROM delivery AS v WHERE v.id = n.delivery_id AND n.node_id = $1
           AND v.updated_at >= $2 AND n.told_status <> 'awaiting_relay' AND n.document_id IN (
               SELECT document_id FROM node_document WHERE node_id = $1 AND origin_id = ANY($3))
           RETURNING n.delivery_id""",
        node_id, asked.since, list(asked.documents),
    )  # fmt: skip
    await prompting.changed([row["delivery_id"] for row in rows])
    return len(rows)


async def send_again(consignment_id: uuid.UUID) -> None:
    """Send a message that is done here once more, the same to the byte under the same uid.

    Nothing changes here but that one more receipt is kept. Raises Unavailable while the other node
    is away; a refusal is left to people, as an event.
    """
    row = await db.row("SELECT * FROM consignment WHERE id = $1", consignment_id)
    if row is None:
        raise NotFound(consignment_id=str(consignment_id))
    carried = await db.rows(
        """SELECT v.id, v.recipient_id FROM consignment_delivery AS l
           JOIN delivery AS v ON v.id = l.delivery_id WHERE l.consignment_id = $1 ORDER BY v.id""",
        consignment_id,
    )
    names = ("id", "channel", "target", "document_id", "sender_id", "priority", "created_at",
             "limit_at")  # fmt: skip
    values: dict[str, Any] = {name: row[name] for name in names}
    outcome = await sending.send(Consignment(
        **values, attempt=row["attempts"] + 1,
        deliveries=tuple(Carried(one["id"], one["recipient_id"]) for one in carried),
    ))  # fmt: skip
    if outcome.kind is Kind.RETRY:
        raise Unavailable(code=outcome.code or "node_unreachable")
    await events.record(
        RULE, "consignment.sent_again", subject=("consignment", consignment_id),
        document_id=row["document_id"], data={"outcome": outcome.kind.value, "code": outcome.code},
    )  # fmt: skip
