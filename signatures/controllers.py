"""The trust store over HTTP, for administrators who are signed in; no token reaches it."""

import uuid
from typing import Any, TypeVar

import msgspec
from litestar import Controller, Request, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from directory.controllers.authentication import CALLER, Caller, requires
from signatures import (
    accreditation_import,
    anchors,
    fetching,
    keeping,
    revocation_import,
    stamp_client,
)
from signatures import schemas as wire
from signatures.states import AnchorStatus, SourceStatus

T = TypeVar("T")
CERTIFICATES = 1024 * 1024


def _one(kind: type[T], row: dict[str, Any]) -> T:
    plain = {
        name: bytes(value).hex() if isinstance(value, bytes | memoryview) else value
        for name, value in row.items()
    }
    return msgspec.convert(plain, kind, strict=False)


def _all(kind: type[T], rows: list[dict[str, Any]]) -> list[T]:
    return [_one(kind, row) for row in rows]


class AnchorController(Controller):
    """Roots and helping certificates; a real root needs two administrators."""

    path = "/api/v1/trust/anchors"
    tags = ("trust",)
    guards = (requires("administrator"),)
    dependencies = CALLER

    @get("/", summary="List trusted certificates")
    async def list_of(
        self, actor: Caller, status: FromQuery[AnchorStatus | None] = None
    ) -> list[wire.AnchorView]:
        """With fingerprints, subject, validity and state, newest first."""
        return _all(wire.AnchorView, await anchors.list_of(actor, status=status))

    @post(
        "/", request_max_body_size=CERTIFICATES, opt={"raw_body": True},
        summary="Propose certificates",
    )  # fmt: skip
    async def propose(
        self,
        request: Request[Any, Any, Any],
        actor: Caller,
        is_test: FromQuery[bool] = False,
        note: FromQuery[str] = "",
    ) -> wire.Proposed:
        """The body is PEM or DER. A root waits for another administrator; others help at once."""
        ids = await anchors.propose(actor, await request.body(), is_test=is_test, note=note)
        return wire.Proposed(ids)

    @post("/{anchor_id:uuid}/confirm", status_code=204, summary="Confirm a root")
    async def confirm(self, anchor_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """Make a proposed root trusted; not by who proposed it."""
        await anchors.confirm(actor, anchor_id)

    @post("/{anchor_id:uuid}/retire", status_code=204, summary="Withdraw trust")
    async def retire(
        self, anchor_id: FromPath[uuid.UUID], data: JSONBody[wire.RetireInput], actor: Caller
    ) -> None:
        """At once; the certificate stays on record for verdicts made before."""
        await anchors.retire(actor, anchor_id, reason=data.reason)

    @post("/{anchor_id:uuid}/sources", status_code=201, summary="Fetch the lists it names")
    async def sources(self, anchor_id: FromPath[uuid.UUID], actor: Caller) -> wire.MadeAll:
        """Fetch from the addresses in this trusted certificate itself."""
        return wire.MadeAll(await fetching.add_sources_of(actor, anchor_id))


class RevocationController(Controller):
    """Revocation lists, OCSP answers, and where lists are fetched."""

    path = "/api/v1/trust"
    tags = ("trust",)
    guards = (requires("administrator"),)
    dependencies = CALLER

    @get("/lists", summary="List revocation lists")
    async def lists(self, actor: Caller) -> list[wire.ListView]:
        """Those that count now; what runs out first stands on top."""
        return _all(wire.ListView, await revocation_import.lists(actor))

    @post(
        "/lists", status_code=200, request_max_body_size=keeping.LARGEST_LIST,
        opt={"raw_body": True}, summary="Import a revocation list",
    )  # fmt: skip
    async def import_list(
        self, request: Request[Any, Any, Any], actor: Caller
    ) -> wire.ImportedList:
        """The body is one CRL, DER or PEM, signed by an authority of the trust store."""
        return _one(
            wire.ImportedList, await revocation_import.import_list(actor, await request.body())
        )

    @post(
        "/answers", status_code=200, request_max_body_size=revocation_import.LARGEST_ANSWER,
        opt={"raw_body": True}, summary="Import an OCSP answer",
    )  # fmt: skip
    async def import_answer(
        self, request: Request[Any, Any, Any], actor: Caller
    ) -> wire.ImportedAnswer:
        """The body is one OCSPResponse in DER."""
        return _one(
            wire.ImportedAnswer, await revocation_import.import_answer(actor, await request.body())
        )

    @get("/sources", summary="List addresses of lists")
    async def sources(self, actor: Caller) -> list[wire.SourceView]:
        """With the last success and the last error; the failing ones stand on top."""
        return _all(wire.SourceView, await fetching.sources(actor))

    @post("/sources", summary="Add an address of a list")
    async def add_source(self, data: JSONBody[wire.SourceInput], actor: Caller) -> wire.Made:
        """Fetch a list from there, by the job process, again and again."""
        return wire.Made(await fetching.add_source(actor, url=data.url, name=data.name))

    @post("/sources/{source_id:uuid}/disable", status_code=204, summary="Stop fetching")
    async def disable_source(self, source_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """The address stays in the list."""
        await fetching.set_status(actor, source_id, SourceStatus.DISABLED)

    @post("/sources/{source_id:uuid}/enable", status_code=204, summary="Fetch again")
    async def enable_source(self, source_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """The next attempt is made at once."""
        await fetching.set_status(actor, source_id, SourceStatus.ACTIVE)


class AccreditationController(Controller):
    """The register of accredited authorities, and time-stamp authorities."""

    path = "/api/v1/trust"
    tags = ("trust",)
    guards = (requires("administrator"),)
    dependencies = CALLER

    @get("/authorities", summary="List accredited authorities")
    async def authorities(self, actor: Caller) -> list[wire.AuthorityView]:
        """The register as it was imported."""
        return _all(wire.AuthorityView, await accreditation_import.authorities(actor))

    @post(
        "/authorities", status_code=200, request_max_body_size=accreditation_import.MAX_BYTES,
        opt={"raw_body": True}, summary="Import accredited authorities",
    )  # fmt: skip
    async def import_authorities(
        self,
        request: Request[Any, Any, Any],
        actor: Caller,
        source: FromQuery[str] = "",
        dry_run: FromQuery[bool] = False,
    ) -> wire.RegisterReport:
        """The body is CSV, JSON or the official list in XML; answers a report row by row."""
        report = await accreditation_import.import_register(
            actor, await request.body(), source=source, dry_run=dry_run
        )
        return msgspec.convert(report, wire.RegisterReport)

    @get("/stamp-services", summary="List time-stamp authorities")
    async def stamp_services(self, actor: Caller) -> list[wire.StampServiceView]:
        """In the order they are asked."""
        return _all(wire.StampServiceView, await stamp_client.services(actor))

    @post("/stamp-services", summary="Add a time-stamp authority")
    async def add_stamp_service(
        self, data: JSONBody[wire.StampServiceInput], actor: Caller
    ) -> wire.Made:
        """Ask it too; its root must be trusted for its stamps to count."""
        made = await stamp_client.add_service(
            actor, name=data.name, url=data.url, position=data.position
        )
        return wire.Made(made)

    @post("/stamp-services/{service_id:uuid}/disable", status_code=204, summary="Ask it no more")
    async def disable_service(self, service_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """The authority stays in the list."""
        await stamp_client.set_status(actor, service_id, SourceStatus.DISABLED)

    @post("/stamp-services/{service_id:uuid}/enable", status_code=204, summary="Ask it again")
    async def enable_service(self, service_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """In its place in the order."""
        await stamp_client.set_status(actor, service_id, SourceStatus.ACTIVE)


CONTROLLERS = (AnchorController, RevocationController, AccreditationController)
