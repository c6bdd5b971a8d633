"""Documents of one's own and received ones: lists, cards, files, what may be done next."""

import uuid
from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Stream

from core.errors import Forbidden, InvalidInput, NotAuthenticated, ServiceError
from directory import sessions
from directory.controllers.authentication import CALLER, Caller, CallerAccess, requires, signed_in
from docflow.documents import (
    cards,
    conversion,
    files,
    links,
    previews,
    registration,
    restricted,
    search,
    signing,
    visibility,
)
from docflow.documents.controllers import download_headers
from docflow.documents.kinds import DOCUMENT_KINDS, kind_of
from docflow.documents.reader_controllers import answered
from docflow.documents.records import filing
from docflow.documents.states import NUMBERED
from docflow.routing import questions, recall
from storage import blobs
from web import forms, pages, reading
from web.controllers.inbox import PAGE, answer_candidates
from web.pages import R
from web.translation import N_
from web.uploads import UploadForm, read_upload

AUTHORS = requires("clerk", "signatory")


class DocumentController(Controller):
    """Reading."""

    path = "/documents"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[signed_in])
    async def own(
        self, request: R, actor: Caller, q: FromQuery[str] = "", status: FromQuery[str] = "",
        kind: FromQuery[str] = "", after: FromQuery[uuid.UUID | None] = None,
    ) -> Response[str]:  # fmt: skip
        """The organization's own documents, newest first."""
        wanted = search.Wanted(text=q, status=status or None, kind=kind or None, own=True)
        found = await search.documents(actor, wanted=wanted, after=after, limit=PAGE + 1)
        return await pages.page(
            request, "documents.html", rows=found[:PAGE], q=q, status=status, kind=kind,
            kinds=list(DOCUMENT_KINDS), more=found[PAGE - 1]["id"] if len(found) > PAGE else None,
        )  # fmt: skip

    @get("/{document_id:uuid}", guards=[signed_in])
    async def document(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller,
        queue: FromQuery[bool] = False,
    ) -> Response[str]:  # fmt: skip
        """The document with its way; a received one counts as opened from here on.

        `queue`: one of those taken in one by one; the keyboard begins at its resolution.
        """
        await visibility.visible_document(actor, document_id)
        if request.headers.get("sec-purpose") is None:
            await reading.mark_opened(actor, document_id)
        shown = await reading.document(actor, document_id)
        may_answer = bool(shown["delivery"]) and bool(actor.roles & {"clerk", "signatory"})
        return await pages.page(
            request, "document.html", **shown, kind=kind_of(shown["document"]["kind"]),
            candidates=await answer_candidates(actor) if may_answer else [], is_queue=queue,
            **await reading.resolution(actor, shown),
            place=await filing.place_of(actor, document_id),
            case_choices=await filing.choices(actor, document_id),
        )  # fmt: skip

    @get("/{document_id:uuid}/read", guards=[signed_in])
    async def read(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller,
        file: FromQuery[uuid.UUID | None] = None, start: FromQuery[int] = 1,
    ) -> Response[str]:  # fmt: skip
        """The document itself, page under page."""
        shown = await reading.document(actor, document_id)
        chosen = reading.chosen_file(shown["files"], file)
        return await pages.page(request, "read.html", **shown, file=chosen,
                                sheets=reading.sheets(chosen, start))  # fmt: skip

    @get("/new", guards=[AUTHORS])
    async def new(self, request: R, kind: FromQuery[str] = "", addressee: FromQuery[str] = "") -> (
        Response[str]
    ):  # fmt: skip
        """Choose the kind, then fill in its card."""
        if not kind:
            return await pages.page(request, "kinds.html", kinds=list(DOCUMENT_KINDS.values()))
        return await _new_page(request, kind, {"addressee": addressee})

    @post(guards=[AUTHORS], opt={"csrf_exempt": True}, request_max_body_size=None)
    async def create(self, request: R, actor: Caller, access: CallerAccess) -> Response[Any]:
        """Make the draft and attach its file; sent twice it is made once."""
        form = await _checked_upload(request, access)
        given, kind = form.fields, form.fields.get("kind", "")
        key = given.get("key") or None
        try:
            document_id = await cards.create(actor, card=forms.card(given, kind=kind), key=key)
        except InvalidInput as problem:
            return await _new_page(request, kind, given, problem=problem)
        back = f"/documents/{document_id}"
        return await pages.act(
            request, back, _complete(actor, document_id, form, key), done=N_("The draft is saved.")
        )

    @get("/{document_id:uuid}/edit", guards=[AUTHORS])
    async def edit(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[str]:
        """The card of a draft, to be corrected."""
        found = await visibility.own_document(actor, document_id, lock=False)
        cards.require_editable(found)
        return await pages.page(request, "edit.html", document=found, **_card_fields(found["kind"]),
                                given={**found["fields"], **found}, problem=None)  # fmt: skip

    @post("/{document_id:uuid}/edit", guards=[AUTHORS])
    async def correct(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[Any]:
        """Save the corrected card."""
        given = {name: str(value) for name, value in dict(await request.form()).items()}
        found = await visibility.own_document(actor, document_id, lock=False)
        try:
            card = forms.card(given, kind=found["kind"], known=found)
            version = int(given.get("version", "0"))
            await cards.correct(actor, document_id, card=card, version=version)
        except ValueError:
            raise InvalidInput(code="malformed_form") from None
        except InvalidInput as problem:
            return await pages.page(
                request, "edit.html", document=found, **_card_fields(found["kind"]), given=given,
                problem=problem, status_code=422,
            )  # fmt: skip
        return pages.redirect(request, f"/documents/{document_id}", done=N_("The card is saved."))

    @post("/{document_id:uuid}/files", guards=[AUTHORS], opt={"csrf_exempt": True},
          request_max_body_size=None)  # fmt: skip
    async def attach(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller, access: CallerAccess
    ) -> Redirect:
        """Add an annex, or a new revision of the main file."""
        form = await _checked_upload(request, access)
        back = f"/documents/{document_id}"
        work = _attach(actor, document_id, form, key=None)
        return await pages.act(request, back, work, done=N_("The file is added."))

    @post("/{document_id:uuid}/questions/{question_id:uuid}", guards=[AUTHORS])
    async def answer_question(
        self, request: R, document_id: FromPath[uuid.UUID], question_id: FromPath[uuid.UUID],
        actor: Caller,
    ) -> Redirect:  # fmt: skip
        """Answer what a recipient asks about one's own document."""
        text = str((await request.form()).get("text", ""))
        work = questions.answer(actor, question_id, text=text)
        back = f"/documents/{document_id}#questions"
        return await pages.act(request, back, work, done=N_("The answer is sent."))

    @post("/{document_id:uuid}/{verb:str}", guards=[signed_in])
    async def act(
        self, request: R, document_id: FromPath[uuid.UUID], verb: FromPath[str], actor: Caller
    ) -> Redirect:
        """Take a document of one's own one step further."""
        await visibility.visible_document(actor, document_id)
        given = {name: str(value) for name, value in dict(await request.form()).items()}
        work, done = _verb(actor, document_id, verb, given)
        return await pages.act(request, f"/documents/{document_id}", work, done=done)


class DownloadController(Controller):
    """Files, as they were received."""

    include_in_schema = False
    dependencies = CALLER

    @get("/files/{file_id:uuid}", guards=[signed_in])
    async def download(self, file_id: FromPath[uuid.UUID], actor: Caller) -> Response[Any]:
        """The bytes; always a download, never a page of ours; or a copy that names its reader."""
        try:
            found = await restricted.original(actor, file_id)
        except Forbidden as problem:
            if problem.error_code != "original_needs_right":
                raise
            return answered(await restricted.readers_copy(actor, file_id))
        stream = await blobs.open_blob(found["blob_id"])
        headers = {**download_headers(found), "cache-control": "no-store"}
        return Stream(stream, media_type=found["media_type"], headers=headers)

    @get("/files/{file_id:uuid}/pages/{number:int}", guards=[signed_in])
    async def page(
        self, file_id: FromPath[uuid.UUID], number: FromPath[int], actor: Caller,
        width: FromQuery[int] = 900,
    ) -> Response[bytes]:  # fmt: skip
        """One page of a file as a picture; of a signed one, as it was signed."""
        drawn = await previews.page_image(actor, file_id, page=number, width=width)
        return Response(drawn, media_type="image/png", headers={"cache-control": "no-store"})


def _verb(
    actor: Caller, document_id: uuid.UUID, verb: str, given: Mapping[str, str]
) -> tuple[Any, str]:
    text = given.get("text", "")
    if verb == "submit":
        return signing.submit(actor, document_id), N_("The document awaits its signature.")
    if verb == "seal":
        return signing.seal(actor, document_id), N_("The document is signed.")
    if verb == "decline":
        return signing.decline(actor, document_id, reason=text), N_("Returned to the author.")
    if verb == "register":
        names = ("index", "sitting", "convocation")
        variables = {name: given[name].strip() for name in names if given.get(name, "").strip()}
        work = registration.register(actor, document_id, variables=variables)
        return work, N_("The document has its number.")
    if verb == "recall":
        return recall.recall(actor, document_id, reason=text), N_("The document is recalled.")
    if verb == "pdfa":
        done = N_("A draft with the file as PDF/A is ready; sign it anew.")
        return conversion.to_pdfa(actor, document_id), done
    if verb == "file":
        index = given.get("index", "")
        return filing.close_document(actor, document_id, file_index=index), N_("It is filed.")
    if verb == "discard":
        return cards.discard(actor, document_id, reason=text), N_("The draft is given up.")
    raise InvalidInput(code="unknown_verb")


async def _checked_upload(request: R, access: CallerAccess) -> UploadForm:
    """The form, once its CSRF field holds; the middleware cannot look into a stream."""
    form = await read_upload(request)
    sessions.check_csrf(access, form.fields.get("_csrf"))
    return form


async def _complete(
    actor: Caller, document_id: uuid.UUID, form: UploadForm, key: str | None
) -> None:
    parent = pages.id_of(form.fields.get("parent_id"))
    needed = kind_of(form.fields.get("kind", "")).parent_link
    if parent and needed:
        await links.link(actor, document_id, to_id=parent, kind=needed)
    if form.stream is not None:
        await _attach(actor, document_id, form, key=key and f"{key}/file")


async def _attach(
    actor: Caller, document_id: uuid.UUID, form: UploadForm, *, key: str | None
) -> None:
    if form.stream is None:
        raise InvalidInput(
            "Выберите файл.", "Choose a file.", code="file_missing", field="file"
        )  # fmt: skip
    position = 0
    if form.fields.get("role") == "annex":
        present = await files.current_files(document_id)
        taken = [one["position"] for one in present if one["role"] == "annex"]
        position = max(taken, default=0) + 1
    await files.attach(
        actor, document_id, stream=form.stream, file_name=form.file_name,
        role="annex" if position else "main", position=position, key=key,
    )  # fmt: skip


def _card_fields(kind: str) -> dict[str, Any]:
    return {"kind": kind_of(kind), "extra": forms.extra_fields(kind)}


async def _new_page(
    request: R, kind: str, given: Mapping[str, str], *, problem: ServiceError | None = None
) -> Response[str]:
    fields = _card_fields(kind)
    parents: list[dict[str, Any]] = []
    if request.user is None:
        raise NotAuthenticated
    if fields["kind"].parent_link:
        mine = await search.documents(request.user, wanted=search.Wanted(own=True), limit=100)
        parents = [one for one in mine if one["status"] in NUMBERED]
    return await pages.page(
        request, "new.html", **fields, given=given, parents=parents, problem=problem,
        key=given.get("key") or pages.new_key(), status_code=422 if problem else 200,
    )  # fmt: skip
