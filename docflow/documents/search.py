"""Lists of documents and full-text search in Russian, newest first, cut to the reader's rights."""

import uuid
from dataclasses import dataclass
from datetime import date

from core import db
from core.actor import Actor
from core.errors import InvalidInput
from core.paging import require_limit
from docflow.documents import visibility

RARE = 500
"""Up to so many hits anywhere the index is asked first; more common words are met soon enough on
the way through the reader's own documents. Either way the work is bounded by what is shown."""

MAX_LIMIT = 100
Seer = tuple[uuid.UUID, uuid.UUID | None]
"""Whose eyes: the organization and the account."""
MAX_QUERY = 500

_COLUMNS = """d.id, d.kind, d.title, d.number, d.date, d.status, d.mark, d.organization_id,
              d.due_on, d.created_at"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; every field narrows."""

    text: str = ""
    kind: str | None = None
    status: str | None = None
    number: str | None = None
    since: date | None = None
    until: date | None = None
    own: bool = False
    """Only what the actor's organization wrote."""


async def documents(
    actor: Actor, *, wanted: Wanted, after: uuid.UUID | None = None, limit: int = 50
) -> list[db.Row]:
    """One page of the documents the actor may see, newest first, below the id `after`."""
    require_limit(limit, most=MAX_LIMIT)
    seer = (visibility.reader(actor), actor.id)
    query = clean_query(wanted.text)
    if query and await is_rare(query):
        return await _from_index(seer, wanted, query, after, limit)
    return await _by_walk(seer, wanted, query, after, limit)


def clean_query(text: str) -> str:
    """The words to look for; websearch syntax (quotes, or, -) is PostgreSQL's own."""
    if len(text) > MAX_QUERY or "\x00" in text:
        raise InvalidInput(
            f"Запрос: не длиннее {MAX_QUERY} знаков.",
            f"Query: at most {MAX_QUERY} characters.",
            code="query_too_long",
        )
    return text.strip()


async def is_rare(query: str) -> bool:
    """Are there at most `RARE` documents with these words in the whole installation?"""
    hits = await db.value(
        """SELECT count(*) FROM (SELECT 1 FROM document_text
               WHERE tsv @@ websearch_to_tsquery('russian', $1) LIMIT $2) AS found""",
        query, RARE + 1,
    )  # fmt: skip
    return bool(hits <= RARE)


async def _from_index(
    seer: Seer, wanted: Wanted, query: str, after: uuid.UUID | None, limit: int
) -> list[db.Row]:
    narrowed, values = _narrow(wanted, 6)
    return await db.rows(
        f"""WITH hit AS MATERIALIZED (SELECT document_id FROM document_text
                WHERE tsv @@ websearch_to_tsquery('russian', $2))
            SELECT {_COLUMNS} FROM hit JOIN document AS d ON d.id = hit.document_id
            WHERE {visibility.condition("d", "$1", "$5")}
            AND ($3::uuid IS NULL OR d.id < $3) {narrowed}
            ORDER BY d.id DESC LIMIT $4""",
        seer[0], query, after, limit, seer[1], *values,
    )  # fmt: skip


async def _by_walk(
    seer: Seer, wanted: Wanted, query: str, after: uuid.UUID | None, limit: int
) -> list[db.Row]:
    """Walk the reader's documents from the newest: own ones and received ones, merged by id."""
    narrowed, values = _narrow(wanted, 6)
    filters = f"""($3::uuid IS NULL OR d.id < $3) {narrowed}
        AND {visibility.kept("d.id", "$1")} AND {visibility.readable("d", "$1", "$5")}
        AND ($2 = '' OR (
        SELECT t.tsv @@ websearch_to_tsquery('russian', $2) FROM document_text AS t
        WHERE t.document_id = d.id))"""
    own = f"""SELECT {_COLUMNS} FROM document AS d WHERE d.organization_id = $1 AND {filters}
              ORDER BY d.id DESC LIMIT $4"""
    received = f"""SELECT {_COLUMNS} FROM delivery AS v JOIN document AS d ON d.id = v.document_id
                   WHERE v.recipient_id = $1 AND v.status IN {visibility.ARRIVED}
                   AND ($3::uuid IS NULL OR v.document_id < $3)
                   AND d.organization_id <> $1 AND {filters}
                   ORDER BY v.document_id DESC LIMIT $4"""
    union = f"({own})" if wanted.own else f"({own}) UNION ALL ({received})"
    return await db.rows(
        f"SELECT * FROM ({union}) AS d ORDER BY id DESC LIMIT $4",
        seer[0], query, after, limit, seer[1], *values,
    )  # fmt: skip


def _narrow(wanted: Wanted, first: int) -> tuple[str, list[object]]:
    parts: list[str] = []
    values: list[object] = []
    for column, operator, given in (
        ("kind", "=", wanted.kind),
        ("status", "=", wanted.status),
        ("date", ">=", wanted.since),
        ("date", "<=", wanted.until),
    ):
        if given is not None:
            parts.append(f"AND d.{column} {operator} ${first + len(values)}")
            values.append(given)
    if wanted.number is not None:
        parts.append(f"AND lower(d.number) = lower(${first + len(values)})")
        values.append(wanted.number.strip())
    return " ".join(parts), values
