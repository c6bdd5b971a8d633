"""What a person can do about a message or a delivery that stopped: again, or another way."""

import uuid

from audit import events, transitions
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from directory import organizations
from docflow.documents import visibility
from docflow.routing import queueing, settling, ways
from docflow.routing.channels import CHANNELS
from docflow.routing.medo.states import CHANNEL as MEDO
from docflow.routing.states import TRANSITIONS, DeliveryStatus
from docflow.routing.states import ConsignmentStatus as C


async def own_consignment(actor: Actor, consignment_id: uuid.UUID, *, lock: bool = False) -> db.Row:
    """A message of the actor's organization; NotFound for others, but for the center's
    administrators, who see all.
    """
    row = await db.row(
        f"SELECT * FROM consignment WHERE id = $1 {'FOR UPDATE' if lock else ''}", consignment_id
    )
    if row is None or not await _is_theirs(actor, row["sender_id"]):
        raise NotFound(consignment_id=str(consignment_id))
    return row


async def _is_theirs(actor: Actor, sender_id: uuid.UUID) -> bool:
    return actor.home_id == sender_id or await organizations.is_keeper(actor)


async def of_document(actor: Actor, document_id: uuid.UUID, *, limit: int = 200) -> list[db.Row]:
    """The messages of a document of the actor's: state, tries, the next try, the last error."""
    await visibility.visible_document(actor, document_id)
    return await db.rows(
        """SELECT m.id, m.document_id, m.channel, m.target, m.priority, m.status, m.attempts,
                  m.next_attempt_at, m.limit_at, m.error_code, m.error, m.sent_at, m.created_at,
                  (SELECT count(*) FROM consignment_delivery AS l WHERE l.consignment_id = m.id)
                  AS deliveries
           FROM consignment AS m WHERE m.document_id = $1 AND m.sender_id = $2
           ORDER BY m.status IN ('done', 'void'), m.id LIMIT $3""",
        document_id, actor.home_id, limit,
    )  # fmt: skip


async def tries_of(actor: Actor, consignment_id: uuid.UUID) -> list[db.Row]:
    """Every try of a message, the first one first."""
    visibility.reader(actor)
    await own_consignment(actor, consignment_id)
    return await db.rows(
        """SELECT number, status, started_at, finished_at, error_code, error, receipt
           FROM attempt WHERE consignment_id = $1 ORDER BY number LIMIT 1000""",
        consignment_id,
    )


async def retry(actor: Actor, consignment_id: uuid.UUID, *, channel: str | None = None) -> None:
    """Send a message again at once, under the same id; or its deliveries by another channel.

    For what failed, waits for its next try, or has no receipt yet. Raises `illegal_transition`
    for what is under way or over, `channel_unknown`, `channel_forbidden`.
    """
    actor.require("clerk", "administrator")
    async with db.transaction():
        row = await own_consignment(actor, consignment_id, lock=True)
        if row["status"] not in (C.FAILED, C.WAITING, C.SENT):
            raise Conflict(code="illegal_transition", status=row["status"])
        if channel is not None and channel != row["channel"]:
            await _send_otherwise(actor, row, channel)
            return
        await _requeue(actor, consignment_id)
        patience = row["limit_at"] - row["created_at"]
        fresh = {"limit_at": clock.now() + patience}
        await db.execute(
            "DELETE FROM channel_gate WHERE channel = $1 AND target = $2",
            row["channel"], row["target"],
        )  # fmt: skip
        if row["status"] == C.WAITING:
            await db.execute(
                """UPDATE consignment SET next_attempt_at = NULL, limit_at = $2, updated_at = $3
                   WHERE id = $1""",
                consignment_id, fresh["limit_at"], clock.now(),
            )  # fmt: skip
            await events.record(
                actor, "consignment.hurried", subject=("consignment", consignment_id),
                document_id=row["document_id"],
            )  # fmt: skip
        else:
            await settling.move(actor, row, C.WAITING, assign=fresh)


async def _send_otherwise(actor: Actor, row: db.Row, channel: str) -> None:
    """What is still open in a message goes by a channel that a person chose."""
    await _check_channel(channel, row["document_id"])
    await _requeue(actor, row["id"])
    changed = await db.rows(
        """WITH hung AS (
               UPDATE consignment_delivery SET outcome = 'passed_on', settled_at = $3
               WHERE consignment_id = $1 AND outcome IS NULL RETURNING delivery_id)
           UPDATE delivery SET channel = $2, updated_at = $3
           WHERE id IN (SELECT delivery_id FROM hung) AND status = 'queued'
           RETURNING dispatch_id""",
        row["id"], channel, clock.now(),
    )  # fmt: skip
    await settling.move(actor, row, C.VOID)
    for dispatch_id in {one["dispatch_id"] for one in changed}:
        await queueing.after_queueing(dispatch_id)


async def _requeue(actor: Actor, consignment_id: uuid.UUID) -> None:
    failed = await db.rows(
        """SELECT v.* FROM consignment_delivery AS l JOIN delivery AS v ON v.id = l.delivery_id
           WHERE l.consignment_id = $1 AND l.outcome IS NULL AND v.status = 'failed'""",
        consignment_id,
    )
    for one in failed:
        await _queue_again(actor, one, channel=one["channel"])


async def retry_delivery(
    actor: Actor, delivery_id: uuid.UUID, *, channel: str | None = None
) -> None:
    """Queue a delivery that failed again, by its own channel or by another one.

    Raises `illegal_transition`, `channel_unknown`.
    """
    actor.require("clerk", "administrator")
    async with db.transaction():
        row = await db.row(
            """SELECT v.*, s.organization_id AS sender_id,
                      (SELECT l.consignment_id FROM consignment_delivery AS l
                       WHERE l.delivery_id = v.id AND l.outcome IS NULL) AS consignment_id
               FROM delivery AS v JOIN dispatch AS s ON s.id = v.dispatch_id
               WHERE v.id = $1""",
            delivery_id,
        )
        if row is None or not await _is_theirs(actor, row["sender_id"]):
            raise NotFound(delivery_id=str(delivery_id))
        if row["consignment_id"] is not None:
            await retry(actor, row["consignment_id"], channel=channel)
            return
        if row["status"] != DeliveryStatus.FAILED:
            raise Conflict(code="illegal_transition", status=row["status"])
        if channel is not None:
            await _check_channel(channel, row["document_id"])
        await _queue_again(actor, row, channel=channel or row["channel"])
        await queueing.after_queueing(row["dispatch_id"])


async def _queue_again(actor: Actor, row: db.Row, *, channel: str) -> None:
    await transitions.move(
        actor, "delivery", row["id"], graph=TRANSITIONS, source=DeliveryStatus(row["status"]),
        target=DeliveryStatus.QUEUED, verb="delivery.queued", document_id=row["document_id"],
        assign={"channel": channel, "reason": None}, data={"channel": channel},
    )  # fmt: skip


async def _check_channel(channel: str, document_id: uuid.UUID) -> None:
    """A person may choose any channel that works here and that the document's mark allows."""
    known = [*CHANNELS, MEDO]
    if channel not in known:
        raise InvalidInput(
            "Такого канала в этой установке нет. Выберите один из перечисленных.",
            "This installation has no such channel. Choose one of those listed.",
            code="channel_unknown", field="channel", channels=known,
        )  # fmt: skip
    mark = await db.value("SELECT mark FROM document WHERE id = $1", document_id)
    if channel in ways.forbidden(mark):
        raise InvalidInput(
            "Отметка документа запрещает этот канал. Выберите другой.",
            "The document's mark forbids this channel. Choose another one.",
            code="channel_forbidden", field="channel",
        )  # fmt: skip
