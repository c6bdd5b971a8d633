"""Recall (отзыв): the sender takes a document back; number and trace stay."""

import uuid

from audit import transitions
from core import db
from core.actor import Actor
from core.errors import Conflict, InvalidInput
from docflow.documents import cards, visibility
from docflow.documents.states import TRANSITIONS, DocumentStatus
from docflow.routing import bulk
from docflow.routing.nodes import prompting
from docflow.routing.states import OPEN, DeliveryStatus
from notify import webhooks


async def recall(actor: Actor, document_id: uuid.UUID, *, reason: str) -> int:
    """Take a document back from everybody who has not refused or answered it yet.

    Answers how many deliveries ended. Recipients keep seeing the card with «отозван» and the
    reason; those who still waited never see it.
    """
    actor.require("clerk", "signatory")
    cards.require_text(reason, most=10_000, field="reason")
    if not 3 <= len(reason.strip()) <= 1000:
        raise InvalidInput(
            "Укажите причину отзыва, от 3 до 1000 знаков.",
            "Give the reason of the recall, 3 to 1000 characters.",
            code="reason_length",
            field="reason",
        )
    async with db.transaction():
        found = await visibility.own_document(actor, document_id)
        if found["status"] not in (DocumentStatus.REGISTERED, DocumentStatus.SENT):
            raise Conflict(
                "Отозвать можно только зарегистрированный или разосланный документ.",
                "Only a registered or dispatched document can be recalled.",
                code="illegal_transition",
                status=found["status"],
            )
        await transitions.move(
            actor, "document", document_id, graph=TRANSITIONS,
            source=DocumentStatus(found["status"]), target=DocumentStatus.RECALLED,
            verb="document.recalled", document_id=document_id,
            detail={"reason": reason.strip()},
        )  # fmt: skip
        ended = await bulk.end(
            actor, "document_id", document_id, target=DeliveryStatus.RECALLED,
            reason=reason.strip(), sources=OPEN,
        )  # fmt: skip
        await prompting.recalled(document_id)
        await webhooks.announce(
            actor.home_id, "document.recalled", {"document_id": str(document_id)}
        )
    return ended
