"""Pictures for editors and lawyers: dropped, judged, explained, put before a lawyer."""

import uuid
from typing import Any, cast

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from compliance.checking import checks, overlays, review
from compliance.checking.checks import UseInput
from compliance.registers.register import MAX_DOCUMENT, MAX_PICTURE
from compliance.searching import use_search
from compliance.verdicts.case import Channel
from core import clock
from core.errors import Forbidden, InvalidInput, ServiceError
from directory import sessions
from directory.controllers.authentication import CALLER, Caller, CallerAccess, requires
from web import forms, pages, picture_words
from web.pages import R
from web.translation import N_
from web.uploads import UploadForm, read_upload

PAGE = 50
EDITORS = [requires("editor", "lawyer")]


class PictureController(Controller):
    """Checks: one or ten pictures in, a verdict in words for each."""

    path = "/pictures"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=EDITORS)
    async def checks(
        self, request: R, actor: Caller, outcome: FromQuery[str] = "",
        after: FromQuery[uuid.UUID | None] = None,
    ) -> Response[str]:  # fmt: skip
        """Where pictures are dropped, and what was checked before."""
        chosen = outcome if outcome in picture_words.OUTCOMES else None
        rows = await checks.listed(actor, outcome=chosen, after=after, limit=PAGE + 1)
        return await _list_page(
            request, rows=rows[:PAGE], outcome=chosen or "",
            more=rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
        )  # fmt: skip

    @post("/checks", guards=EDITORS, opt={"csrf_exempt": True}, request_max_body_size=None)
    async def check(self, request: R, actor: Caller, access: CallerAccess) -> Response[Any]:
        """Judge one picture; the page's script asks for one after the other."""
        is_part = request.headers.get("x-fragment") is not None
        form = UploadForm()
        try:
            form = await read_upload(request)
            sessions.check_csrf(access, form.fields.get("_csrf"))
            check_id = await _checked(actor, form)
        except Forbidden:
            raise
        except ServiceError as problem:
            if is_part:
                return await pages.page(
                    request, "_check_card.html", answer=None, problem=problem, name=form.file_name
                )
            return await _list_page(request, problem=problem, given=form.fields)
        if not is_part:
            return pages.redirect(request, f"/pictures/checks/{check_id}")
        answer = await checks.show(actor, check_id)
        return await pages.page(
            request, "_check_card.html", answer=answer, problem=None, name=form.file_name
        )

    @get("/checks/{check_id:uuid}", guards=EDITORS)
    async def show(self, request: R, check_id: FromPath[uuid.UUID], actor: Caller) -> Response[str]:
        """The verdict with its reasons, what matched, the line due, what to do."""
        answer = await checks.show(actor, check_id)
        return await pages.page(
            request, "check_picture.html", answer=answer, key=pages.new_key(),
            is_own=answer.row["organization_id"] == actor.home_id, again=clock.today(),
        )  # fmt: skip

    @get("/checks/{check_id:uuid}/thumbnail", guards=EDITORS)
    async def thumbnail(
        self, check_id: FromPath[uuid.UUID], actor: Caller, side: FromQuery[int] = 480
    ) -> Response[bytes]:
        """The checked picture, made small."""
        drawn = await overlays.thumbnail(actor, check_id, side=side)
        return Response(drawn, media_type="image/jpeg", headers=_KEPT)

    @get("/checks/{check_id:uuid}/matches/{picture_id:uuid}", guards=EDITORS)
    async def overlay(
        self, check_id: FromPath[uuid.UUID], picture_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[bytes]:
        """Both pictures with what they share outlined."""
        drawn = await overlays.of_match(actor, check_id, picture_id)
        return Response(drawn, media_type="image/png", headers=_KEPT)

    @post("/checks/{check_id:uuid}/ask", guards=EDITORS)
    async def ask(self, request: R, check_id: FromPath[uuid.UUID], actor: Caller) -> Redirect:
        """Put it before a lawyer."""
        form = await request.form()
        due = forms.day(str(form.get("due_on") or ""), field="due_on")
        work = review.ask(
            actor, check_id, question=str(form.get("question", "")), due_on=due,
            key=str(form.get("key") or "") or None,
        )  # fmt: skip
        done = N_("A lawyer has been asked; the answer comes into your notices.")
        return await pages.act(request, f"/pictures/checks/{check_id}", work, done=done)


class ReviewPageController(Controller):
    """The lawyer's queue and decisions, and every use of a picture."""

    path = "/pictures/reviews"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=EDITORS)
    async def queue(
        self, request: R, actor: Caller, status: FromQuery[str] = "open",
        after: FromQuery[uuid.UUID | None] = None,
    ) -> Response[str]:  # fmt: skip
        """Oldest first."""
        chosen = status if status in picture_words.REVIEWS else None
        rows = await review.queue(actor, status=chosen, after=after, limit=PAGE + 1)
        return await pages.page(
            request, "reviews.html", rows=rows[:PAGE], status=chosen or "",
            more=rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
        )  # fmt: skip

    @get("/{review_id:uuid}", guards=EDITORS)
    async def show(
        self, request: R, review_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[str]:
        """One question with the check it is about."""
        found = await review.visible(actor, review_id)
        answer = await checks.show(actor, found["check_id"])
        return await pages.page(request, "review.html", review=found, answer=answer,
                                latest=clock.today() + review.LONGEST)  # fmt: skip

    @post("/{review_id:uuid}/decide", guards=[requires("lawyer")], opt={"csrf_exempt": True},
          request_max_body_size=None)  # fmt: skip
    async def decide(
        self, request: R, review_id: FromPath[uuid.UUID], actor: Caller, access: CallerAccess
    ) -> Redirect:
        """Allow or refuse, with the reason; a block is lifted with a document."""
        form = await read_upload(request, small={"document": MAX_DOCUMENT})
        sessions.check_csrf(access, form.fields.get("_csrf"))
        given = form.fields
        work = review.decide(
            actor, review_id, verdict="cleared" if given.get("verdict") == "cleared" else "refused",
            reason=given.get("reason", ""), until=forms.day(given.get("until"), field="until"),
            document=form.small.get("document"),
        )  # fmt: skip
        back = f"/pictures/reviews/{review_id}"
        return await pages.act(request, back, work, done=N_("The decision is recorded."))


class UseSearchPageController(Controller):
    """What a claim letter makes one ask: where did we publish this?"""

    path = "/pictures/uses"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=EDITORS)
    async def form(self, request: R) -> Response[str]:
        """Where the claimant's copy is dropped."""
        return await pages.page(request, "uses.html", found=None, problem=None, file_name="")

    @post(guards=EDITORS, opt={"csrf_exempt": True}, request_max_body_size=None)
    async def search(self, request: R, actor: Caller, access: CallerAccess) -> Response[str]:
        """Every use that shows it."""
        form = await read_upload(request)
        sessions.check_csrf(access, form.fields.get("_csrf"))
        try:
            found = await use_search.find(actor, data=await _content(form))
        except ServiceError as problem:
            return await pages.page(request, "uses.html", found=None, problem=problem,
                                    file_name="", status_code=422)  # fmt: skip
        return await pages.page(
            request, "uses.html", found=found, problem=None, file_name=form.file_name
        )


_KEPT = {"cache-control": "private, max-age=600"}


async def _list_page(request: R, **given: Any) -> Response[str]:
    problem = given.get("problem")
    shown = {"rows": [], "outcome": "", "more": None, "problem": None, "given": {}, **given}
    return await pages.page(
        request, "pictures.html", **shown, key=pages.new_key(),
        status_code=200 if problem is None else 422,
    )  # fmt: skip


async def _checked(actor: Caller, form: UploadForm) -> uuid.UUID:
    given = form.fields
    if given.get("channel") not in picture_words.CHANNELS:
        raise InvalidInput(
            "Выберите, где выйдет изображение.", "Choose where the picture comes out.",
            code="channel_missing", field="channel",
        )  # fmt: skip
    use = UseInput(
        channel=cast(Channel, given["channel"]), on=forms.day(given.get("on"), field="on"),
        caption=given.get("caption", ""), is_commercial=given.get("is_commercial") == "yes",
        is_changed=given.get("is_changed") == "yes",
    )  # fmt: skip
    data = await _content(form)
    return await checks.check(
        actor, data=data, use=use, file_name=form.file_name, key=given.get("key") or None
    )


async def _content(form: UploadForm) -> bytes:
    content = bytearray()
    if form.stream is not None:
        async for piece in form.stream:
            content += piece
            if len(content) > MAX_PICTURE:
                raise InvalidInput(
                    "Изображение больше 64 МБ. Сохраните его в меньшем размере.",
                    "The picture is larger than 64 MB. Save it smaller.",
                    code="picture_too_large", field="file",
                )  # fmt: skip
    if not content:
        raise InvalidInput(
            "Выберите изображение.", "Choose a picture.", code="file_missing", field="file"
        )
    return bytes(content)
