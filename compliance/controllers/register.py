"""The registers over HTTP: pictures, licences, own works, claimants."""

import uuid
from dataclasses import asdict
from typing import Any

import msgspec
from litestar import Controller, Request, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from compliance import schemas as wire
from compliance.registers import catalogue, claimant_lists, claimants, licences, own_works, register
from compliance.registers.claimant_lists import MAX_LIST
from compliance.registers.claimants import ClaimantCard
from compliance.registers.register import MAX_DOCUMENT, MAX_PICTURE, PictureCard
from core.errors import InvalidInput, NotFound
from core.paging import require_limit
from directory.controllers.authentication import CALLER, Caller, requires, scope
from directory.controllers.parameters import IdempotencyKey
from storage import blobs

READ = [scope("pictures:read"), requires("editor", "lawyer")]
WRITE = [scope("pictures:write"), requires("editor", "lawyer")]
LAWYER = [scope("pictures:write"), requires("lawyer")]
WITH_DOCUMENT = 2 * MAX_DOCUMENT
"""Bytes of a request that carries a document in base64."""


def convert_all(kind: Any, rows: list[Any]) -> Any:
    """Rows as structs; columns the struct does not name are left out."""
    return msgspec.convert(rows, list[kind])


class PictureController(Controller):
    """Pictures with their source, and the rights to them."""

    path = "/api/v1/pictures"
    tags = ("pictures",)
    dependencies = CALLER

    @get("/", guards=READ, summary="List the register")
    async def list_pictures(
        self,
        actor: Caller,
        q: FromQuery[str] = "",
        kind: FromQuery[str | None] = None,
        status: FromQuery[str | None] = "active",
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 50,
    ) -> list[wire.PictureLine]:
        """One's own entries, claimants' works and what a superior lets one use; newest first."""
        found = await catalogue.pictures(
            actor, text=q, kind=kind, status=status, after=after, limit=limit
        )
        return convert_all(wire.PictureLine, found)  # type: ignore[no-any-return]  # reason: typed by msgspec

    @post(
        "/", guards=WRITE, request_max_body_size=MAX_PICTURE, opt={"raw_body": True},
        summary="Enter a picture",
    )  # fmt: skip
    async def add(
        self,
        request: Request[Any, Any, Any],
        actor: Caller,
        kind: FromQuery[str] = "register",
        title: FromQuery[str] = "",
        author: FromQuery[str] = "",
        source: FromQuery[str] = "",
        key: IdempotencyKey = None,
    ) -> wire.Made:
        """The body is the picture itself; `kind` is register, own or claimant."""
        if kind not in ("register", "own", "claimant"):
            raise InvalidInput(
                "Вид записи: register, own или claimant.",
                "Kind of the entry: register, own or claimant.",
                code="unknown_kind", field="kind",
            )  # fmt: skip
        card = PictureCard(kind=kind, title=title, author=author, source=source)  # type: ignore[arg-type]  # reason: checked above
        return wire.Made(await register.add(actor, data=await request.body(), card=card, key=key))

    @get("/{picture_id:uuid}", guards=READ, summary="Show a picture")
    async def show(self, picture_id: FromPath[uuid.UUID], actor: Caller) -> wire.PictureLine:
        """One entry."""
        return msgspec.convert(await catalogue.picture(actor, picture_id), wire.PictureLine)

    @get(
        "/{picture_id:uuid}/content", guards=READ, opt={"raw_answer": True},
        summary="Download a picture",
    )  # fmt: skip
    async def content(
        self, picture_id: FromPath[uuid.UUID], actor: Caller, snapshot: FromQuery[bool] = False
    ) -> Stream:
        """The bytes as they were entered; with `snapshot` the page it was found on."""
        found = await catalogue.picture(actor, picture_id)
        blob_id = found["snapshot_blob_id"] if snapshot else found["blob_id"]
        if blob_id is None:
            raise NotFound(code="no_snapshot", picture_id=str(picture_id))
        stream = await blobs.open_blob(blob_id)
        headers = {
            "Content-Disposition": f'attachment; filename="{picture_id}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Length": str(stream.blob.size),
        }
        return Stream(stream, media_type=stream.blob.media_type, headers=headers)

    @put(
        "/{picture_id:uuid}/snapshot", guards=WRITE, request_max_body_size=MAX_DOCUMENT,
        opt={"raw_body": True}, status_code=204, summary="Attach the source page",
    )  # fmt: skip
    async def attach_snapshot(
        self, picture_id: FromPath[uuid.UUID], request: Request[Any, Any, Any], actor: Caller
    ) -> None:
        """The body is the page as PDF, HTML, MHTML or picture; before the approval only."""
        await register.attach_snapshot(actor, picture_id, data=await request.body())

    @post("/{picture_id:uuid}/approve", guards=WRITE, status_code=204, summary="Vouch for it")
    async def approve(self, picture_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """By another person than the one who entered it."""
        await register.approve(actor, picture_id)

    @post("/{picture_id:uuid}/retire", guards=WRITE, status_code=204, summary="Take it out")
    async def retire(
        self, picture_id: FromPath[uuid.UUID], data: JSONBody[wire.Why], actor: Caller
    ) -> None:
        """Checks find it no more; what was checked stays."""
        await register.retire(actor, picture_id, reason=data.reason)

    @get("/{picture_id:uuid}/licences", guards=READ, summary="Licences of a picture")
    async def list_licences(
        self, picture_id: FromPath[uuid.UUID], actor: Caller
    ) -> list[wire.LicenceView]:
        """Those that matter to one's organization."""
        return convert_all(wire.LicenceView, await catalogue.licences_of(actor, picture_id))  # type: ignore[no-any-return]  # reason: as above

    @post(
        "/{picture_id:uuid}/licences", guards=WRITE, request_max_body_size=WITH_DOCUMENT,
        summary="Enter a licence",
    )  # fmt: skip
    async def add_licence(
        self,
        picture_id: FromPath[uuid.UUID],
        data: JSONBody[wire.LicenceInput],
        actor: Caller,
        key: IdempotencyKey = None,
    ) -> wire.Made:
        """It counts from a second person's confirmation on."""
        return wire.Made(
            await licences.add(actor, picture_id, terms=data.terms, document=data.document, key=key)
        )

    @get("/{picture_id:uuid}/own-works", guards=READ, summary="Consents for a picture")
    async def list_own_works(
        self, picture_id: FromPath[uuid.UUID], actor: Caller
    ) -> list[wire.OwnWorkView]:
        """Those that matter to one's organization."""
        return convert_all(wire.OwnWorkView, await catalogue.own_works_of(actor, picture_id))  # type: ignore[no-any-return]  # reason: as above

    @post(
        "/{picture_id:uuid}/own-works", guards=WRITE, request_max_body_size=WITH_DOCUMENT,
        summary="Enter an author's consent",
    )  # fmt: skip
    async def add_own_work(
        self,
        picture_id: FromPath[uuid.UUID],
        data: JSONBody[wire.OwnWorkInput],
        actor: Caller,
        key: IdempotencyKey = None,
    ) -> wire.Made:
        """It counts from a second person's confirmation on."""
        return wire.Made(
            await own_works.add(
                actor, picture_id, consent=data.consent, document=data.document, key=key
            )
        )


class RightsController(Controller):
    """One licence, one consent."""

    path = "/api/v1/pictures"
    tags = ("pictures",)
    dependencies = CALLER

    @post("/licences/{licence_id:uuid}/confirm", guards=WRITE, status_code=204, summary="Confirm")
    async def confirm(
        self, licence_id: FromPath[uuid.UUID], data: JSONBody[wire.ConfirmInput], actor: Caller
    ) -> None:
        """Say that these are the document's terms; by another person than who entered them."""
        await licences.confirm(actor, licence_id, terms=data.terms)

    @post("/licences/{licence_id:uuid}/revoke", guards=WRITE, status_code=204, summary="Revoke")
    async def revoke(
        self, licence_id: FromPath[uuid.UUID], data: JSONBody[wire.RevokeInput], actor: Caller
    ) -> None:
        """The holder took it back; what is published is judged again."""
        await licences.revoke(actor, licence_id, on=data.on, reason=data.reason)

    @post("/licences/{licence_id:uuid}/retire", guards=LAWYER, status_code=204, summary="Take out")
    async def retire(self, licence_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """Take back a licence entered by mistake."""
        await licences.retire(actor, licence_id)

    @post(
        "/licences/{licence_id:uuid}/release-seat", guards=WRITE, status_code=204,
        summary="Free a seat",
    )  # fmt: skip
    async def release_seat(
        self, licence_id: FromPath[uuid.UUID], data: JSONBody[wire.SeatInput], actor: Caller
    ) -> None:
        """Somebody does not publish under this licence any more."""
        await licences.release_seat(actor, licence_id, seat=data.seat)

    @post("/own-works/{work_id:uuid}/confirm", guards=WRITE, status_code=204, summary="Confirm")
    async def confirm_work(self, work_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """A second person has seen the consent."""
        await own_works.confirm(actor, work_id)

    @post("/own-works/{work_id:uuid}/withdraw", guards=WRITE, status_code=204, summary="Withdraw")
    async def withdraw_work(
        self, work_id: FromPath[uuid.UUID], data: JSONBody[wire.WithdrawInput], actor: Caller
    ) -> None:
        """The author took the consent back; what is published is judged again."""
        await own_works.withdraw(actor, work_id, on=data.on)


class ClaimantController(Controller):
    """Who is known to sue, for the whole federation."""

    path = "/api/v1/claimants"
    tags = ("pictures",)
    dependencies = CALLER

    @get("/", guards=READ, summary="List claimants")
    async def list_claimants(
        self, actor: Caller, after: FromQuery[uuid.UUID | None] = None, limit: FromQuery[int] = 50
    ) -> list[wire.ClaimantView]:
        """Newest first."""
        require_limit(limit, most=catalogue.MAX_LIMIT)
        found = await claimants.listed(actor, after=after, limit=limit)
        return convert_all(wire.ClaimantView, found)  # type: ignore[no-any-return]  # reason: as above

    @post("/", guards=LAWYER, summary="Propose a claimant")
    async def add(
        self, data: JSONBody[ClaimantCard], actor: Caller, key: IdempotencyKey = None
    ) -> wire.Made:
        """In force from another lawyer's approval on."""
        return wire.Made(await claimants.add(actor, card=data, key=key))

    @post(
        "/import", guards=LAWYER, request_max_body_size=MAX_LIST, opt={"raw_body": True},
        status_code=200, summary="Import a list of claimants",
    )  # fmt: skip
    async def import_list(
        self, request: Request[Any, Any, Any], actor: Caller, dry_run: FromQuery[bool] = False
    ) -> wire.ClaimantReport:
        """The body is a table (CSV, XLSX); each row is proposed, the answer goes row by row."""
        report = await claimant_lists.import_list(actor, data=await request.body(), dry_run=dry_run)
        return msgspec.convert(asdict(report), wire.ClaimantReport)

    @post("/{claimant_id:uuid}/approve", guards=LAWYER, status_code=204, summary="Approve")
    async def approve(self, claimant_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """By another lawyer than the one who proposed; once more for works added since."""
        await claimants.approve(actor, claimant_id)

    @post("/{claimant_id:uuid}/retire", guards=LAWYER, status_code=204, summary="Take off the list")
    async def retire(
        self, claimant_id: FromPath[uuid.UUID], data: JSONBody[wire.Why], actor: Caller
    ) -> None:
        """Their works block nothing any more."""
        await claimants.retire(actor, claimant_id, reason=data.reason)

    @post("/{claimant_id:uuid}/works", guards=LAWYER, summary="Add a work")
    async def add_work(
        self, claimant_id: FromPath[uuid.UUID], data: JSONBody[wire.WorkInput], actor: Caller
    ) -> wire.Made:
        """A picture of kind `claimant`; it counts once another lawyer has approved."""
        return wire.Made(
            await claimants.add_work(
                actor, claimant_id, picture_id=data.picture_id, since=data.since, until=data.until
            )
        )


CONTROLLERS: list[type[Controller]] = [PictureController, RightsController, ClaimantController]
