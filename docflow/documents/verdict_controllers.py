"""Verdicts made again, and files as they were signed, over HTTP."""

import uuid
from datetime import datetime

import msgspec
from litestar import Controller, get
from litestar.params import FromPath
from litestar.response import Response

from core.errors import TooLarge
from directory.controllers.authentication import CALLER, Caller
from docflow.documents import checks, restricted, verdicts
from docflow.documents.checking import READ_UP_TO
from docflow.documents.controllers import READ, convert, download_headers
from signatures.revisions import signed_revision
from storage import blobs


class ReplayView(msgspec.Struct):
    """A past verdict and the same check made again from the inputs kept."""

    then: str
    verdict: str
    at: datetime
    policy: str
    is_same: bool
    missing: list[str]


class VerdictController(Controller):
    """What a signature was found to be, and what it was found on."""

    path = "/api/v1"
    tags = ("signing",)
    dependencies = CALLER

    @get("/signatures/{signature_id:uuid}/replay", guards=READ, summary="Make a verdict again")
    async def replay(self, signature_id: FromPath[uuid.UUID], actor: Caller) -> ReplayView:
        """The first check once more, for its moment and from the inputs it named."""
        done = await verdicts.replay(actor, signature_id)
        return convert(ReplayView, msgspec.to_builtins(done))

    @get(
        "/files/{file_id:uuid}/signed-revision",
        guards=READ,
        opt={"raw_answer": True},
        summary="Download a file as it was signed",
    )
    async def signed_revision(self, file_id: FromPath[uuid.UUID], actor: Caller) -> Response[bytes]:
        """The bytes the last intact signature speaks for, without what came after them."""
        found = await restricted.original(actor, file_id)
        if found["size"] > READ_UP_TO:
            raise TooLarge
        reports = await checks.reports_of(file_id)
        data = signed_revision(await blobs.read(found["blob_id"], limit=READ_UP_TO), reports)
        headers = {**download_headers(found), "Content-Length": str(len(data))}
        headers.pop("ETag")
        return Response(data, media_type=found["media_type"], headers=headers)
