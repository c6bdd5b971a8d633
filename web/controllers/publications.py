"""Publications for editors: a page, a post or a newspaper, its pictures judged page by page."""

import uuid
from typing import Any, cast

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from compliance.publishing import gate, issue_files, publications
from compliance.publishing.publications import Kind, PictureInput, PublicationCard
from compliance.registers.register import MAX_PICTURE
from compliance.verdicts.case import Channel
from core import clock
from core.actor import Actor
from core.errors import InvalidInput, ServiceError
from directory import sessions
from directory.controllers.authentication import CALLER, Caller, CallerAccess, requires
from web import forms, pages, picture_words
from web.pages import R
from web.translation import N_
from web.uploads import UploadForm, read_upload

PAGE = 50
EDITORS = [requires("editor", "lawyer")]


class PublicationPageController(Controller):
    """What comes out, with what stands in its way."""

    path = "/pictures/publications"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=EDITORS)
    async def listed(
        self, request: R, actor: Caller, after: FromQuery[uuid.UUID | None] = None
    ) -> Response[str]:
        """The organization's publications, and the form of a new one."""
        return await _list_page(request, actor, after=after)

    @post(guards=EDITORS)
    async def create(self, request: R, actor: Caller) -> Response[Any]:
        """Begin a draft."""
        given = {name: str(value) for name, value in dict(await request.form()).items()}
        try:
            made = await publications.create(actor, card=_card(given), key=given.get("key") or None)
        except ServiceError as problem:
            return await _list_page(request, actor, problem=problem, given=given)
        return pages.redirect(request, f"/pictures/publications/{made}")

    @get("/{publication_id:uuid}", guards=EDITORS)
    async def show(
        self, request: R, publication_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[str]:
        """Every picture with what its check said, in the order of the pages."""
        found = await publications.own(actor, publication_id, lock=False)
        rows = await publications.pictures_of(publication_id)
        pictures = [{**row, "said": await gate.standing(row["check_id"])} for row in rows]
        return await pages.page(
            request, "publication.html", publication=found, sheets=_by_page(pictures),
            against=[one for one in pictures if one["said"]["outcome"] != "clear"],
            total=len(pictures), unchecked=[one for one in pictures if one["check_id"] is None],
        )  # fmt: skip

    @post("/{publication_id:uuid}/file", guards=EDITORS, opt={"csrf_exempt": True},
          request_max_body_size=None)  # fmt: skip
    async def send_file(
        self, request: R, publication_id: FromPath[uuid.UUID], actor: Caller, access: CallerAccess
    ) -> Redirect:
        """The file of an issue; its pictures are taken out and judged."""
        form = await _checked_upload(request, access)
        work = _take_in(actor, publication_id, form)
        done = N_("The file is read; its pictures are looked at one after the other.")
        return await pages.act(request, _at(publication_id), work, done=done)

    @post("/{publication_id:uuid}/pictures", guards=EDITORS, opt={"csrf_exempt": True},
          request_max_body_size=None)  # fmt: skip
    async def add_picture(
        self, request: R, publication_id: FromPath[uuid.UUID], actor: Caller, access: CallerAccess
    ) -> Redirect:
        """One more picture of a page or a post."""
        form = await _checked_upload(request, access)
        work = _add(actor, publication_id, form)
        return await pages.act(request, _at(publication_id), work, done=N_("The file is added."))

    @post("/{publication_id:uuid}/pictures/{picture_id:uuid}/{verb:str}", guards=EDITORS)
    async def change_picture(
        self, request: R, publication_id: FromPath[uuid.UUID], picture_id: FromPath[uuid.UUID],
        verb: FromPath[str], actor: Caller,
    ) -> Redirect:  # fmt: skip
        """Another caption, or out with it."""
        form = await request.form()
        if verb == "remove":
            work, done = (
                publications.remove_picture(actor, publication_id, picture_id),
                N_("The picture is taken out."),
            )
        else:
            caption = str(form.get("caption", ""))
            work, done = (
                _caption(actor, publication_id, picture_id, caption),
                N_("The caption is saved and judged."),
            )
        return await pages.act(request, _at(publication_id), work, done=done)

    @post("/{publication_id:uuid}/{verb:str}", guards=EDITORS)
    async def act(
        self, request: R, publication_id: FromPath[uuid.UUID], verb: FromPath[str], actor: Caller
    ) -> Redirect:
        """Judge now, make ready, open again, let out, take back."""
        reason = str((await request.form()).get("reason", ""))
        work, done = _verb(actor, publication_id, verb, reason)
        return await pages.act(request, _at(publication_id), work, done=done)


def _at(publication_id: uuid.UUID) -> str:
    return f"/pictures/publications/{publication_id}"


def _verb(actor: Actor, publication_id: uuid.UUID, verb: str, reason: str) -> tuple[Any, str]:
    if verb == "check":
        work: Any = gate.check_pictures(actor, publication_id, only_new=False)
        return work, N_("Every picture was looked at again.")
    if verb == "ready":
        return gate.make_ready(actor, publication_id), N_("It is ready to come out.")
    if verb == "reopen":
        return publications.reopen(actor, publication_id), N_("It can be changed again.")
    if verb == "publish":
        return gate.publish(actor, publication_id), N_("It is published.")
    if verb == "withdraw":
        work = publications.withdraw(actor, publication_id, reason=reason)
        return work, N_("It is taken back.")
    raise InvalidInput(code="unknown_verb")


def _by_page(pictures: list[dict[str, Any]]) -> list[tuple[int | None, list[dict[str, Any]]]]:
    """Pictures by the first page they stand on; those without a page last."""
    found: dict[int | None, list[dict[str, Any]]] = {}
    for one in pictures:
        numbers = [place["page"] for place in one["places"] if place.get("page")]
        found.setdefault(min(numbers, default=None), []).append(one)
    return sorted(found.items(), key=lambda item: (item[0] is None, item[0] or 0))


def _card(given: dict[str, str]) -> PublicationCard:
    kind, channel = given.get("kind", ""), given.get("channel", "")
    planned = forms.day(given.get("planned_on"), field="planned_on") or clock.today()
    if kind not in picture_words.KINDS or channel not in picture_words.CHANNELS:
        raise InvalidInput(
            "Выберите вид публикации и где она выйдет.",
            "Choose the kind of publication and where it comes out.",
            code="publication_card", field="kind",
        )  # fmt: skip
    return PublicationCard(
        kind=cast(Kind, kind), channel=cast(Channel, channel), place=given.get("place", ""),
        title=given.get("title", ""), planned_on=planned,
        is_commercial=given.get("is_commercial") == "yes",
    )  # fmt: skip


async def _list_page(
    request: R, actor: Actor, *, after: uuid.UUID | None = None,
    problem: ServiceError | None = None, given: dict[str, str] | None = None,
) -> Response[str]:  # fmt: skip
    rows = await publications.list_of(actor, status=None, after=after, limit=PAGE + 1)
    return await pages.page(
        request, "publications.html", rows=rows[:PAGE], problem=problem, given=given or {},
        key=pages.new_key(), more=rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
        status_code=422 if problem else 200,
    )  # fmt: skip


async def _checked_upload(request: R, access: CallerAccess) -> UploadForm:
    form = await read_upload(request)
    sessions.check_csrf(access, form.fields.get("_csrf"))
    return form


def _missing() -> InvalidInput:
    return InvalidInput("Выберите файл.", "Choose a file.", code="file_missing", field="file")


async def _take_in(actor: Actor, publication_id: uuid.UUID, form: UploadForm) -> None:
    if form.stream is None:
        raise _missing()
    await issue_files.take_in(actor, publication_id, stream=form.stream, file_name=form.file_name)


async def _add(actor: Actor, publication_id: uuid.UUID, form: UploadForm) -> None:
    content = bytearray()
    if form.stream is not None:
        async for piece in form.stream:
            content += piece
            if len(content) > MAX_PICTURE:
                raise InvalidInput(code="picture_too_large", field="file")
    if not content:
        raise _missing()
    await publications.add_picture(
        actor, publication_id, data=bytes(content), file_name=form.file_name,
        use=PictureInput(caption=form.fields.get("caption", "")),
    )  # fmt: skip
    await gate.check_pictures(actor, publication_id)


async def _caption(
    actor: Actor, publication_id: uuid.UUID, picture_id: uuid.UUID, caption: str
) -> None:
    await publications.correct_picture(
        actor, publication_id, picture_id, use=PictureInput(caption=caption)
    )
    await gate.check_pictures(actor, publication_id)
