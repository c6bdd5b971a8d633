"""Copies over HTTP."""

import hashlib
import uuid

from litestar import Controller, Response, get
from litestar.params import FromPath

from directory.controllers.authentication import CALLER, Caller
from docflow.documents import copies, restricted
from docflow.documents.controllers import READ, download_headers


class CopyController(Controller):
    """What is made of a file for paper and for reading."""

    path = "/api/v1/documents"
    tags = ("documents",)
    dependencies = CALLER

    @get(
        "/{document_id:uuid}/files/{file_id:uuid}/marked-copy",
        guards=READ,
        opt={"raw_answer": True},
        summary="Copy with the marks of the signatures",
    )
    async def marked_copy(
        self, document_id: FromPath[uuid.UUID], file_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[bytes]:
        """A PDF marked as a copy, after ГОСТ Р 7.0.97; the original stays as it is."""
        copy = await copies.marked_copy(actor, document_id, file_id)
        copy = await restricted.named(actor, file_id, copy)
        facts = {
            "file_name": copy.file_name,
            "size": len(copy.data),
            "sha256": hashlib.sha256(copy.data).digest(),
        }
        return Response(copy.data, media_type="application/pdf", headers=download_headers(facts))
