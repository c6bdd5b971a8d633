"""Answers (исполнение): a delivery is executed by a document of the recipient's own."""

import uuid

from audit import transitions
from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput
from docflow.documents import links, visibility
from docflow.documents.states import DocumentStatus
from docflow.routing import announcing, deliveries, dispatch, lines
from docflow.routing.states import TRANSITIONS, DeliveryStatus


async def answer(actor: Actor, delivery_id: uuid.UUID, *, document_id: uuid.UUID) -> uuid.UUID:
    """Answer a received document with a registered one of our own; it goes to the sender at once.

    Links the two («в ответ на»), dispatches the answer to the organization that wrote the
    question, marks the delivery executed; all or nothing. Asked again with the same document it
    answers the same dispatch.
    """
    actor.require("clerk")
    async with db.transaction():
        found = await deliveries.own_delivery(actor, delivery_id)
        known = await db.row(
            """SELECT a.delivery_id, s.id AS dispatch_id FROM answer AS a
               JOIN dispatch AS s ON s.document_id = a.document_id WHERE a.document_id = $1""",
            document_id,
        )
        if known and known["delivery_id"] == delivery_id:
            return uuid.UUID(str(known["dispatch_id"]))
        reply = await visibility.own_document(actor, document_id)
        if reply["status"] != DocumentStatus.REGISTERED:
            raise InvalidInput(
                "Ответ должен быть подписан и зарегистрирован.",
                "The answer must be signed and registered first.",
                code="not_registered",
            )
        asked = await visibility.visible_document(actor, found["document_id"])
        await links.link(actor, document_id, to_id=asked["id"], kind="reply_to")
        dispatch_id = await dispatch.send(
            actor, document_id,
            wanted=dispatch.DispatchInput(
                selector=lines.only([asked["organization_id"]]), mode="direct"
            ),
        )  # fmt: skip
        await db.execute(
            """INSERT INTO answer (id, delivery_id, document_id, actor_id, created_at)
               VALUES ($1, $2, $3, $4, $5)""",
            clock.new_id(), delivery_id, document_id, actor.account_id, clock.now(),
        )  # fmt: skip
        if found["status"] != DeliveryStatus.EXECUTED:
            await transitions.move(
                actor, "delivery", delivery_id, graph=TRANSITIONS,
                source=DeliveryStatus(found["status"]), target=DeliveryStatus.EXECUTED,
                verb="delivery.executed", document_id=found["document_id"],
                assign={"executed_at": clock.now()}, data={"answer_id": str(document_id)},
            )  # fmt: skip
            await announcing.to_sender(delivery_id, "delivery.executed")
    return dispatch_id
