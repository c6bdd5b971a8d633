"""Sheets to print, calls to make, answers by code, over HTTP."""

import hashlib
import uuid

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from directory.controllers.authentication import CALLER, Caller, requires, scope
from docflow.documents.controllers import convert_all, download_headers
from docflow.routing.paper import answering, sheets
from docflow.routing.paper import schemas as wire
from docflow.routing.paper.sheets import Printed, PrintInput

READ = [scope("documents:read"), requires("clerk")]
WRITE = [scope("documents:write"), requires("clerk")]


class PaperController(Controller):
    """What goes on paper and by telephone."""

    path = "/api/v1/paper"
    tags = ("routing",)
    dependencies = CALLER

    @get("/waiting", guards=READ, summary="Sheets and calls that wait")
    async def waiting(self, actor: Caller) -> list[wire.WaitingLine]:
        """How many, by region and channel, and how many were printed already."""
        return convert_all(wire.WaitingLine, await sheets.waiting(actor))

    @post("/sheets", guards=WRITE, opt={"raw_answer": True}, status_code=200,
          summary="Print sheets")  # fmt: skip
    async def print_sheets(self, data: JSONBody[PrintInput], actor: Caller) -> Response[bytes]:
        """Sheets with codes as one PDF/A, one a page, at most 500; printed ones only if asked."""
        return _file(await sheets.print_sheets(actor, wanted=data))

    @post("/calls", guards=WRITE, opt={"raw_answer": True}, status_code=200,
          summary="Print the list of calls")  # fmt: skip
    async def print_calls(self, data: JSONBody[PrintInput], actor: Caller) -> Response[bytes]:
        """Whom to telephone, with codes, as PDF/A."""
        return _file(await sheets.print_calls(actor, wanted=data))


class AnswerCodeController(Controller):
    """Answers that were told by telephone or signed on paper."""

    path = "/api/v1/answer-codes"
    tags = ("routing",)
    dependencies = CALLER

    @get("/{code:str}", guards=READ, summary="What a code stands for")
    async def look(self, code: FromPath[str], actor: Caller) -> wire.AskedView:
        """The delivery, and who may have taken note of it; for a superior's clerk."""
        found = await answering.look(actor, code)
        return msgspec.convert(found, wire.AskedView, from_attributes=True)

    @post("/{code:str}/acknowledge", guards=WRITE, status_code=204, summary="Enter an answer")
    async def acknowledge(
        self, code: FromPath[str], data: JSONBody[wire.AnswerByCode], actor: Caller
    ) -> None:
        """This person has taken note of what the code stands for."""
        await answering.acknowledge(actor, code, person_id=uuid.UUID(str(data.person_id)))


def _file(made: Printed) -> Response[bytes]:
    facts = {
        "file_name": made.file_name,
        "size": len(made.data),
        "sha256": hashlib.sha256(made.data).digest(),
    }
    headers = {**download_headers(facts), "x-sheets": str(made.number)}
    return Response(made.data, media_type="application/pdf", headers=headers)
