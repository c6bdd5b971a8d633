"""Legal hold (запрет на уничтожение): what may be neither erased nor destroyed, and by whose word.

A hold lies on a document, a person or an organization until it is lifted or its last day is over.
On an organization it holds all that the organization wrote or registered; on a person all that
the person wrote, signed or has to execute. Who erases or destroys asks `on` or `against_person`
inside the transaction that does it: a hold cannot come in between.
"""

import uuid
from collections.abc import Sequence
from datetime import date

from audit import events
from core import clock, db, idempotency
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.paging import require_limit
from directory import links, organizations, selection
from directory.selection import Selector

KINDS = ("document", "person", "organization")
ROLES = ("lawyer", "administrator")
MAX_REASON = 2000
MAX_LIMIT = 200

_LOCK = 0x686F6C64  # "hold"

_STANDS = "h.lifted_at IS NULL AND (h.until IS NULL OR h.until >= {today})"

_ACCOUNTS = "SELECT a.id FROM account AS a WHERE a.person_id = h.subject_id"

_REACHES = f"""(h.kind = 'document' AND h.subject_id = d.id)
    OR (h.kind = 'organization' AND (h.subject_id = d.organization_id OR EXISTS (
        SELECT 1 FROM registration AS r
        WHERE r.document_id = d.id AND r.organization_id = h.subject_id)))
    OR (h.kind = 'person' AND (h.subject_id IN (d.signatory_id, d.executor_id)
        OR d.author_id IN ({_ACCOUNTS}) OR d.signatory_id IN ({_ACCOUNTS})
        OR d.executor_id IN ({_ACCOUNTS}) OR EXISTS (
        SELECT 1 FROM signature AS s
        WHERE s.document_id = d.id AND s.account_id IN ({_ACCOUNTS}))))"""
"""Does the hold `h` lie on the document `d`?"""


async def on(document_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these documents are held; until the end of the open transaction none is added."""
    await _keep_holds_away()
    found = await db.rows(
        f"""SELECT d.id FROM document AS d WHERE d.id = ANY($1::uuid[]) AND EXISTS (
                SELECT 1 FROM legal_hold AS h
                WHERE {_STANDS.format(today="$2::date")} AND ({_REACHES}))""",
        list(document_ids), clock.today(),
    )  # fmt: skip
    return {row["id"] for row in found}


async def against_person(person_id: uuid.UUID) -> list[db.Row]:
    """The holds that forbid erasing a person; until the end of the open transaction none is added.

    That is: those on the person, on organizations where they hold or held a post or a role, and
    on documents they wrote, signed or have to execute.
    """
    await _keep_holds_away()
    return await db.rows(
        f"""WITH own AS (SELECT id FROM account WHERE person_id = $1),
                 papers AS (
                     SELECT d.id, d.organization_id FROM document AS d
                     WHERE $1 IN (d.signatory_id, d.executor_id)
                        OR d.author_id IN (SELECT id FROM own)
                        OR d.signatory_id IN (SELECT id FROM own)
                        OR d.executor_id IN (SELECT id FROM own)
                        OR d.id IN (SELECT s.document_id FROM signature AS s
                                    WHERE s.account_id IN (SELECT id FROM own))),
                 places AS (
                     SELECT organization_id AS id FROM post WHERE person_id = $1
                     UNION SELECT organization_id FROM role_grant
                     WHERE account_id IN (SELECT id FROM own)
                     UNION SELECT organization_id FROM papers)
            SELECT h.* FROM legal_hold AS h WHERE {_STANDS.format(today="$2::date")} AND (
                (h.kind = 'person' AND h.subject_id = $1)
                OR (h.kind = 'organization' AND h.subject_id IN (SELECT id FROM places))
                OR (h.kind = 'document' AND h.subject_id IN (SELECT id FROM papers)))
            ORDER BY h.id""",
        person_id, clock.today(),
    )  # fmt: skip


async def place(
    actor: Actor,
    *,
    kind: str,
    subject_id: uuid.UUID,
    reason: str,
    until: date | None = None,
    key: str | None = None,
) -> uuid.UUID:
    """Put a hold on a document, person or organization; it stands from the end of the transaction.

    For lawyers and administrators of its organization or one above. `until` is its last day,
    none: until it is lifted. Raises `unknown_hold`, `hold_reason`, `hold_over`, `not_found`.
    """
    actor.require(*ROLES)
    _require_text(reason)
    if until is not None and until < clock.today():
        raise InvalidInput(
            "Срок запрета уже прошёл. Укажите день не раньше сегодняшнего.",
            "The hold would be over already. Name today or a later day.",
            code="hold_over",
            field="until",
        )
    asked = idempotency.request_hash("hold", kind, str(subject_id), reason, str(until))

    async def create() -> uuid.UUID:
        home = await _home_of(kind, subject_id)
        await _require_over(actor, home)
        hold_id = clock.new_id()
        await db.value("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await db.execute(
            """INSERT INTO legal_hold (id, kind, subject_id, organization_id, reason, until,
                                       set_by, set_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
            hold_id, kind, subject_id, home or actor.home_id, reason.strip(), until, actor.id,
            clock.now(),
        )  # fmt: skip
        await _tell(actor, "hold.placed", hold_id, kind, subject_id, reason, until)
        return hold_id

    hold_id, _ = await idempotency.once(scope=actor.home_id, key=key, request=asked, create=create)
    return hold_id


async def lift(actor: Actor, hold_id: uuid.UUID, *, reason: str) -> None:
    """End a hold now; who and why stays in its row and in the log. `hold_lifted` a second time."""
    actor.require(*ROLES)
    _require_text(reason)
    async with db.transaction():
        found = await db.row("SELECT * FROM legal_hold WHERE id = $1 FOR UPDATE", hold_id)
        if found is None:
            raise NotFound(hold_id=str(hold_id))
        await _require_over(actor, found["organization_id"])
        if found["lifted_at"] is not None:
            raise Conflict("Запрет уже снят.", "The hold was lifted already.", code="hold_lifted")
        await db.execute(
            "UPDATE legal_hold SET lifted_by = $2, lifted_at = $3, lift_reason = $4 WHERE id = $1",
            hold_id, actor.id, clock.now(), reason.strip(),
        )  # fmt: skip
        await _tell(actor, "hold.lifted", hold_id, found["kind"], found["subject_id"], reason, None)


async def listed(
    actor: Actor, *, standing: bool = True, after: uuid.UUID | None = None, limit: int = 50
) -> list[db.Row]:
    """Holds on what belongs to the actor's organization or lies below it, newest first."""
    actor.require(*ROLES)
    require_limit(limit, most=MAX_LIMIT)
    below, values = selection.ids_sql(
        Selector(subtree_of=actor.home_id, with_root=True), on=clock.today(), first=5
    )
    return await db.rows(
        f"""SELECT h.*, {_STANDS.format(today="$1::date")} AS stands FROM legal_hold AS h
            WHERE (NOT $2 OR {_STANDS.format(today="$1::date")})
              AND ($3::uuid IS NULL OR h.id < $3) AND (h.organization_id IN ({below})
                OR EXISTS (SELECT 1 FROM organization WHERE id = $4 AND kind = 'center'))
            ORDER BY h.id DESC LIMIT {limit:d}""",
        clock.today(), standing, after, actor.home_id, *values,
    )  # fmt: skip


def refusal(found: Sequence[db.Row]) -> Conflict:
    """The error that says by which holds something is refused, with the ids of the holds."""
    return Conflict(
        "Действует запрет на уничтожение. Сначала его должен снять тот, кто вправе.",
        "A legal hold stands against it. Whoever may do so has to lift it first.",
        code="legal_hold",
        holds=[row["id"] for row in found],
    )


async def _keep_holds_away() -> None:
    """Whoever sets a hold waits for the end of this transaction; who erases waits for nobody."""
    if db.in_transaction():
        await db.value("SELECT pg_advisory_xact_lock_shared($1)", _LOCK)


async def _home_of(kind: str, subject_id: uuid.UUID) -> uuid.UUID | None:
    """The organization a subject belongs to; None for a person without post and role."""
    if kind not in KINDS:
        raise InvalidInput(
            f"Запрет налагают на одно из: {', '.join(KINDS)}.",
            f"A hold lies on one of: {', '.join(KINDS)}.",
            code="unknown_hold",
            field="kind",
        )
    if kind == "person":
        found = await home_of_person(subject_id)
    else:
        column = "id" if kind == "organization" else "organization_id"
        found = await db.value(f"SELECT {column} FROM {kind} WHERE id = $1", subject_id)
    if found is None and not await db.value(f"SELECT true FROM {kind} WHERE id = $1", subject_id):
        raise NotFound(subject_id=str(subject_id))
    return found


async def home_of_person(person_id: uuid.UUID) -> uuid.UUID | None:
    """The organization of a person's last post, or last role; None without either."""
    found: uuid.UUID | None = await db.value(
        """SELECT organization_id FROM (
               SELECT organization_id, 1 AS turn, valid_from::timestamptz AS since FROM post
               WHERE person_id = $1
               UNION ALL
               SELECT g.organization_id, 2, g.granted_at FROM role_grant AS g
               JOIN account AS a ON a.id = g.account_id WHERE a.person_id = $1) AS place
           ORDER BY turn, since DESC LIMIT 1""",
        person_id,
    )
    return found


async def _require_over(actor: Actor, home: uuid.UUID | None) -> None:
    """NotFound for what lies outside the actor's part of the federation."""
    if home is None:  # somebody without post and role is the center's to keep
        if actor.kind != "rule" and not await organizations.is_center(actor.home_id):
            raise NotFound
        return
    try:
        await links.require_authority(actor, home, roles=ROLES)
    except Forbidden as problem:
        raise NotFound from problem


def _require_text(reason: str) -> None:
    if not 3 <= len(reason.strip()) <= MAX_REASON or "\0" in reason:
        raise InvalidInput(
            f"Укажите причину, от 3 до {MAX_REASON} знаков.",
            f"Give the reason, 3 to {MAX_REASON} characters.",
            code="hold_reason",
            field="reason",
        )


async def _tell(
    actor: Actor, verb: str, hold_id: uuid.UUID, kind: str, subject_id: uuid.UUID, reason: str,
    until: date | None,
) -> None:  # fmt: skip
    await events.record(
        actor, verb, subject=("legal_hold", hold_id),
        document_id=subject_id if kind == "document" else None,
        data={"kind": kind, "subject": str(subject_id),
              "until": None if until is None else until.isoformat()},
        detail={"reason": reason},
    )  # fmt: skip
