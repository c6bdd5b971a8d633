"""Nothing gets stuck silently: the sweep for dead workers, the list of stuck jobs, the retry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core import db
from core.errors import IllegalTransition, NotFound, ServiceError
from core.jobs.registry import JOBS, Retry, periodic

HEARTBEAT = timedelta(seconds=3)
"""How often a living worker says so."""

SILENCE = timedelta(seconds=15)
"""A worker silent for longer is dead, and what it ran goes back to the queue."""

SWEEP_EVERY = timedelta(seconds=5)

CRASH_LIMIT = 10
"""A job that was running when this many workers died is taken for their killer and fails."""

LATE = timedelta(minutes=5)
"""A job that is due for longer and not begun is shown as waiting."""

LONG = timedelta(minutes=10)
"""A job that runs for longer is shown, although its worker lives."""


class Reason(StrEnum):
    """Why a job is on the page of stuck things."""

    FAILED = "failed"
    RETRYING = "retrying"
    WORKER_DIED = "worker_died"
    RUNS_LONG = "runs_long"
    NOT_BEGUN = "not_begun"


@dataclass(frozen=True, slots=True)
class StuckJob:
    """A job that did not simply run; `code` and the messages tell its last error."""

    id: int
    name: str
    queue: str
    reason: Reason
    runs: int
    arguments: dict[str, Any]
    lock: str | None
    since: datetime | None
    next_run_at: datetime | None
    code: str | None
    message_ru: str | None
    message_en: str | None


_DEAD = """
SELECT job.id FROM procrastinate_jobs job
LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
WHERE job.status = 'doing'
  AND (worker.id IS NULL OR worker.last_heartbeat < now() - $1::interval)
ORDER BY job.id FOR UPDATE OF job SKIP LOCKED
"""

_STUCK = """
SELECT job.id, job.task_name, job.queue_name, job.attempts, job.args, job.lock, job.scheduled_at,
       found.reason, seen.at AS since, failure.code, failure.message_ru, failure.message_en
FROM procrastinate_jobs job
LEFT JOIN job_failure failure ON failure.job_id = job.id
LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
CROSS JOIN LATERAL (
    SELECT max(at) FILTER (WHERE type <> 'scheduled') AS at
    FROM procrastinate_events WHERE job_id = job.id) seen
CROSS JOIN LATERAL (SELECT CASE
    WHEN job.status IN ('failed', 'aborted') THEN 'failed'
    WHEN job.status = 'doing'
        AND (worker.id IS NULL OR worker.last_heartbeat < now() - $1::interval) THEN 'worker_died'
    WHEN job.status = 'doing' AND seen.at < now() - $2::interval THEN 'runs_long'
    WHEN job.status = 'todo' AND failure.code IS NOT NULL THEN 'retrying'
    WHEN job.status = 'todo' AND coalesce(job.scheduled_at, seen.at) < now() - $3::interval
        THEN 'not_begun' END AS reason) found
WHERE job.status IN ('todo', 'doing', 'failed', 'aborted')
  AND found.reason IS NOT NULL AND job.id > $4
ORDER BY job.id LIMIT $5
"""

_CRASHED = """
INSERT INTO job_failure AS failure (job_id, code, message_ru, message_en, crashes)
SELECT id, 'worker_died', $2, $3, 1 FROM unnest($1::bigint[]) AS id
ON CONFLICT (job_id) DO UPDATE
SET at = now(), code = excluded.code, message_ru = excluded.message_ru,
    message_en = excluded.message_en, crashes = failure.crashes + 1
RETURNING job_id, crashes
"""

_FAILURE = """
INSERT INTO job_failure (job_id, code, message_ru, message_en)
SELECT id, $2, $3, $4 FROM procrastinate_jobs WHERE id = $1
ON CONFLICT (job_id) DO UPDATE
SET at = now(), code = excluded.code, message_ru = excluded.message_ru,
    message_en = excluded.message_en
"""


async def sweep() -> int:
    """Give the jobs of dead workers back to the queue, free their locks, answer how many.

    Harmless to run at any time and from several processes at once.
    """
    async with db.transaction():
        dead = [found["id"] for found in await db.rows(_DEAD, SILENCE)]
        await requeue(dead)
        # Much later than SILENCE: a worker that was only slow would stop on its missing row.
        await db.value("SELECT count(*) FROM procrastinate_prune_stalled_workers_v1($1)", 600.0)
    return len(dead)


async def requeue(job_ids: Sequence[int]) -> None:
    """Put running jobs back to be run at once; those at the crash limit fail instead."""
    if not job_ids:
        return
    crashed = await db.rows(
        _CRASHED,
        list(job_ids),
        "Обработчик остановился во время выполнения; задание поставлено в очередь снова.",
        "The worker died while it ran this job; the job was queued again.",
    )
    for found in crashed:
        if found["crashes"] < CRASH_LIMIT:
            await db.value(
                "SELECT procrastinate_retry_job_v2($1, now(), NULL, NULL, NULL)", found["job_id"]
            )
        else:
            await db.value(
                "SELECT procrastinate_finish_job_v1($1, 'failed', false)", found["job_id"]
            )


async def record_failure(job_id: int, error: BaseException) -> None:
    """Remember why the job failed. Unexpected errors leave their type only, never their text."""
    if isinstance(error, ServiceError):
        words = (error.error_code, error.message_ru, error.message_en)
    elif isinstance(error, Retry):
        words = (
            "retry",
            f"Будет повторено. {error.reason}".strip(),
            f"Will be run again. {error.reason}".strip(),
        )
    else:
        name = type(error).__name__
        words = (
            "defect",
            f"Непредвиденная ошибка {name}; подробности в журнале обработчика.",
            f"Unexpected error {name}; the worker's log has the details.",
        )
    await db.execute(_FAILURE, job_id, *words)


async def stuck(*, after: int = 0, limit: int = 100) -> list[StuckJob]:
    """Jobs that failed, wait for another run, hang, or are not begun; by id, keyset-paged."""
    found = await db.rows(_STUCK, SILENCE, LONG, LATE, after, limit)
    return [_stuck_job(row) for row in found]


def _stuck_job(row: db.Row) -> StuckJob:
    code = row["code"]
    if code is None and row["reason"] == Reason.FAILED and row["task_name"] not in JOBS:
        code = "unknown_job"
    return StuckJob(
        id=row["id"],
        name=row["task_name"],
        queue=row["queue_name"],
        reason=Reason(row["reason"]),
        runs=row["attempts"],
        arguments=row["args"],
        lock=row["lock"],
        since=row["since"],
        next_run_at=row["scheduled_at"] if row["reason"] == Reason.RETRYING else None,
        code=code,
        message_ru=row["message_ru"],
        message_en=row["message_en"],
    )


async def retry_now(job_id: int) -> None:
    """Run a failed, waiting or abandoned job as soon as a worker is free, its runs counted anew.

    Raises `NotFound`, and `IllegalTransition` for a job that a living worker is running. A failed
    job whose key is queued already gives way to the queued one.
    """
    async with db.transaction():
        row = await db.row(
            "SELECT job.status::text, worker.last_heartbeat >= now() - $2::interval AS alive"
            " FROM procrastinate_jobs job"
            " LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id"
            " WHERE job.id = $1 FOR UPDATE OF job",
            job_id,
            SILENCE,
        )
        if row is None:
            raise NotFound()
        if row["status"] == "todo":
            await db.execute(
                "UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE id = $1", job_id
            )
        elif row["status"] == "failed" or (row["status"] == "doing" and not row["alive"]):
            await db.value("SELECT procrastinate_retry_job_v2($1, now(), NULL, NULL, NULL)", job_id)
        else:
            raise IllegalTransition()
        await db.execute("UPDATE procrastinate_jobs SET attempts = 0 WHERE id = $1", job_id)
        await db.execute("UPDATE job_failure SET crashes = 0 WHERE job_id = $1", job_id)


async def prune(*, older_than: timedelta = timedelta(days=1)) -> int:
    """Delete jobs that were cancelled or done for longer; failed ones stay until someone acts."""
    return await db.execute(
        "DELETE FROM procrastinate_jobs job WHERE status IN ('succeeded', 'cancelled', 'aborted')"
        " AND NOT EXISTS (SELECT FROM procrastinate_events"
        " WHERE job_id = job.id AND at > now() - $1::interval)",
        older_than,
    )


@periodic("jobs.prune", every=timedelta(hours=1))
async def prune_finished() -> None:
    """Keep the queue small: the library slows down with millions of finished rows."""
    await prune()
