"""What can be done in the background: jobs and periodic jobs by stable name.

A room's ``jobs.py`` declares its jobs here; importing it starts nothing and loads no worker.
"""

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from core.errors import Unavailable

JobFunction = Callable[..., Awaitable[None]]
Declared = TypeVar("Declared", bound=JobFunction)

DEFAULT_QUEUE = "default"
NAME_LIMIT = 128


class Retry(Exception):
    """Raised by a job that wants to run again later; `reason` is shown on the page of stuck jobs.

    Without `after` the job's policy says when. `reason` holds ids and codes, no personal data.
    """

    def __init__(self, after: timedelta | None = None, reason: str = "") -> None:
        self.after = after
        self.reason = reason
        super().__init__(reason or "the job asked to be run again")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a failing job is run again.

    `attempts` counts all runs, the first included, and bounds errors nobody expected.
    `temporary_attempts` bounds runs when the job says that waiting helps (`Retry`,
    `core.errors.Unavailable`). The wait doubles from `first` to `longest`, and a fifth of it is
    random, so that a thousand jobs do not return in the same second.
    """

    attempts: int = 5
    temporary_attempts: int = 100
    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=15)

    def wait(self, runs: int) -> timedelta:
        """The pause after run number `runs` (from 1), jitter left out."""
        return min(self.first * (1 << min(runs - 1, 30)), self.longest)

    def wait_with_jitter(self, runs: int) -> timedelta:
        """The pause that is really taken: 80 to 100 % of `wait`."""
        return self.wait(runs) * random.uniform(0.8, 1.0)  # noqa: S311 - spreads load, no secret

    def may_run_again(self, *, runs: int, temporary: bool) -> bool:
        """Is there a run left after `runs` runs?"""
        return runs < (self.temporary_attempts if temporary else self.attempts)

    def table(self) -> list[timedelta]:
        """The pauses between runs of a job that never succeeds, for documents and pages."""
        return [self.wait(runs) for runs in range(1, self.attempts)]


@dataclass(frozen=True, slots=True)
class Job:
    """A declared job. `lock`: a format string over the arguments, e.g. ``"document:{id}"``."""

    name: str
    function: JobFunction
    queue: str
    retry: RetryPolicy
    lock: str | None
    cron: str | None = None


JOBS: dict[str, Job] = {}
"""Every declared job by name."""

ALLOWED: dict[str, str] = {}
"""Names of jobs of higher rooms that lower rooms may defer without importing them, with queue."""


def job(
    name: str,
    *,
    queue: str = DEFAULT_QUEUE,
    retry: RetryPolicy | None = None,
    lock: str | None = None,
) -> Callable[[Declared], Declared]:
    """Declare the decorated coroutine as job `name`; the name is stored and never changes.

    The coroutine gets the deferred arguments by keyword, outside any transaction: it loads by
    id, calls one verb and opens its own transaction. It may run more than once (a worker can die
    after the commit), so the verb is guarded. `lock` names what may be worked on by one job at a
    time, e.g. ``"document:{document_id}"``.
    """

    def declare(function: Declared) -> Declared:
        _add(Job(name, function, queue, retry or RetryPolicy(), lock))
        return function

    return declare


def periodic(
    name: str,
    *,
    every: timedelta | None = None,
    cron: str | None = None,
    queue: str = DEFAULT_QUEUE,
    retry: RetryPolicy | None = None,
) -> Callable[[Declared], Declared]:
    """Declare a job without arguments that runs once per tick across all workers.

    Either `every` (must divide a minute, an hour or a day) or `cron` in UTC (five fields, and
    a sixth for seconds). A tick is left out while the last one is still queued; two ticks never
    run side by side. After a stop of up to a week the last missed tick runs once at the start.
    """
    if (every is None) == (cron is None):
        raise ValueError(f"job {name}: give either every= or cron=")
    schedule = cron if cron is not None else _cron_of(every or timedelta())

    def declare(function: Declared) -> Declared:
        _add(Job(name, function, queue, retry or RetryPolicy(), f"periodic:{name}", schedule))
        return function

    return declare


def allow(name: str, *, queue: str = DEFAULT_QUEUE) -> None:
    """Let this process defer `name` although its room is not imported here."""
    ALLOWED[name] = queue


def is_temporary(error: BaseException) -> bool:
    """Does the error itself say that waiting helps?"""
    return isinstance(error, Retry | Unavailable)


def _add(declared: Job) -> None:
    if not declared.name or len(declared.name) > NAME_LIMIT:
        raise ValueError(f"job name must have 1 to {NAME_LIMIT} characters: {declared.name!r}")
    known = JOBS.get(declared.name)
    if known is not None and _place(known) != _place(declared):
        raise ValueError(f"two jobs are called {declared.name!r}")
    JOBS[declared.name] = declared


def _place(declared: Job) -> tuple[str, str]:
    return declared.function.__module__, declared.function.__qualname__


def _cron_of(every: timedelta) -> str:
    seconds = int(every.total_seconds())
    if timedelta(seconds=seconds) != every or seconds < 1:
        raise ValueError("every= is a whole number of seconds, at least one")
    if seconds < 60 and 60 % seconds == 0:
        return f"* * * * * */{seconds}"
    minutes, rest = divmod(seconds, 60)
    if rest == 0 and minutes < 60 and 60 % minutes == 0:
        return f"*/{minutes} * * * *"
    hours, rest = divmod(seconds, 3600)
    if rest == 0 and hours <= 24 and 24 % hours == 0:
        return "0 0 * * *" if hours == 24 else f"0 */{hours} * * *"
    raise ValueError(f"every={every}: must divide a minute, an hour or a day; or give cron=")


@dataclass(frozen=True, slots=True)
class RunningJob:
    """The job this task is running: for logs and for the request id of events."""

    id: int
    name: str
    run: int


_running: ContextVar[RunningJob | None] = ContextVar("running_job", default=None)


def running() -> RunningJob | None:
    """The job being run here, or None outside a worker."""
    return _running.get()


@contextmanager
def run_as(current: RunningJob) -> Iterator[None]:
    """Make `running` answer `current` inside the block."""
    token = _running.set(current)
    try:
        yield
    finally:
        _running.reset(token)
