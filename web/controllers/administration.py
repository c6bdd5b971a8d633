"""Stuck things, and the page of the API."""

import uuid
from collections.abc import Sequence
from urllib.parse import quote

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from core import jobs
from directory import organizations
from directory.controllers.authentication import CALLER, Caller, public, requires
from web import pages, stuck
from web.pages import R
from web.translation import N_

PAGE = 100
JOBS = "job"


class StuckController(Controller):
    """What is stuck: one's own organization's, and everything for the center's administrators."""

    path = "/stuck"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[requires(*stuck.READERS, "administrator")])
    async def stuck(
        self,
        request: R,
        actor: Caller,
        kind: FromQuery[str] = "",
        after: FromQuery[str] = "",
    ) -> Response[str]:
        """The kinds, and the things of one kind; jobs are the installation's."""
        keeps = await organizations.is_keeper(actor)
        kinds = await stuck.kinds(actor)
        late = await jobs.stuck(limit=PAGE + 1) if keeps else []
        items: list[stuck.Stuck] = []
        if kind == JOBS:
            late = await stuck.late_jobs(actor, after=_number(after), limit=PAGE + 1)
        elif kind:
            items = await stuck.listed(actor, kind, after=after or None, limit=PAGE + 1)
        return await pages.page(
            request, "stuck.html", kinds=kinds, kind=kind, keeps=keeps,
            chosen=next((one for one in kinds if one.code == kind), None),
            codes=stuck.CODES, items=items[:PAGE], jobs=late[:PAGE], job_count=len(late),
            more=_next([one.id for one in (late if kind == JOBS else items)]),
        )  # fmt: skip

    @post("/{job_id:int}/retry", guards=[requires("administrator")])
    async def retry(self, request: R, job_id: FromPath[int], actor: Caller) -> Redirect:
        """Run a job again at once."""
        work = stuck.retry_job(actor, job_id)
        return await pages.act(
            request, f"/stuck?kind={JOBS}", work, done=N_("The job will run again now.")
        )

    @post("/{kind:str}/{thing_id:uuid}/retry", guards=[requires("clerk", "administrator")])
    async def retry_thing(
        self, request: R, kind: FromPath[str], thing_id: FromPath[uuid.UUID], actor: Caller
    ) -> Redirect:
        """Try a thing again at once, as the same thing."""
        work = stuck.retry(actor, kind, thing_id)
        return await pages.act(
            request, f"/stuck?kind={quote(kind)}", work, done=N_("It will be tried again now.")
        )


def _next(ids: Sequence[object]) -> object | None:
    return ids[PAGE - 1] if len(ids) > PAGE else None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


class ApiPageController(Controller):
    """The description of the API, to read and to try."""

    include_in_schema = False

    @get("/api", guards=[public])
    async def api(self, request: R) -> Response[str]:
        """Swagger UI over our own schema; nothing comes from another host."""
        return await pages.page(request, "api.html")
