"""Uses: where a checked picture was published, and how it stands there today."""

import uuid
from datetime import date, datetime

from audit import events
from compliance.checking import checks
from core import clock, db, idempotency
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound

_MAX_PLACE = 1000


async def record(
    actor: Actor,
    check_id: uuid.UUID,
    *,
    place: str,
    published_at: datetime | None = None,
    key: str | None = None,
) -> uuid.UUID:
    """Note that a checked picture is published at `place` (an address, an issue and page).

    It is judged again whenever the registers change and before its right ends. Also what is not
    clear can be noted: it then stands among what is to be taken down. Raises `place_empty`,
    `published_later` for a time to come.
    """
    actor.require("editor", "lawyer")
    words, at = place.strip(), published_at or clock.now()
    if not 1 <= len(words) <= _MAX_PLACE:
        raise InvalidInput(
            "Укажите место публикации.", "Name the place of publication.", code="place_empty",
            field="place",
        )  # fmt: skip
    if at > clock.now():
        raise InvalidInput(
            "Время публикации ещё не наступило.", "The time of publication is to come.",
            code="published_later", field="published_at",
        )  # fmt: skip
    found = await checks.show(actor, check_id)
    if found.row["organization_id"] != actor.home_id:
        raise NotFound(check_id=str(check_id))
    use_id, _ = await idempotency.once(
        scope=actor.home_id, key=key,
        request=idempotency.request_hash("use", str(check_id), words, str(published_at)),
        create=lambda: enter(actor, found, place=words, published_at=at),
    )  # fmt: skip
    return use_id


async def enter(
    actor: Actor, found: checks.Answer, *, place: str, published_at: datetime
) -> uuid.UUID:
    """Write the use of a checked picture; in the caller's transaction if any."""
    use_id, now, row = clock.new_id(), clock.now(), found.row
    async with db.transaction():
        await db.execute(
            """INSERT INTO picture_use (id, organization_id, channel, place, published_at, blob_id,
                   check_id, last_check_id, outcome, turns_on, pictures, judged_at, created_by,
                   created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11, $12, $11, $11)""",
            use_id, row["organization_id"], row["channel"], place, published_at, row["blob_id"],
            row["id"], found.outcome, turns_on(found), row["pictures"], now, actor.account_id,
        )  # fmt: skip
        await events.record(
            actor, "picture_use.record", subject=("picture_use", use_id),
            change=(None, found.outcome),
            data={"check_id": str(row["id"]), "channel": row["channel"]},
        )  # fmt: skip
    return use_id


def turns_on(found: checks.Answer) -> date | None:
    """The day on which the outcome will be another one although nobody does anything."""
    if found.decision is None:
        day: date | None = found.row["turns_on"]
        return day
    return found.decision.ends_on


async def withdraw(actor: Actor, use_id: uuid.UUID) -> None:
    """Note that the picture was taken down; it is judged no more."""
    actor.require("editor", "lawyer")
    async with db.transaction():
        taken = await db.value(
            """UPDATE picture_use SET withdrawn_at = $3, updated_at = $3
               WHERE id = $1 AND organization_id = $2 AND withdrawn_at IS NULL RETURNING id""",
            use_id, actor.home_id, clock.now(),
        )  # fmt: skip
        if taken is None:
            await _own(actor, use_id)
            raise Conflict(
                "Изображение уже снято с публикации.", "The picture is taken down already.",
                code="use_withdrawn",
            )  # fmt: skip
        await events.record(actor, "picture_use.withdraw", subject=("picture_use", use_id))


async def listed(
    actor: Actor,
    *,
    to_take_down: bool = False,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> list[db.Row]:
    """One's own uses, newest first; `to_take_down`: only those that may not stand any more."""
    actor.require("editor", "lawyer")
    return await db.rows(
        """SELECT * FROM picture_use WHERE organization_id = $1
             AND (NOT $2 OR (withdrawn_at IS NULL AND outcome <> 'clear'))
             AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4""",
        actor.home_id, to_take_down, after, limit,
    )  # fmt: skip


async def _own(actor: Actor, use_id: uuid.UUID) -> db.Row:
    found = await db.row(
        "SELECT * FROM picture_use WHERE id = $1 AND organization_id = $2", use_id, actor.home_id
    )
    if found is None:
        raise NotFound(use_id=str(use_id))
    return found
