"""Documents over HTTP."""

import uuid
from datetime import date
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, unquote

import msgspec
from litestar import Controller, Request, get, post, put
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody
from litestar.response import Stream

from core.errors import InvalidInput
from directory.controllers.authentication import CALLER, Caller, requires, scope
from directory.controllers.parameters import IdempotencyKey
from docflow.documents import (
    cards,
    files,
    intake,
    journals,
    links,
    registration,
    restricted,
    search,
    signed,
    timeline,
    visibility,
)
from docflow.documents import schemas as wire
from docflow.documents.kinds import DOCUMENT_KINDS
from docflow.documents.records import filing
from storage import blobs

T = TypeVar("T")
READ = [scope("documents:read")]
WRITE = [scope("documents:write"), requires("clerk", "signatory")]
SIGN = [scope("documents:sign"), requires("clerk", "signatory")]


def stated_size(request: Request[Any, Any, Any]) -> int | None:
    """How many bytes the caller says the body has; None when it does not say."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def convert(kind: type[T], row: Any) -> T:
    """A row as a struct; columns the struct does not name are left out."""
    return msgspec.convert(row, kind, strict=False)


def convert_all(kind: type[T], rows: list[Any]) -> list[T]:
    """Rows as structs."""
    return [convert(kind, row) for row in rows]


def page_of(rows: list[Any], limit: int) -> wire.Page:
    """Where the next page begins."""
    return wire.Page(next=rows[-1]["id"] if rows and len(rows) >= limit else None, limit=limit)


class DocumentController(Controller):
    """Cards, files, signatures, numbers."""

    path = "/api/v1/documents"
    tags = ("documents",)
    dependencies = CALLER

    @get("/", guards=READ, summary="List or search documents")
    async def list_documents(
        self,
        actor: Caller,
        q: FromQuery[str] = "",
        kind: FromQuery[str | None] = None,
        status: FromQuery[str | None] = None,
        number: FromQuery[str | None] = None,
        since: FromQuery[date | None] = None,
        until: FromQuery[date | None] = None,
        own: FromQuery[bool] = False,
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 50,
    ) -> wire.DocumentList:
        """Documents the organization wrote or received, newest first; `q` searches."""
        wanted = search.Wanted(q, kind, status, number, since, until, own)
        found = await search.documents(actor, wanted=wanted, after=after, limit=limit)
        return wire.DocumentList(convert_all(wire.DocumentLine, found), page_of(found, limit))

    @post("/", guards=WRITE, summary="Create a draft")
    async def create(
        self, data: JSONBody[cards.CardInput], actor: Caller, key: IdempotencyKey = None
    ) -> wire.Created:
        """A new draft; repeat with the same Idempotency-Key to get the same document."""
        return wire.Created(await cards.create(actor, card=data, key=key))

    @get("/kinds", guards=READ, summary="Kinds of documents")
    async def kinds(self) -> list[wire.KindView]:
        """Which kinds there are and what each must carry."""
        return [
            wire.KindView(
                kind.code, kind.ru, kind.en, kind.direction, list(kind.required), kind.signatures,
                kind.route,
            )
            for kind in DOCUMENT_KINDS.values()
        ]  # fmt: skip

    @get("/{document_id:uuid}", guards=READ, summary="Show a document")
    async def show(self, document_id: FromPath[uuid.UUID], actor: Caller) -> wire.DocumentView:
        """The card with files, signatures and links."""
        found = await visibility.visible_document(actor, document_id)
        return wire.DocumentView(
            **{
                name: found[name]
                for name in wire.DocumentView.__struct_fields__
                if name not in ("files", "signatures", "links")
            },
            files=convert_all(wire.FileView, await files.current_files(document_id)),
            signatures=convert_all(wire.SignatureView, await signed.signatures_of(document_id)),
            links=convert_all(wire.LinkView, await links.links_of(actor, document_id)),
        )

    @put("/{document_id:uuid}", guards=WRITE, status_code=204, summary="Correct a draft")
    async def correct(
        self,
        document_id: FromPath[uuid.UUID],
        data: JSONBody[cards.CardInput],
        actor: Caller,
        version: FromQuery[int],
    ) -> None:
        """Change the card of a draft; `version` is the one you saw."""
        await cards.correct(actor, document_id, card=data, version=version)

    @post("/{document_id:uuid}/discard", guards=WRITE, status_code=204, summary="Give up a draft")
    async def discard(
        self, document_id: FromPath[uuid.UUID], data: JSONBody[wire.Reason], actor: Caller
    ) -> None:
        """Give up a document that has no number yet."""
        await cards.discard(actor, document_id, reason=data.reason)

    @post("/{document_id:uuid}/close", guards=WRITE, status_code=204, summary="File a document")
    async def close(
        self, document_id: FromPath[uuid.UUID], data: JSONBody[wire.CloseInput], actor: Caller
    ) -> None:
        """Put the document into a file («в дело»)."""
        await filing.close_document(actor, document_id, file_index=data.file_index)

    @get("/{document_id:uuid}/events", guards=READ, summary="Time line")
    async def show_timeline(
        self, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> list[wire.EventView]:
        """What happened to the document, oldest first."""
        return convert_all(wire.EventView, await timeline.timeline(actor, document_id))

    @post("/{document_id:uuid}/links", guards=WRITE, status_code=204, summary="Link documents")
    async def link(
        self, document_id: FromPath[uuid.UUID], data: JSONBody[wire.LinkInput], actor: Caller
    ) -> None:
        """Tie this document to another one."""
        await links.link(actor, document_id, to_id=data.to_id, kind=data.kind)

    @put(
        "/{document_id:uuid}/files/{role:str}",
        guards=WRITE,
        request_max_body_size=None,
        opt={"raw_body": True},
        status_code=201,
        summary="Attach a file",
    )
    async def attach(
        self,
        document_id: FromPath[uuid.UUID],
        role: FromPath[str],
        request: Request[Any, Any, Any],
        actor: Caller,
        position: FromQuery[int] = 0,
        title: FromQuery[str] = "",
        file_name: FromQuery[str] = "document.pdf",
        key: IdempotencyKey = None,
    ) -> wire.Created:
        """The body is the file itself, streamed; `role` is main, annex or scan."""
        if role not in ("main", "annex", "scan"):
            raise InvalidInput(
                "Место файла: main, annex или scan.", "Role of the file: main, annex or scan.",
                code="unknown_role",
            )  # fmt: skip
        return wire.Created(
            await files.attach(
                actor, document_id, stream=request.stream(), role=role,  # type: ignore[arg-type]  # reason: checked above
                position=position, title=title, file_name=clean_name(file_name),
                key=key, size=stated_size(request),
            )
        )  # fmt: skip

    @post("/{document_id:uuid}/register", guards=WRITE, summary="Give the number")
    async def register(
        self, document_id: FromPath[uuid.UUID], data: JSONBody[wire.RegisterInput], actor: Caller
    ) -> wire.RegistrationView:
        """Register; asked again, answers the same number."""
        done = await registration.register(
            actor, document_id, journal_id=data.journal_id, variables=data.variables, on=data.on
        )
        return _registration(done)

    @post("/{document_id:uuid}/register-incoming", guards=WRITE, summary="Enter as incoming")
    async def register_incoming(
        self, document_id: FromPath[uuid.UUID], data: JSONBody[wire.RegisterInput], actor: Caller
    ) -> wire.RegistrationView:
        """Enter a received document into one's own incoming journal."""
        done = await registration.register_incoming(
            actor, document_id, journal_id=data.journal_id, variables=data.variables
        )
        return _registration(done)


class FileController(Controller):
    """Files' bytes, and documents that come with theirs."""

    path = "/api/v1"
    tags = ("documents",)
    dependencies = CALLER

    @get(
        "/files/{file_id:uuid}/content",
        guards=READ,
        opt={"raw_answer": True},
        summary="Download a file",
    )
    async def content(self, file_id: FromPath[uuid.UUID], actor: Caller) -> Stream:
        """The bytes as they were received; never shown inside a page of ours."""
        found = await restricted.original(actor, file_id)
        stream = await blobs.open_blob(found["blob_id"])
        return Stream(stream, media_type=found["media_type"], headers=download_headers(found))

    @post(
        "/intake",
        guards=WRITE,
        request_max_body_size=None,
        opt={"raw_body": True},
        summary="Take in a signed file",
    )
    async def intake(
        self,
        request: Request[Any, Any, Any],
        actor: Caller,
        card: Annotated[str, HeaderParameter(name="X-Card")],
        file_name: FromQuery[str] = "document.pdf",
        key: IdempotencyKey = None,
    ) -> wire.IntakeView:
        """Card (URL-encoded JSON in the header X-Card) and file (the body) in one call."""
        taken = await intake.take_in(
            actor, card=intake.card_from_json(unquote(card)), stream=request.stream(),
            file_name=clean_name(file_name), key=key,
        )  # fmt: skip
        return wire.IntakeView(
            taken.document_id, taken.status, taken.number, taken.file_id, taken.verdict
        )


class JournalController(Controller):
    """Journals of the organization."""

    path = "/api/v1/journals"
    tags = ("documents",)
    dependencies = CALLER

    @get("/", guards=READ, summary="Journals")
    async def list_journals(self, actor: Caller) -> list[wire.JournalView]:
        """One's journals with the numbers given."""
        return convert_all(wire.JournalView, await journals.journals_of(actor.home_id))

    @post(
        "/",
        guards=[scope("documents:write"), requires("clerk", "administrator")],
        summary="Open a journal",
    )
    async def open_journal(
        self, data: JSONBody[wire.JournalInput], actor: Caller, key: IdempotencyKey = None
    ) -> wire.Created:
        """Open a journal with its own template and count."""
        return wire.Created(
            await journals.open_journal(
                actor, code=data.code, title=data.title, direction=data.direction,
                kinds=data.kinds, template=data.template, scope=data.scope, key=key,
            )
        )  # fmt: skip


def clean_name(name: str) -> str:
    """A file name without folders and control characters, at most 255 characters."""
    plain = "".join(sign for sign in name.replace("\\", "/").rsplit("/", 1)[-1] if sign >= " ")
    plain = plain.strip()[:255]
    return plain if plain.strip(". ") else "document"


def download_headers(file: Any) -> dict[str, str]:
    """Headers of a download (RFC 6266): always an attachment, never sniffed."""
    name = quote(file["file_name"], safe="")
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
        "Content-Length": str(file["size"]),
        "ETag": f'"{bytes(file["sha256"]).hex()}"',
    }


def _registration(done: registration.Registered) -> wire.RegistrationView:
    return wire.RegistrationView(done.registration_id, done.journal_id, done.number, done.date)
