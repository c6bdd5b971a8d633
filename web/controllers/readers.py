"""Who may read a document of restricted use: seen by its readers, changed by author and head."""

import uuid

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from directory.controllers.authentication import CALLER, Caller, requires, signed_in
from docflow.documents import readers, visibility
from web import pages, words
from web.pages import R
from web.translation import N_


class ReaderPageController(Controller):
    """The circle of readers of one document."""

    path = "/documents/{document_id:uuid}/readers"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[signed_in])
    async def show(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[str]:
        """Those named, and a form for who may name."""
        document = await visibility.visible_document(actor, document_id)
        may_name = await readers.may_name(actor, document)
        return await pages.page(
            request, "readers.html", document=document, may_name=may_name,
            rows=await readers.listed(actor, document_id),
            people=await readers.candidates(actor) if may_name else [], posts=words.posts(),
            home=actor.home_id,
        )  # fmt: skip

    @post(guards=[requires("clerk", "signatory")])
    async def name(self, request: R, document_id: FromPath[uuid.UUID], actor: Caller) -> Redirect:
        """Let a person or whoever holds a post read it."""
        form = await request.form()
        work = readers.name(
            actor, document_id, person_id=pages.id_of(str(form.get("person_id", ""))),
            post=str(form.get("post", "")) or None,
            may_take_original=form.get("original") == "yes",
        )  # fmt: skip
        back = f"/documents/{document_id}/readers"
        return await pages.act(request, back, work, done=N_("The reader is named."))

    @post("/{reader_id:uuid}/strike", guards=[requires("clerk", "signatory")])
    async def strike(
        self, request: R, document_id: FromPath[uuid.UUID], reader_id: FromPath[uuid.UUID],
        actor: Caller,
    ) -> Redirect:  # fmt: skip
        """Let them read it no more."""
        work = readers.strike(actor, document_id, reader_id)
        back = f"/documents/{document_id}/readers"
        return await pages.act(request, back, work, done=N_("They read it no more."))
