"""A chancery's resolution on a received letter (резолюция): what, who, until when."""

import uuid
from dataclasses import dataclass
from datetime import date

from audit import reads
from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput
from docflow.documents import cards, visibility

MAX_RESOLUTION = 4000
USUAL = 5
"""So many of one's own earlier resolutions are offered again."""
LOOKED_AT = 200
"""The last so many are looked at for what is usual."""
PURPOSE = "исполнитель по резолюции"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a chancery writes on a letter for its own people; empty where it writes nothing."""

    text: str = ""
    executor_id: uuid.UUID | None = None
    due_on: date | None = None


async def checked(actor: Actor, given: Resolution) -> Resolution:
    """The resolution, once it holds.

    Raises `deadline_past`, `executor_unknown`: who carries it out holds a post in the actor's own
    organization today.
    """
    cards.require_text(given.text, most=MAX_RESOLUTION, field="resolution")
    if given.due_on is not None and given.due_on < clock.today():
        raise InvalidInput(
            f"Срок исполнения уже прошёл: {given.due_on:%d.%m.%Y}. Укажите будущий день.",
            f"The day to carry it out has passed: {given.due_on.isoformat()}. Give a later one.",
            code="deadline_past", field="due_on",
        )  # fmt: skip
    if given.executor_id is not None and not await db.value(
        """SELECT true FROM post WHERE organization_id = $1 AND person_id = $2
           AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $3) LIMIT 1""",
        actor.home_id, given.executor_id, clock.today(),
    ):  # fmt: skip
        raise InvalidInput(
            "Исполнитель не занимает должности в вашей организации. Выберите другого.",
            "Who is to carry it out holds no post in your organization. Choose somebody else.",
            code="executor_unknown", field="executor_id",
        )  # fmt: skip
    return Resolution(given.text.strip(), given.executor_id, given.due_on)


async def usual(actor: Actor) -> list[str]:
    """The texts the actor's organization has written most often lately."""
    rows = await db.rows(
        """SELECT resolution FROM (SELECT resolution, passed_at FROM hop
               WHERE organization_id = $1 ORDER BY passed_at DESC LIMIT $2) AS late
           WHERE resolution <> '' GROUP BY 1 ORDER BY count(*) DESC, max(passed_at) DESC
           LIMIT $3""",
        visibility.reader(actor), LOOKED_AT, USUAL,
    )  # fmt: skip
    return [row["resolution"] for row in rows]


async def executors(actor: Actor) -> list[db.Row]:
    """Whom a resolution may name: who holds a post here today, by name; the look is logged."""
    found = await db.rows(
        """SELECT p.id, p.last_name, p.first_name, p.middle_name, min(t.title) AS title
           FROM post AS t JOIN person AS p ON p.id = t.person_id
           WHERE t.organization_id = $1 AND t.valid_from <= $2
           AND (t.valid_to IS NULL OR t.valid_to > $2)
           GROUP BY p.id ORDER BY p.last_name, p.first_name, p.id LIMIT 200""",
        visibility.reader(actor), clock.today(),
    )  # fmt: skip
    if found:
        await reads.log(
            actor, subject=("organization", actor.home_id), purpose=PURPOSE, count=len(found)
        )
    return found


async def own(actor: Actor, document_id: uuid.UUID) -> db.Row | None:
    """What the actor's organization wrote on this letter, with the executor's name."""
    return await db.row(
        """SELECT h.resolution, h.due_on, h.executor_id, p.last_name, p.first_name, p.middle_name
           FROM hop AS h LEFT JOIN person AS p ON p.id = h.executor_id
           WHERE h.document_id = $1 AND h.organization_id = $2 ORDER BY h.id DESC LIMIT 1""",
        document_id, visibility.reader(actor),
    )  # fmt: skip


async def next_letter(actor: Actor) -> db.Row | None:
    """The letter that has waited longest for a chancery's number, and how many wait in all.

    Counting stops at 1,000; None when nothing waits.
    """
    return await db.row(
        f"""WITH waits AS MATERIALIZED (
               SELECT v.id, v.document_id FROM delivery AS v
               WHERE v.recipient_id = $1 AND v.status IN ('delivered', 'opened')
               AND NOT EXISTS (SELECT FROM hop AS h WHERE h.delivery_id = v.id)
               AND {visibility.shown("v.document_id", "$1", "$2")}
               ORDER BY v.id LIMIT 1000)
           SELECT document_id, (SELECT count(*) FROM waits) AS number FROM waits
           ORDER BY id LIMIT 1""",
        visibility.reader(actor), actor.id,
    )  # fmt: skip
