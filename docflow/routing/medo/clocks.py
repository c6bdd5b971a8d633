"""Clocks of МЭДО: no receipt in 72 hours, no answer in 30 days from THEIR registration.

A clock only tells; nothing here stops a message or waits for an answer, since not every body sends
receipts and notifications.
"""

import uuid
from datetime import date, timedelta

from audit import events
from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, InvalidInput
from docflow.documents import cards
from docflow.gateways.medo.messages import Event, Notification
from docflow.routing.medo import applying, journal
from docflow.routing.medo.states import TRANSITIONS, MessageStatus
from notify import notices

MAX_EXTENSION = 30
"""Days by which a term may be prolonged in all, with a notice (59-FZ art. 12 part 2)."""
CATCH_UP = timedelta(days=7)


async def watch() -> int:
    """Tell the senders whose messages are late; each thing is told once. Answers how many."""
    return await _undelivered() + await _unanswered()


async def _undelivered() -> int:
    now = clock.now()
    late = await db.rows(
        """SELECT m.id, m.organization_id, m.document_id, p.receipt_hours FROM medo_message AS m
           JOIN medo_partner AS p ON p.id = m.partner_id
           WHERE m.direction = 'out' AND m.status = 'sent' AND m.delivery_id IS NOT NULL
           AND m.alarmed_at IS NULL
           AND m.sent_at <= $1::timestamptz - make_interval(hours => p.receipt_hours)
           ORDER BY m.id LIMIT 1000""",
        now,
    )
    for row in late:
        async with db.transaction():
            first = await db.execute(
                """UPDATE medo_message SET alarmed_at = $2, updated_at = $2
                   WHERE id = $1 AND status = 'sent' AND alarmed_at IS NULL""",
                row["id"], now,
            )  # fmt: skip
            if not first:
                continue
            await events.record(
                RULE.acting_for(row["organization_id"]), "medo.undelivered",
                subject=("medo_message", row["id"]), document_id=row["document_id"],
                data={"hours": row["receipt_hours"]},
            )  # fmt: skip
            await notices.post(
                row["organization_id"], "medo_undelivered", ("medo_message", row["id"]),
                data={"hours": row["receipt_hours"]},
            )  # fmt: skip
    return len(late)


async def _unanswered() -> int:
    """Told on the day the term is over, once for each term; a prolonged one is another term."""
    today = clock.today()
    late = await db.rows(
        """SELECT id, organization_id, their_number, overdue_on FROM medo_message
           WHERE direction = 'out' AND status = 'registered'
           AND overdue_on <= $1 AND overdue_on > $2 ORDER BY id""",
        today, today - CATCH_UP,
    )  # fmt: skip
    return await notices.post_many(
        [
            notices.Post(
                row["organization_id"], "medo_reply_overdue", ("medo_message", row["id"]),
                row["overdue_on"],
                {"number": row["their_number"] or "—", "overdue_on": row["overdue_on"].isoformat()},
            )
            for row in late
        ]
    )  # fmt: skip


async def enter_their_number(actor: Actor, message_id: uuid.UUID, *, number: str, on: date) -> None:
    """Enter the number a body told by telephone or paper; its term runs from that day.

    For bodies that send no notifications. Raises `field_missing`, `date_in_future`,
    `illegal_transition` when a number or an answer is there already.
    """
    actor.require("clerk")
    cards.require_text(number, most=200, field="number")
    if not number.strip():
        raise InvalidInput(
            "Укажите номер, под которым адресат зарегистрировал документ.",
            "Give the number under which the addressee registered the document.",
            code="field_missing", field="number",
        )  # fmt: skip
    if on > clock.today():
        raise InvalidInput(
            "Дата регистрации у адресата не может быть в будущем.",
            "The addressee's date cannot lie in the future.",
            code="date_in_future", field="on",
        )  # fmt: skip
    async with db.transaction():
        row = await journal.own_message(actor, message_id, lock=True)
        if (
            row["direction"] != "out"
            or MessageStatus.REGISTERED not in TRANSITIONS[MessageStatus(row["status"])]
        ):
            raise Conflict(code="illegal_transition", status=row["status"])
        told = Notification(event=Event.ACCEPTED, number=number.strip(), date=on)
        await applying.apply_notification(row, told)
        await events.record(
            actor, "medo.number_entered", subject=("medo_message", message_id),
            document_id=row["document_id"],
        )  # fmt: skip


async def extend(actor: Actor, message_id: uuid.UUID, *, days: int, notice: str) -> None:
    """Enter that the body prolonged its term, by at most 30 days in all, with its notice.

    `notice` says by what letter: number, date, who. Raises `extension_length`, `notice_missing`,
    `illegal_transition`.
    """
    actor.require("clerk")
    check_extension(days, notice)
    async with db.transaction():
        row = await journal.own_message(actor, message_id, lock=True)
        if row["status"] != MessageStatus.REGISTERED or row["their_date"] is None:
            raise Conflict(
                "Срок продлевается, когда адресат зарегистрировал документ и ещё не ответил.",
                "A term is prolonged once the addressee has registered and not answered yet.",
                code="illegal_transition", status=row["status"],
            )  # fmt: skip
        total = row["extended_days"] + days
        check_extension(total, notice)
        await db.execute(
            """UPDATE medo_message SET extended_days = $2, extension_notice = $3, overdue_on = $4,
                   updated_at = $5 WHERE id = $1""",
            message_id, total, notice.strip(),
            applying.overdue_on(row["their_date"], extended_days=total), clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "medo.term_extended", subject=("medo_message", message_id),
            document_id=row["document_id"], data={"days": days, "total": total},
            detail={"notice": notice.strip()},
        )  # fmt: skip


def check_extension(days: int, notice: str) -> None:
    """Raise unless a term may be prolonged so; the words go with it for ever."""
    if not 1 <= days <= MAX_EXTENSION:
        raise InvalidInput(
            f"Срок продлевается не более чем на {MAX_EXTENSION} дней в сумме (59-ФЗ, ст. 12).",
            f"A term is prolonged by at most {MAX_EXTENSION} days in all (59-FZ art. 12).",
            code="extension_length", field="days",
        )  # fmt: skip
    cards.require_text(notice, most=2000, field="notice")
    if len(notice.strip()) < 3:
        raise InvalidInput(
            "Укажите уведомление о продлении: кем, когда и под каким номером направлено.",
            "Give the notice of the extension: by whom, when and under which number.",
            code="notice_missing", field="notice",
        )  # fmt: skip
