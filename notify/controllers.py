"""Webhooks and notices over HTTP."""

import uuid
from typing import Annotated, TypeAlias

from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from directory.controllers.authentication import CALLER, Caller, requires, scope
from directory.controllers.parameters import IdempotencyKey
from notify import notices, webhooks
from notify import schemas as wire

Id: TypeAlias = FromPath[uuid.UUID]
After = Annotated[uuid.UUID | None, QueryParameter(description="The last id of the page before")]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]


class WebhookController(Controller):
    """Addresses that are told of events, after the Standard Webhooks specification."""

    path = "/api/v1/webhooks"
    tags = ("webhooks",)
    guards = (requires("administrator"), scope("notify:write"))
    dependencies = CALLER

    @post(summary="Register a webhook")
    async def register(
        self,
        data: JSONBody[wire.NewWebhook],
        actor: Caller,
        idempotency_key: IdempotencyKey = None,
    ) -> wire.RegisteredWebhook:
        """Subscribe an address; the secret is shown this once."""
        made = await webhooks.register(
            actor, data.url, data.event_types, idempotency_key=idempotency_key
        )
        return wire.RegisteredWebhook.of(made)

    @get(summary="List webhooks")
    async def list_of(self, actor: Caller) -> list[wire.WebhookOut]:
        """All webhooks of the organization, without their secrets."""
        return [wire.WebhookOut.of(found) for found in await webhooks.list_of(actor)]

    @get("/event-types", summary="What can be subscribed to, and the table of retries")
    async def event_types(self) -> wire.EventTypes:
        """Types of events and the pause after each failed attempt."""
        return wire.EventTypes(
            event_types=[
                wire.EventTypeOut(name=name, ru=ru, en=en)
                for name, (ru, en) in webhooks.EVENT_TYPES.items()
            ],
            retries_seconds=[int(pause.total_seconds()) for pause in webhooks.RETRIES],
        )

    @delete("/{webhook_id:uuid}", summary="Disable a webhook")
    async def disable(self, webhook_id: Id, actor: Caller) -> None:
        """Stop the messages; the webhook and what it was sent stay visible."""
        await webhooks.disable(actor, webhook_id)

    @post("/{webhook_id:uuid}/enable", status_code=204, summary="Enable a webhook")
    async def enable(self, webhook_id: Id, actor: Caller) -> None:
        """Start the messages again; missed ones can be resent."""
        await webhooks.enable(actor, webhook_id)

    @get("/{webhook_id:uuid}/messages", summary="Messages of a webhook")
    async def messages_of(
        self, webhook_id: Id, actor: Caller, after: After = None, limit: Limit = 50
    ) -> list[wire.MessageOut]:
        """Newest first, with attempts, the last error and the time of the next attempt."""
        found = await webhooks.messages_of(actor, webhook_id, after=after, limit=limit)
        return [wire.MessageOut.of(one) for one in found]

    @post("/messages/{message_id:uuid}/resend", status_code=204, summary="Send a message again")
    async def resend(self, message_id: Id, actor: Caller) -> None:
        """Same id, same body, now."""
        await webhooks.resend(actor, message_id)


class NoticeController(Controller):
    """What the organization was told."""

    path = "/api/v1/notices"
    tags = ("notices",)
    guards = (scope("notify:write"),)
    dependencies = CALLER

    @get(summary="Unread notices")
    async def unread(
        self, actor: Caller, after: After = None, limit: Limit = 50
    ) -> list[wire.NoticeOut]:
        """Newest first."""
        found = await notices.unread(actor, after=after, limit=limit)
        return [wire.NoticeOut.of(one) for one in found]

    @post("/read", status_code=200, summary="Mark notices as read")
    async def mark_read(self, data: JSONBody[wire.ReadNotices], actor: Caller) -> wire.Marked:
        """Mark for the whole organization."""
        return wire.Marked(marked=await notices.mark_read(actor, data.ids))
