"""Readers of restricted documents, and copies with the reader's name, over HTTP."""

import hashlib
import uuid

from litestar import Controller, Response, delete, get, post
from litestar.params import FromPath, JSONBody

from directory.controllers.authentication import CALLER, Caller
from docflow.documents import reader_schemas as wire
from docflow.documents import readers, restricted
from docflow.documents.controllers import READ, WRITE, convert_all, download_headers
from docflow.documents.copies import Copy
from docflow.documents.schemas import Created


class ReaderController(Controller):
    """Who may read a document of restricted use."""

    path = "/api/v1/documents/{document_id:uuid}/readers"
    tags = ("documents",)
    dependencies = CALLER

    @get("/", guards=READ, summary="Who may read it")
    async def list_readers(
        self, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> list[wire.ReaderView]:
        """Those named beside the author, the signers and the heads, who need no naming."""
        return convert_all(wire.ReaderView, await readers.listed(actor, document_id))

    @post("/", guards=WRITE, summary="Let somebody read it")
    async def name_reader(
        self, document_id: FromPath[uuid.UUID], data: JSONBody[wire.ReaderInput], actor: Caller
    ) -> Created:
        """A person of one's organization or a post; naming again changes the right to originals."""
        return Created(
            await readers.name(
                actor, document_id, person_id=data.person_id, post=data.post,
                may_take_original=data.may_take_original,
            )
        )  # fmt: skip

    @delete("/{reader_id:uuid}", guards=WRITE, summary="Let them read it no more")
    async def strike_reader(
        self, document_id: FromPath[uuid.UUID], reader_id: FromPath[uuid.UUID], actor: Caller
    ) -> None:
        """From now on; what was read stays in the log."""
        await readers.strike(actor, document_id, reader_id)


class ReaderCopyController(Controller):
    """What a reader of a restricted document gets to take along."""

    path = "/api/v1/files"
    tags = ("documents",)
    dependencies = CALLER

    @get(
        "/{file_id:uuid}/reader-copy",
        guards=READ,
        opt={"raw_answer": "application/pdf"},
        summary="Copy with the reader's name",
    )
    async def reader_copy(self, file_id: FromPath[uuid.UUID], actor: Caller) -> Response[bytes]:
        """A PDF with the reader's name and the time across every page; the giving is an event."""
        return answered(await restricted.readers_copy(actor, file_id))


def answered(copy: Copy) -> Response[bytes]:
    """A copy as a download."""
    facts = {
        "file_name": copy.file_name,
        "size": len(copy.data),
        "sha256": hashlib.sha256(copy.data).digest(),
    }
    headers = {**download_headers(facts), "cache-control": "no-store"}
    return Response(copy.data, media_type="application/pdf", headers=headers)
