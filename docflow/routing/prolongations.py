"""Prolongations (продление срока): asked by the recipient, decided by the sender.

While one is pending nobody is told above of the delay; it lapses on the day it asks for, so that
asking alone stops the clock for no longer than what was asked.
"""

import uuid
from datetime import date

from audit import events, transitions
from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, InvalidInput, NotFound
from docflow.documents import cards, visibility
from docflow.routing import deliveries
from docflow.routing.states import PROLONGATION_TRANSITIONS, DeliveryStatus, ProlongationStatus
from notify import notices

P = ProlongationStatus
MAX_REASON = 1000


async def ask(actor: Actor, delivery_id: uuid.UUID, *, until: date, reason: str) -> uuid.UUID:
    """Ask the sender for a later day; answers the id. Asked again while pending: the same one.

    Raises `no_deadline`, `date_too_early`, `reason_length`, `illegal_transition` for a delivery
    that is answered or over.
    """
    actor.require("clerk", "signatory")
    told = _reason(reason)
    async with db.transaction():
        found = await deliveries.own_delivery(actor, delivery_id, lock=True)
        if found["status"] not in (
            DeliveryStatus.DELIVERED, DeliveryStatus.OPENED, DeliveryStatus.ACKNOWLEDGED,
        ):  # fmt: skip
            raise Conflict(code="illegal_transition", status=found["status"])
        _check_day(found["due_on"], until)
        pending = await db.value(
            "SELECT id FROM prolongation WHERE delivery_id = $1 AND status = 'pending'",
            delivery_id,
        )
        if pending is not None:
            return uuid.UUID(str(pending))
        return await _enter(actor, found, until, told)


def _check_day(due_on: date | None, until: date) -> None:
    if due_on is None:
        raise InvalidInput(
            "У этого документа нет срока: продлевать нечего.",
            "This document has no deadline to prolong.",
            code="no_deadline",
        )
    if until <= max(due_on, clock.today()):
        raise InvalidInput(
            "Новый срок должен быть позже прежнего и позже сегодняшнего дня.",
            "The new day must be later than the old one and than today.",
            code="date_too_early",
            field="until",
        )


async def _enter(actor: Actor, found: db.Row, until: date, reason: str) -> uuid.UUID:
    prolongation_id, moment = clock.new_id(), clock.now()
    sender_id = await db.value(
        "SELECT organization_id FROM dispatch WHERE id = $1", found["dispatch_id"]
    )
    await db.execute(
        """INSERT INTO prolongation (id, delivery_id, document_id, sender_id, due_on, wanted_on,
                                     reason, status, asked_by, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9, $9)""",
        prolongation_id, found["id"], found["document_id"], sender_id, found["due_on"], until,
        reason, actor.account_id, moment,
    )  # fmt: skip
    await events.record(
        actor, "prolongation.asked", subject=("prolongation", prolongation_id),
        document_id=found["document_id"], change=(None, P.PENDING),
        data={"delivery_id": str(found["id"]), "until": until.isoformat()},
        detail={"reason": reason},
    )  # fmt: skip
    await notices.post(
        sender_id, "prolongation_asked", ("prolongation", prolongation_id),
        data={"until": until.isoformat()},
    )  # fmt: skip
    return prolongation_id


async def decide(
    actor: Actor, prolongation_id: uuid.UUID, *, is_granted: bool, until: date | None = None,
    reason: str = "",
) -> None:  # fmt: skip
    """The sender grants it, until the day asked for or another one, or refuses with a reason."""
    actor.require("clerk", "signatory")
    told = _reason(reason) if not is_granted or reason.strip() else None
    async with db.transaction():
        row = await _locked(prolongation_id)
        if row["sender_id"] != visibility.reader(actor):
            raise NotFound(prolongation_id=str(prolongation_id))
        await visibility.require_readable(
            actor, row["document_id"], prolongation_id=prolongation_id
        )
        day = (until or row["wanted_on"]) if is_granted else None
        if day is not None:
            _check_day(row["due_on"], day)
            await db.execute(
                "UPDATE delivery SET due_on = $2, updated_at = $3 WHERE id = $1",
                row["delivery_id"], day, clock.now(),
            )  # fmt: skip
        await _move(
            actor, row, P.GRANTED if is_granted else P.REFUSED, granted_on=day,
            decided_by=actor.account_id, decision=told,
        )  # fmt: skip
        recipient = await db.value(
            "SELECT recipient_id FROM delivery WHERE id = $1", row["delivery_id"]
        )
        await notices.post(
            recipient, "prolongation_granted" if is_granted else "prolongation_refused",
            ("prolongation", row["id"]), data={"until": (day or row["due_on"]).isoformat()},
        )  # fmt: skip


async def withdraw(actor: Actor, prolongation_id: uuid.UUID) -> None:
    """The recipient does not need it any more."""
    actor.require("clerk", "signatory")
    async with db.transaction():
        row = await _locked(prolongation_id)
        with visibility.hiding(prolongation_id=prolongation_id):
            await deliveries.own_delivery(actor, row["delivery_id"])
        await _move(actor, row, P.WITHDRAWN)


async def lapse() -> int:
    """What nobody decided by the day it asked for ends; answers how many."""
    found = await db.rows(
        "SELECT id FROM prolongation WHERE status = 'pending' AND wanted_on <= $1 LIMIT 1000",
        clock.today(),
    )
    for one in found:
        async with db.transaction():
            row = await _locked(one["id"])
            if row["status"] == P.PENDING:
                await _move(RULE.acting_for(row["sender_id"]), row, P.LAPSED)
    return len(found)


async def of_document(actor: Actor, document_id: uuid.UUID, *, limit: int = 200) -> list[db.Row]:
    """All of them for the sender, one's own for a recipient; newest first."""
    await visibility.visible_document(actor, document_id)
    return await db.rows(
        """SELECT p.id, p.delivery_id, v.recipient_id, o.name AS recipient, p.due_on, p.wanted_on,
                  p.reason, p.status, p.decision, p.granted_on, p.created_at
           FROM prolongation AS p JOIN delivery AS v ON v.id = p.delivery_id
           JOIN organization AS o ON o.id = v.recipient_id
           WHERE p.document_id = $1 AND $2 IN (p.sender_id, v.recipient_id)
           ORDER BY p.id DESC LIMIT $3""",
        document_id, actor.home_id, limit,
    )  # fmt: skip


async def _locked(prolongation_id: uuid.UUID) -> db.Row:
    row = await db.row("SELECT * FROM prolongation WHERE id = $1 FOR UPDATE", prolongation_id)
    if row is None:
        raise NotFound(prolongation_id=str(prolongation_id))
    return row


async def _move(actor: Actor, row: db.Row, target: P, **assign: object) -> None:
    await transitions.move(
        actor, "prolongation", row["id"], graph=PROLONGATION_TRANSITIONS,
        source=P(row["status"]), target=target, verb=f"prolongation.{target.value}",
        document_id=row["document_id"], assign=assign,
        data={"delivery_id": str(row["delivery_id"])},
    )  # fmt: skip


def _reason(text: str) -> str:
    cards.require_text(text, most=MAX_REASON * 10, field="reason")
    if not 3 <= len(text.strip()) <= MAX_REASON:
        raise InvalidInput(
            f"Укажите причину, от 3 до {MAX_REASON} знаков.",
            f"Give the reason, 3 to {MAX_REASON} characters.",
            code="reason_length",
            field="reason",
        )
    return text.strip()
