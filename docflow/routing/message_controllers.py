"""Messages by outside channels, their tries, and prolongations, over HTTP."""

import uuid

from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody

from directory.controllers.authentication import CALLER, Caller, requires, scope
from docflow.documents.controllers import convert_all
from docflow.documents.schemas import Created
from docflow.routing import mending, prolongations
from docflow.routing import message_schemas as wire
from docflow.routing.channels import CHANNELS

READ = [scope("documents:read")]
SEND = [scope("documents:write"), requires("clerk", "administrator")]
ANSWER = [scope("documents:write"), requires("clerk", "signatory")]


class ChannelController(Controller):
    """The outside channels of this installation."""

    path = "/api/v1/channels"
    tags = ("routing",)

    @get("/", guards=READ, summary="Channels and their table of retries")
    async def channels(self) -> list[wire.ChannelView]:
        """Each channel with its pauses between tries, its limits and its patience."""
        return [wire.ChannelView.of(channel) for channel in CHANNELS.values()]


class MessageController(Controller):
    """What went out by outside channels, and goes again."""

    path = "/api/v1"
    tags = ("routing",)
    dependencies = CALLER

    @get("/documents/{document_id:uuid}/messages", guards=READ, summary="Messages of a document")
    async def of_document(
        self, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> list[wire.MessageView]:
        """Open ones first: state, tries, when it is tried next, the last error."""
        found = await mending.of_document(actor, document_id)
        return convert_all(wire.MessageView, found)

    @get("/messages/{message_id:uuid}/tries", guards=READ, summary="Tries of a message")
    async def tries(self, message_id: FromPath[uuid.UUID], actor: Caller) -> list[wire.TryView]:
        """Every try, the first one first."""
        return convert_all(wire.TryView, await mending.tries_of(actor, message_id))

    @post(
        "/messages/{message_id:uuid}/retry",
        guards=SEND,
        status_code=204,
        summary="Send a message again",
    )
    async def retry(
        self, message_id: FromPath[uuid.UUID], data: JSONBody[wire.Again], actor: Caller
    ) -> None:
        """At once and under the same id, or what is open in it by another channel."""
        await mending.retry(actor, message_id, channel=data.channel)

    @post(
        "/deliveries/{delivery_id:uuid}/retry",
        guards=SEND,
        status_code=204,
        summary="Send to a recipient again",
    )
    async def retry_delivery(
        self, delivery_id: FromPath[uuid.UUID], data: JSONBody[wire.Again], actor: Caller
    ) -> None:
        """For a delivery that failed: by its channel, or by another one."""
        await mending.retry_delivery(actor, delivery_id, channel=data.channel)


class ProlongationController(Controller):
    """A later day: asked for by the recipient, decided by the sender."""

    path = "/api/v1"
    tags = ("routing",)
    dependencies = CALLER

    @post(
        "/deliveries/{delivery_id:uuid}/prolongations",
        guards=ANSWER,
        summary="Ask for a later day",
    )
    async def ask(
        self, delivery_id: FromPath[uuid.UUID], data: JSONBody[wire.AskProlongation], actor: Caller
    ) -> Created:
        """While it is pending nobody is told above of the delay. One at a time."""
        return Created(
            await prolongations.ask(actor, delivery_id, until=data.until, reason=data.reason)
        )

    @get(
        "/documents/{document_id:uuid}/prolongations",
        guards=READ,
        summary="Prolongations of a document",
    )
    async def of_document(
        self, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> list[wire.ProlongationView]:
        """All for the sender, one's own for a recipient; newest first."""
        found = await prolongations.of_document(actor, document_id)
        return convert_all(wire.ProlongationView, found)

    @post(
        "/prolongations/{prolongation_id:uuid}/decide",
        guards=ANSWER,
        status_code=204,
        summary="Grant or refuse a prolongation",
    )
    async def decide(
        self,
        prolongation_id: FromPath[uuid.UUID],
        data: JSONBody[wire.DecideProlongation],
        actor: Caller,
    ) -> None:
        """By the sender; granted for the day asked for, or for another one."""
        await prolongations.decide(
            actor, prolongation_id, is_granted=data.is_granted, until=data.until,
            reason=data.reason,
        )  # fmt: skip

    @post(
        "/prolongations/{prolongation_id:uuid}/withdraw",
        guards=ANSWER,
        status_code=204,
        summary="Withdraw a prolongation",
    )
    async def withdraw(self, prolongation_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """By the recipient who asked."""
        await prolongations.withdraw(actor, prolongation_id)


CONTROLLERS: list[type[Controller]] = [ChannelController, MessageController, ProlongationController]
