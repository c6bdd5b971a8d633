"""Long life over HTTP: what is due, policy, evidence records."""

import uuid
from typing import Any, TypeVar

import msgspec
from litestar import Controller, Response, get, put
from litestar.params import FromPath, FromQuery, JSONBody

from core.errors import Forbidden, NotFound
from directory import organizations, second_factor
from directory.controllers.authentication import CALLER, Caller, requires, scope
from docflow.documents import files, visibility
from docflow.documents.longevity import authority, due, proofs, records
from docflow.documents.longevity import schemas as wire
from signatures import algorithm_lives

T = TypeVar("T")
READ = [scope("documents:read")]
OPERATE = [scope("audit:read"), requires("administrator")]


class LongevityController(Controller):
    """For administrators of the center, who see the whole archive."""

    path = "/api/v1/longevity"
    tags = ("longevity",)
    dependencies = CALLER

    @get("/due", guards=OPERATE, summary="What is due")
    async def show_due(self, actor: Caller) -> wire.DueView:
        """Stamps to be made and renewed, damaged and unread files, by reason."""
        await _require_center(actor)
        return wire.DueView(
            has_authority=await authority.is_configured(),
            counts=_structs(wire.DueCount, await due.counts()),
        )

    @get("/due/{reason:str}", guards=OPERATE, summary="What is due for one reason")
    async def list_due(
        self,
        reason: FromPath[str],
        actor: Caller,
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 100,
    ) -> list[wire.DueItem]:
        """Ids and dates, in the order of ids; go on with `after`."""
        await _require_center(actor)
        return _structs(wire.DueItem, await due.listed(reason=reason, after=after, limit=limit))

    @get("/algorithms", guards=OPERATE, summary="Lives of algorithms")
    async def list_algorithms(self, actor: Caller) -> list[wire.AlgorithmView]:
        """Until when each algorithm is relied on, and by which source."""
        await _require_center(actor)
        return _structs(wire.AlgorithmView, await algorithm_lives.lives())

    @put("/algorithms/{name:str}", guards=OPERATE, status_code=204, summary="Set a life")
    async def set_algorithm(
        self, name: FromPath[str], data: JSONBody[wire.AlgorithmInput], actor: Caller
    ) -> None:
        """The operator's policy; renewals follow it from the next night."""
        second_factor.demand(actor)
        await _require_center(actor)
        await algorithm_lives.set_life(
            actor, name, ends_at=data.ends_at, tree_rank=data.tree_rank, source=data.source
        )


class EvidenceRecordController(Controller):
    """Evidence records of the documents one may see."""

    path = "/api/v1"
    tags = ("longevity",)
    dependencies = CALLER

    @get("/documents/{document_id:uuid}/evidence-records", guards=READ, summary="Evidence records")
    async def show_records(
        self, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> list[wire.EvidenceView]:
        """The records of its signed files and detached signatures, checked now."""
        await visibility.visible_document(actor, document_id)
        found = []
        for row in await records.of_document(document_id):
            record = await records.record_of(row["blob_id"])
            proof = await proofs.proof_of(row["blob_id"]) if record else None
            view = {**row, "record": record, "proof": proof}
            found.append(
                wire.EvidenceView(
                    **{name: view[name] for name in wire.EvidenceView.__struct_fields__}
                )
            )
        return found

    @get(
        "/files/{file_id:uuid}/evidence-record",
        guards=READ,
        opt={"raw_answer": True},
        media_type="application/octet-stream",
        summary="Download an evidence record",
    )
    async def download(self, file_id: FromPath[uuid.UUID], actor: Caller) -> Response[bytes]:
        """The record of the file's bytes in DER (RFC 4998)."""
        found = await files.visible_file(actor, file_id)
        record = await records.record_of(found["blob_id"])
        if record is None:
            raise NotFound(
                "Отметка времени ещё не получена. Повторите позже.",
                "There is no time stamp yet. Try again later.",
                code="not_stamped",
            )
        return Response(
            record,
            media_type="application/octet-stream",
            headers={
                "Content-Disposition": f'attachment; filename="{file_id}.er"',
                "X-Content-Type-Options": "nosniff",
            },
        )


def _structs(kind: type[T], rows: list[Any]) -> list[T]:
    return [msgspec.convert(row, kind, strict=False, from_attributes=True) for row in rows]


async def _require_center(actor: Caller) -> None:
    """The archive is the installation's, so only who administers the center sees all of it."""
    home = await organizations.get(organization_id=actor.home_id)
    if home["kind"] != "center":
        raise Forbidden(
            "Состояние архива видят только администраторы федерального центра.",
            "Only administrators of the federal center see the state of the archive.",
            code="center_only",
        )
