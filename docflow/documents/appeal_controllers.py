"""Appeals under 59-FZ over HTTP; what organizations write to each other is correspondence."""

import uuid
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from directory.controllers.authentication import CALLER, Caller, requires, scope
from docflow.documents import appeal_schemas as wire
from docflow.documents import appeals
from docflow.documents.controllers import convert

READ = [scope("documents:read")]
WORK = [scope("documents:write"), requires("clerk")]


class AppealController(Controller):
    """The clock of an appeal, its package for the portal, its number from there."""

    path = "/api/v1/documents/{document_id:uuid}/appeal"
    tags = ("documents",)
    dependencies = CALLER

    @get("/", guards=READ, summary="Clock of an appeal")
    async def show(self, document_id: FromPath[uuid.UUID], actor: Caller) -> wire.AppealView:
        """Registered on day D, overdue at D + 30, prolonged by at most 30 days."""
        return convert(wire.AppealView, await appeals.of_document(actor, document_id))

    @post("/", guards=WORK, status_code=200, summary="Start the clock")
    async def start(self, document_id: FromPath[uuid.UUID], actor: Caller) -> wire.AppealView:
        """From the day it was registered here; started again it stays as it is."""
        await appeals.start(actor, document_id)
        return convert(wire.AppealView, await appeals.of_document(actor, document_id))

    @post("/extension", guards=WORK, status_code=200, summary="Prolong the term")
    async def extend(
        self, document_id: FromPath[uuid.UUID], data: JSONBody[wire.AppealExtension], actor: Caller
    ) -> wire.AppealView:
        """With the notice that was sent to the applicant."""
        await appeals.extend(actor, document_id, days=data.days, notice=data.notice)
        return convert(wire.AppealView, await appeals.of_document(actor, document_id))

    @post("/portal-number", guards=WORK, status_code=200, summary="Enter the portal's number")
    async def portal_number(
        self, document_id: FromPath[uuid.UUID], data: JSONBody[wire.PortalNumber], actor: Caller
    ) -> wire.AppealView:
        """The term runs from the day of that registration."""
        await appeals.enter_portal_number(actor, document_id, number=data.number, on=data.on)
        return convert(wire.AppealView, await appeals.of_document(actor, document_id))

    @post("/answered", guards=WORK, status_code=204, summary="Note the answer")
    async def answered(self, document_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """The clock stops."""
        await appeals.answer(actor, document_id)

    @get("/package", guards=READ, opt={"raw_answer": True}, summary="Package for the state portal")
    async def package(self, document_id: FromPath[uuid.UUID], actor: Caller) -> Response[Any]:
        """A ZIP with the files as stored, their signatures, the card and how to hand it in."""
        made = await appeals.package(actor, document_id)
        headers = {"Content-Disposition": f"attachment; filename=appeal-{document_id}.zip"}
        return Response(made, media_type="application/zip", headers=headers)
