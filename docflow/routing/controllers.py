"""Dispatches, deliveries and control lists over HTTP."""

import uuid
from datetime import date

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from directory.controllers.authentication import CALLER, Caller, requires, scope
from directory.controllers.parameters import IdempotencyKey
from docflow.documents.controllers import convert_all, page_of
from docflow.documents.schemas import Created, Reason
from docflow.routing import (
    answers,
    clocks,
    control,
    coverage,
    deliveries,
    dispatch,
    inbox,
    recall,
    relay,
    reminding,
    ways,
)
from docflow.routing import schemas as wire
from docflow.routing.resolutions import Resolution

READ = [scope("documents:read")]
SEND = [scope("documents:write"), requires("clerk")]
ANSWER = [scope("documents:write"), requires("clerk", "signatory")]
COVER = [scope("directory:read"), requires("clerk", "administrator")]


class DispatchController(Controller):
    """Sending a registered document, and following it."""

    path = "/api/v1/documents/{document_id:uuid}"
    tags = ("routing",)
    dependencies = CALLER

    @post("/dispatch-plan", guards=SEND, status_code=200, summary="Dry run of a dispatch")
    async def plan(
        self,
        document_id: FromPath[uuid.UUID],
        data: JSONBody[dispatch.DispatchInput],
        actor: Caller,
        after: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
    ) -> wire.PlanView:
        """Whom a dispatch would reach as of today: counts and the list by code."""
        made = await dispatch.plan(actor, document_id, wanted=data, after=after, limit=limit)
        return msgspec.convert(made, wire.PlanView, from_attributes=True)

    @post("/dispatches", guards=SEND, summary="Dispatch")
    async def send(
        self,
        document_id: FromPath[uuid.UUID],
        data: JSONBody[dispatch.DispatchInput],
        actor: Caller,
        key: IdempotencyKey = None,
    ) -> Created:
        """Send to everybody the selector names; every delivery stands when this answers."""
        return Created(await dispatch.send(actor, document_id, wanted=data, key=key))

    @get("/control", guards=READ, summary="Control list, totals")
    async def totals(self, document_id: FromPath[uuid.UUID], actor: Caller) -> wire.TotalsView:
        """Final recipients by state and by kind of organization; they sum to the total."""
        table = await control.totals(actor, document_id)
        summed = control.by_status(table)
        return wire.TotalsView(summed.pop("total"), summed, table)

    @get("/deliveries", guards=READ, summary="Control list, by recipient")
    async def recipients(
        self,
        document_id: FromPath[uuid.UUID],
        actor: Caller,
        status: FromQuery[list[str] | None] = None,
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 50,
    ) -> wire.ControlList:
        """One page of recipients, optionally in some states only."""
        found = await control.recipients(
            actor, document_id, statuses=status or (), after=after, limit=limit
        )
        return wire.ControlList(convert_all(wire.ControlLine, found), page_of(found, limit))

    @get("/silent", guards=READ, summary="The silent")
    async def silent(
        self,
        document_id: FromPath[uuid.UUID],
        actor: Caller,
        on: FromQuery[date | None] = None,
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 50,
    ) -> wire.SilentList:
        """Whose day has passed without an acknowledgement or an answer."""
        found = await control.silent(actor, document_id, on=on, after=after, limit=limit)
        return wire.SilentList(convert_all(wire.SilentLine, found), page_of(found, limit))

    @get("/roll-up", guards=READ, summary="Totals by subordinate")
    async def roll_up(
        self, document_id: FromPath[uuid.UUID], actor: Caller, on: FromQuery[date | None] = None
    ) -> list[wire.RollUpLine]:
        """Totals by the organizations directly below, as the lines stood on `on`."""
        return convert_all(wire.RollUpLine, await control.roll_up(actor, document_id, on=on))

    @get("/hops", guards=READ, summary="Who passed it on")
    async def hops(self, document_id: FromPath[uuid.UUID], actor: Caller) -> list[wire.HopView]:
        """Relays on one's own way, all of them for the author, with number and signature result."""
        return convert_all(wire.HopView, await relay.hops_seen(actor, document_id))

    @post("/remind", guards=SEND, status_code=200, summary="Remind the silent")
    async def remind(self, document_id: FromPath[uuid.UUID], actor: Caller) -> wire.Reminded:
        """Tell everybody who has not answered, each once a day."""
        return wire.Reminded(await reminding.remind(actor, document_id))

    @post("/recall", guards=ANSWER, status_code=200, summary="Recall")
    async def recall(
        self, document_id: FromPath[uuid.UUID], data: JSONBody[Reason], actor: Caller
    ) -> wire.Ended:
        """Take the document back from everybody who has not answered it."""
        return wire.Ended(await recall.recall(actor, document_id, reason=data.reason))


class CoverageController(Controller):
    """Is everybody reached, and by what."""

    path = "/api/v1/coverage"
    tags = ("routing",)
    dependencies = CALLER

    @get("/", guards=COVER, summary="Coverage in numbers")
    async def totals(
        self,
        actor: Caller,
        kind: FromQuery[list[str] | None] = None,
        region: FromQuery[list[str] | None] = None,
    ) -> wire.CoverageView:
        """Organizations below one's own by the channel that reaches them first."""
        found = await coverage.totals(actor, kinds=kind or (), regions=region or ())
        return msgspec.convert(found, wire.CoverageView)

    @get("/organizations", guards=COVER, summary="Coverage by organization")
    async def listed(
        self,
        actor: Caller,
        case: FromQuery[str] = coverage.NOBODY,
        kind: FromQuery[list[str] | None] = None,
        region: FromQuery[list[str] | None] = None,
        after: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
    ) -> list[wire.CoverageLine]:
        """By code, `after` being the last one seen; case is all, reachable, nobody, no_account."""
        found = await coverage.listed(
            actor, case=case, kinds=kind or (), regions=region or (), after=after, limit=limit
        )
        return convert_all(wire.CoverageLine, found)

    @get(
        "/organizations.csv",
        guards=COVER,
        opt={"raw_answer": "text/csv"},
        summary="Coverage as CSV",
    )
    async def as_csv(
        self,
        actor: Caller,
        case: FromQuery[str] = "all",
        kind: FromQuery[list[str] | None] = None,
        region: FromQuery[list[str] | None] = None,
    ) -> Response[bytes]:
        """The whole list for a spreadsheet."""
        made = await coverage.as_csv(actor, case=case, kinds=kind or (), regions=region or ())
        headers = {"content-disposition": 'attachment; filename="coverage.csv"'}
        return Response(made, media_type="text/csv", headers=headers)

    @get("/organizations/{organization_id:uuid}/history", guards=COVER,
         summary="How the ways to it changed")  # fmt: skip
    async def history(
        self, organization_id: FromPath[uuid.UUID], actor: Caller, limit: FromQuery[int] = 50
    ) -> list[wire.WayChange]:
        """Changes of channels and addresses in its card, newest first."""
        found = await coverage.history(actor, organization_id, limit=limit)
        return convert_all(wire.WayChange, found)

    @get("/rules", guards=COVER, summary="What marks forbid")
    async def rules(self) -> list[wire.RuleView]:
        """Channels that documents with a mark never go by."""
        return [wire.RuleView(rule.mark, sorted(rule.channels), rule.source) for rule in ways.RULES]


class DeliveryController(Controller):
    """What came to the organization."""

    path = "/api/v1/deliveries"
    tags = ("routing",)
    dependencies = CALLER

    @get("/", guards=READ, summary="Inbox")
    async def list_inbox(
        self,
        actor: Caller,
        box: FromQuery[str] = "all",
        q: FromQuery[str] = "",
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 50,
    ) -> wire.InboxList:
        """Deliveries, newest first; box is all, new, due or done."""
        found = await inbox.inbox(actor, box=box, text=q, after=after, limit=limit)  # type: ignore[arg-type]  # reason: the verb checks it
        return wire.InboxList(convert_all(wire.InboxLine, found), page_of(found, limit))

    @get("/counts", guards=READ, summary="What waits")
    async def counts(self, actor: Caller) -> wire.CountsView:
        """New, due and overdue."""
        return wire.CountsView(**await inbox.counts(actor))

    @post("/{delivery_id:uuid}/open", guards=READ, status_code=204, summary="Note the opening")
    async def open_delivery(self, delivery_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """Somebody of the recipient has opened the document."""
        await deliveries.open_delivery(actor, delivery_id)

    @post("/{delivery_id:uuid}/acknowledge", guards=ANSWER, status_code=204, summary="Take note")
    async def acknowledge(self, delivery_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """«Ознакомлен», by the person who is signed in."""
        await deliveries.acknowledge(actor, delivery_id)

    @post(
        "/{delivery_id:uuid}/acknowledge-for",
        guards=SEND,
        status_code=204,
        summary="Take note for a subordinate",
    )
    async def acknowledge_for(
        self, delivery_id: FromPath[uuid.UUID], data: JSONBody[wire.AcknowledgeFor], actor: Caller
    ) -> None:
        """A superior's chancery enters an acknowledgement by phone or on paper."""
        await deliveries.acknowledge_for(actor, delivery_id, person_id=data.person_id)

    @post("/{delivery_id:uuid}/refuse", guards=ANSWER, status_code=204, summary="Refuse")
    async def refuse(
        self, delivery_id: FromPath[uuid.UUID], data: JSONBody[Reason], actor: Caller
    ) -> None:
        """Do not take the document, with a reason."""
        await deliveries.refuse(actor, delivery_id, reason=data.reason)

    @post("/{delivery_id:uuid}/pass-on", guards=SEND, summary="Register and pass down")
    async def pass_on(
        self, delivery_id: FromPath[uuid.UUID], data: JSONBody[wire.RelayInput], actor: Caller
    ) -> wire.HopMade:
        """Enter it under one's own number and pass it down."""
        hop = await relay.pass_on(
            actor, delivery_id, journal_id=data.journal_id, variables=data.variables,
            resolution=Resolution(data.resolution, data.executor_id, data.due_on),
        )  # fmt: skip
        return wire.HopMade(hop.hop_id, hop.number, hop.passed, hop.verdict)

    @post("/{delivery_id:uuid}/bypass", guards=SEND, status_code=200, summary="Do not wait")
    async def bypass(self, delivery_id: FromPath[uuid.UUID], actor: Caller) -> wire.Ended:
        """The author stops waiting for a relay and delivers directly."""
        return wire.Ended(await clocks.bypass_relay(actor, delivery_id))

    @post("/{delivery_id:uuid}/answer", guards=SEND, summary="Answer")
    async def answer(
        self, delivery_id: FromPath[uuid.UUID], data: JSONBody[wire.AnswerInput], actor: Caller
    ) -> Created:
        """Answer with a registered document of one's own; it goes to the sender at once."""
        return Created(await answers.answer(actor, delivery_id, document_id=data.document_id))
