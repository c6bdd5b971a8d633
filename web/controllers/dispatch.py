"""Dispatch with a dry run, and the control list."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import ServerSentEvent, ServerSentEventMessage

from core import clock, papers
from core.errors import InvalidInput, ServiceError
from directory import organizations
from directory.controllers.authentication import CALLER, Caller, requires, signed_in
from docflow.documents import visibility
from docflow.documents.search import clean_query
from docflow.routing import control, dispatch, reminding
from web import control_paper, forms, pages, reading, translation
from web.pages import R
from web.translation import N_

PAGE = 50
FOUND = 20
LOOK_EVERY = 2
"""Seconds between two looks at the figures of a control list somebody watches."""
WATCHED = 600
"""Seconds after which a browser that still watches asks anew, so that no watcher stays for ever."""


class DispatchController(Controller):
    """Whom a document goes to."""

    path = "/documents/{document_id:uuid}/dispatch"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[requires("clerk")])
    async def form(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller, q: FromQuery[str] = ""
    ) -> Response[str]:
        """Choose recipients; with a choice made, count and list them without sending."""
        found = await visibility.own_document(actor, document_id, lock=False)
        given = request.query_params
        plan, problem, chosen = None, None, []
        if "plan" in given:
            plan, problem = await _plan(request, actor, document_id)
        ids = {one for text in given.getall("include", []) if (one := pages.id_of(text))}
        if ids:
            names = await reading.names_of(set(ids))
            chosen = sorted(names.items(), key=lambda item: item[1])
        hits = await organizations.search(text=q, active_on=clock.today(), limit=FOUND) if q else []
        return await pages.page(
            request, "dispatch.html", document=found, given=given, plan=plan, problem=problem,
            q=q, chosen=chosen, hits=hits, key=pages.new_key(),
        )  # fmt: skip

    @get("/plan", guards=[requires("clerk")])
    async def plan(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[str]:
        """The dry run alone, for the page's own script."""
        await visibility.own_document(actor, document_id, lock=False)
        plan, problem = await _plan(request, actor, document_id)
        return await pages.page(request, "_plan.html", plan=plan, problem=problem)

    @post(guards=[requires("clerk")])
    async def send(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[Any]:
        """Send; the same form sent twice sends once."""
        form = await request.form()
        key = str(form.get("key", "")) or None
        try:
            wanted = forms.wanted(form, home=actor.home_id)
            await dispatch.send(actor, document_id, wanted=wanted, key=key)
        except ServiceError as problem:
            return pages.redirect(request, f"/documents/{document_id}/dispatch", problem=problem)
        return pages.redirect(
            request, f"/documents/{document_id}/control", done=N_("The document is sent.")
        )


class PickerController(Controller):
    """Organizations by a part of their name."""

    path = "/picker"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[requires("clerk")])
    async def organizations(self, request: R, q: FromQuery[str] = "") -> Response[str]:
        """The first few that fit, as boxes to tick."""
        text = clean_query(q)
        hits = await organizations.search(text=text, active_on=clock.today(), limit=FOUND)
        return await pages.page(request, "_hits.html", hits=hits if text else [], q=q, picked=[])


class ControlController(Controller):
    """Who has it, who answered, who is silent."""

    path = "/documents/{document_id:uuid}/control"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[signed_in])
    async def control(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller,
        view: FromQuery[str] = "all", status: FromQuery[str] = "",
        after: FromQuery[uuid.UUID | None] = None,
    ) -> Response[str]:  # fmt: skip
        """Totals by level and one page of the list."""
        document = await visibility.visible_document(actor, document_id)
        totals = await control.totals(actor, document_id)
        if view == "silent":
            rows = await control.silent(actor, document_id, after=after, limit=PAGE + 1)
        elif view == "branches":
            rows = []
        else:
            statuses = [status] if status else []
            rows = await control.recipients(
                actor, document_id, statuses=statuses, after=after, limit=PAGE + 1
            )
        branches = await control.roll_up(actor, document_id) if view == "branches" else []
        return await pages.page(
            request, "control.html", view=view, status=status, totals=totals, rows=rows[:PAGE],
            sums=control.by_status(totals), is_own=document["organization_id"] == actor.home_id,
            branches=control_paper.by_branch(branches),
            document=document,
            more=rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
        )  # fmt: skip

    @get("/stream", guards=[signed_in])
    async def stream(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> ServerSentEvent:
        """The totals again whenever they change, as the table the page shows."""
        await control.totals(actor, document_id)
        return ServerSentEvent(_changes(actor, document_id, pages.language_of(request)))

    @post("/remind", guards=[requires("clerk")])
    async def remind(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[Any]:
        """Tell all who have not answered."""
        work = reminding.remind(actor, document_id)
        back = f"/documents/{document_id}/control?view=silent"
        return await pages.act(request, back, work, done=N_("They are reminded; once a day each."))

    @get("/pdf", guards=[signed_in])
    async def pdf(self, request: R, document_id: FromPath[uuid.UUID], actor: Caller) -> (
        Response[bytes]
    ):  # fmt: skip
        """The whole list as PDF/A."""
        translation.speak(pages.language_of(request))
        paper = await control_paper.made(actor, document_id)
        content = await papers.render("control_list", paper, made_at=clock.now())
        headers = {
            "content-disposition": 'attachment; filename="control-list.pdf"',
            "cache-control": "no-store",
        }
        return Response(content, media_type="application/pdf", headers=headers)


async def _changes(
    actor: Caller, document_id: uuid.UUID, language: str
) -> AsyncIterator[ServerSentEventMessage]:
    """The table as often as it changes; the browser asks again when the time is up."""
    known: dict[str, dict[str, int]] | None = None
    for _ in range(WATCHED // LOOK_EVERY):
        totals = await control.totals(actor, document_id)
        if totals != known:
            known = totals
            text = pages.fragment(
                "_totals.html", language, totals=totals, sums=control.by_status(totals)
            )
            yield ServerSentEventMessage(data=text, event="totals")
        else:
            yield ServerSentEventMessage(comment="still the same")
        await asyncio.sleep(LOOK_EVERY)


async def _plan(
    request: R, actor: Caller, document_id: uuid.UUID
) -> tuple[dispatch.Plan | None, ServiceError | None]:
    """The dry run of the query, or what is wrong with it."""
    given = request.query_params
    try:
        if not forms.is_chosen(given):
            raise InvalidInput(
                "Выберите получателей: подчинённых, виды организаций или отдельные организации.",
                "Choose recipients: subordinates, kinds of organizations or single ones.",
                code="no_recipients",
            )
        wanted = forms.wanted(given, home=actor.home_id)
        return await dispatch.plan(actor, document_id, wanted=wanted, limit=25), None
    except InvalidInput as problem:
        return None, problem
