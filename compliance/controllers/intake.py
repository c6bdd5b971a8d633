"""Many pictures at once, and terms read from scans, over HTTP."""

import uuid
from typing import Any

import msgspec
from litestar import Controller, Request, post
from litestar.params import FromPath, FromQuery

from compliance import schemas as wire
from compliance.controllers.register import WRITE
from compliance.registers import importing, scans
from compliance.registers.importing import MAX_ARCHIVE
from compliance.registers.register import MAX_DOCUMENT
from directory.controllers.authentication import CALLER, Caller
from directory.controllers.parameters import IdempotencyKey


class PictureIntakeController(Controller):
    """Folders of pictures, scans of licences."""

    path = "/api/v1/pictures"
    tags = ("pictures",)
    dependencies = CALLER

    @post(
        "/import", guards=WRITE, request_max_body_size=MAX_ARCHIVE, opt={"raw_body": True},
        status_code=200, summary="Import a folder",
    )  # fmt: skip
    async def import_archive(
        self, request: Request[Any, Any, Any], actor: Caller, dry_run: FromQuery[bool] = False
    ) -> wire.ImportReport:
        """The body is a ZIP of pictures and one table (CSV, XLSX); the answer goes row by row."""
        report = await importing.import_archive(actor, data=await request.body(), dry_run=dry_run)
        return msgspec.convert(importing.as_dict(report), wire.ImportReport)

    @post(
        "/{picture_id:uuid}/licences/scan", guards=WRITE, request_max_body_size=MAX_DOCUMENT,
        opt={"raw_body": True}, summary="Enter a licence from its scan",
    )  # fmt: skip
    async def scan(
        self,
        picture_id: FromPath[uuid.UUID],
        request: Request[Any, Any, Any],
        actor: Caller,
        key: IdempotencyKey = None,
    ) -> wire.Scanned:
        """The body is the scan; what was read waits for another person's confirmation."""
        licence_id, found = await scans.add_scanned(
            actor, picture_id, document=await request.body(), key=key
        )
        return wire.Scanned(licence_id, found)


CONTROLLERS: list[type[Controller]] = [PictureIntakeController]
