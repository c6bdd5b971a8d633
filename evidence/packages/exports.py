"""Exports of evidence: asked for with purpose and ground, registered, packed, taken, expired."""

import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from audit import events, reads, transitions
from core import clock, db, idempotency, jobs
from core.actor import RULE, Actor
from core.errors import Conflict, InvalidInput, NotFound, ServiceError
from core.jobs.registry import is_temporary
from core.paging import require_limit
from directory import links
from docflow.documents import visibility
from evidence.packages import closing, masking, packing, plan, told
from evidence.packages.states import OPEN, TRANSITIONS, ExportKind, ExportStatus
from storage import blobs

ROLES = ("lawyer", "administrator")
"""Who may take evidence out of the house."""
JOB = "evidence.build"
jobs.allow(JOB)
KEPT = timedelta(days=14)
"""How long a finished package lies there to be taken."""
MAX_TEXT = 2000
MAX_LIMIT = 200
MAX_DAYS = 366 * 10

Progress = Callable[[db.Row], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, why, on what ground and for whom; all of it is registered."""

    kind: ExportKind
    purpose: str
    basis: str
    recipient: str
    subject_id: uuid.UUID | None = None
    since: date | None = None
    until: date | None = None
    level: str = "full"


async def request(actor: Actor, wanted: Wanted, *, key: str | None = None) -> uuid.UUID:
    """Register an export and queue its packing; answers its id.

    For lawyers and administrators, of what their organization may see. Raises `not_found` for a
    subject it may not see, `wrong_subject`, `wrong_period`, `level_unknown`.
    """
    await _require(actor, wanted)
    asked = idempotency.request_hash(
        wanted.kind, str(wanted.subject_id), str(wanted.since), str(wanted.until), wanted.level,
        wanted.purpose, wanted.basis, wanted.recipient,
    )  # fmt: skip

    async def create() -> uuid.UUID:
        export_id = await _enter(actor, wanted)
        await jobs.defer(JOB, key=str(export_id), export_id=export_id)
        return export_id

    export_id, _ = await idempotency.once(
        scope=actor.home_id, key=key, request=asked, create=create
    )
    return export_id


async def begin(actor: Actor, wanted: Wanted) -> uuid.UUID:
    """Register an export that the caller packs itself with `build`. Raises as `request`."""
    await _require(actor, wanted)
    return await _enter(actor, wanted)


async def _enter(actor: Actor, wanted: Wanted) -> uuid.UUID:
    """Write the export and its event."""
    export_id, moment = clock.new_id(), clock.now()
    async with db.transaction():
        await db.execute(
            """INSERT INTO evidence_export (id, kind, subject_id, since, until, organization_id,
                   actor_kind, requested_by, level, purpose, basis, recipient, status, created_at,
                   updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'queued', $13, $13)""",
            export_id, wanted.kind, wanted.subject_id, wanted.since, wanted.until, actor.home_id,
            actor.kind, actor.account_id, wanted.level, wanted.purpose.strip(),
            wanted.basis.strip(), wanted.recipient.strip(), moment,
        )  # fmt: skip
        # Purpose, ground and recipient may name people, so they lie in the part that can be erased.
        await events.record(
            actor, "evidence.requested", subject=("evidence_export", export_id),
            document_id=wanted.subject_id if wanted.kind is ExportKind.DOCUMENT else None,
            data={"kind": wanted.kind, "subject": _text(wanted.subject_id), "level": wanted.level,
                  "since": _text(wanted.since), "until": _text(wanted.until)},
            detail={"purpose": wanted.purpose, "basis": wanted.basis,
                    "recipient": wanted.recipient},
        )  # fmt: skip
    return export_id


async def _require(actor: Actor, wanted: Wanted) -> None:
    actor.require(*ROLES)
    _require_whole(wanted)
    await _require_subject(actor, wanted)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _require_whole(wanted: Wanted) -> None:
    for name in ("purpose", "basis", "recipient"):
        text = getattr(wanted, name).strip()
        if not 3 <= len(text) <= MAX_TEXT or "\0" in text:
            raise InvalidInput(
                f"Укажите цель, основание и получателя, от 3 до {MAX_TEXT} знаков.",
                f"Give purpose, legal ground and recipient, 3 to {MAX_TEXT} characters each.",
                code="purpose_missing",
                field=name,
            )
    if wanted.level not in masking.LEVELS:
        raise InvalidInput(
            "Уровень персональных данных: full или masked.",
            "Level of personal data: full or masked.",
            code="level_unknown",
        )
    is_period = wanted.kind is ExportKind.PERIOD
    if is_period == (wanted.subject_id is not None):
        raise InvalidInput(
            "Для периода не указывают предмет, для остальных он нужен.",
            "A period has no subject; everything else needs one.",
            code="wrong_subject",
        )
    days = None if wanted.since is None or wanted.until is None else wanted.until - wanted.since
    if is_period != (days is not None) or (days is not None and not 0 <= days.days <= MAX_DAYS):
        raise InvalidInput(
            "Период: две даты, вторая не раньше первой, не больше десяти лет.",
            "A period: two dates, the second not before the first, at most ten years.",
            code="wrong_period",
        )


async def _require_subject(actor: Actor, wanted: Wanted) -> None:
    """NotFound for what the organization may not see."""
    subject_id, home = wanted.subject_id, actor.home_id
    if subject_id is None:
        return
    is_there: Any = False
    if wanted.kind is ExportKind.DOCUMENT:
        is_there = await db.value(
            f"""SELECT true FROM document AS d WHERE d.id = $2
                AND {visibility.condition("d", "$1", "$3")}""",
            home, subject_id, actor.id,
        )  # fmt: skip
    elif wanted.kind is ExportKind.PICTURE:
        owner = await db.value("SELECT organization_id FROM picture_use WHERE id = $1", subject_id)
        is_there = owner is not None and await _is_over(home, owner)
    elif wanted.kind is ExportKind.ORGANIZATION:
        is_there = await _is_over(home, subject_id)
    else:
        places = await db.rows(
            """SELECT organization_id FROM post WHERE person_id = $1
               UNION SELECT g.organization_id FROM role_grant AS g
               JOIN account AS a ON a.id = g.account_id WHERE a.person_id = $1""",
            subject_id,
        )
        is_there = any([await _is_over(home, row["organization_id"]) for row in places])
    if not is_there:
        raise NotFound(subject_id=str(subject_id))


async def _is_over(home: uuid.UUID, other: uuid.UUID) -> bool:
    return home == other or await links.is_above(upper_id=home, lower_id=other, on=clock.today())


async def build(export_id: uuid.UUID, *, progress: Progress | None = None) -> None:
    """Pack an export to its end, or as far as it comes; called again it goes on where it was.

    What cannot be helped by waiting ends it as `failed` with its reason; everything else is raised.
    Belongs outside a transaction.
    """
    export = await row_of(export_id)
    if export["status"] not in OPEN:
        return
    try:
        await _begin(export)
        while (export := await row_of(export_id))["items_done"] < export["items"]:
            if progress is not None:
                progress(export)
            await packing.pack_some(export)
        await _finish(export)
    except ServiceError as problem:
        if is_temporary(problem):
            raise
        await _fail(export, problem)


async def _begin(export: db.Row) -> None:
    """Fix what the package tells of, once."""
    if export["items"]:
        return
    event_id = await db.value(
        "SELECT id FROM event WHERE subject_id = $1 AND verb = 'evidence.requested'", export["id"]
    )
    log_size = await told.pin(event_id)
    async with db.transaction():
        if export["status"] == ExportStatus.QUEUED:
            await _move(export, ExportStatus.PACKING, assign={"log_size": log_size})
        items = await plan.fill(export)
        await db.execute("UPDATE evidence_export SET items = $2 WHERE id = $1", export["id"], items)


async def _finish(export: db.Row) -> None:
    end = await closing.close(export, after=(export["members"], export["bytes"]))
    moment = clock.now()
    people = await db.value(
        "SELECT count(*) FROM evidence_item WHERE export_id = $1 AND line IS NOT NULL", export["id"]
    )
    async with db.transaction():
        await db.execute(
            "INSERT INTO evidence_part (export_id, start, size, blob_id) VALUES ($1, $2, $3, $4)",
            export["id"], export["bytes"], end.size, end.blob_id,
        )  # fmt: skip
        await _move(
            export, ExportStatus.READY,
            assign={"statement_sha256": closing.digest_of(end.statement), "ready_at": moment,
                    "expires_at": moment + KEPT, "bytes": export["bytes"] + end.size},
            data={"statement": closing.digest_of(end.statement).hex(),
                  "members": export["members"], "bytes": export["bytes"] + end.size},
        )  # fmt: skip
        await reads.log(
            _asker(export), subject=("evidence_export", export["id"]), purpose="evidence_export",
            count=max(int(people), 1),
        )  # fmt: skip


async def _fail(export: db.Row, problem: ServiceError) -> None:
    await _move(
        export, ExportStatus.FAILED,
        assign={"error_code": problem.error_code, "error": problem.message_ru},
        data={"code": problem.error_code},
    )  # fmt: skip


async def _move(
    export: db.Row,
    target: ExportStatus,
    *,
    assign: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    now = await db.value("SELECT status FROM evidence_export WHERE id = $1", export["id"])
    await transitions.move(
        RULE.acting_for(export["organization_id"]), "evidence_export", export["id"],
        graph=TRANSITIONS, source=ExportStatus(now), target=target, verb=f"evidence.{target}",
        assign=assign, data=data,
    )  # fmt: skip


def _asker(export: db.Row) -> Actor:
    return Actor(
        kind=export["actor_kind"], id=export["requested_by"],
        organization_id=export["organization_id"], request_id=export["id"],
    )  # fmt: skip


async def row_of(export_id: uuid.UUID) -> db.Row:
    """An export's row; raises NotFound."""
    found = await db.row("SELECT * FROM evidence_export WHERE id = $1", export_id)
    if found is None:
        raise NotFound(export_id=str(export_id))
    return found


async def own(actor: Actor, export_id: uuid.UUID) -> db.Row:
    """An export of the actor's organization; NotFound otherwise."""
    actor.require(*ROLES)
    found = await row_of(export_id)
    if found["organization_id"] != actor.home_id:
        raise NotFound(export_id=str(export_id))
    return found


async def listed(actor: Actor, *, after: uuid.UUID | None = None, limit: int = 50) -> list[db.Row]:
    """The register of the organization's exports, newest first."""
    actor.require(*ROLES)
    require_limit(limit, most=MAX_LIMIT)
    return await db.rows(
        """SELECT * FROM evidence_export WHERE organization_id = $1
           AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3""",
        actor.home_id, after, limit,
    )  # fmt: skip


async def retry(actor: Actor, export_id: uuid.UUID) -> None:
    """Go on with an export that failed, from where it was. Raises IllegalTransition."""
    async with db.transaction():
        found = await own(actor, export_id)
        await _move(found, ExportStatus.PACKING, assign={"error_code": None, "error": None})
        await jobs.defer(JOB, key=str(export_id), export_id=export_id)


async def take(actor: Actor, export_id: uuid.UUID) -> tuple[db.Row, AsyncIterator[bytes]]:
    """The row and the bytes of a finished package; that it was taken is an event.

    Raises `not_ready`, `export_expired`.
    """
    found = await own(actor, export_id)
    if found["status"] == ExportStatus.EXPIRED:
        raise NotFound(
            "Срок хранения выгрузки истёк. Закажите её заново.",
            "The package has expired. Ask for it anew.",
            code="export_expired",
        )
    if found["status"] != ExportStatus.READY:
        raise Conflict(
            "Пакет ещё не готов. Состояние показывает сама выгрузка.",
            "The package is not ready. The export shows how far it is.",
            code="not_ready",
            status=found["status"],
        )
    await events.record(actor, "evidence.taken", subject=("evidence_export", export_id))
    return found, content(export_id)


async def content(export_id: uuid.UUID) -> AsyncIterator[bytes]:
    """The bytes of a finished package, stretch by stretch."""
    parts = await db.rows(
        "SELECT blob_id FROM evidence_part WHERE export_id = $1 ORDER BY start", export_id
    )
    for part in parts:
        async for piece in await blobs.open_blob(part["blob_id"]):
            yield piece


async def expire() -> int:
    """Let go of the bytes of packages whose time is over; answers how many packages.

    The register keeps what was handed out, with the digest of its statement.
    """
    found = await db.rows(
        "SELECT * FROM evidence_export WHERE status = 'ready' AND expires_at < $1", clock.now()
    )
    for export in found:
        async with db.transaction():
            await _move(export, ExportStatus.EXPIRED)
            parts = await db.rows(
                "DELETE FROM evidence_part WHERE export_id = $1 RETURNING blob_id", export["id"]
            )
            for table in ("evidence_member", "evidence_item"):
                await db.execute(f"DELETE FROM {table} WHERE export_id = $1", export["id"])
        for part in parts:
            await blobs.forget(part["blob_id"])
    return len(found)


async def resume_forgotten(*, silent_for: timedelta) -> int:
    """Queue again what nobody has worked on for so long; answers how many."""
    found = await db.rows(
        """SELECT id FROM evidence_export WHERE status = ANY($1) AND updated_at < $2""",
        list(OPEN), clock.now() - silent_for,
    )  # fmt: skip
    for row in found:
        await jobs.defer(JOB, key=str(row["id"]), export_id=row["id"])
    return len(found)
