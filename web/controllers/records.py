"""The records schedule on pages: plans of cases, what is filed in them, inventories, terms."""

import uuid
from collections.abc import Coroutine, Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from core import clock
from core.errors import InvalidInput, NotFound, ServiceError
from directory import organizations
from directory.controllers.authentication import CALLER, Caller, requires
from docflow.documents.records import cases, copying, filing, inventories, papers, plans, retention
from docflow.documents.visibility import READERS
from web import forms, pages, record_words
from web.pages import R
from web.translation import N_, gettext, speak

READ = [requires(*READERS)]
LOOK = [requires(*READERS, "administrator")]
DONE = N_("Done.")
PAGE = 100


async def given_of(request: R) -> dict[str, str]:
    """The fields of a form, each once."""
    return {name: str(value) for name, value in dict(await request.form()).items()}


def pdf(made: bytes, name: str) -> Response[Any]:
    """A paper as a download."""
    headers = {"content-disposition": f'attachment; filename="{name}.pdf"',
               "cache-control": "no-store"}  # fmt: skip
    return Response(made, media_type="application/pdf", headers=headers)


class RecordsPageController(Controller):
    """The plan of a year and its cases."""

    path = "/records"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=READ)
    async def show(
        self, request: R, actor: Caller, year: FromQuery[int | None] = None
    ) -> Response[str]:
        """The plan of a year; of this one unless another is chosen."""
        known = await plans.plans(actor)
        chosen = year or clock.today().year
        found = next((row for row in known if row["year"] == chosen), None)
        if found is None and year is None and known:
            found, chosen = known[0], known[0]["year"]
        rows = await cases.of_plan(found["id"]) if found else []
        counted = (found["summary"] or await plans.summary(found["id"])) if found else None
        return await pages.page(
            request, "records.html", known=known, plan=found, year=chosen, rows=rows,
            rw=record_words, counted=counted, years=[row["year"] for row in known],
            is_over=_is_over(chosen),
        )  # fmt: skip

    @post("/plans", guards=READ)
    async def open_plan(self, request: R, actor: Caller) -> Redirect:
        """A draft for a year."""
        given = await given_of(request)
        year = _year(given, "year")
        return await pages.act(
            request, f"/records?year={year}", plans.open_plan(actor, year=year), done=DONE
        )

    @post("/copy", guards=READ)
    async def copy(self, request: R, actor: Caller) -> Redirect:
        """The cases of one year into the draft of another; the four counts are told."""
        given = await given_of(request)
        first, last = _year(given, "from_year"), _year(given, "to_year")
        back = f"/records?year={last}"
        try:
            done = await copying.copy(actor, from_year=first, to_year=last)
        except NotFound:
            raise
        except ServiceError as problem:
            return pages.redirect(request, f"/records?year={first}", problem=problem)
        return pages.redirect(request, back, done=_copied(request, done))

    @post("/plans/{plan_id:uuid}/{verb:str}", guards=READ)
    async def plan_verb(
        self, request: R, plan_id: FromPath[uuid.UUID], verb: FromPath[str], actor: Caller
    ) -> Redirect:
        """Approve or close a plan, add a case to it."""
        given = await given_of(request)
        year = (await plans.own(actor, plan_id))["year"]
        work: Coroutine[Any, Any, object]
        if verb == "approve":
            work = plans.approve(actor, plan_id, agreement=given.get("agreement", ""))
        elif verb == "close":
            work = plans.close(actor, plan_id)
        elif verb == "cases":
            work = _add(actor, plan_id, given, year)
        else:
            raise NotFound(verb=verb)
        return await pages.act(request, f"/records?year={year}", work, done=DONE)

    @get("/plans/{plan_id:uuid}/paper", guards=READ)
    async def plan_paper(self, plan_id: FromPath[uuid.UUID], actor: Caller) -> Response[Any]:
        """The plan as PDF/A."""
        return pdf(await papers.plan(actor, plan_id), "nomenklatura-del")

    @get("/cases/{case_id:uuid}", guards=READ)
    async def case(
        self, request: R, case_id: FromPath[uuid.UUID], actor: Caller,
        after: FromQuery[uuid.UUID | None] = None,
    ) -> Response[str]:  # fmt: skip
        """What is filed in a case."""
        found = await cases.own(actor, case_id)
        row = next(one for one in await cases.of_plan(found["plan_id"]) if one["id"] == case_id)
        filed = await filing.of_case(actor, case_id, after=after, limit=PAGE + 1)
        return await pages.page(
            request, "record_case.html", case=row, rows=filed[:PAGE], rw=record_words,
            more=filed[PAGE - 1]["id"] if len(filed) > PAGE else None,
        )  # fmt: skip

    @post("/cases/{case_id:uuid}/{verb:str}", guards=READ)
    async def case_verb(
        self, request: R, case_id: FromPath[uuid.UUID], verb: FromPath[str], actor: Caller
    ) -> Redirect:
        """File a document, close the case, enter a decision, take the row out of a draft."""
        given = await given_of(request)
        year = (await cases.own(actor, case_id))["year"]
        back = f"/records?year={year}" if verb == "remove" else f"/records/cases/{case_id}"
        return await pages.act(request, back, _case_verb(actor, case_id, verb, given), done=DONE)

    @get("/tombstones", guards=READ)
    async def tombstones(
        self, request: R, actor: Caller, number: FromQuery[str] = "",
        after: FromQuery[uuid.UUID | None] = None,
    ) -> Response[str]:  # fmt: skip
        """What was destroyed: number, date, case, act."""
        rows = await filing.tombstones(actor, number=number, after=after, limit=PAGE + 1)
        return await pages.page(
            request, "record_tombstones.html", rows=rows[:PAGE], number=number,
            more=rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
        )  # fmt: skip


class InventoryPageController(Controller):
    """Inventories, and the lists of terms."""

    path = "/records"
    include_in_schema = False
    dependencies = CALLER

    @get("/inventories", guards=READ)
    async def inventories(self, request: R, actor: Caller) -> Response[str]:
        """The organization's inventories, and a form for the next one."""
        return await pages.page(
            request, "record_inventories.html", rows=await inventories.listed(actor),
            rw=record_words, last_year=clock.today().year - 1,
        )  # fmt: skip

    @post("/inventories", guards=READ)
    async def make(self, request: R, actor: Caller) -> Redirect:
        """Draw one up."""
        given = await given_of(request)
        work = inventories.make(
            actor, year=_year(given, "year"), kind=given.get("kind", ""),  # type: ignore[arg-type]  # reason: the verb checks it
            number=given.get("number", ""),
        )  # fmt: skip
        return await pages.act(request, "/records/inventories", work, done=DONE)

    @post("/inventories/{inventory_id:uuid}/{verb:str}", guards=READ)
    async def verb(
        self, request: R, inventory_id: FromPath[uuid.UUID], verb: FromPath[str], actor: Caller
    ) -> Redirect:
        """Approve it or give it up."""
        given = await given_of(request)
        work: Coroutine[Any, Any, object]
        if verb == "approve":
            work = inventories.approve(actor, inventory_id, protocol=given.get("protocol", ""))
        elif verb == "cancel":
            work = inventories.cancel(actor, inventory_id)
        else:
            raise NotFound(verb=verb)
        return await pages.act(request, "/records/inventories", work, done=DONE)

    @get("/inventories/{inventory_id:uuid}/paper", guards=READ)
    async def paper(self, inventory_id: FromPath[uuid.UUID], actor: Caller) -> Response[Any]:
        """The inventory as PDF/A."""
        return pdf(await papers.inventory(actor, inventory_id), "opis-del")

    @get("/articles", guards=LOOK)
    async def articles(self, request: R, actor: Caller, q: FromQuery[str] = "") -> Response[str]:
        """Articles of the lists in force, by number or words."""
        return await pages.page(
            request, "record_articles.html", q=q, rows=await retention.search(text=q),
            lists=await retention.lists(), rw=record_words,
            keeps=await organizations.is_keeper(actor),
        )  # fmt: skip

    @post("/articles/{article_id:uuid}/confirm", guards=[requires("administrator")])
    async def confirm(self, request: R, article_id: FromPath[uuid.UUID], actor: Caller) -> Redirect:
        """Note that an article was compared with the list itself."""
        given = await given_of(request)
        work = retention.confirm(actor, article_id, source=given.get("source", ""))
        return await pages.act(request, "/records/articles", work, done=DONE)

    @post("/lists/built-in", guards=[requires("administrator")])
    async def load(self, request: R, actor: Caller) -> Redirect:
        """Load the lists that come with the service."""

        async def every() -> None:
            for one in retention.built_in():
                await retention.load(actor, one)

        return await pages.act(request, "/records/articles", every(), done=DONE)


def _is_over(year: int) -> bool:
    return year < clock.today().year


def _year(given: Mapping[str, str], name: str) -> int:
    text = given.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise InvalidInput(
            "Год — четыре цифры.", "A year has four digits.", code="bad_year", field=name
        )
    return int(text)


def _copied(request: R, done: copying.Copied) -> str:
    """The four counts, with the first reasons of what failed."""
    speak(pages.language_of(request))
    said = gettext(
        "Cases: %(total)s; copied %(copied)s, there already %(already)s, failed %(failed)s."
    )
    told = said % {"total": done.total, "copied": done.copied, "already": done.already,
                   "failed": done.failed}  # fmt: skip
    russian = pages.language_of(request) == "ru"
    reasons = [f"{one.index}: {one.ru if russian else one.en}" for one in done.failures[:5]]
    return " ".join([told, *reasons])


async def _add(actor: Caller, plan_id: uuid.UUID, given: Mapping[str, str], year: int) -> None:
    named = given.get("article", "").strip()
    years = given.get("years", "").strip()
    if years and not (years.isascii() and years.isdigit() and 1 <= int(years) <= 200):
        raise InvalidInput(
            "Срок: от 1 до 200 лет.", "A term has 1 to 200 years.", code="bad_years", field="years"
        )
    article_id = await retention.named(named, year=year) if named else None
    card = cases.CaseInput(
        index=given.get("index", ""), title=given.get("title", ""),
        section=given.get("section", ""), article_id=article_id,
        years=int(years) if years else None, needs_decision=bool(given.get("needs_decision")),
        protocol=given.get("protocol", ""), is_personnel=bool(given.get("is_personnel")),
        is_carried=bool(given.get("is_carried")), note=given.get("note", ""),
        is_electronic=bool(given.get("is_electronic")), reason=given.get("reason", ""),
    )  # fmt: skip
    await cases.add(actor, plan_id, card)


async def _case_verb(
    actor: Caller, case_id: uuid.UUID, verb: str, given: Mapping[str, str]
) -> None:
    if verb == "file":
        document_id = await filing.by_number(actor, given.get("number", ""))
        await filing.file(actor, case_id, document_id=document_id)
    elif verb == "close":
        await cases.close(actor, case_id, on=forms.day(given.get("on"), field="on"))
    elif verb == "appraise":
        await cases.appraise(
            actor, case_id, protocol=given.get("protocol", ""), keep=given.get("keep") == "yes",
            on=forms.day(given.get("on"), field="on"),
        )  # fmt: skip
    elif verb == "remove":
        await cases.remove(actor, case_id)
    else:
        raise NotFound(verb=verb)
