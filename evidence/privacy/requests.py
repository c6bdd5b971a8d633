"""What people ask about their own data: all about me, correct, erase, stop; with the law's clock.

A person asks for themselves, or a clerk enters what came on paper. Answering is a lawyer's or an
administrator's.
"""

import uuid
from datetime import date, timedelta
from typing import Any

from audit import events, reads, transitions
from core import clock, db, idempotency
from core.actor import RULE, Actor
from core.errors import Conflict, InvalidInput, NotFound
from core.paging import require_limit
from directory import blocking, people
from docflow.documents import holds
from evidence.packages import exports
from evidence.packages.states import ExportKind
from evidence.privacy import acts, consents, knowing, terms
from evidence.privacy.states import (
    EXTENDED,
    MAY_EXTEND,
    REQUEST_TRANSITIONS,
    REQUESTS,
    RequestStatus,
)

ENTERERS = ("clerk", "lawyer", "administrator")
MAX_TEXT = 2000


async def receive(
    actor: Actor,
    person_id: uuid.UUID,
    *,
    kind: str,
    reference: str = "",
    received_on: date | None = None,
    key: str | None = None,
) -> uuid.UUID:
    """Enter a request; its clock runs from the day it was received.

    `reference`: the paper's number and date. Asking to stop or taking consent back closes the
    person's data at once. Raises `request_unknown`, `request_in_future`, `person_unknown`.
    """
    if kind not in REQUESTS:
        raise InvalidInput(
            f"Вид запроса: {', '.join(REQUESTS)}.", f"Kind: one of {', '.join(REQUESTS)}.",
            code="request_unknown", field="kind",
        )  # fmt: skip
    _require_text(reference, least=0)
    today = clock.today()
    day = received_on or today
    if day > today or day < today - timedelta(days=366):
        raise InvalidInput(
            "День получения: не позже сегодняшнего и не раньше года назад.",
            "Received today or within the last year.", code="request_in_future",
        )  # fmt: skip
    await consents.require_own_or_over(actor, person_id)
    asked = idempotency.request_hash("request", str(person_id), kind, reference, str(day))

    async def create() -> uuid.UUID:
        return await _insert(actor, person_id, kind=kind, reference=reference, day=day)

    request_id, _ = await idempotency.once(
        scope=actor.home_id, key=key, request=asked, create=create
    )
    return request_id


async def _insert(
    actor: Actor, person_id: uuid.UUID, *, kind: str, reference: str, day: date
) -> uuid.UUID:
    request_id, moment = clock.new_id(), clock.now()
    home = await holds.home_of_person(person_id) or actor.home_id
    due = terms.end_of(REQUESTS[kind], since=day)
    await db.execute(
        """INSERT INTO subject_request (id, person_id, organization_id, kind, status, reference,
               received_on, due_on, entered_by, created_at, updated_at)
           VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $8, $9, $9)""",
        request_id, person_id, home, kind, reference.strip(), day, due, actor.id, moment,
    )  # fmt: skip
    await events.record(
        actor, "subject_request.received", subject=("subject_request", request_id),
        change=(None, RequestStatus.OPEN),
        data={"person_id": str(person_id), "kind": kind, "due_on": due.isoformat()},
    )  # fmt: skip
    if kind in ("stop", "withdraw"):
        known = await knowing.known_of(person_id)
        await db.execute(
            "UPDATE consent SET withdrawn_at = $2 WHERE person_id = $1 AND withdrawn_at IS NULL",
            person_id, moment,
        )  # fmt: skip
        await consents.close(actor, person_id, known, why=f"request_{kind}")
    return request_id


async def extend(actor: Actor, request_id: uuid.UUID, *, notice: str) -> date:
    """Prolong the term once, by the law's days, with the notice sent; answers the new last day."""
    _require_text(notice)
    async with db.transaction():
        found = await own(actor, request_id, lock=True)
        if found["kind"] not in MAY_EXTEND or found["extended_on"] or found["status"] != "open":
            raise Conflict(
                "Срок этого запроса не продлевается.", "This request's term cannot be prolonged.",
                code="request_not_extended",
            )  # fmt: skip
        due = terms.end_of(EXTENDED, since=found["due_on"])
        await db.execute(
            """UPDATE subject_request SET due_on = $2, extended_on = $3, notice = $4,
                   updated_at = $5 WHERE id = $1""",
            request_id, due, clock.today(), notice.strip(), clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "subject_request.extended", subject=("subject_request", request_id),
            data={"due_on": due.isoformat()}, detail={"notice": notice},
        )  # fmt: skip
    return due


async def hand_out(actor: Actor, request_id: uuid.UUID) -> uuid.UUID:
    """Everything about the person as a package, asked for in the name of the law; its export."""
    found = await own(actor, request_id)
    if found["kind"] != "access" or found["status"] != "open":
        raise Conflict(
            "Пакет собирают по открытому запросу сведений.", "Only for an open request of access.",
            code="request_no_access",
        )  # fmt: skip
    if found["export_id"] is not None:
        return uuid.UUID(str(found["export_id"]))
    wanted = exports.Wanted(
        kind=ExportKind.PERSON, subject_id=found["person_id"],
        purpose="Ответ на запрос субъекта персональных данных",
        basis=f"152-ФЗ, ст. 14 ч. 7; запрос {found['reference'] or request_id}",
        recipient="Субъект персональных данных",
    )  # fmt: skip
    async with db.transaction():
        export_id = await exports.request(actor, wanted, key=f"subject-request:{request_id}")
        await db.execute(
            "UPDATE subject_request SET export_id = $2, updated_at = $3 WHERE id = $1",
            request_id, export_id, clock.now(),
        )  # fmt: skip
    return export_id


async def correct(
    actor: Actor, request_id: uuid.UUID, *, values: dict[str, str], answer: str
) -> None:
    """Set the right values and answer the request; the old ones stand in the event's detail."""
    _require_text(answer)
    async with db.transaction():
        found = await own(actor, request_id, lock=True)
        if found["kind"] != "correct":
            raise Conflict(
                "Это не запрос об исправлении.", "This is no request for correction.",
                code="request_no_correction",
            )  # fmt: skip
        await blocking.require_open(found["person_id"])
        await people.correct(actor, person_id=found["person_id"], values=values)
        await _close(actor, found, RequestStatus.ANSWERED, answer)


async def answer(actor: Actor, request_id: uuid.UUID, *, text: str) -> None:
    """Note the answer that was given; the clock stops."""
    _require_text(text)
    async with db.transaction():
        await _close(actor, await own(actor, request_id, lock=True), RequestStatus.ANSWERED, text)


async def refuse(actor: Actor, request_id: uuid.UUID, *, reason: str) -> None:
    """Refuse with the reasons the law asks for (152-ФЗ ст. 20 ч. 2)."""
    _require_text(reason)
    async with db.transaction():
        await _close(actor, await own(actor, request_id, lock=True), RequestStatus.REFUSED, reason)


async def answer_by_act(act_id: uuid.UUID) -> None:
    """The act that was bound to a request is carried out: the request is answered."""
    for found in await db.rows(
        "SELECT * FROM subject_request WHERE erasure_id = $1 AND status = 'open' FOR UPDATE", act_id
    ):
        await _close(RULE, found, RequestStatus.ANSWERED, f"Акт {act_id}")


async def own(actor: Actor, request_id: uuid.UUID, *, lock: bool = False) -> db.Row:
    """A request that the actor's organization answers; NotFound otherwise."""
    actor.require(*acts.ROLES)
    found = await db.row(
        f"SELECT * FROM subject_request WHERE id = $1 {'FOR UPDATE' if lock else ''}", request_id
    )
    if found is None or found["organization_id"] != actor.home_id:
        raise NotFound(request_id=str(request_id))
    return found


async def listed(actor: Actor, *, after: uuid.UUID | None = None, limit: int = 50) -> list[db.Row]:
    """Requests to the organization with the person's name, the nearest term first among open ones.

    The look is logged.
    """
    actor.require(*acts.ROLES)
    require_limit(limit, most=200)
    found = await db.rows(
        """SELECT r.*, r.status = 'open' AND r.due_on < $4 AS is_overdue,
                  concat_ws(' ', p.last_name, p.first_name, p.middle_name) AS person
           FROM subject_request AS r JOIN person AS p ON p.id = r.person_id
           WHERE r.organization_id = $1 AND ($2::uuid IS NULL OR r.id < $2)
           ORDER BY r.id DESC LIMIT $3""",
        actor.home_id, after, limit, clock.today(),
    )  # fmt: skip
    if found:
        await reads.log(
            actor, subject=("organization", actor.home_id), purpose="subject_requests",
            count=len({row["person_id"] for row in found}),
        )  # fmt: skip
    return found


async def _close(actor: Actor, found: db.Row, target: RequestStatus, text: str) -> None:
    told: dict[str, Any] = {"answer": text.strip(), "answered_at": clock.now()}
    await transitions.move(
        actor, "subject_request", found["id"], graph=REQUEST_TRANSITIONS,
        source=RequestStatus.OPEN, target=target, verb=f"subject_request.{target}", assign=told,
        data={"in_time": clock.today() <= found["due_on"]},
    )  # fmt: skip


def _require_text(text: str, *, least: int = 3) -> None:
    if not least <= len(text.strip()) <= MAX_TEXT or "\0" in text:
        raise InvalidInput(
            f"Напишите от {least} до {MAX_TEXT} знаков.", f"{least} to {MAX_TEXT} characters.",
            code="text_length",
        )  # fmt: skip
