"""Exports of evidence over HTTP."""

import hashlib
import uuid

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from directory.controllers.authentication import CALLER, Caller, requires, scope
from directory.controllers.parameters import IdempotencyKey
from evidence.packages import exports, keys
from evidence.packages import schemas as wire
from evidence.packages.states import ExportKind

TAKE = [scope("audit:read"), requires(*exports.ROLES)]


class EvidenceController(Controller):
    """Evidence packages: asked for with purpose and ground, packed, taken."""

    path = "/api/v1/evidence/exports"
    tags = ("evidence",)
    dependencies = CALLER

    @post("/", guards=TAKE, summary="Ask for an evidence package")
    async def ask(
        self, data: JSONBody[wire.ExportInput], actor: Caller, key: IdempotencyKey = None
    ) -> wire.Created:
        """Register the export and begin to pack it; its row tells how far it is."""
        told = msgspec.structs.asdict(data) | {"kind": ExportKind(data.kind)}
        return wire.Created(await exports.request(actor, exports.Wanted(**told), key=key))

    @get("/", guards=TAKE, summary="Register of exports")
    async def list_exports(
        self, actor: Caller, after: FromQuery[uuid.UUID | None] = None, limit: FromQuery[int] = 50
    ) -> wire.ExportList:
        """What was handed out, why and to whom, newest first."""
        found = await exports.listed(actor, after=after, limit=limit)
        following = found[-1]["id"] if len(found) == limit else None
        return wire.ExportList([wire.view(row) for row in found], following)

    @get("/signer", guards=TAKE, summary="Key of the packages")
    async def signer(self) -> wire.SignerView:
        """The certificate whose fingerprint a checker compares; publish it elsewhere, too."""
        der = await keys.certificate()
        return wire.SignerView(hashlib.sha256(der).hexdigest(), der)

    @get("/{export_id:uuid}", guards=TAKE, summary="Show an export")
    async def show(self, export_id: FromPath[uuid.UUID], actor: Caller) -> wire.ExportView:
        """How far it is, or what went wrong."""
        return wire.view(await exports.own(actor, export_id))

    @post("/{export_id:uuid}/retry", guards=TAKE, status_code=204, summary="Go on after a failure")
    async def retry(self, export_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """From where it was."""
        await exports.retry(actor, export_id)

    @get(
        "/{export_id:uuid}/content", guards=TAKE,
        opt={"raw_answer": True, "refusals": ("409",)},
        summary="Take a package",
    )  # fmt: skip
    async def content(self, export_id: FromPath[uuid.UUID], actor: Caller) -> Stream:
        """The ZIP; who took it and when is an event."""
        found, stream = await exports.take(actor, export_id)
        headers = {
            "Content-Disposition": f'attachment; filename="evidence-{export_id}.zip"',
            "X-Content-Type-Options": "nosniff",
            "Content-Length": str(found["bytes"]),
        }
        return Stream(stream, media_type="application/zip", headers=headers)
