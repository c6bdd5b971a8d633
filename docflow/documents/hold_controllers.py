"""Legal holds over HTTP."""

import uuid
from datetime import date, datetime

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from directory.controllers.authentication import CALLER, Caller, requires, scope
from directory.controllers.parameters import IdempotencyKey
from docflow.documents import holds
from docflow.documents.controllers import convert_all
from docflow.documents.schemas import Created

SEE = [scope("audit:read"), requires(*holds.ROLES)]
SET = [scope("documents:write"), requires(*holds.ROLES)]


class HoldInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is held and why; `until` is the last day of it."""

    kind: str
    subject_id: uuid.UUID
    reason: str
    until: date | None = None


class HoldRelease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the hold is no longer needed."""

    reason: str


class HoldView(msgspec.Struct, frozen=True):
    """One hold; `stands` tells whether it holds today."""

    id: uuid.UUID
    kind: str
    subject_id: uuid.UUID
    organization_id: uuid.UUID
    reason: str
    until: date | None
    stands: bool
    set_by: uuid.UUID | None
    set_at: datetime
    lifted_by: uuid.UUID | None
    lifted_at: datetime | None
    lift_reason: str | None


class HoldController(Controller):
    """What may be neither erased nor destroyed."""

    path = "/api/v1/legal-holds"
    tags = ("personal data",)
    dependencies = CALLER

    @post("/", guards=SET, summary="Set a legal hold")
    async def place(
        self, data: JSONBody[HoldInput], actor: Caller, key: IdempotencyKey = None
    ) -> Created:
        """On a document, a person or an organization; erasing and destroying are refused."""
        made = await holds.place(
            actor, kind=data.kind, subject_id=data.subject_id, reason=data.reason,
            until=data.until, key=key,
        )  # fmt: skip
        return Created(made)

    @get("/", guards=SEE, summary="Register of legal holds")
    async def listed(
        self,
        actor: Caller,
        standing: FromQuery[bool] = True,
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 50,
    ) -> list[HoldView]:
        """Newest first; `standing=false` shows those that are over, too."""
        found = await holds.listed(actor, standing=standing, after=after, limit=limit)
        return convert_all(HoldView, found)

    @post("/{hold_id:uuid}/lift", guards=SET, status_code=204, summary="Lift a legal hold")
    async def lift(
        self, hold_id: FromPath[uuid.UUID], data: JSONBody[HoldRelease], actor: Caller
    ) -> None:
        """With the reason; the row stays."""
        await holds.lift(actor, hold_id, reason=data.reason)
