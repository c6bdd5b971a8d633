"""What has come: the inbox, one delivery, notices."""

import uuid
from datetime import timedelta
from typing import Any, cast

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from core import clock
from core.errors import Conflict, InvalidInput
from directory.controllers.authentication import CALLER, Caller, requires, signed_in
from docflow.documents import search
from docflow.routing import answers, deliveries, inbox, questions, relay, resolutions
from notify import notices
from web import forms, pages
from web.pages import R
from web.translation import N_

PAGE = 50
ON_ONE_SCREEN = 7
"""Letters of each part of the first screen; the rest stands behind a link."""
CONFIRMED_FOR = timedelta(days=90)
"""After so long the organization is asked whether its data is still right."""


class InboxController(Controller):
    """The letters that came to one's organization, and what one does with them."""

    path = "/inbox"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[signed_in])
    async def inbox(
        self, request: R, actor: Caller, box: FromQuery[str] = "", q: FromQuery[str] = "",
        after: FromQuery[uuid.UUID | None] = None,
    ) -> Response[str]:  # fmt: skip
        """One page of a box, newest first; without a box one screen of what there is to do."""
        if not box and not q:
            return await pages.page(request, "day.html", box="day", q="", **await _day(actor))
        box = box or "all"
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

    @get("/next", guards=[requires("clerk")])
    async def next_letter(self, request: R, actor: Caller) -> Redirect:
        """The letter that waits longest for its number; the inbox when none does."""
        return await _onward(request, actor, done="")

    @post("/{delivery_id:uuid}/pass-on", guards=[signed_in])
    async def pass_on(
        self, request: R, delivery_id: FromPath[uuid.UUID], actor: Caller
    ) -> Redirect:
        """Register a letter with its resolution and pass it down; then the next one, if asked."""
        found = await deliveries.own_delivery(actor, delivery_id)
        form = dict(await request.form())
        back, is_queue = f"/documents/{found['document_id']}", bool(form.get("next"))
        try:
            await relay.pass_on(actor, delivery_id, resolution=_resolution(form))
        except (InvalidInput, Conflict) as problem:
            return pages.redirect(request, back + ("?queue=1" if is_queue else ""), problem=problem)
        done = N_("The letter is registered under your number and passed on.")
        if is_queue:
            return await _onward(request, actor, done=done)
        return pages.redirect(request, back, done=done)

    @post("/{delivery_id:uuid}/{verb:str}", guards=[signed_in])
    async def act(
        self, request: R, delivery_id: FromPath[uuid.UUID], verb: FromPath[str], actor: Caller
    ) -> Redirect:
        """Acknowledge, refuse, pass on or answer a received document."""
        found = await deliveries.own_delivery(actor, delivery_id)
        form = await request.form()
        work, done = _verb(actor, delivery_id, verb, dict(form))
        return await pages.act(request, f"/documents/{found['document_id']}", work, done=done)


async def _day(actor: Caller) -> dict[str, Any]:
    """What is new, what is opened and waits for an answer, what was done last."""
    parts = {}
    for name, box in (("new", "new"), ("open", "open"), ("done", "done")):
        found = await inbox.inbox(actor, box=cast(inbox.Box, box), limit=ON_ONE_SCREEN + 1)
        parts[name] = (found[:ON_ONE_SCREEN], len(found) > ON_ONE_SCREEN)
    is_clerk = "clerk" in actor.roles
    return {
        "parts": parts,
        "asked": await questions.unanswered(actor),
        "waiting": await resolutions.next_letter(actor) if is_clerk else None,
        "old": clock.now() - CONFIRMED_FOR,
    }


async def _onward(request: R, actor: Caller, *, done: str) -> Redirect:
    found = await resolutions.next_letter(actor)
    to = "/inbox" if found is None else f"/documents/{found['document_id']}?queue=1"
    return pages.redirect(request, to, done=done)


def _resolution(form: dict[str, Any]) -> resolutions.Resolution:
    text = str(form.get("text", "")).strip() or str(form.get("usual", ""))
    return resolutions.Resolution(
        text, pages.id_of(str(form.get("executor_id", ""))),
        forms.day(str(form.get("due_on", "")), field="due_on"),
    )  # fmt: skip


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
