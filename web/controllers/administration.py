"""Stuck things, and the page of the API."""

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from core import jobs
from core.errors import Forbidden
from directory import organizations, second_factor
from directory.controllers.authentication import CALLER, Caller, public, requires
from web import pages
from web.pages import R
from web.translation import N_

PAGE = 100


class StuckController(Controller):
    """Jobs that did not simply run; for administrators of the center, who see all of them."""

    path = "/stuck"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[requires("administrator")])
    async def stuck(self, request: R, actor: Caller, after: FromQuery[int] = 0) -> Response[str]:
        """What failed, waits, hangs or was not begun."""
        await _require_center(actor)
        found = await jobs.stuck(after=after, limit=PAGE + 1)
        return await pages.page(
            request, "stuck.html", rows=found[:PAGE],
            more=found[PAGE - 1].id if len(found) > PAGE else None,
        )  # fmt: skip

    @post("/{job_id:int}/retry", guards=[requires("administrator")])
    async def retry(self, request: R, job_id: FromPath[int], actor: Caller) -> Redirect:
        """Run a job again at once."""
        await _require_center(actor)
        work = jobs.retry_now(job_id)
        return await pages.act(request, "/stuck", work, done=N_("The job will run again now."))


class ApiPageController(Controller):
    """The description of the API, to read and to try."""

    include_in_schema = False

    @get("/api", guards=[public])
    async def api(self, request: R) -> Response[str]:
        """Swagger UI over our own schema; nothing comes from another host."""
        return await pages.page(request, "api.html")


async def _require_center(actor: Caller) -> None:
    """The queue is the installation's, so only who administers the center looks into it."""
    second_factor.demand(actor)
    home = await organizations.get(organization_id=actor.home_id)
    if home["kind"] != "center":
        raise Forbidden(
            "Очередь заданий видят только администраторы федерального центра.",
            "Only administrators of the federal center see the job queue.",
            code="center_only",
        )
