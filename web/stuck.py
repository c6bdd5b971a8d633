"""What is stuck, in the whole house: why, since when, who has to act, when it is tried again."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from compliance import machines as compliance
from core import clock, db, jobs
from core.actor import Actor
from core.errors import Forbidden, NotFound
from core.jobs import machines as job_machines
from core.machines import OWNERS, Machine, Owner, Watch
from core.paging import require_limit
from directory import machines as directory
from directory import organizations, second_factor
from docflow.documents import machines as documents
from docflow.routing import machines as routing
from evidence import machines as evidence
from notify import machines as notify
from signatures import machines as signatures
from web import words
from web.translation import N_

MACHINES: Sequence[Machine] = (
    *job_machines.MACHINES, *signatures.MACHINES, *directory.MACHINES, *notify.MACHINES,
    *compliance.MACHINES, *documents.MACHINES, *routing.MACHINES, *evidence.MACHINES,
)  # fmt: skip
"""Every table with a status. A new one is a line in its room, and a test asks for it."""

WATCHES: Mapping[str, Watch] = {
    watch.code: watch for machine in MACHINES for watch in machine.watches if watch.sql
}
"""What is listed, by code."""

CODES: Mapping[str, str] = {
    **words.DOCUMENT_STATUS, **words.DELIVERY_STATUS, **words.MESSAGE_STATUS, **words.STUCK,
    "late": N_("Late"), "overdue": N_("Late"), "open": N_("Not closed"),
    "pending": N_("Waits for a decision"), "proposed": N_("Waits for a decision"),
    "work_waiting": N_("Waits for a decision"), "review": N_("Waits for a decision"),
    "executing": N_("Not carried out to the end"),
}  # fmt: skip
"""Words for why a thing is listed; other codes are those of errors, for whoever looks further."""

READERS = frozenset({"clerk", "signatory", "lawyer"})
"""Who sees what is stuck of their own organization; administering gives no right to read."""


LAST_NUMBER = 2**63 - 1
"""Of jobs; PostgreSQL has no larger bigint."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How many are stuck for one reason, and since when."""

    code: str
    ru: str
    en: str
    owner: Owner
    owner_ru: str
    owner_en: str
    sweep: str
    limit_seconds: int | None
    number: int
    since: datetime | None
    may_retry: bool


@dataclass(frozen=True, slots=True)
class Stuck:
    """One thing that is stuck."""

    kind: str
    id: str
    organization_id: uuid.UUID | None
    document_id: uuid.UUID | None
    since: datetime | None
    code: str
    note: str | None
    next_at: datetime | None


async def scope_of(actor: Actor) -> uuid.UUID | None:
    """Whose stuck things the actor sees: its organization's, and None (all) for the center's
    administrators.
    """
    if await organizations.is_keeper(actor):
        second_factor.demand(actor)
        return None
    actor.require(*READERS)
    return actor.home_id


async def kinds(actor: Actor, *, all_of_them: bool = False) -> list[Kind]:
    """What is stuck, by kind; with `all_of_them` also the kinds of which nothing is."""
    scope = await scope_of(actor)
    found = [(watch, *await _count(watch, scope)) for watch in WATCHES.values()]
    return [
        Kind(
            watch.code, watch.ru, watch.en, watch.owner, *OWNERS[watch.owner], watch.sweep,
            int(watch.limit.total_seconds()) if isinstance(watch.limit, timedelta) else None,
            number, since,
            watch.retry is not None and bool(actor.roles & set(watch.may_retry)),
        )
        for watch, number, since in found
        if number or all_of_them
    ]  # fmt: skip


async def listed(
    actor: Actor, code: str, *, after: str | None = None, limit: int = 100
) -> list[Stuck]:
    """One page of the stuck things of a kind, by id. Raises NotFound, `bad_limit`."""
    scope, watch = await scope_of(actor), _watch(code)
    require_limit(limit, most=200)
    rows = await db.rows(
        f"""SELECT id::text AS id, organization_id, document_id, since,
                   coalesce(code, '') AS code, note, next_at FROM ({watch.sql}) AS s
            WHERE ($3::uuid IS NULL OR organization_id = $3)
            AND ($4::text IS NULL OR id::text > $4) ORDER BY id::text LIMIT $5""",
        clock.now(), _interval(watch), scope, after, limit,
    )  # fmt: skip
    return [Stuck(kind=code, **row) for row in rows]


async def retry(actor: Actor, code: str, thing_id: uuid.UUID) -> None:
    """Do what a person can do about it: mostly, try again at once. NotFound where nothing can."""
    watch = _watch(code)
    if watch.retry is None:
        raise NotFound(
            "Здесь нечего повторять: что сделать, сказано в описании.",
            "Nothing can be tried again here: the description says what to do.",
            code="no_retry",
        )
    await watch.retry(actor, thing_id)


async def late_jobs(actor: Actor, *, after: int = 0, limit: int = 100) -> list[jobs.StuckJob]:
    """One page of the background work that did not simply run, by number. Raises `center_only`."""
    await _require_keeper(actor)
    require_limit(limit, most=200)
    return await jobs.stuck(after=max(0, min(after, LAST_NUMBER)), limit=limit)


async def retry_job(actor: Actor, job_id: int) -> None:
    """Run a job again as soon as a worker is free. Raises NotFound, `center_only`, and
    IllegalTransition for one that is being run.
    """
    await _require_keeper(actor)
    if not 0 < job_id <= LAST_NUMBER:
        raise NotFound
    await jobs.retry_now(job_id)


async def _require_keeper(actor: Actor) -> None:
    """The queue is the installation's, so only who administers the center looks into it."""
    second_factor.demand(actor)
    if not await organizations.is_keeper(actor):
        raise Forbidden(
            "Очередь заданий видят только администраторы федерального центра.",
            "Only administrators of the federal center see the job queue.",
            code="center_only",
        )


async def metrics() -> list[str]:
    """Lines for Prometheus: how many of each kind, and the age of the oldest. No names, no ids."""
    lines = ["# TYPE docflow_stuck gauge"]
    ages = ["# TYPE docflow_stuck_oldest_seconds gauge"]
    late_jobs = await jobs.stuck(limit=1000)
    found: list[tuple[str, int, datetime | None]] = [
        ("job", len(late_jobs), min((one.since for one in late_jobs if one.since), default=None))
    ]
    found += [(watch.code, *await _count(watch, None)) for watch in WATCHES.values()]
    for code, number, since in found:
        age = max(0.0, (clock.now() - since).total_seconds()) if since else 0.0
        lines.append(f'docflow_stuck{{kind="{code}"}} {number}')
        ages.append(f'docflow_stuck_oldest_seconds{{kind="{code}"}} {age:.0f}')
    return [*lines, *ages]


async def _count(watch: Watch, scope: uuid.UUID | None) -> tuple[int, datetime | None]:
    row: Mapping[str, Any] | None = await db.row(
        f"""SELECT count(*) AS number, min(since) AS since FROM ({watch.sql}) AS s
            WHERE $3::uuid IS NULL OR organization_id = $3""",
        clock.now(), _interval(watch), scope,
    )  # fmt: skip
    return (row["number"], row["since"]) if row else (0, None)


def _watch(code: str) -> Watch:
    if code not in WATCHES:
        raise NotFound(kind=code)
    return WATCHES[code]


def _interval(watch: Watch) -> timedelta | None:
    return watch.limit if isinstance(watch.limit, timedelta) else None
