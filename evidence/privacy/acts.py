"""Acts of erasure: what names a person, what is to become of it, who decides (152-ФЗ ст. 21).

The commission has at least three people: who proposes and two others, each with a second factor.
Nobody decides about their own data.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from audit import events, reads, transitions
from core import clock, db, idempotency, jobs
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.paging import require_limit
from directory import grants, links, organizations, second_factor
from docflow.documents import holds
from evidence.privacy import knowing, needles, papers, register, terms
from evidence.privacy.states import ERASE, TRANSITIONS, ErasureStatus

ROLES = ("lawyer", "administrator")
JOB = "privacy.erase"
jobs.allow(JOB)
LEAST_MEMBERS = 2
"""Besides the one who proposes."""
MAX_TEXT = 2000
MAX_EXTRA = 20


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an act says."""

    person_id: uuid.UUID
    ground: str
    basis: str
    """The paper it rests on: a request's number and date, never a name."""
    since: date
    """The day from which the law's term runs."""
    members: Sequence[uuid.UUID]
    """Accounts of the commission, besides the proposer."""
    documents: Mapping[uuid.UUID, tuple[str, str]]
    """Decision and ground for each document that names the person."""
    request_id: uuid.UUID | None = None
    """The person's request that the act answers."""
    extra: Sequence[str] = ()
    """Values to look for that the service does not know: a former name, a passport's number."""


@dataclass(frozen=True, slots=True)
class Found:
    """What names a person, and what forbids erasing."""

    documents: list[db.Row]
    holds: list[db.Row]


async def look(actor: Actor, person_id: uuid.UUID, *, extra: Sequence[str] = ()) -> Found:
    """What names this person, for the commission to decide about; the look is logged."""
    await require_over(actor, person_id)
    known = await knowing.known_of(person_id, extra=extra)
    found = await papers.naming(person_id, known)
    await reads.log(actor, subject=("person", person_id), purpose="erasure")
    return Found(
        documents=await db.rows(
            """SELECT id, kind, number, date, organization_id, status FROM document
               WHERE id = ANY($1::uuid[]) ORDER BY id""",
            found,
        ),
        holds=await holds.against_person(person_id),
    )


async def propose(actor: Actor, wanted: Proposal, *, key: str | None = None) -> uuid.UUID:
    """Draw up an act; it waits for the commission. The proposer counts as its first member.

    Raises `ground_unknown`, `basis_missing`, `basis_names_person`, `commission_too_small`,
    `member_unfit`, `erasure_incomplete` when a document that names the person has no decision,
    `legal_hold`, `erasure_open`, `last_administrator`.
    """
    second_factor.demand(actor)
    await require_over(actor, wanted.person_id)
    _require_words(wanted)
    asked = idempotency.request_hash(
        "erasure", repr(sorted(map(str, wanted.documents.items()))), str(wanted.person_id),
        wanted.ground, wanted.basis,
    )  # fmt: skip

    async def create() -> uuid.UUID:
        act_id = clock.new_id()
        known = await knowing.known_of(wanted.person_id, extra=wanted.extra)
        await _require_allowed(actor, wanted, known)
        await _insert(actor, act_id, wanted, known)
        return act_id

    act_id, _ = await idempotency.once(scope=actor.home_id, key=key, request=asked, create=create)
    return act_id


async def _insert(actor: Actor, act_id: uuid.UUID, wanted: Proposal, known: needles.Known) -> None:
    moment = clock.now()
    due = terms.end_of(ERASE[wanted.ground], since=wanted.since)
    if await db.value(
        """SELECT true FROM erasure WHERE person_id = $1
           AND status IN ('proposed', 'approved', 'executing')""",
        wanted.person_id,
    ):
        raise Conflict(
            "По этому человеку уже есть акт в работе. Завершите или отмените его.",
            "There is an open act about this person. Finish or cancel it.",
            code="erasure_open",
        )
    await db.execute(
        """INSERT INTO erasure (id, person_id, organization_id, status, ground, basis, due_on,
                                proposed_by, sealed, created_at, updated_at)
           VALUES ($1, $2, $3, 'proposed', $4, $5, $6, $7, $8, $9, $9)""",
        act_id, wanted.person_id, actor.home_id, wanted.ground, wanted.basis.strip(), due,
        actor.account_id, register.seal(known, act_id=act_id), moment,
    )  # fmt: skip
    await db.execute_many(
        "INSERT INTO erasure_member (erasure_id, account_id, approved_at) VALUES ($1, $2, $3)",
        [(act_id, one, moment if one == actor.account_id else None)
         for one in {actor.account_id, *wanted.members}],
    )  # fmt: skip
    await db.execute_many(
        """INSERT INTO erasure_document (erasure_id, document_id, decision, ground)
           VALUES ($1, $2, $3, $4)""",
        [(act_id, one, decision, why.strip())
         for one, (decision, why) in wanted.documents.items()],
    )  # fmt: skip
    if wanted.request_id is not None and not await db.execute(
        """UPDATE subject_request SET erasure_id = $2, updated_at = $4
           WHERE id = $1 AND person_id = $3 AND status = 'open'""",
        wanted.request_id, act_id, wanted.person_id, moment,
    ):  # fmt: skip
        raise NotFound(request_id=str(wanted.request_id))
    await events.record(
        actor, "erasure.proposed", subject=("erasure", act_id), change=(None, "proposed"),
        data={"person_id": str(wanted.person_id), "ground": wanted.ground,
              "due_on": due.isoformat(), "members": [str(one) for one in wanted.members],
              "documents": len(wanted.documents)},
    )  # fmt: skip


async def approve(actor: Actor, act_id: uuid.UUID) -> None:
    """A member's approval; with the last one the act is approved and its execution is queued."""
    second_factor.demand(actor)
    async with db.transaction():
        act = await _locked(act_id)
        member = await db.row(
            "SELECT * FROM erasure_member WHERE erasure_id = $1 AND account_id = $2",
            act_id, actor.account_id,
        )  # fmt: skip
        if member is None:
            raise NotFound(act_id=str(act_id))
        if act["status"] != ErasureStatus.PROPOSED:
            raise Conflict(status=act["status"])
        if member["approved_at"] is None:
            await db.execute(
                """UPDATE erasure_member SET approved_at = $3
                   WHERE erasure_id = $1 AND account_id = $2""",
                act_id, actor.account_id, clock.now(),
            )  # fmt: skip
            await events.record(actor, "erasure.member_approved", subject=("erasure", act_id))
        waiting = await db.value(
            "SELECT count(*) FROM erasure_member WHERE erasure_id = $1 AND approved_at IS NULL",
            act_id,
        )
        if not waiting:
            await _move(actor, act_id, ErasureStatus.PROPOSED, ErasureStatus.APPROVED)
            await jobs.defer(JOB, key=str(act_id), act_id=act_id)


async def cancel(actor: Actor, act_id: uuid.UUID, *, reason: str) -> None:
    """Give an act up before anything was erased."""
    if not 3 <= len(reason.strip()) <= MAX_TEXT:
        raise InvalidInput(code="reason_missing", field="reason")
    async with db.transaction():
        act = await own(actor, act_id)
        await transitions.move(
            actor, "erasure", act_id, graph=TRANSITIONS, source=ErasureStatus(act["status"]),
            target=ErasureStatus.CANCELLED, verb="erasure.cancelled", detail={"reason": reason},
        )  # fmt: skip


async def go_on(actor: Actor, act_id: uuid.UUID) -> None:
    """Queue an approved act again, after a legal hold was lifted, say."""
    act = await own(actor, act_id)
    if act["status"] not in (ErasureStatus.APPROVED, ErasureStatus.EXECUTING):
        raise Conflict(status=act["status"])
    await jobs.defer(JOB, key=str(act_id), act_id=act_id)


async def own(actor: Actor, act_id: uuid.UUID) -> db.Row:
    """An act of the actor's organization, or one whose commission the actor is of."""
    actor.require(*ROLES, "clerk")
    found = await db.row("SELECT * FROM erasure WHERE id = $1", act_id)
    is_member = found is not None and await db.value(
        "SELECT true FROM erasure_member WHERE erasure_id = $1 AND account_id = $2",
        act_id, actor.id,
    )  # fmt: skip
    is_home = found is not None and found["organization_id"] == actor.home_id
    if found is None or not (is_member or (is_home and actor.roles & set(ROLES))):
        raise NotFound(act_id=str(act_id))
    return found


async def show(actor: Actor, act_id: uuid.UUID) -> db.Row:
    """An act with its commission, decisions and steps."""
    act = await own(actor, act_id)
    parts = {
        "members": "SELECT account_id, approved_at FROM erasure_member WHERE erasure_id = $1",
        "documents": "SELECT document_id, decision, ground FROM erasure_document"
                     " WHERE erasure_id = $1",
        "steps": "SELECT step, number, done_at FROM erasure_step WHERE erasure_id = $1"
                 " AND (number > 0 OR step NOT LIKE 'column:%') ORDER BY done_at, step",
    }  # fmt: skip
    return act | {name: await db.rows(sql, act_id) for name, sql in parts.items()}


async def listed(actor: Actor, *, after: uuid.UUID | None = None, limit: int = 50) -> list[db.Row]:
    """Acts of the organization, newest first."""
    actor.require(*ROLES)
    require_limit(limit, most=200)
    return await db.rows(
        """SELECT * FROM erasure WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2)
           ORDER BY id DESC LIMIT $3""",
        actor.home_id, after, limit,
    )  # fmt: skip


async def candidates(actor: Actor) -> list[db.Row]:
    """Accounts of the organization that may sit in a commission, with names; the look is logged."""
    actor.require(*ROLES, "clerk")
    found = await db.rows(
        """SELECT DISTINCT a.id AS account_id,
                  concat_ws(' ', p.last_name, p.first_name, p.middle_name) AS name
           FROM role_grant AS g JOIN account AS a ON a.id = g.account_id AND a.status = 'active'
           JOIN person AS p ON p.id = a.person_id
           WHERE g.organization_id = $1 AND g.revoked_at IS NULL ORDER BY name LIMIT 200""",
        actor.home_id,
    )
    await reads.log(
        actor, subject=("organization", actor.home_id), purpose="commission", count=len(found)
    )
    return found


async def require_over(
    actor: Actor, person_id: uuid.UUID, *, roles: tuple[str, ...] = ROLES
) -> None:
    """NotFound unless the person belongs to the actor's part of the federation."""
    actor.require(*roles)
    if not await db.value("SELECT true FROM person WHERE id = $1", person_id):
        raise NotFound(code="person_unknown", person=str(person_id))
    home = await holds.home_of_person(person_id)
    if home is None:  # somebody without post and role is the center's to keep
        if actor.kind != "rule" and not await organizations.is_center(actor.home_id):
            raise NotFound(code="person_unknown", person=str(person_id))
        return
    try:
        await links.require_authority(actor, home, roles=roles)
    except Forbidden as problem:
        raise NotFound(code="person_unknown", person=str(person_id)) from problem


def _require_words(wanted: Proposal) -> None:
    if wanted.ground not in ERASE:
        raise InvalidInput(
            f"Основание: {', '.join(ERASE)}.", f"Ground: one of {', '.join(ERASE)}.",
            code="ground_unknown", field="ground",
        )  # fmt: skip
    texts = (wanted.basis, *wanted.extra, *(why for _, why in wanted.documents.values()))
    too_much = len(wanted.extra) > MAX_EXTRA or any(len(one) > MAX_TEXT for one in texts)
    if len(wanted.basis.strip()) < 3 or too_much or any("\0" in one for one in texts):
        raise InvalidInput(
            "Укажите документ-основание: вид, номер и дату.",
            "Give the paper it rests on: kind, number and date.",
            code="basis_missing", field="basis",
        )  # fmt: skip
    if any(len(one.strip()) < 4 for one in wanted.extra):
        raise InvalidInput(
            "Искать можно слова от четырёх знаков.", "Give words of four characters or more.",
            code="extra_too_short", field="extra",
        )  # fmt: skip


async def _require_allowed(actor: Actor, wanted: Proposal, known: needles.Known) -> None:
    if found := await holds.against_person(wanted.person_id):
        raise holds.refusal(found)
    shape = re.compile(needles.pattern(known))
    if any(shape.search(text) for text in
           (wanted.basis, *(why for _, why in wanted.documents.values()))):  # fmt: skip
        raise InvalidInput(
            "Не называйте человека в акте: акт хранится и после удаления. Сошлитесь на номер и "
            "дату документа.",
            "Do not name the person: the act outlives the data. Refer to a number and date.",
            code="basis_names_person",
        )
    await _require_commission(actor, wanted)
    await require_decided(wanted.person_id, known, wanted.documents)
    await _require_over_documents(actor, list(wanted.documents))
    for row in await db.rows(
        """SELECT g.organization_id, g.account_id FROM role_grant AS g
           JOIN account AS a ON a.id = g.account_id
           WHERE a.person_id = $1 AND g.role = 'administrator' AND g.revoked_at IS NULL""",
        wanted.person_id,
    ):
        await grants.keep_an_administrator(row["organization_id"], without=row["account_id"])


async def _require_commission(actor: Actor, wanted: Proposal) -> None:
    others = set(wanted.members) - {actor.account_id}
    if len(others) < LEAST_MEMBERS:
        raise InvalidInput(
            "В комиссии не меньше трёх человек: вы и ещё двое.",
            "The commission has at least three people: you and two others.",
            code="commission_too_small", field="members",
        )  # fmt: skip
    found = await db.rows(
        """SELECT DISTINCT a.id, a.person_id FROM account AS a
           JOIN role_grant AS g ON g.account_id = a.id AND g.revoked_at IS NULL
           WHERE a.id = ANY($1::uuid[]) AND a.status = 'active' AND g.organization_id = $2""",
        [*others, actor.account_id], actor.home_id,
    )  # fmt: skip
    people = {row["person_id"] for row in found}
    if (
        not others <= {row["id"] for row in found}
        or len(people) < len(found)
        or (wanted.person_id in people | {actor.person_id})
    ):
        raise InvalidInput(
            "Член комиссии — другой сотрудник вашей организации с действующей учётной записью; "
            "о собственных данных не решают.",
            "Members are different people of your organization with accounts that hold; nobody "
            "decides about their own data.",
            code="member_unfit", field="members",
        )  # fmt: skip


async def require_decided(
    person_id: uuid.UUID, known: needles.Known, decided: Mapping[uuid.UUID, Any]
) -> None:
    """Raise `erasure_incomplete` when a document names the person and has no decision."""
    missing = [one for one in await papers.naming(person_id, known) if one not in decided]
    if missing:
        raise Conflict(
            f"Документов, где назван этот человек, без решения комиссии: {len(missing)}.",
            f"Documents that name the person without a decision: {len(missing)}.",
            code="erasure_incomplete", documents=missing[:100],
        )  # fmt: skip


async def _require_over_documents(actor: Actor, document_ids: Sequence[uuid.UUID]) -> None:
    homes = await db.rows(
        "SELECT DISTINCT organization_id FROM document WHERE id = ANY($1::uuid[])",
        list(document_ids),
    )
    try:
        for row in homes:
            await links.require_authority(actor, row["organization_id"], roles=ROLES)
    except Forbidden as problem:
        raise Forbidden(
            "Человек назван и в документах других организаций. Акт составляет вышестоящая.",
            "Documents of other organizations name the person. The act is for one above them.",
            code="erasure_reaches_others",
        ) from problem


async def _locked(act_id: uuid.UUID) -> db.Row:
    found = await db.row("SELECT * FROM erasure WHERE id = $1 FOR UPDATE", act_id)
    if found is None:
        raise NotFound(act_id=str(act_id))
    return found


async def _move(
    actor: Actor, act_id: uuid.UUID, source: ErasureStatus, target: ErasureStatus
) -> None:
    await transitions.move(
        actor, "erasure", act_id, graph=TRANSITIONS, source=source, target=target,
        verb=f"erasure.{target}",
    )  # fmt: skip
