"""The records schedule over HTTP."""

import uuid
from datetime import date
from typing import Any

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from directory.controllers.authentication import CALLER, Caller, requires, scope
from docflow.documents import visibility
from docflow.documents.controllers import convert, convert_all
from docflow.documents.records import (
    acts,
    cases,
    commission,
    copying,
    filing,
    inventories,
    papers,
    plans,
    retention,
)
from docflow.documents.records import schemas as wire

READ = [scope("documents:read"), requires(*visibility.READERS)]
LOOK = [scope("documents:read")]
"""For what is law and nobody's own: the lists of terms."""
WORK = [scope("documents:write"), requires("clerk")]
HEAD = [scope("documents:sign"), requires("signatory")]
KEEP = [scope("documents:write"), requires("administrator")]
EITHER = [scope("documents:write"), requires("clerk", "signatory", "administrator")]
VOTE = [scope("documents:write")]


def _pdf(made: bytes, name: str) -> Response[Any]:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.pdf"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(made, media_type="application/pdf", headers=headers)


class RetentionController(Controller):
    """Lists of retention terms, for the whole installation."""

    path = "/api/v1/records/retention"
    tags = ("records",)
    dependencies = CALLER

    @get("/lists", guards=LOOK, summary="Loaded lists of terms")
    async def lists(self, actor: Caller) -> list[wire.RetentionListView]:
        """Every edition, the newest first."""
        return convert_all(wire.RetentionListView, await retention.lists())

    @post("/lists", guards=KEEP, summary="Load a list of terms")
    async def load(self, data: JSONBody[retention.ListInput], actor: Caller) -> wire.Made:
        """An edition, once; the same again answers the same id. For the center."""
        return wire.Made(await retention.load(actor, data))

    @post("/lists/built-in", guards=KEEP, summary="Load the lists that come with the service")
    async def load_built_in(self, actor: Caller) -> list[wire.Made]:
        """Rows marked unverified cannot be used until somebody confirms them."""
        return [wire.Made(await retention.load(actor, one)) for one in retention.built_in()]

    @get("/articles", guards=LOOK, summary="Find an article")
    async def articles(
        self, actor: Caller, q: FromQuery[str] = "", on: FromQuery[date | None] = None,
        limit: FromQuery[int] = 50,
    ) -> list[wire.RetentionArticleView]:  # fmt: skip
        """By number or words of the title, of the lists in force on that day."""
        found = await retention.search(text=q, on=on, limit=limit)
        return convert_all(wire.RetentionArticleView, found)

    @post(
        "/articles/{article_id:uuid}/confirm", guards=KEEP, status_code=204,
        summary="Confirm an article",
    )  # fmt: skip
    async def confirm(
        self, article_id: FromPath[uuid.UUID], data: JSONBody[wire.ConfirmArticle], actor: Caller
    ) -> None:
        """After comparing it with the act itself."""
        await retention.confirm(actor, article_id, source=data.source)


class PlanController(Controller):
    """Plans of cases, cases, what is filed in them."""

    path = "/api/v1/records"
    tags = ("records",)
    dependencies = CALLER

    @get("/plans", guards=READ, summary="Plans of cases")
    async def list_plans(self, actor: Caller) -> list[wire.PlanLine]:
        """The organization's, the newest year first."""
        return convert_all(wire.PlanLine, await plans.plans(actor))

    @post("/plans", guards=WORK, summary="Open a plan of a year")
    async def open_plan(self, data: JSONBody[wire.PlanInput], actor: Caller) -> wire.Made:
        """A draft; asked again, the plan that is there."""
        return wire.Made(await plans.open_plan(actor, year=data.year))

    @post("/plans/copy", guards=WORK, status_code=200, summary="Copy last year's plan")
    async def copy(self, data: JSONBody[wire.CopyInput], actor: Caller) -> wire.CopyView:
        """As often as one likes; nothing is copied twice."""
        done = await copying.copy(actor, from_year=data.from_year, to_year=data.to_year)
        return msgspec.convert(done, wire.CopyView, from_attributes=True)

    @get("/plans/{plan_id:uuid}", guards=READ, summary="Show a plan")
    async def show_plan(self, plan_id: FromPath[uuid.UUID], actor: Caller) -> wire.PlanView:
        """With its cases and its final note."""
        found = await plans.own(actor, plan_id)
        rows = await cases.of_plan(plan_id)
        counted = found["summary"] or await plans.summary(plan_id)
        return convert(wire.PlanView, {**found, "summary": counted, "cases": rows})

    @post("/plans/{plan_id:uuid}/approve", guards=HEAD, status_code=204, summary="Approve a plan")
    async def approve_plan(
        self, plan_id: FromPath[uuid.UUID], data: JSONBody[wire.ApprovePlan], actor: Caller
    ) -> None:
        """By the head; from then on its rows stand."""
        await plans.approve(actor, plan_id, agreement=data.agreement)

    @post("/plans/{plan_id:uuid}/close", guards=WORK, status_code=200, summary="Close a year")
    async def close_plan(self, plan_id: FromPath[uuid.UUID], actor: Caller) -> wire.SummaryView:
        """Its final note is counted and kept."""
        return convert(wire.SummaryView, await plans.close(actor, plan_id))

    @get(
        "/plans/{plan_id:uuid}/paper", guards=READ, opt={"raw_answer": True},
        summary="Print a plan",
    )  # fmt: skip
    async def plan_paper(self, plan_id: FromPath[uuid.UUID], actor: Caller) -> Response[Any]:
        """The form with five columns and the final note, PDF/A."""
        return _pdf(await papers.plan(actor, plan_id), "nomenklatura-del")

    @post("/plans/{plan_id:uuid}/cases", guards=WORK, summary="Add a case")
    async def add_case(
        self, plan_id: FromPath[uuid.UUID], data: JSONBody[cases.CaseInput], actor: Caller
    ) -> wire.Made:
        """To a draft; to an approved plan with a reason."""
        return wire.Made(await cases.add(actor, plan_id, data))

    @get("/cases/{case_id:uuid}", guards=READ, summary="What is filed in a case")
    async def show_case(
        self, case_id: FromPath[uuid.UUID], actor: Caller,
        after: FromQuery[uuid.UUID | None] = None, limit: FromQuery[int] = 100,
    ) -> list[wire.FilingView]:  # fmt: skip
        """In the order of filing; go on with `after`."""
        found = await filing.of_case(actor, case_id, after=after, limit=limit)
        return convert_all(wire.FilingView, found)

    @put("/cases/{case_id:uuid}", guards=WORK, status_code=204, summary="Correct a case")
    async def correct_case(
        self, case_id: FromPath[uuid.UUID], data: JSONBody[cases.CaseInput], actor: Caller
    ) -> None:
        """While its plan is a draft."""
        await cases.correct(actor, case_id, data)

    @post("/cases/{case_id:uuid}/remove", guards=WORK, status_code=204, summary="Remove a case")
    async def remove_case(self, case_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """Out of a draft."""
        await cases.remove(actor, case_id)

    @post("/cases/{case_id:uuid}/documents", guards=WORK, summary="File a document")
    async def file_document(
        self, case_id: FromPath[uuid.UUID], data: JSONBody[wire.FileInput], actor: Caller
    ) -> wire.Made:
        """Or move it here from another case."""
        return wire.Made(await filing.file(actor, case_id, document_id=data.document_id))

    @post("/cases/{case_id:uuid}/close", guards=WORK, status_code=200, summary="Close a case")
    async def close_case(
        self, case_id: FromPath[uuid.UUID], data: JSONBody[wire.CloseCase], actor: Caller
    ) -> wire.ClosedCase:
        """Its term runs from the next 1 January."""
        return wire.ClosedCase(await cases.close(actor, case_id, on=data.on))

    @post(
        "/cases/{case_id:uuid}/appraise", guards=WORK, status_code=204, summary="Enter a decision"
    )
    async def appraise(
        self, case_id: FromPath[uuid.UUID], data: JSONBody[wire.Appraisal], actor: Caller
    ) -> None:
        """Of the commission, on a closed case that asks for one."""
        await cases.appraise(
            actor, case_id, protocol=data.protocol, keep=data.keep, on=data.on
        )  # fmt: skip

    @get("/tombstones", guards=READ, summary="What was destroyed")
    async def tombstones(
        self, actor: Caller, number: FromQuery[str] = "",
        after: FromQuery[uuid.UUID | None] = None, limit: FromQuery[int] = 100,
    ) -> list[wire.TombstoneView]:  # fmt: skip
        """Number, date, case and act of destroyed documents."""
        found = await filing.tombstones(actor, number=number, after=after, limit=limit)
        return convert_all(wire.TombstoneView, found)


class InventoryController(Controller):
    """Inventories of cases that are kept."""

    path = "/api/v1/records/inventories"
    tags = ("records",)
    dependencies = CALLER

    @get("/", guards=READ, summary="Inventories")
    async def listed(self, actor: Caller) -> list[wire.InventoryView]:
        """The organization's, the newest year first."""
        return convert_all(wire.InventoryView, await inventories.listed(actor))

    @post("/", guards=WORK, summary="Draw up an inventory")
    async def make(self, data: JSONBody[wire.InventoryInput], actor: Caller) -> wire.Made:
        """Of the closed cases of a kind that are in none yet."""
        made = await inventories.make(actor, year=data.year, kind=data.kind, number=data.number)
        return wire.Made(made)

    @post("/{inventory_id:uuid}/approve", guards=HEAD, status_code=204, summary="Approve it")
    async def approve(
        self, inventory_id: FromPath[uuid.UUID], data: JSONBody[wire.ApproveInventory],
        actor: Caller,
    ) -> None:  # fmt: skip
        """With the protocol of the commission or of the state archive's."""
        await inventories.approve(actor, inventory_id, protocol=data.protocol)

    @post("/{inventory_id:uuid}/cancel", guards=WORK, status_code=204, summary="Give it up")
    async def cancel(self, inventory_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """A draft only."""
        await inventories.cancel(actor, inventory_id)

    @get(
        "/{inventory_id:uuid}/paper", guards=READ, opt={"raw_answer": True},
        summary="Print an inventory",
    )  # fmt: skip
    async def paper(self, inventory_id: FromPath[uuid.UUID], actor: Caller) -> Response[Any]:
        """PDF/A."""
        return _pdf(await papers.inventory(actor, inventory_id), "opis-del")


class ActController(Controller):
    """Acts of destruction and the commission that judges them."""

    path = "/api/v1/records"
    tags = ("records",)
    dependencies = CALLER

    @get("/commission", guards=READ, summary="The expert commission")
    async def members(self, actor: Caller) -> list[wire.MemberView]:
        """Who sits in it now."""
        return convert_all(wire.MemberView, await commission.members(actor.home_id))

    @put("/commission", guards=HEAD, status_code=204, summary="Appoint the commission")
    async def appoint(self, data: JSONBody[wire.CommissionInput], actor: Caller) -> None:
        """Three members at least; who is not named leaves it."""
        await commission.appoint(
            actor, members=data.members, chair_id=data.chair_id, basis=data.basis
        )

    @get("/expired", guards=READ, summary="Cases whose term is over")
    async def expired(
        self, actor: Caller, on: FromQuery[date | None] = None
    ) -> list[wire.ExpiredCase]:
        """What an act could list, and what stands against it."""
        return convert_all(wire.ExpiredCase, await acts.expired(actor, on=on))

    @get("/acts", guards=VOTE, summary="Acts of destruction")
    async def listed(self, actor: Caller) -> list[wire.ActLine]:
        """The newest first; members of the commission see those they judge."""
        return convert_all(wire.ActLine, await acts.listed(actor))

    @post("/acts", guards=WORK, summary="Draft an act of destruction")
    async def draft(self, data: JSONBody[wire.ActInput], actor: Caller) -> wire.Made:
        """Over closed cases whose term is over."""
        made = await acts.draft(
            actor, case_ids=data.case_ids, basis=data.basis, method=data.method or acts.METHOD,
            backups_until=data.backups_until,
        )  # fmt: skip
        return wire.Made(made)

    @get("/acts/{act_id:uuid}", guards=VOTE, summary="Show an act")
    async def show(self, act_id: FromPath[uuid.UUID], actor: Caller) -> wire.ActView:
        """With its cases and votes."""
        found = await acts.own(actor, act_id)
        rows, votes = await acts.lines(act_id), await acts.votes(act_id)
        return convert(wire.ActView, {**found, "lines": rows, "votes": votes})

    @post(
        "/acts/{act_id:uuid}/submit", guards=WORK, status_code=204, summary="Before the commission"
    )
    async def submit(self, act_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """As it sits today."""
        await acts.submit(actor, act_id)

    @post("/acts/{act_id:uuid}/vote", guards=VOTE, status_code=200, summary="Vote on an act")
    async def vote(
        self, act_id: FromPath[uuid.UUID], data: JSONBody[wire.VoteInput], actor: Caller
    ) -> wire.ActStatusView:
        """Members of the commission, once each; more than half decide."""
        status = await acts.vote(actor, act_id, is_for=data.is_for, remark=data.remark)
        return wire.ActStatusView(status)

    @post("/acts/{act_id:uuid}/approve", guards=HEAD, status_code=204, summary="Approve an act")
    async def approve(
        self, act_id: FromPath[uuid.UUID], data: JSONBody[wire.ApproveAct], actor: Caller
    ) -> None:
        """By the head, who did not draft it."""
        await acts.approve(
            actor, act_id, protocol=data.protocol, archive_protocol=data.archive_protocol
        )

    @post("/acts/{act_id:uuid}/execute", guards=EITHER, status_code=204, summary="Carry an act out")
    async def execute(self, act_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """By a job; there is no way back."""
        await acts.execute(actor, act_id)

    @post("/acts/{act_id:uuid}/cancel", guards=EITHER, status_code=204, summary="Give an act up")
    async def cancel(
        self, act_id: FromPath[uuid.UUID], data: JSONBody[wire.CancelAct], actor: Caller
    ) -> None:
        """Before it is carried out."""
        await acts.cancel(actor, act_id, reason=data.reason)

    @get("/acts/{act_id:uuid}/paper", guards=VOTE, opt={"raw_answer": True}, summary="Print an act")
    async def paper(self, act_id: FromPath[uuid.UUID], actor: Caller) -> Response[Any]:
        """PDF/A."""
        return _pdf(await papers.act(actor, act_id), "akt-o-vydelenii")


CONTROLLERS: list[type[Controller]] = [
    RetentionController,
    PlanController,
    InventoryController,
    ActController,
]
