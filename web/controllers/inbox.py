"""What has come: the inbox, one delivery, notices."""

import uuid
from typing import Any, cast

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from core.errors import InvalidInput
from directory.controllers.authentication import CALLER, Caller, signed_in
from docflow.documents import search
from docflow.routing import answers, deliveries, inbox, questions, relay
from notify import notices
from web import pages
from web.pages import R
from web.translation import N_

PAGE = 50


class InboxController(Controller):
    """The letters that came to one's organization, and what one does with them."""

    path = "/inbox"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[signed_in])
    async def inbox(
        self, request: R, actor: Caller, box: FromQuery[str] = "all", q: FromQuery[str] = "",
        after: FromQuery[uuid.UUID | None] = None,
    ) -> Response[str]:  # fmt: skip
        """One page of a box, newest first."""
        found = await inbox.inbox(
            actor, box=cast(inbox.Box, box), text=q, after=after, limit=PAGE + 1
        )
        return await pages.page(
            request, "inbox.html", box=box, q=q, rows=found[:PAGE], is_first=after is None,
            more=found[PAGE - 1]["id"] if len(found) > PAGE else None,
        )  # fmt: skip

    @get("/{delivery_id:uuid}", guards=[signed_in])
    async def delivery(self, delivery_id: FromPath[uuid.UUID], actor: Caller) -> Redirect:
        """The document of a delivery."""
        found = await deliveries.own_delivery(actor, delivery_id)
        return Redirect(f"/documents/{found['document_id']}", status_code=303)

    @post("/{delivery_id:uuid}/{verb:str}", guards=[signed_in])
    async def act(
        self, request: R, delivery_id: FromPath[uuid.UUID], verb: FromPath[str], actor: Caller
    ) -> Redirect:
        """Acknowledge, refuse, pass on or answer a received document."""
        found = await deliveries.own_delivery(actor, delivery_id)
        form = await request.form()
        work, done = _verb(actor, delivery_id, verb, dict(form))
        return await pages.act(request, f"/documents/{found['document_id']}", work, done=done)


def _verb(
    actor: Caller, delivery_id: uuid.UUID, verb: str, form: dict[str, Any]
) -> tuple[Any, str]:
    text = str(form.get("text", ""))
    if verb == "acknowledge":
        return deliveries.acknowledge(actor, delivery_id), N_("Your acknowledgement is recorded.")
    if verb == "refuse":
        return (
            deliveries.refuse(actor, delivery_id, reason=text),
            N_("The refusal is recorded; the sender sees your reason."),
        )
    if verb == "pass-on":
        return (
            relay.pass_on(actor, delivery_id, resolution=text),
            N_("The letter is registered under your number and passed on."),
        )
    if verb == "ask":
        return (
            questions.ask(actor, delivery_id, text=text, key=str(form.get("key") or "") or None),
            N_("The question is sent; the answer comes into your notices."),
        )
    if verb == "answer":
        chosen = pages.id_of(str(form.get("document_id", "")))
        if chosen is None:
            raise InvalidInput(
                "Выберите зарегистрированный документ, которым отвечаете.",
                "Choose the registered document that is your answer.",
                code="answer_missing",
            )
        return (
            answers.answer(actor, delivery_id, document_id=chosen),
            N_("The answer is sent; the document is executed."),
        )
    raise InvalidInput(code="unknown_verb")


async def answer_candidates(actor: Caller) -> list[dict[str, Any]]:
    """Own registered documents that have not gone anywhere yet."""
    return await search.documents(
        actor, wanted=search.Wanted(own=True, status="registered"), limit=50
    )


class NoticeController(Controller):
    """What the service tells the organization."""

    path = "/notices"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[signed_in])
    async def notices(
        self, request: R, actor: Caller, after: FromQuery[uuid.UUID | None] = None
    ) -> Response[str]:
        """Unread notices, newest first."""
        found = await notices.unread(actor, after=after, limit=PAGE + 1)
        return await pages.page(
            request, "notices.html", rows=found[:PAGE],
            more=found[PAGE - 1].id if len(found) > PAGE else None,
        )  # fmt: skip

    @post("/read", guards=[signed_in])
    async def read(self, request: R, actor: Caller) -> Redirect:
        """Mark the chosen notices as read."""
        form = await request.form()
        chosen = [one for text in form.getall("id", []) if (one := pages.id_of(str(text)))]
        work = notices.mark_read(actor, chosen)
        return await pages.act(request, "/notices", work, done=N_("Marked as read."))
