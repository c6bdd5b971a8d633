"""Asking for work: a job is a row written in the caller's own transaction.

Whoever rolls back leaves no job; whoever commits has one for certain (transactional outbox).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from core import db
from core.jobs.registry import ALLOWED, JOBS

# A queued job with the same key is locked until the caller's commit instead of being skipped: a
# worker that took it meanwhile would not see the caller's change, and nobody would run again.
# A job in its back-off keeps its time, so that asking again does not defeat the pause.
_INSERT = """
INSERT INTO procrastinate_jobs AS job
    (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
SELECT $1, $2, $3, wanted.lock, wanted.key, wanted.args::jsonb, $4::timestamptz
FROM unnest($5::text[], $6::text[], $7::text[]) AS wanted (lock, key, args)
ORDER BY wanted.key NULLS FIRST
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO UPDATE
SET priority = greatest(job.priority, excluded.priority),
    scheduled_at = CASE
        WHEN job.attempts > 0 THEN job.scheduled_at
        WHEN job.scheduled_at IS NULL OR excluded.scheduled_at IS NULL THEN NULL
        ELSE least(job.scheduled_at, excluded.scheduled_at) END
"""


async def defer(
    name: str,
    *,
    key: str | None = None,
    lock: str | None = None,
    priority: int = 0,
    at: datetime | None = None,
    **arguments: Any,
) -> None:
    """Queue job `name` in the open transaction (or at once when there is none).

    `key`: at most one such job waits; asking again joins it, makes it as urgent and as early as
    the more urgent and earlier of the two, and keeps its arguments. `lock`: one job with this
    lock runs at a time, in no promised order; by default the job's own. `priority`: higher runs
    first. `at`: not before this aware moment. `arguments`: ids, enums and other JSON values,
    never personal data and never bytes. A name that is neither declared nor allowed is a defect
    of the caller and raises LookupError.
    """
    await defer_many(name, [arguments], keys=[key], lock=lock, priority=priority, at=at)


async def defer_many(
    name: str,
    list_of_arguments: Sequence[Mapping[str, Any]],
    *,
    keys: Sequence[str | None] | None = None,
    lock: str | None = None,
    priority: int = 0,
    at: datetime | None = None,
) -> None:
    """Queue one job for each mapping of arguments in a single statement; as `defer` otherwise.

    `keys` goes in parallel with the arguments; a key that repeats is queued once.
    """
    queue = _queue_of(name)
    if at is not None and at.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    wanted = _unique(name, list_of_arguments, keys, lock)
    if not wanted:
        return
    locks, asked, bodies = zip(*wanted, strict=True)
    await db.execute(_INSERT, queue, name, priority, at, locks, asked, bodies)


def _queue_of(name: str) -> str:
    declared = JOBS.get(name)
    if declared is not None:
        return declared.queue
    if name in ALLOWED:
        return ALLOWED[name]
    raise LookupError(f"no job is called {name!r}; declare it or core.jobs.allow() its name")


def _unique(
    name: str,
    list_of_arguments: Sequence[Mapping[str, Any]],
    keys: Sequence[str | None] | None,
    lock: str | None,
) -> list[tuple[str | None, str | None, str]]:
    """Lock, key and JSON for each job, repeated keys left out."""
    seen: set[str] = set()
    wanted: list[tuple[str | None, str | None, str]] = []
    given = [None] * len(list_of_arguments) if keys is None else keys
    for arguments, key in zip(list_of_arguments, given, strict=True):
        stored_key = None if key is None else f"{name}:{key}"
        if stored_key is not None:
            if stored_key in seen:
                continue
            seen.add(stored_key)
        body = json.dumps(arguments, ensure_ascii=False, default=_plain)
        wanted.append((lock or _lock_of(name, arguments), stored_key, body))
    return wanted


def _lock_of(name: str, arguments: Mapping[str, Any]) -> str | None:
    declared = JOBS.get(name)
    if declared is None or declared.lock is None:
        return None
    return declared.lock.format(**arguments)


def _plain(value: Any) -> str:
    """Ids and moments become text; everything else has no place in a job."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a job takes ids and plain values, not {type(value).__name__}")
