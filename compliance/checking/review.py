"""Review: a check that is not clear goes to a lawyer, who is another person and says why.

Whoever asked never decides. What is blocked is lifted only with a document. A decision holds for
this picture, this organization and channel, until a date (`decisions`).
"""

import uuid
from datetime import date, timedelta
from typing import Literal

from audit import events, transitions
from compliance.checking import checks
from compliance.registers import register
from compliance.registers.register import MAX_DOCUMENT
from compliance.states import REVIEW_TRANSITIONS, ReviewStatus
from compliance.visibility import may_see
from core import clock, db, idempotency
from core.actor import RULE, Actor
from core.errors import Conflict, InvalidInput, NotFound
from directory import links
from directory.states import Line
from notify import notices, webhooks

DUE = timedelta(days=3)
LATEST_DUE = timedelta(days=30)
LONGEST = timedelta(days=366)
EXPIRES_AFTER = timedelta(days=14)
"""So long after its date an unanswered review is given up; the picture stays as it was judged."""
_MAX_QUESTION = 2000
_SUBJECT = "picture_review"


async def ask(
    actor: Actor,
    check_id: uuid.UUID,
    *,
    question: str = "",
    due_on: date | None = None,
    key: str | None = None,
) -> uuid.UUID:
    """Put a check before a lawyer; they are told. Needs an editor or lawyer of the organization.

    Raises `already_clear`, `review_open` (409, with the review there is), `due_date`.
    """
    actor.require("editor", "lawyer")
    due = due_on or clock.today() + DUE
    if not clock.today() <= due <= clock.today() + LATEST_DUE:
        raise InvalidInput(
            "Срок рассмотрения: от сегодня до 30 дней.", "The deadline: today to 30 days on.",
            code="due_date", field="due_on",
        )  # fmt: skip
    if len(question) > _MAX_QUESTION:
        raise InvalidInput(
            f"Вопрос: не длиннее {_MAX_QUESTION} знаков.",
            f"The question: at most {_MAX_QUESTION} characters.",
            code="text_too_long", field="question",
        )  # fmt: skip
    found = await checks.show(actor, check_id)
    if found.row["organization_id"] != actor.home_id:
        raise NotFound(check_id=str(check_id))
    request = idempotency.request_hash("review", str(check_id), question, due.isoformat())
    review_id, _ = await idempotency.once(
        scope=actor.home_id, key=key, request=request,
        create=lambda: _open(actor, found, question, due),
    )  # fmt: skip
    return review_id


async def _open(actor: Actor, found: checks.Answer, question: str, due: date) -> uuid.UUID:
    if found.outcome == "clear":
        raise Conflict(
            "Изображение разрешено: рассматривать нечего.",
            "The picture is clear: there is nothing to review.",
            code="already_clear",
        )
    review_id, now, row = clock.new_id(), clock.now(), found.row
    made = await db.value(
        """INSERT INTO picture_review (id, organization_id, check_id, status, sha256, channel,
               outcome, question, asked_by, asked_at, due_on, updated_at)
           VALUES ($1, $2, $3, 'open', $4, $5, $6, $7, $8, $9, $10, $9)
           ON CONFLICT (organization_id, sha256, channel) WHERE status = 'open' DO NOTHING
           RETURNING id""",
        review_id, actor.home_id, row["id"], row["sha256"], row["channel"],
        found.verdict.outcome, question.strip(), actor.account_id, now, due,
    )  # fmt: skip
    if made is None:
        known = await db.value(
            """SELECT id FROM picture_review WHERE organization_id = $1 AND sha256 = $2
               AND channel = $3 AND status = 'open'""",
            actor.home_id, row["sha256"], row["channel"],
        )  # fmt: skip
        raise Conflict(
            "Это изображение уже на рассмотрении.", "The picture is under review already.",
            code="review_open", review_id=str(known),
        )  # fmt: skip
    await events.record(
        actor, "picture_review.ask", subject=(_SUBJECT, review_id), change=(None, "open"),
        data={"check_id": str(row["id"]), "due_on": due.isoformat()},
        detail={"question": question} if question else None,
    )  # fmt: skip
    for organization_id in await who_reviews(actor.home_id):
        await notices.post(
            organization_id, "review_asked", (_SUBJECT, review_id), data={"due_on": due.isoformat()}
        )
    return review_id


async def decide(
    actor: Actor,
    review_id: uuid.UUID,
    *,
    verdict: Literal["cleared", "refused"],
    reason: str,
    until: date | None = None,
    document: bytes | None = None,
) -> None:
    """Decide a review; needs a lawyer of the organization or of one above it.

    `until`: the last day on which a clearing decision holds, a year at most. `document` is kept
    with the decision. Raises `second_person` (403) for who asked or made the check,
    `reason_too_short`, `decision_until`, `block_needs_document` (409), `illegal_transition`.
    """
    actor.require("lawyer")
    words = register.require_reason(reason)
    found = await visible(actor, review_id)
    await register.require_other(actor, found["asked_by"])
    await register.require_other(actor, found["checked_by"])
    ends = _until(verdict, until)
    if verdict == "cleared" and found["outcome"] == "blocked" and document is None:
        raise Conflict(
            "Запрет снимается только с документом: приложите договор с автором или решение.",
            "A block is lifted only with a document: attach the contract or the ruling.",
            code="block_needs_document",
        )
    blob = None
    if document is not None:
        blob = await register.keep(document, limit=MAX_DOCUMENT, types=register.DOCUMENTS)
    async with db.transaction():
        await transitions.move(
            actor, "picture_review", review_id, graph=REVIEW_TRANSITIONS,
            source=ReviewStatus.OPEN, target=ReviewStatus(verdict), verb="picture_review.decide",
            assign={
                "decided_by": actor.account_id, "decided_at": clock.now(), "reason": words,
                "until": ends, "document_blob_id": blob.id if blob else None,
            },
            data={"outcome": found["outcome"], "until": ends.isoformat() if ends else None},
            detail={"reason": words},
        )  # fmt: skip
        await notices.post(
            found["organization_id"], "review_decided", (_SUBJECT, review_id),
            data={"decision": "разрешено" if verdict == "cleared" else "отказано"},
        )  # fmt: skip
        await webhooks.announce(
            found["organization_id"], "review.decided",
            {"review_id": review_id, "check_id": found["check_id"], "decision": verdict},
        )  # fmt: skip


def _until(verdict: str, until: date | None) -> date | None:
    if verdict == "refused":
        return None
    today = clock.today()
    ends = until or today + LONGEST
    if not today <= ends <= today + LONGEST:
        raise InvalidInput(
            "Решение действует от сегодня до года: укажите последний день.",
            "A decision holds from today for a year at most: name its last day.",
            code="decision_until", field="until",
        )  # fmt: skip
    return ends


async def queue(
    actor: Actor, *, status: str | None = "open", after: uuid.UUID | None = None, limit: int = 50
) -> list[db.Row]:
    """Reviews by id: an editor's own organization, a lawyer's with everything below it."""
    actor.require("editor", "lawyer")
    places = [actor.home_id]
    if "lawyer" in actor.roles:
        places += await links.subtree(organization_id=actor.home_id, on=clock.today())
    return await db.rows(
        f"""{_SELECT} WHERE r.organization_id = ANY ($1) AND ($2::text IS NULL OR r.status = $2)
            AND ($3::uuid IS NULL OR r.id > $3) ORDER BY r.id LIMIT $4""",
        places, status, after, limit,
    )  # fmt: skip


_SELECT = """SELECT r.*, encode(r.sha256, 'hex') AS sha256_hex, c.account_id AS checked_by,
    c.file_name, c.used_on FROM picture_review AS r JOIN picture_check AS c ON c.id = r.check_id"""


async def visible(actor: Actor, review_id: uuid.UUID) -> db.Row:
    """A review of one's own organization, or for a lawyer of one below; NotFound otherwise."""
    actor.require("editor", "lawyer")
    found = await db.row(f"{_SELECT} WHERE r.id = $1", review_id)
    if found is None or not await may_see(actor, found["organization_id"]):
        raise NotFound(review_id=str(review_id))
    return found


async def who_reviews(organization_id: uuid.UUID) -> list[uuid.UUID]:
    """The organization where a lawyer is: itself, else the nearest above on either line."""
    places = [organization_id]
    for line in Line:
        above = await links.path_up(organization_id=organization_id, on=clock.today(), line=line)
        places += [row["id"] for row in above]
    manned = await db.rows(
        """SELECT DISTINCT organization_id FROM role_grant
           WHERE role = 'lawyer' AND revoked_at IS NULL AND organization_id = ANY ($1)""",
        places,
    )
    known = {row["organization_id"] for row in manned}
    return [next((one for one in places if one in known), organization_id)]


async def sweep() -> None:
    """Overdue reviews are told upwards once; those long overdue expire, and the asker is told."""
    today = clock.today()
    late = await db.rows(
        """SELECT id, organization_id, due_on FROM picture_review
           WHERE status = 'open' AND due_on < $1 AND escalated_at IS NULL LIMIT 500""",
        today,
    )
    for row in late:
        async with db.transaction():
            told = await db.execute(
                "UPDATE picture_review SET escalated_at = $2 WHERE id = $1 AND status = 'open'"
                " AND escalated_at IS NULL",
                row["id"], clock.now(),
            )  # fmt: skip
            if told:
                await _escalate(row)
    over = await db.rows(
        "SELECT id, organization_id FROM picture_review WHERE status = 'open' AND due_on < $1"
        " LIMIT 500",
        today - EXPIRES_AFTER,
    )
    for row in over:
        async with db.transaction():
            await transitions.move(
                RULE, "picture_review", row["id"], graph=REVIEW_TRANSITIONS,
                source=ReviewStatus.OPEN, target=ReviewStatus.EXPIRED,
                verb="picture_review.expire",
            )  # fmt: skip
            await notices.post(row["organization_id"], "review_expired", (_SUBJECT, row["id"]))


async def _escalate(row: db.Row) -> None:
    """To the organization itself and everybody straight above it."""
    above = await links.superiors(organization_id=row["organization_id"], on=clock.today())
    places = {row["organization_id"], *(one["id"] for one in above)}
    for place in places | set(await who_reviews(row["organization_id"])):
        await notices.post(
            place, "review_overdue", (_SUBJECT, row["id"]), about=row["due_on"],
            data={"due_on": row["due_on"].isoformat()},
        )  # fmt: skip
    await events.record(RULE, "picture_review.escalate", subject=(_SUBJECT, row["id"]))
