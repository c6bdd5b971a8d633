"""The messages of a document by outside channels: where each stands, and what is tried next."""

import uuid

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from directory.controllers.authentication import CALLER, Caller, requires, signed_in
from docflow.documents import visibility
from docflow.routing import mending, prolongations
from web import pages
from web.pages import R
from web.translation import N_


class MessagePageController(Controller):
    """For the organization that sent them."""

    path = "/documents/{document_id:uuid}/messages"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[signed_in])
    async def messages(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[str]:
        """Open ones first, with the next try and the last error; prolongations asked for."""
        document = await visibility.visible_document(actor, document_id)
        return await pages.page(
            request, "messages.html", document=document,
            rows=await mending.of_document(actor, document_id),
            asked=await prolongations.of_document(actor, document_id),
            is_own=document["organization_id"] == actor.home_id,
        )  # fmt: skip

    @post("/{message_id:uuid}/retry", guards=[requires("clerk")])
    async def retry(
        self,
        request: R,
        document_id: FromPath[uuid.UUID],
        message_id: FromPath[uuid.UUID],
        actor: Caller,
    ) -> Redirect:
        """Send one again at once."""
        return await pages.act(
            request, f"/documents/{document_id}/messages", mending.retry(actor, message_id),
            done=N_("It will be tried again now."),
        )  # fmt: skip

    @post("/prolongations/{prolongation_id:uuid}/grant", guards=[requires("clerk", "signatory")])
    async def grant(
        self,
        request: R,
        document_id: FromPath[uuid.UUID],
        prolongation_id: FromPath[uuid.UUID],
        actor: Caller,
    ) -> Redirect:
        """Grant the day that was asked for."""
        return await pages.act(
            request, f"/documents/{document_id}/messages",
            prolongations.decide(actor, prolongation_id, is_granted=True),
            done=N_("The deadline was prolonged."),
        )  # fmt: skip
