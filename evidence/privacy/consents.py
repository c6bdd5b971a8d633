"""Consents (согласия): given to a version of words, withdrawn with effect at once everywhere.

A withdrawal closes the person's data in the same transaction (`directory.blocking`), takes their
own works out of use and lets go of packages that lie there to be taken.
"""

import uuid
from datetime import datetime

from audit import events, reads
from compliance.registers import changes
from core import clock, db, jobs
from core.actor import Actor
from core.errors import InvalidInput, NotFound
from directory import blocking, purposes
from evidence.packages import withdrawing
from evidence.privacy import acts, knowing, needles
from storage import destroying

REMOVE_JOB = "privacy.remove_objects"
jobs.allow(REMOVE_JOB)
KEEPERS = ("clerk", "lawyer", "administrator")


async def give(
    actor: Actor, person_id: uuid.UUID, *, purpose: str, version: int, at: datetime | None = None
) -> uuid.UUID:
    """Note a consent: by the person, or by who keeps it on paper. Opens what was closed.

    Given again to the same words while it stands, it stays the one it is. Raises
    `consent_text_unknown`, `purpose_unknown`, `consent_in_future`.
    """
    await require_own_or_over(actor, person_id)
    await purposes.current(purpose)
    moment = at or clock.now()
    if moment > clock.now():
        raise InvalidInput(
            "Согласие не может быть дано в будущем.", "A consent cannot lie in the future.",
            code="consent_in_future", field="at",
        )  # fmt: skip
    if not await db.value(
        "SELECT true FROM consent_text WHERE purpose = $1 AND version = $2", purpose, version
    ):
        raise NotFound(
            "Нет такой версии текста согласия.", "There is no such version of the words.",
            code="consent_text_unknown",
        )  # fmt: skip
    async with db.transaction():
        if not await db.value("SELECT true FROM person WHERE id = $1 FOR UPDATE", person_id):
            raise NotFound(code="person_unknown", person=str(person_id))
        found: uuid.UUID | None = await db.value(
            """SELECT id FROM consent WHERE person_id = $1 AND purpose = $2 AND text_version = $3
               AND withdrawn_at IS NULL""",
            person_id, purpose, str(version),
        )  # fmt: skip
        if found is not None:
            return found
        consent_id = clock.new_id()
        await db.execute(
            """INSERT INTO consent (id, person_id, purpose, text_version, given_at)
               VALUES ($1, $2, $3, $4, $5)""",
            consent_id, person_id, purpose, str(version), moment,
        )  # fmt: skip
        await events.record(
            actor, "consent.given", subject=("person", person_id),
            data={"consent_id": str(consent_id), "purpose": purpose, "version": version},
        )  # fmt: skip
        await blocking.unblock(actor, person_id, why="consent")
    return consent_id


async def withdraw(actor: Actor, person_id: uuid.UUID, *, purpose: str) -> None:
    """Take a consent back: the person's data is closed for everybody by the same commit.

    Raises `consent_unknown` when none stands for this purpose.
    """
    await require_own_or_over(actor, person_id)
    known = await knowing.known_of(person_id)
    async with db.transaction():
        taken = await db.execute(
            """UPDATE consent SET withdrawn_at = $3
               WHERE person_id = $1 AND purpose = $2 AND withdrawn_at IS NULL""",
            person_id, purpose, clock.now(),
        )  # fmt: skip
        if not taken:
            raise NotFound(
                "Действующего согласия на эту цель нет.", "No such consent stands.",
                code="consent_unknown",
            )  # fmt: skip
        await events.record(
            actor, "consent.withdrawn", subject=("person", person_id), data={"purpose": purpose}
        )
        await close(actor, person_id, known, why="consent_withdrawn")


async def close(actor: Actor, person_id: uuid.UUID, known: needles.Known, *, why: str) -> None:
    """Close a person's data in every room and in what was packed; belongs in a transaction."""
    await _withdraw_works(actor, person_id)
    blobs = await withdrawing.let_go(
        person_id=person_id, subject_ids=[], pattern=needles.pattern(known)
    )
    if keys := await destroying.condemn(blobs):
        await jobs.defer(REMOVE_JOB, keys=keys)
    await blocking.block(actor, person_id, why=why)


async def _withdraw_works(actor: Actor, person_id: uuid.UUID) -> None:
    """Own works of the person may not be used from today; what is published is judged again."""
    await changes.lock()
    found = await db.rows(
        """UPDATE own_work SET withdrawn_on = $2
           WHERE person_id = $1 AND (withdrawn_on IS NULL OR withdrawn_on > $2)
           RETURNING id, picture_id""",
        person_id, clock.today(),
    )  # fmt: skip
    for row in found:
        await changes.note(
            "own_work.withdrawn", ("own_work", row["id"]), picture_id=row["picture_id"]
        )
        await events.record(
            actor, "own_work.withdrawn", subject=("own_work", row["id"]),
            data={"picture_id": str(row["picture_id"])},
        )  # fmt: skip


async def of_person(actor: Actor, person_id: uuid.UUID) -> list[db.Row]:
    """Every consent of a person, newest first; the look is logged."""
    await require_own_or_over(actor, person_id)
    await reads.log(actor, subject=("person", person_id), purpose="consents")
    return await db.rows("SELECT * FROM consent WHERE person_id = $1 ORDER BY id DESC", person_id)


async def require_own_or_over(actor: Actor, person_id: uuid.UUID) -> None:
    """NotFound unless it is the actor's own data, or a person of the actor's organizations."""
    if actor.person_id == person_id and actor.kind == "user":
        return
    actor.require(*KEEPERS)
    await acts.require_over(actor, person_id, roles=KEEPERS)
