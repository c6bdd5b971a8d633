"""The worker: procrastinate runs the declared jobs; what it lacks is added around it (ADR 0003).

Only the job process imports this module; rooms and the web process need ``core.jobs`` alone.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import procrastinate
from procrastinate.jobs import Job as StoredJob
from procrastinate.worker import Worker

from core import clock, db
from core.errors import ServiceError
from core.jobs.recovery import HEARTBEAT, SILENCE, SWEEP_EVERY, record_failure, requeue, sweep
from core.jobs.registry import JOBS, Job, Retry, RetryPolicy, RunningJob, is_temporary, run_as
from core.jobs.schema import check_schema
from core.settings import settings

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Retries and scheduled jobs are found by polling, at most this late; new ones by NOTIFY."""

GRACE_SECONDS = 20.0
"""How long a stopping worker waits for its jobs; then they are cancelled and go back."""

CATCH_UP = timedelta(days=7)
"""A periodic job whose last tick was missed for less runs once at the start."""

_DUE = """
SELECT EXISTS (SELECT FROM procrastinate_jobs
WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())
  AND ($1::text[] IS NULL OR queue_name = ANY ($1)))
"""


async def run_worker(
    stop: asyncio.Event | None = None,
    *,
    concurrency: int = 8,
    queues: Sequence[str] | None = None,
    once: bool = False,
) -> None:
    """Run jobs until `stop` is set; needs the open pool of ``core.db``.

    Outlives a database that goes away: it starts again by itself. With `once` it runs whatever
    is due, and what that defers, and returns; jobs scheduled for later and periodic ticks are
    left alone. `queues` limits what it takes. On `stop` or cancellation it takes nothing new,
    waits `GRACE_SECONDS`, and gives the rest back to the queue.
    """
    if db.in_transaction():
        raise RuntimeError("a worker inside a transaction would run every job in it")
    await check_schema()
    if once:
        await _drain(concurrency, queues)
        return
    stop = stop or asyncio.Event()
    while not stop.is_set():
        try:
            await _shift(stop, concurrency, queues)
        except Exception:
            log.exception("the worker stopped by itself and will start again")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=POLL_SECONDS)


async def _shift(stop: asyncio.Event, concurrency: int, queues: Sequence[str] | None) -> None:
    """One life of the library's worker, from registration to the stop or an error."""
    at_work: set[int] = set()
    app = _application(at_work, with_periodic=True)
    worker = _worker(app, concurrency, queues, wait=True)
    async with app.open_async():
        beside = [
            asyncio.create_task(_stop_with(stop, worker)),
            asyncio.create_task(_keep_sweeping(worker, at_work)),
        ]
        try:
            await worker.run()  # type: ignore[no-untyped-call]  # reason: the library leaves it unannotated
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


async def _drain(concurrency: int, queues: Sequence[str] | None) -> None:
    """Run until nothing is due; jobs that wait for another worker's lock are waited for."""
    app = _application(set(), with_periodic=False)
    worker = _worker(app, concurrency, queues, wait=False)
    async with app.open_async():
        await sweep()
        while True:
            await worker.run()  # type: ignore[no-untyped-call]  # reason: the library leaves it unannotated
            if not await db.value(_DUE, None if queues is None else list(queues)):
                return
            await asyncio.sleep(0.02)


def _worker(
    app: procrastinate.App, concurrency: int, queues: Sequence[str] | None, *, wait: bool
) -> Worker:
    return Worker(
        app,
        queues=queues,
        concurrency=concurrency,
        wait=wait,
        listen_notify=wait,
        fetch_job_polling_interval=POLL_SECONDS,
        shutdown_graceful_timeout=GRACE_SECONDS,
        delete_jobs="successful",
        install_signal_handlers=False,
        update_heartbeat_interval=HEARTBEAT.total_seconds(),
        stalled_worker_timeout=SILENCE.total_seconds(),
    )


def _application(at_work: set[int], *, with_periodic: bool) -> procrastinate.App:
    """The declared jobs as the library's tasks, over a small pool of its own driver."""
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=settings().database_url, min_size=1, max_size=4
        ),
        periodic_defaults={"max_delay": CATCH_UP.total_seconds()},
    )
    for declared in JOBS.values():
        task = app.task(
            name=declared.name,
            queue=declared.queue,
            retry=_FromTheError(declared.retry),
            pass_context=True,
            lock=declared.lock if declared.cron else None,
            queueing_lock=f"{declared.name}:tick" if declared.cron else None,
        )(_runner(declared, at_work))
        if declared.cron and with_periodic:
            app.periodic(cron=declared.cron)(task)
    return app


def _runner(declared: Job, at_work: set[int]) -> Callable[..., Awaitable[None]]:
    async def run(context: procrastinate.JobContext, **arguments: Any) -> None:
        job_id = context.job.id or 0
        if declared.cron:
            arguments.pop("timestamp", None)
        at_work.add(job_id)
        try:
            with run_as(RunningJob(job_id, declared.name, context.job.attempts + 1)):
                await declared.function(**arguments)
        except Exception as error:
            await record_failure(job_id, error)
            raise
        finally:
            at_work.discard(job_id)

    return run


class _FromTheError(procrastinate.BaseRetryStrategy):
    """The error decides whether and when a job is run again."""

    def __init__(self, policy: RetryPolicy) -> None:
        self.policy = policy

    def get_retry_decision(
        self, *, exception: BaseException, job: StoredJob
    ) -> procrastinate.RetryDecision | None:
        """Never for a ServiceError that is not temporary; at once after a shutdown."""
        if isinstance(exception, asyncio.CancelledError):
            return procrastinate.RetryDecision(retry_at=clock.now())
        temporary = is_temporary(exception)
        if isinstance(exception, ServiceError) and not temporary:
            return None
        runs = job.attempts + 1
        if not self.policy.may_run_again(runs=runs, temporary=temporary):
            return None
        after = exception.after if isinstance(exception, Retry) else None
        if after is None:
            after = self.policy.wait_with_jitter(runs)
        return procrastinate.RetryDecision(retry_at=clock.now() + after)


async def _stop_with(stop: asyncio.Event, worker: Worker) -> None:
    await stop.wait()
    worker.stop()  # type: ignore[no-untyped-call]  # reason: the library leaves it unannotated


async def _keep_sweeping(worker: Worker, at_work: set[int]) -> None:
    """Recover jobs of dead workers, and our own whose end could not be written down."""
    suspects: set[int] = set()
    while True:
        try:
            await sweep()
            suspects = await _unrecorded(worker.worker_id, at_work, suspects)
        except Exception:
            log.exception("the sweep failed and will be repeated")
        await asyncio.sleep(SWEEP_EVERY.total_seconds())


async def _unrecorded(worker_id: int | None, at_work: set[int], before: set[int]) -> set[int]:
    """Requeue what is 'doing' in this worker's name in two sweeps running, though it ended.

    The library gives up when the end of a job cannot be written, and the job would stay 'doing'
    for ever under a living worker (procrastinate #1518).
    """
    found = await db.rows(
        "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = $1", worker_id
    )
    now = {row["id"] for row in found} - at_work
    lost = sorted(now & before)
    if lost:
        async with db.transaction():
            await requeue(lost)
    return now - set(lost)
