"""Answers by code: a clerk enters what somebody said by telephone or signed on paper."""

import uuid
from dataclasses import dataclass

from audit import reads
from core import clock, db
from core.actor import Actor
from core.errors import NotFound
from directory import links
from docflow.documents import visibility
from docflow.routing import answer_codes, arrivals, deliveries


@dataclass(frozen=True, slots=True)
class Asked:
    """What a code stands for, before anything is entered."""

    delivery_id: uuid.UUID
    document_id: uuid.UUID
    code: str
    status: str
    recipient_id: uuid.UUID
    recipient: str
    recipient_code: str
    title: str
    number: str
    people: tuple[db.Row, ...]
    """Who holds a post there today."""


async def look(actor: Actor, code: str) -> Asked:
    """What the code names, for a superior's clerk who sees the document; the look is logged.

    NotFound `code_unknown` for everybody else, as for a code that is none.
    """
    actor.require("clerk")
    delivery_id = await answer_codes.delivery_of(code)
    row = await db.row(
        """SELECT v.id, v.document_id, v.status, v.recipient_id, o.name, o.code, d.title, d.number
           FROM delivery AS v JOIN organization AS o ON o.id = v.recipient_id
           JOIN document AS d ON d.id = v.document_id WHERE v.id = $1""",
        delivery_id,
    )
    if row is None or not await links.is_above(
        upper_id=actor.home_id, lower_id=row["recipient_id"], on=clock.today()
    ):
        raise _unknown()
    try:
        await visibility.visible_document(actor, row["document_id"])
    except NotFound as problem:
        raise _unknown() from problem
    people = await deliveries.holders(row["recipient_id"])
    await reads.log(
        actor, subject=("organization", row["recipient_id"]), purpose="answer_by_code",
        count=len(people),
    )  # fmt: skip
    return Asked(
        delivery_id=row["id"], document_id=row["document_id"], code=answer_codes.typed(code),
        status=row["status"], recipient_id=row["recipient_id"], recipient=row["name"],
        recipient_code=row["code"], title=row["title"], number=row["number"] or "б/н",
        people=tuple(people),
    )  # fmt: skip


async def acknowledge(actor: Actor, code: str, *, person_id: uuid.UUID) -> uuid.UUID:
    """Enter that this person took note of what the code names; answers the delivery.

    Entered again it changes nothing, by whatever channel the first answer came.
    """
    asked = await look(actor, code)
    async with db.transaction():
        await arrivals.arrived(asked.delivery_id, {"answer_code": asked.code})
        await deliveries.acknowledge_for(actor, asked.delivery_id, person_id=person_id)
    return asked.delivery_id


def _unknown() -> NotFound:
    return NotFound(
        "Такого кода нет среди отправок вашим организациям. Сверьте его с листом.",
        "No delivery to organizations of yours has this code. Compare it with the sheet.",
        code="code_unknown",
    )
