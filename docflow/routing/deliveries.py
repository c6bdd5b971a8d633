"""Verbs on one delivery: open, acknowledge, acknowledge for somebody, refuse."""

import uuid

from audit import transitions
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from directory import links
from docflow.documents import cards, visibility
from docflow.routing import announcing
from docflow.routing.states import ARRIVED, TRANSITIONS, DeliveryStatus

MAX_REASON = 1000
_SEEN = (*ARRIVED, DeliveryStatus.REFUSED, DeliveryStatus.RECALLED)
"""As the rule of visibility has it: what never arrived, or turned void, is not there."""

_ON_ITS_WAY = (DeliveryStatus.QUEUED, DeliveryStatus.FAILED)


async def own_delivery(actor: Actor, delivery_id: uuid.UUID, *, lock: bool = False) -> db.Row:
    """A delivery that has arrived at the actor's organization; NotFound for everybody else's.

    With `lock`, for change inside the caller's transaction.
    """
    found = await db.row(
        f"""SELECT * FROM delivery WHERE id = $1 AND recipient_id = $2
            {"FOR UPDATE" if lock else ""}""",
        delivery_id, visibility.reader(actor),
    )  # fmt: skip
    if found is None or found["status"] not in _SEEN:
        raise NotFound(delivery_id=str(delivery_id))
    await visibility.require_readable(actor, found["document_id"], delivery_id=delivery_id)
    return found


async def open_delivery(actor: Actor, delivery_id: uuid.UUID) -> None:
    """Note that the recipient has opened the document; opening it again changes nothing."""
    async with db.transaction():
        found = await own_delivery(actor, delivery_id, lock=True)
        if found["status"] != DeliveryStatus.DELIVERED:
            return
        await _move(
            actor, found, DeliveryStatus.OPENED, "delivery.opened",
            assign={"opened_at": clock.now()},
        )  # fmt: skip


async def acknowledge(actor: Actor, delivery_id: uuid.UUID) -> None:
    """«Ознакомлен»: a named person takes note; saying it again changes nothing."""
    actor.require("clerk", "signatory")
    if actor.person_id is None:
        raise Forbidden(
            "Ознакомиться может только человек, а не программа.",
            "Only a person can acknowledge, not a program.",
            code="person_needed",
        )
    async with db.transaction():
        found = await own_delivery(actor, delivery_id, lock=True)
        if found["status"] in (DeliveryStatus.ACKNOWLEDGED, DeliveryStatus.EXECUTED):
            return
        await _acknowledged(actor, found, actor.person_id, on_behalf=False)


async def acknowledge_for(actor: Actor, delivery_id: uuid.UUID, *, person_id: uuid.UUID) -> None:
    """A superior's chancery notes the acknowledgement of a recipient without Internet.

    `person_id` is who took note (by phone or on paper) and must hold a post there today. Works
    for deliveries on their way by paper as well: the answer proves that it arrived. Only for
    documents the superior sees itself.
    """
    actor.require("clerk")
    found = await db.row("SELECT * FROM delivery WHERE id = $1", delivery_id)
    if found is None or not await links.is_above(
        upper_id=actor.home_id, lower_id=found["recipient_id"], on=clock.today()
    ):
        raise NotFound(delivery_id=str(delivery_id))
    await visibility.visible_document(actor, found["document_id"])
    if not await holds_post(person_id, found["recipient_id"]):
        raise InvalidInput(
            "Этот человек сегодня не занимает должности в организации-получателе.",
            "This person holds no post in the receiving organization today.",
            code="person_not_there",
        )
    if found["status"] in (DeliveryStatus.ACKNOWLEDGED, DeliveryStatus.EXECUTED):
        return
    await _acknowledged(actor, found, person_id, on_behalf=True)


async def holds_post(person_id: uuid.UUID, organization_id: uuid.UUID) -> bool:
    """Does this person hold a post there today?"""
    found = await db.value(
        """SELECT 1 FROM post WHERE person_id = $1 AND organization_id = $2
           AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $3) LIMIT 1""",
        person_id, organization_id, clock.today(),
    )  # fmt: skip
    return bool(found)


async def holders(organization_id: uuid.UUID) -> list[db.Row]:
    """Who holds a post there today, the chairman first; the caller logs the look."""
    return await db.rows(
        """SELECT p.id, p.last_name, p.first_name, p.middle_name, t.title, t.kind
           FROM post AS t JOIN person AS p ON p.id = t.person_id
           WHERE t.organization_id = $1 AND t.valid_from <= $2
           AND (t.valid_to IS NULL OR t.valid_to > $2)
           ORDER BY t.kind <> 'chairman', p.last_name, p.id LIMIT 30""",
        organization_id, clock.today(),
    )  # fmt: skip


async def opened_outside(actor: Actor, delivery_id: uuid.UUID, *, data: dict[str, object]) -> bool:
    """Somebody has opened it outside this installation; False when it was further already.

    Opening proves the arrival, so a delivery still on its way passes through `delivered`.
    """
    async with db.transaction():
        found = await _locked(delivery_id)
        if found["status"] in _ON_ITS_WAY:
            await _move(
                actor, found, DeliveryStatus.DELIVERED, "delivery.delivered",
                assign={"delivered_at": clock.now(), "reason": None}, data=data,
            )  # fmt: skip
            found = await _locked(delivery_id)
        if found["status"] != DeliveryStatus.DELIVERED:
            return False
        await _move(
            actor, found, DeliveryStatus.OPENED, "delivery.opened",
            assign={"opened_at": clock.now()}, data=data,
        )  # fmt: skip
    return True


async def acknowledged_outside(
    actor: Actor, delivery_id: uuid.UUID, *, person_id: uuid.UUID, data: dict[str, object]
) -> bool:
    """A named person has taken note outside this installation (by link, package, paper).

    The caller has made sure that the person may. False when nothing changed: it was acknowledged
    or answered already, refused, recalled. Whatever channel it was on, it has arrived.
    """
    async with db.transaction():
        found = await _locked(delivery_id)
        if DeliveryStatus.ACKNOWLEDGED not in TRANSITIONS[DeliveryStatus(found["status"])]:
            return False
        await _acknowledged(actor, found, person_id, on_behalf=True, data=data)
    return True


async def _locked(delivery_id: uuid.UUID) -> db.Row:
    found = await db.row("SELECT * FROM delivery WHERE id = $1 FOR UPDATE", delivery_id)
    if found is None:
        raise NotFound(delivery_id=str(delivery_id))
    return found


async def refuse(actor: Actor, delivery_id: uuid.UUID, *, reason: str) -> None:
    """The recipient does not take the document; the sender sees the reason."""
    actor.require("clerk", "signatory")
    cards.require_text(reason, most=MAX_REASON * 10, field="reason")
    if not 3 <= len(reason.strip()) <= MAX_REASON:
        raise InvalidInput(
            f"Укажите причину отказа, от 3 до {MAX_REASON} знаков.",
            f"Give the reason of the refusal, 3 to {MAX_REASON} characters.",
            code="reason_length",
            field="reason",
        )
    async with db.transaction():
        found = await own_delivery(actor, delivery_id, lock=True)
        if found["status"] == DeliveryStatus.REFUSED:
            return
        if await db.value("SELECT 1 FROM hop WHERE delivery_id = $1", delivery_id):
            raise Conflict(
                "Документ уже передан нижестоящим; отказаться от него нельзя.",
                "The document has been passed down already; it cannot be refused.",
                code="already_passed_on",
            )
        await _move(
            actor, found, DeliveryStatus.REFUSED, "delivery.refused",
            assign={"reason": reason.strip(), "ended_at": clock.now()},
            detail={"reason": reason.strip()},
        )  # fmt: skip


async def _acknowledged(
    actor: Actor,
    found: db.Row,
    person_id: uuid.UUID,
    *,
    on_behalf: bool,
    data: dict[str, object] | None = None,
) -> None:
    moment = clock.now()
    assign: dict[str, object] = {"acknowledged_at": moment, "acknowledged_by": person_id}
    if found["status"] in _ON_ITS_WAY:
        assign |= {"delivered_at": moment, "reason": None}
    await _move(
        actor, found, DeliveryStatus.ACKNOWLEDGED, "delivery.acknowledged", assign=assign,
        data={"on_behalf": on_behalf, "person_id": str(person_id), **(data or {})},
    )  # fmt: skip


async def _move(
    actor: Actor,
    found: db.Row,
    target: DeliveryStatus,
    verb: str,
    *,
    assign: dict[str, object],
    data: dict[str, object] | None = None,
    detail: dict[str, object] | None = None,
) -> None:
    async with db.transaction():
        await transitions.move(
            actor, "delivery", found["id"], graph=TRANSITIONS,
            source=DeliveryStatus(found["status"]), target=target, verb=verb,
            document_id=found["document_id"], assign=assign, data=data, detail=detail,
        )  # fmt: skip
        await announcing.to_sender(found["id"], verb)


def has_arrived(found: db.Row) -> bool:
    """Does the recipient have the document in hand?"""
    return found["status"] in ARRIVED
