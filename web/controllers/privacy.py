"""Personal data for lawyers and administrators: requests, acts of erasure, holds, the register."""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from core import clock
from core.actor import Actor
from core.errors import ServiceError
from directory import people, purposes
from directory.controllers.authentication import CALLER, Caller, requires
from docflow.documents import holds
from evidence.privacy import acts, backups, requests, telling
from evidence.privacy.states import ERASE, MAY_EXTEND, REQUESTS
from web import forms, pages
from web.pages import R
from web.translation import N_

KEEPERS = [requires(*acts.ROLES)]
MEMBERS = [requires("clerk", *acts.ROLES)]
PAGE = 100
TABS = ("requests", "acts", "holds", "register")
PURPOSE = "personal_data_page"


class PrivacyPageController(Controller):
    """What people ask, what is erased, what may not be, and what data is processed for."""

    path = "/personal-data"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=KEEPERS)
    async def shown(self, request: R, actor: Caller, tab: FromQuery[str] = "requests") -> (
        Response[str]
    ):  # fmt: skip
        """One of the tabs."""
        return await _page(request, actor, tab if tab in TABS else "requests")

    @post("/requests", guards=KEEPERS)
    async def receive(self, request: R, actor: Caller) -> Response[Any]:
        """Enter what came on paper."""
        given = await _given(request)
        person = pages.id_of(given.get("person_id"))
        try:
            await requests.receive(
                actor, person or uuid.UUID(int=0), kind=given.get("kind", ""),
                reference=given.get("reference", ""),
                received_on=forms.day(given.get("received_on"), field="received_on"),
                key=given.get("key") or None,
            )  # fmt: skip
        except ServiceError as problem:
            return await _page(request, actor, "requests", problem=problem, given=given)
        return pages.redirect(request, "/personal-data", done=N_("The request is entered."))

    @post("/requests/{request_id:uuid}/{act:str}", guards=KEEPERS)
    async def settle(
        self, request: R, request_id: FromPath[uuid.UUID], act: FromPath[str], actor: Caller
    ) -> Redirect:
        """Answer, refuse, prolong, or have the package made."""
        text = (await _given(request)).get("text", "")
        verbs: Mapping[str, Callable[[], Awaitable[object]]] = {
            "answer": lambda: requests.answer(actor, request_id, text=text),
            "refuse": lambda: requests.refuse(actor, request_id, reason=text),
            "extend": lambda: requests.extend(actor, request_id, notice=text),
            "package": lambda: requests.hand_out(actor, request_id),
        }
        work = verbs.get(act, verbs["answer"])()
        return await pages.act(request, "/personal-data", work, done=N_("It is noted."))

    @get("/acts/new", guards=KEEPERS)
    async def draft(
        self, request: R, actor: Caller, person: FromQuery[uuid.UUID],
        asked: FromQuery[uuid.UUID | None] = None,
    ) -> Response[str]:  # fmt: skip
        """What names the person, to be decided about."""
        return await _draft(request, actor, person, given={"request_id": str(asked or "")})

    @post("/acts", guards=KEEPERS)
    async def propose(self, request: R, actor: Caller) -> Response[Any]:
        """Draw up the act."""
        form = await request.form()
        given = {name: str(value) for name, value in dict(form).items()}
        person = pages.id_of(given.get("person_id")) or uuid.UUID(int=0)
        try:
            act_id = await acts.propose(
                actor, _proposal(person, given, form.getall("member", [])),
                key=given.get("key") or None,
            )  # fmt: skip
        except ServiceError as problem:
            return await _draft(request, actor, person, given=given, problem=problem)
        done = N_("The act is drawn up. Each member of the commission approves it.")
        return pages.redirect(request, f"/personal-data/acts/{act_id}", done=done)

    @get("/acts/{act_id:uuid}", guards=MEMBERS)
    async def act(self, request: R, act_id: FromPath[uuid.UUID], actor: Caller) -> Response[str]:
        """How far it is, and what it did."""
        shown = await acts.show(actor, act_id)
        names = {row["account_id"]: row["name"] for row in await acts.candidates(actor)}
        waits = any(
            one["account_id"] == actor.id and one["approved_at"] is None
            for one in shown["members"]
        )  # fmt: skip
        return await pages.page(
            request, "erasure.html", act=shown, names=names, grounds=ERASE, waits_for_me=waits,
            keeps=bool(actor.roles & set(acts.ROLES)),
        )  # fmt: skip

    @post("/acts/{act_id:uuid}/{step:str}", guards=MEMBERS)
    async def move(
        self, request: R, act_id: FromPath[uuid.UUID], step: FromPath[str], actor: Caller
    ) -> Redirect:
        """Approve, give up or carry out again."""
        reason = (await _given(request)).get("reason", "")
        verbs: Mapping[str, Callable[[], Awaitable[object]]] = {
            "approve": lambda: acts.approve(actor, act_id),
            "cancel": lambda: acts.cancel(actor, act_id, reason=reason),
            "retry": lambda: acts.go_on(actor, act_id),
        }
        work = verbs.get(step, verbs["approve"])()
        back = f"/personal-data/acts/{act_id}"
        return await pages.act(request, back, work, done=N_("It is noted."))

    @get("/acts/{act_id:uuid}/paper", guards=KEEPERS)
    async def paper(self, act_id: FromPath[uuid.UUID], actor: Caller) -> Response[bytes]:
        """The act as PDF/A."""
        return _file(await telling.paper(actor, act_id), "application/pdf", f"act-{act_id}.pdf")

    @get("/acts/{act_id:uuid}/events", guards=KEEPERS)
    async def extract(self, act_id: FromPath[uuid.UUID], actor: Caller) -> Response[bytes]:
        """Its extract of the log."""
        made = await telling.extract(actor, act_id)
        return _file(made, "application/jsonl", f"act-{act_id}.jsonl")

    @post("/holds", guards=KEEPERS)
    async def hold(self, request: R, actor: Caller) -> Response[Any]:
        """Set a legal hold."""
        given = await _given(request)
        try:
            await holds.place(
                actor, kind=given.get("kind", ""), reason=given.get("reason", ""),
                subject_id=pages.id_of(given.get("subject_id", "").strip()) or uuid.UUID(int=0),
                until=forms.day(given.get("until"), field="until"), key=given.get("key") or None,
            )  # fmt: skip
        except ServiceError as problem:
            return await _page(request, actor, "holds", problem=problem, given=given)
        back = "/personal-data?tab=holds"
        return pages.redirect(request, back, done=N_("Nothing of it may be erased now."))

    @post("/holds/{hold_id:uuid}/lift", guards=KEEPERS)
    async def lift(self, request: R, hold_id: FromPath[uuid.UUID], actor: Caller) -> Redirect:
        """Lift a hold."""
        work = holds.lift(actor, hold_id, reason=(await _given(request)).get("reason", ""))
        back = "/personal-data?tab=holds"
        return await pages.act(request, back, work, done=N_("The hold is lifted."))

    @get("/register.csv", guards=KEEPERS)
    async def table(self) -> Response[bytes]:
        """The register of processing as a table."""
        return _file(await telling.register_csv(), "text/csv", "processing.csv")


async def _given(request: R) -> dict[str, str]:
    return {name: str(value) for name, value in dict(await request.form()).items()}


def _file(content: bytes, media_type: str, name: str) -> Response[bytes]:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


def _proposal(person: uuid.UUID, given: dict[str, str], members: list[Any]) -> acts.Proposal:
    decided = {
        document_id: (value, given.get(f"ground-{document_id}", ""))
        for name, value in given.items()
        if name.startswith("decision-") and (document_id := pages.id_of(name[9:])) is not None
        and value in ("destroy", "keep")
    }  # fmt: skip
    return acts.Proposal(
        person_id=person, ground=given.get("ground", ""), basis=given.get("basis", ""),
        since=forms.day(given.get("since"), field="since") or clock.today(), documents=decided,
        members=[one for text in members if (one := pages.id_of(str(text))) is not None],
        request_id=pages.id_of(given.get("request_id")),
        extra=[one.strip() for one in given.get("extra", "").split("\n") if one.strip()],
    )  # fmt: skip


async def _page(
    request: R, actor: Actor, tab: str, *, given: dict[str, str] | None = None,
    problem: ServiceError | None = None,
) -> Response[str]:  # fmt: skip
    context: dict[str, Any] = {"rows": []}
    if tab == "requests":
        context["rows"] = await requests.listed(actor, limit=PAGE)
        context["people"] = await people.of_organization(
            actor, organization_id=actor.home_id, purpose=PURPOSE
        )
    elif tab == "acts":
        context["rows"] = await acts.listed(actor, limit=PAGE)
        context["backups"] = await backups.overdue()
    elif tab == "holds":
        context["rows"] = await holds.listed(actor, standing=False, limit=PAGE)
    else:
        context["rows"] = await purposes.listed()
    return await pages.page(
        request, "privacy.html", tab=tab, tabs=TABS, given=given or {}, problem=problem,
        key=pages.new_key(), kinds=REQUESTS, grounds=ERASE, may_extend=MAY_EXTEND,
        status_code=422 if problem else 200, **context,
    )  # fmt: skip


async def _draft(
    request: R, actor: Actor, person: uuid.UUID, *, given: dict[str, str],
    problem: ServiceError | None = None,
) -> Response[str]:  # fmt: skip
    found = await acts.look(actor, person)
    who = await people.get(actor, person_id=person, purpose=PURPOSE)
    others = [row for row in await acts.candidates(actor) if row["account_id"] != actor.id]
    return await pages.page(
        request, "erasure_new.html", person=who, found=found, others=others, grounds=ERASE,
        given=given, key=pages.new_key(), problem=problem, status_code=422 if problem else 200,
    )  # fmt: skip
