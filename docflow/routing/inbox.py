"""What has come to an organization, newest first, and what of it is due."""

import uuid
from datetime import date, timedelta
from typing import Literal

from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput
from core.paging import require_limit
from docflow.documents import search, visibility
from docflow.routing.control import MAX_LIMIT

Box = Literal["all", "new", "open", "due", "done"]

_BOXES = {
    "all": visibility.ARRIVED,
    "new": "('delivered')",
    "open": "('opened')",
    "due": "('delivered', 'opened', 'acknowledged')",
    "done": "('acknowledged', 'executed', 'refused')",
}

_COLUMNS = """v.id, v.document_id, v.status, v.due_on, v.delivered_at, v.via_id, d.kind, d.title,
              d.number, d.date, d.mark, d.organization_id AS sender_id, s.name AS sender,
              r.number AS own_number, (h.id IS NOT NULL) AS passed_on"""

_JOINS = """JOIN document AS d ON d.id = v.document_id
            JOIN organization AS s ON s.id = d.organization_id
            LEFT JOIN registration AS r ON r.document_id = v.document_id
                 AND r.organization_id = v.recipient_id
            LEFT JOIN hop AS h ON h.delivery_id = v.id"""


async def inbox(
    actor: Actor,
    *,
    box: Box = "all",
    text: str = "",
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> list[db.Row]:
    """One page of the deliveries to the actor's organization, newest first, below `after`.

    `text` searches card and text of the documents. Rare words are looked up in the index and then
    cut to what arrived here; common ones are met while walking from the newest.
    """
    require_limit(limit, most=MAX_LIMIT)
    if box not in _BOXES:
        raise InvalidInput(
            f"Папка: {', '.join(_BOXES)}.", f"Box: {', '.join(_BOXES)}.", code="unknown_box"
        )
    organization_id = visibility.reader(actor)
    due = "AND v.due_on IS NOT NULL" if box == "due" else ""
    cut = f"""v.recipient_id = $1 AND v.status IN {_BOXES[box]} {due}
              AND {visibility.shown("v.document_id", "$1", "$4")}
              AND ($2::uuid IS NULL OR v.id < $2)"""
    query = search.clean_query(text)
    if query and await search.is_rare(query):
        return await db.rows(
            f"""WITH hit AS MATERIALIZED (SELECT document_id FROM document_text
                    WHERE tsv @@ websearch_to_tsquery('russian', $5))
                SELECT {_COLUMNS} FROM hit CROSS JOIN LATERAL (
                    SELECT v.* FROM delivery AS v WHERE v.document_id = hit.document_id AND {cut}
                    OFFSET 0) AS v
                {_JOINS} ORDER BY v.id DESC LIMIT $3""",
            organization_id, after, limit, actor.id, query,
        )  # fmt: skip
    matching = (
        """AND (SELECT t.tsv @@ websearch_to_tsquery('russian', $5) FROM document_text AS t
                WHERE t.document_id = v.document_id)"""
        if query
        else ""
    )
    return await db.rows(
        f"""WITH page AS MATERIALIZED (
                SELECT v.* FROM delivery AS v WHERE {cut} {matching}
                ORDER BY v.id DESC LIMIT $3)
            SELECT {_COLUMNS} FROM page AS v {_JOINS} ORDER BY v.id DESC""",
        organization_id, after, limit, actor.id, *([query] if query else []),
    )  # fmt: skip


async def counts(actor: Actor) -> dict[str, int]:
    """How many are new, due and overdue; for the first page of the day. Counting stops at 1,000."""
    organization_id, today = visibility.reader(actor), clock.today()
    shown = visibility.shown("v.document_id", "$1", "$3")
    found = await db.row(
        f"""SELECT (SELECT count(*) FROM (SELECT 1 FROM delivery AS v WHERE recipient_id = $1
                    AND status = 'delivered' AND {shown} LIMIT 1000) AS a) AS new,
                   (SELECT count(*) FROM (SELECT 1 FROM delivery AS v WHERE recipient_id = $1
                    AND status IN ('delivered', 'opened') AND due_on >= $2 AND {shown}
                    LIMIT 1000) AS b) AS due,
                   (SELECT count(*) FROM (SELECT 1 FROM delivery AS v WHERE recipient_id = $1
                    AND status IN ('delivered', 'opened') AND due_on < $2 AND {shown}
                    LIMIT 1000) AS c) AS overdue""",
        organization_id, today, actor.id,
    )  # fmt: skip
    return dict(found or {})


async def next_due(actor: Actor, *, limit: int = 20) -> list[db.Row]:
    """What has to be answered, the nearest deadline first, what is late on top."""
    require_limit(limit, most=MAX_LIMIT)
    return await db.rows(
        f"""WITH page AS MATERIALIZED (
                SELECT v.* FROM delivery AS v WHERE v.recipient_id = $1
                AND v.status IN ('delivered', 'opened') AND v.due_on IS NOT NULL
                AND {visibility.shown("v.document_id", "$1", "$3")}
                ORDER BY v.due_on, v.id LIMIT $2)
            SELECT {_COLUMNS} FROM page AS v {_JOINS} ORDER BY v.due_on, v.id""",
        visibility.reader(actor), limit, actor.id,
    )  # fmt: skip


async def due_by_day(actor: Actor, *, days: int = 14) -> list[tuple[date, int]]:
    """How many answers fall due on each of the next days, today first; days without any too."""
    today = clock.today()
    found = await db.rows(
        f"""SELECT due_on, count(*) AS number FROM delivery AS v WHERE recipient_id = $1
            AND status IN ('delivered', 'opened') AND due_on BETWEEN $2 AND $3
            AND {visibility.shown("v.document_id", "$1", "$4")} GROUP BY due_on""",
        visibility.reader(actor), today, today + timedelta(days=days - 1), actor.id,
    )  # fmt: skip
    known = {row["due_on"]: int(row["number"]) for row in found}
    ahead = (today + timedelta(days=n) for n in range(days))
    return [(day, known.get(day, 0)) for day in ahead]
