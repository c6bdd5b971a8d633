"""The list of stuck things over HTTP, for programs."""

import uuid
from datetime import datetime

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery

from directory.controllers.authentication import CALLER, Caller, requires, scope
from web import stuck


class KindView(msgspec.Struct, frozen=True):
    """A kind of stuck things: how many, since when, who has to act, which job looks after it."""

    code: str
    ru: str
    en: str
    owner: str
    owner_ru: str
    owner_en: str
    sweep: str
    limit_seconds: int | None
    """After so long it counts as stuck; null: it has a day of its own."""
    number: int
    since: datetime | None
    may_retry: bool
    """Can this caller try it again here?"""


class KindsView(msgspec.Struct, frozen=True):
    """What is stuck; empty is good."""

    kinds: list[KindView]


class StuckView(msgspec.Struct, frozen=True):
    """One stuck thing: since when, the last error, and when it is tried next."""

    kind: str
    id: str
    organization_id: uuid.UUID | None
    document_id: uuid.UUID | None
    since: datetime | None
    code: str
    note: str | None
    next_at: datetime | None


class StuckList(msgspec.Struct, frozen=True):
    """One page, by id."""

    items: list[StuckView]
    after: str | None
    """Ask with it for the next page; null: this was the last one."""


class JobView(msgspec.Struct, frozen=True):
    """A background job that did not simply run, with its last error; its arguments are not told."""

    id: int
    name: str
    queue: str
    reason: str
    """failed, retrying, worker_died, runs_long or not_begun."""
    runs: int
    since: datetime | None
    next_run_at: datetime | None
    code: str | None
    message_ru: str | None
    message_en: str | None


class JobList(msgspec.Struct, frozen=True):
    """One page, by number."""

    items: list[JobView]
    after: int | None
    """Ask with it for the next page; null: this was the last one."""


KEEPER = requires("administrator")


class StuckApiController(Controller):
    """What is stuck: one's own organization's, everything for the center's administrators."""

    path = "/api/v1/stuck"
    tags = ("stuck",)
    dependencies = CALLER

    @get("/", guards=[scope("documents:read")], summary="What is stuck, by kind")
    async def kinds(self, actor: Caller, empty: FromQuery[bool] = False) -> KindsView:
        """Counts by kind; with `empty` also the kinds of which nothing is stuck."""
        found = await stuck.kinds(actor, all_of_them=empty)
        return KindsView([msgspec.convert(one, KindView, from_attributes=True) for one in found])

    @get(
        "/jobs", guards=[scope("documents:read"), KEEPER],
        summary="Background work that did not simply run",
    )  # fmt: skip
    async def jobs(
        self, actor: Caller, after: FromQuery[int] = 0, limit: FromQuery[int] = 100
    ) -> JobList:
        """What failed, waits for another run, hangs or was not begun in time; for administrators
        of the federal center with a second factor.
        """
        found = await stuck.late_jobs(actor, after=after, limit=limit)
        items = [msgspec.convert(one, JobView, from_attributes=True) for one in found]
        return JobList(items, found[-1].id if len(found) == limit else None)

    @post(
        "/jobs/{job_id:int}/retry", guards=[scope("documents:write"), KEEPER], status_code=204,
        summary="Run a job again",
    )  # fmt: skip
    async def retry_job(self, job_id: FromPath[int], actor: Caller) -> None:
        """As soon as a worker is free, its runs counted anew; one that is being run is refused."""
        await stuck.retry_job(actor, job_id)

    @get("/{kind:str}", guards=[scope("documents:read")], summary="Stuck things of a kind")
    async def listed(
        self,
        kind: FromPath[str],
        actor: Caller,
        after: FromQuery[str | None] = None,
        limit: FromQuery[int] = 100,
    ) -> StuckList:
        """One page, with the reason, the age and the next try."""
        found = await stuck.listed(actor, kind, after=after, limit=limit)
        items = [msgspec.convert(one, StuckView, from_attributes=True) for one in found]
        return StuckList(items, found[-1].id if len(found) == limit else None)

    @post(
        "/{kind:str}/{thing_id:uuid}/retry",
        guards=[scope("documents:write")],
        status_code=204,
        summary="Try a stuck thing again",
    )
    async def retry(
        self, kind: FromPath[str], thing_id: FromPath[uuid.UUID], actor: Caller
    ) -> None:
        """At once, as the same thing: a message keeps its id."""
        await stuck.retry(actor, kind, thing_id)
