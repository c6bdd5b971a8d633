"""What an answer of the other side changes: our message, the delivery, the card's time line."""

import uuid
from datetime import date, timedelta
from typing import Any

from audit import events, transitions
from core import clock, db
from core.actor import RULE, Actor
from docflow.documents import links
from docflow.gateways.medo.messages import Event, Message, Notification, Receipt
from docflow.routing import announcing
from docflow.routing.medo.states import TRANSITIONS, MessageStatus
from docflow.routing.states import TRANSITIONS as DELIVERY_GRAPH
from docflow.routing.states import DeliveryStatus
from notify import notices

ANSWER_DAYS = 30
"""Days from THEIR registration in which a body answers (59-FZ art. 12; registers agree to it)."""

_VERBS = {
    Event.EXECUTOR: "medo.executor_assigned",
    Event.REPORT_PREPARED: "medo.report_prepared",
    Event.REPORT_SENT: "medo.report_sent",
    Event.COURSE: "medo.course_changed",
    Event.PUBLISHED: "medo.published",
}

S, D = MessageStatus, DeliveryStatus


def overdue_on(registered_on: date, *, extended_days: int = 0) -> date:
    """The first day on which an answer is late: registered on day D, overdue at D + 30."""
    return registered_on + timedelta(days=ANSWER_DAYS + extended_days)


async def apply_receipt(sent: db.Row, receipt: Receipt) -> None:
    """Delivered, or finally not delivered; what their office has said already weighs more."""
    actor, status = _actor(sent), S(sent["status"])
    if receipt.is_accepted is False:
        if status is not S.SENT:
            await _tell(actor, sent, "medo.receipt_late", {"accepted": False})
            return
        await _move(sent, S.FAILED, "medo.failed", assign={"reason": receipt.comment[:1000]},
                    data={"reason": receipt.comment[:300]})  # fmt: skip
        await _step(sent, D.FAILED, assign={"reason": _reason("medo_not_delivered", receipt)})
        await notices.post(sent["organization_id"], "medo_failed", ("medo_message", sent["id"]))
    elif status in (S.SENT, S.FAILED):
        await _move(sent, S.DELIVERED, "medo.delivered", assign={"delivered_at": clock.now()})
        await _arrived(sent)
    else:
        await _tell(actor, sent, "medo.delivered", {})


async def apply_notification(sent: db.Row, told: Notification) -> None:
    """Registered under their number, refused with a reason, or a step of their work."""
    actor = _actor(sent)
    if told.event is Event.ACCEPTED:
        await _registered(sent, told)
    elif told.event is Event.REFUSED:
        await _refused(sent, told)
    elif told.event is not None:
        await _arrived(sent)
        data = {"number": told.report.number} if told.report else {}
        await _tell(actor, sent, _VERBS[told.event], data, detail=_people(told))


async def _registered(sent: db.Row, told: Notification) -> None:
    status, day = S(sent["status"]), told.date or _day_of(told)
    data = {"number": told.number, "date": day.isoformat()}
    if S.REGISTERED not in TRANSITIONS[status]:
        await _tell(_actor(sent), sent, "medo.registered_again", data)
        return
    await _move(
        sent, S.REGISTERED, "medo.registered", data=data,
        assign={
            "their_number": told.number[:200], "their_date": day, "registered_at": clock.now(),
            "delivered_at": sent["delivered_at"] or clock.now(), "overdue_on": overdue_on(day),
        },
    )  # fmt: skip
    await _arrived(sent)


async def _refused(sent: db.Row, told: Notification) -> None:
    reason = ". ".join(part.strip() for part in (told.reason, told.comment) if part.strip())
    data = {"reason": told.reason[:300], "comment": told.comment[:300]}
    if S.REFUSED not in TRANSITIONS[S(sent["status"])]:
        await _tell(_actor(sent), sent, "medo.refused_late", data)
        return
    await _move(sent, S.REFUSED, "medo.refused", assign={"reason": reason[:1000]}, data=data)
    delivery = await _delivery(sent)
    if delivery and D(delivery["status"]) is D.FAILED:
        await _arrived(sent)
    await _step(sent, D.REFUSED, assign={"reason": reason[:1000], "ended_at": clock.now()})
    await notices.post(sent["organization_id"], "delivery_refused",
                       ("delivery", sent["delivery_id"]))  # fmt: skip


async def apply_answer(sent: db.Row, document_id: uuid.UUID, *, author: Actor) -> None:
    """Their letter answers ours: linked both ways, our delivery executed.

    The letter is also tied to what ours goes back to, so that whoever asked finds the answer.
    """
    status = S(sent["status"])
    if S.ANSWERED in TRANSITIONS[status]:
        await _move(sent, S.ANSWERED, "medo.answered", data={"answer_id": str(document_id)})
    else:
        await _tell(_actor(sent), sent, "medo.answered_again", {"answer_id": str(document_id)})
    await _arrived(sent)
    await db.execute(
        """INSERT INTO answer (id, delivery_id, document_id, actor_id, created_at)
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT ON CONSTRAINT answer_document DO NOTHING""",
        clock.new_id(), sent["delivery_id"], document_id, author.account_id, clock.now(),
    )  # fmt: skip
    await _step(sent, D.EXECUTED, assign={"executed_at": clock.now()})
    delivery = await _delivery(sent)
    if delivery and delivery["status"] in (D.DELIVERED, D.EXECUTED, D.OPENED, D.ACKNOWLEDGED):
        await links.link(author, document_id, to_id=sent["document_id"], kind="reply_to")
    await db.execute(
        """INSERT INTO document_link (from_id, to_id, kind, created_by, created_at)
           SELECT $2, to_id, 'relates_to', $3, $4 FROM document_link
           WHERE from_id = $1 AND to_id <> $2 AND kind IN ('reply_to', 'executes', 'relates_to')
           ON CONFLICT DO NOTHING""",
        sent["document_id"], document_id, author.account_id, clock.now(),
    )  # fmt: skip
    await notices.post(sent["organization_id"], "answer_received", ("document", document_id))


async def _arrived(sent: db.Row) -> None:
    """Whatever they say of a letter, they have it."""
    delivery = await _delivery(sent)
    status = D(delivery["status"]) if delivery else None
    if status is D.FAILED:
        await _step(sent, D.QUEUED, assign={"reason": None})
    if status is D.FAILED or (status and D.DELIVERED in DELIVERY_GRAPH[status]):
        await _step(sent, D.DELIVERED, assign={"delivered_at": clock.now()})


async def _step(sent: db.Row, target: DeliveryStatus, *, assign: dict[str, Any]) -> None:
    """Move the delivery if it stands where this is a step; a recalled one stays recalled."""
    delivery = await _delivery(sent)
    if delivery is None or target not in DELIVERY_GRAPH[D(delivery["status"])]:
        return
    verb = f"delivery.{target.value}"
    await transitions.move(
        _actor(sent), "delivery", delivery["id"], graph=DELIVERY_GRAPH,
        source=D(delivery["status"]), target=target, verb=verb,
        document_id=delivery["document_id"], assign=assign,
    )  # fmt: skip
    await announcing.to_sender(delivery["id"], verb)


async def _delivery(sent: db.Row) -> db.Row | None:
    return await db.row("SELECT * FROM delivery WHERE id = $1", sent["delivery_id"])


async def _move(
    sent: db.Row,
    target: MessageStatus,
    verb: str,
    *,
    assign: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    await transitions.move(
        _actor(sent), "medo_message", sent["id"], graph=TRANSITIONS, source=S(sent["status"]),
        target=target, verb=verb, document_id=sent["document_id"], assign=assign, data=data,
    )  # fmt: skip
    sent["status"] = target.value


async def _tell(
    actor: Actor,
    sent: db.Row,
    verb: str,
    data: dict[str, Any],
    *,
    detail: dict[str, Any] | None = None,
) -> None:
    await events.record(
        actor, verb, subject=("medo_message", sent["id"]), document_id=sent["document_id"],
        data=data, detail=detail,
    )  # fmt: skip


def _actor(sent: db.Row) -> Actor:
    return RULE.acting_for(sent["organization_id"])


def _day_of(told: Notification) -> date:
    return told.time.astimezone(clock.MOSCOW).date() if told.time else clock.today()


def _people(told: Notification) -> dict[str, Any] | None:
    named = {
        name: party.person or party.organization
        for name, party in (
            ("executor", told.executor), ("manager", told.manager),
            ("secretary", told.secretary), ("signatory", told.signatory),
        ) if party
    }  # fmt: skip
    words = {"course": told.course or told.comment} if told.course or told.comment else {}
    return {**named, **words} or None


def _reason(code: str, receipt: Receipt) -> str:
    return f"{code}: {receipt.comment}"[:1000] if receipt.comment else code


def answers(message: Message) -> bool:
    """Does the message answer something of ours rather than bring a document?"""
    return message.receipt is not None or message.notification is not None
