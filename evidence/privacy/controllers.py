"""Personal data over HTTP: purposes, consents, requests, acts of erasure."""

import uuid
from typing import TypeVar

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from directory import purposes
from directory.controllers.authentication import CALLER, Caller, requires, scope
from directory.controllers.parameters import IdempotencyKey
from directory.purposes import Purpose
from evidence.privacy import acts, consents, requests, telling
from evidence.privacy import schemas as wire

T = TypeVar("T")
SEE = [scope("audit:read"), requires(*acts.ROLES)]
WORK = [scope("audit:read"), requires(*acts.ROLES)]
MEMBER = [scope("audit:read"), requires("clerk", *acts.ROLES)]
KEEP = [scope("directory:write"), requires(*consents.KEEPERS)]
READ = [scope("directory:read")]
GOVERN = [scope("directory:write"), requires("administrator")]


def _all(kind: type[T], rows: list[dict[str, object]]) -> list[T]:
    return [msgspec.convert(row, kind, strict=False) for row in rows]


class PurposeController(Controller):
    """What personal data is processed for, and the words of consents."""

    path = "/api/v1/processing-purposes"
    tags = ("personal data",)
    dependencies = CALLER

    @get("/", guards=READ, summary="Register of processing")
    async def listed(self, history: FromQuery[bool] = False) -> list[wire.PurposeView]:
        """As it is now, or with every version."""
        return _all(wire.PurposeView, await purposes.listed(history=history))

    @get("/register.csv", guards=READ, opt={"raw_answer": True}, summary="Register as a table")
    async def table(self) -> Response[bytes]:
        """For the file and for the supervisor: CSV in UTF-8 with the columns in Russian."""
        headers = {"Content-Disposition": 'attachment; filename="processing.csv"'}
        return Response(await telling.register_csv(), media_type="text/csv", headers=headers)

    @put("/", guards=GOVERN, status_code=200, summary="Write a line of the register")
    async def put(self, data: JSONBody[Purpose], actor: Caller) -> wire.Version:
        """A new version of it; for administrators of the center."""
        return wire.Version(await purposes.put(actor, data))

    @get("/{code:str}/texts", guards=READ, summary="Words of a consent")
    async def texts(self, code: FromPath[str]) -> list[wire.TextView]:
        """Every version, newest first."""
        return _all(wire.TextView, await purposes.texts(code))

    @post("/{code:str}/texts", guards=GOVERN, summary="Publish words of a consent")
    async def publish(
        self, code: FromPath[str], data: JSONBody[wire.TextInput], actor: Caller
    ) -> wire.Version:
        """The next version; consents given before keep theirs."""
        return wire.Version(await purposes.publish(actor, purpose=code, text=data.text))


class PersonDataController(Controller):
    """Consents of a person, who looked at their data, and what names them."""

    path = "/api/v1/people/{person_id:uuid}"
    tags = ("personal data",)
    dependencies = CALLER

    @get("/consents", guards=READ, summary="Consents of a person")
    async def listed(self, person_id: FromPath[uuid.UUID], actor: Caller) -> list[wire.ConsentView]:
        """Newest first; one's own, or of who belongs to the organization."""
        return _all(wire.ConsentView, await consents.of_person(actor, person_id))

    @post("/consents", guards=KEEP, summary="Note a consent")
    async def give(
        self, person_id: FromPath[uuid.UUID], data: JSONBody[wire.ConsentInput], actor: Caller
    ) -> wire.Created:
        """To a version of the words; it opens again what a withdrawal had closed."""
        made = await consents.give(
            actor, person_id, purpose=data.purpose, version=data.version, at=data.at
        )
        return wire.Created(made)

    @post(
        "/consents/withdrawal", guards=KEEP, status_code=204, summary="Withdraw a consent"
    )  # fmt: skip
    async def withdraw(
        self, person_id: FromPath[uuid.UUID], data: JSONBody[wire.WithdrawalInput], actor: Caller
    ) -> None:
        """The person's data is closed everywhere at once."""
        await consents.withdraw(actor, person_id, purpose=data.purpose)

    @get("/reads", guards=SEE, summary="Who looked at a person's data")
    async def reads(
        self,
        person_id: FromPath[uuid.UUID],
        actor: Caller,
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 100,
    ) -> list[wire.ReadView]:
        """Newest first, each with its reason."""
        found = await telling.reads_of(actor, person_id, after=after, limit=limit)
        return _all(wire.ReadView, found)

    @get("/traces", guards=SEE, summary="What names a person")
    async def traces(self, person_id: FromPath[uuid.UUID], actor: Caller) -> wire.LookView:
        """Documents to decide about, and the holds that forbid erasing."""
        found = await acts.look(actor, person_id)
        return wire.LookView(_all(wire.Naming, found.documents), [row["id"] for row in found.holds])


class RequestController(Controller):
    """What people ask about their own data."""

    path = "/api/v1/subject-requests"
    tags = ("personal data",)
    dependencies = CALLER

    @post("/", guards=KEEP, summary="Enter a request")
    async def receive(
        self, data: JSONBody[wire.RequestInput], actor: Caller, key: IdempotencyKey = None
    ) -> wire.Created:
        """Its clock runs from the day it was received."""
        made = await requests.receive(
            actor, data.person_id, kind=data.kind, reference=data.reference,
            received_on=data.received_on, key=key,
        )  # fmt: skip
        return wire.Created(made)

    @get("/", guards=SEE, summary="List requests")
    async def listed(
        self, actor: Caller, after: FromQuery[uuid.UUID | None] = None, limit: FromQuery[int] = 50
    ) -> list[wire.RequestView]:
        """Newest first."""
        return _all(wire.RequestView, await requests.listed(actor, after=after, limit=limit))

    @get("/{request_id:uuid}", guards=SEE, summary="Show a request")
    async def show(self, request_id: FromPath[uuid.UUID], actor: Caller) -> wire.RequestView:
        """With its clock and what answers it."""
        return msgspec.convert(
            await requests.own(actor, request_id), wire.RequestView, strict=False
        )

    @post("/{request_id:uuid}/package", guards=WORK, summary="Everything about the person")
    async def package(self, request_id: FromPath[uuid.UUID], actor: Caller) -> wire.Created:
        """An evidence package, registered as any other; asked for again it is the same."""
        return wire.Created(await requests.hand_out(actor, request_id))

    @post("/{request_id:uuid}/extension", guards=WORK, status_code=204, summary="Prolong the term")
    async def extend(
        self, request_id: FromPath[uuid.UUID], data: JSONBody[wire.NoticeInput], actor: Caller
    ) -> None:
        """Once, with the notice that was sent."""
        await requests.extend(actor, request_id, notice=data.text)

    @post("/{request_id:uuid}/correction", guards=WORK, status_code=204, summary="Correct data")
    async def correct(
        self, request_id: FromPath[uuid.UUID], data: JSONBody[wire.CorrectionInput], actor: Caller
    ) -> None:
        """Set the right values and answer."""
        await requests.correct(
            actor, request_id, values={str(name): text for name, text in data.values.items()},
            answer=data.answer,
        )  # fmt: skip

    @post("/{request_id:uuid}/answer", guards=WORK, status_code=204, summary="Answer a request")
    async def answer(
        self, request_id: FromPath[uuid.UUID], data: JSONBody[wire.NoticeInput], actor: Caller
    ) -> None:
        """The clock stops."""
        await requests.answer(actor, request_id, text=data.text)

    @post("/{request_id:uuid}/refusal", guards=WORK, status_code=204, summary="Refuse a request")
    async def refuse(
        self, request_id: FromPath[uuid.UUID], data: JSONBody[wire.NoticeInput], actor: Caller
    ) -> None:
        """With the provision of the law it rests on."""
        await requests.refuse(actor, request_id, reason=data.text)


class ErasureController(Controller):
    """Acts of erasure."""

    path = "/api/v1/erasures"
    tags = ("personal data",)
    dependencies = CALLER

    @post("/", guards=WORK, summary="Propose an act of erasure")
    async def propose(
        self, data: JSONBody[wire.ErasureInput], actor: Caller, key: IdempotencyKey = None
    ) -> wire.Created:
        """Needs a second factor, and a decision on each document that names the person."""
        wanted = acts.Proposal(
            person_id=data.person_id, ground=data.ground, basis=data.basis, since=data.since,
            members=data.members, request_id=data.request_id, extra=data.extra,
            documents={one.document_id: (one.decision, one.ground) for one in data.documents},
        )  # fmt: skip
        return wire.Created(await acts.propose(actor, wanted, key=key))

    @get("/", guards=SEE, summary="List acts of erasure")
    async def listed(
        self, actor: Caller, after: FromQuery[uuid.UUID | None] = None, limit: FromQuery[int] = 50
    ) -> list[wire.ErasureLine]:
        """Newest first."""
        return _all(wire.ErasureLine, await acts.listed(actor, after=after, limit=limit))

    @get("/{act_id:uuid}", guards=MEMBER, summary="Show an act of erasure")
    async def show(self, act_id: FromPath[uuid.UUID], actor: Caller) -> wire.ErasureView:
        """With its commission, what was decided, done and what remains."""
        return msgspec.convert(await acts.show(actor, act_id), wire.ErasureView, strict=False)

    @post("/{act_id:uuid}/approval", guards=MEMBER, status_code=204, summary="Approve an act")
    async def approve(self, act_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """By each member; with the last approval it is carried out."""
        await acts.approve(actor, act_id)

    @post("/{act_id:uuid}/cancellation", guards=WORK, status_code=204, summary="Give an act up")
    async def cancel(
        self, act_id: FromPath[uuid.UUID], data: JSONBody[wire.NoticeInput], actor: Caller
    ) -> None:
        """Before anything was erased."""
        await acts.cancel(actor, act_id, reason=data.text)

    @post("/{act_id:uuid}/retry", guards=WORK, status_code=204, summary="Carry an act out again")
    async def retry(self, act_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """After a legal hold was lifted, say."""
        await acts.go_on(actor, act_id)

    @get("/{act_id:uuid}/paper", guards=SEE, opt={"raw_answer": True}, summary="The act as a paper")
    async def paper(self, act_id: FromPath[uuid.UUID], actor: Caller) -> Response[bytes]:
        """PDF/A in Russian, with what Roskomnadzor's order 179 asks of it."""
        made = await telling.paper(actor, act_id)
        headers = {"Content-Disposition": f'attachment; filename="erasure-{act_id}.pdf"'}
        return Response(made, media_type="application/pdf", headers=headers)

    @get(
        "/{act_id:uuid}/events", guards=SEE, opt={"raw_answer": True}, summary="Extract of the log"
    )
    async def events(self, act_id: FromPath[uuid.UUID], actor: Caller) -> Response[bytes]:
        """JSON lines: each event of the erasure with its proof of inclusion in the log."""
        made = await telling.extract(actor, act_id)
        headers = {"Content-Disposition": f'attachment; filename="erasure-{act_id}.jsonl"'}
        return Response(made, media_type="application/jsonl", headers=headers)


CONTROLLERS: list[type[Controller]] = [
    PurposeController, PersonDataController, RequestController, ErasureController,
]  # fmt: skip
