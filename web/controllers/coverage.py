"""Who below can be reached, and by what."""

from litestar import Controller, Response, get
from litestar.params import FromQuery

from directory.controllers.authentication import CALLER, Caller, requires
from docflow.routing import coverage
from web import pages, words
from web.pages import R

PAGE = 50
CASES = ("nobody", "no_account", "all")


class CoveragePageController(Controller):
    """The map of ways by level."""

    path = "/coverage"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[requires("clerk", "administrator")])
    async def show(
        self, request: R, actor: Caller, case: FromQuery[str] = "nobody",
        level: FromQuery[str] = "", after: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        """Totals by level and first way, and one page of the organizations of a case."""
        chosen = case if case in CASES else "nobody"
        kinds = [level] if level in words.LEVELS else []
        totals = await coverage.totals(actor)
        rows = await coverage.listed(
            actor, case=chosen, kinds=kinds, after=after or None, limit=PAGE + 1
        )
        return await pages.page(
            request, "coverage.html", totals=totals, case=chosen, cases=CASES,
            level=kinds[0] if kinds else "", rows=rows[:PAGE],
            more=rows[PAGE - 1]["code"] if len(rows) > PAGE else None,
        )  # fmt: skip
