"""Reminding the silent (напоминание) by hand: the sender asks again those who have not answered."""

import uuid

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import Conflict
from docflow.documents import visibility
from docflow.documents.states import DocumentStatus
from notify import notices


async def remind(actor: Actor, document_id: uuid.UUID) -> int:
    """Tell everybody who has the document and has not answered; answers how many were told.

    A recipient is told once a day, however often this is asked. Only by the document's author;
    raises `nobody_silent` (409) when all have answered, and `illegal_transition` for a document
    that is not on its way.
    """
    actor.require("clerk")
    found = await visibility.own_document(actor, document_id, lock=False)
    if found["status"] != DocumentStatus.SENT:
        raise Conflict(code="illegal_transition", status=found["status"])
    waiting = await db.rows(
        """SELECT v.id, v.recipient_id, v.due_on FROM delivery AS v
           WHERE v.document_id = $1 AND v.status IN ('delivered', 'opened')""",
        document_id,
    )
    if not waiting:
        raise Conflict(
            "Напоминать некому: все, до кого документ дошёл, ответили.",
            "There is nobody to remind: everybody the document has reached has answered.",
            code="nobody_silent",
        )
    today = clock.today()
    async with db.transaction():
        told = await notices.post_many([
            notices.Post(
                row["recipient_id"], "reminded", ("delivery", row["id"]), today,
                {"document_id": str(document_id),
                 "due_on": row["due_on"].isoformat() if row["due_on"] else None},
            )
            for row in waiting
        ])  # fmt: skip
        if told:
            await events.record(
                actor, "document.reminded", subject=("document", document_id),
                document_id=document_id, data={"recipients": told},
            )  # fmt: skip
    return told
