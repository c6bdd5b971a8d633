"""What a package tells of: its items in their order, fixed when the work begins.

Documents come by the one rule of visibility, through the eyes of the organization that asks.
"""

import uuid
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from core import clock, db
from docflow.documents import visibility
from evidence.packages.register import LINES
from evidence.packages.states import ExportKind


def _visible(account: str) -> str:
    return f"""SELECT d.id FROM document AS d
        WHERE {visibility.condition("d", "$2", account)} AND d.status <> 'discarded' AND """


_VISIBLE = _visible("$3")

_DOCUMENTS: Mapping[ExportKind, str] = {
    ExportKind.DOCUMENT: _VISIBLE + "d.id = $1",
    ExportKind.PERSON: _VISIBLE
    + """(d.author_id IN (SELECT a.id FROM account AS a WHERE a.person_id = $1)
        OR $1 IN (d.signatory_id, d.executor_id)
        OR EXISTS (SELECT FROM signature AS s JOIN account AS a ON a.id = s.account_id
            WHERE s.document_id = d.id AND a.person_id = $1)
        OR EXISTS (SELECT FROM delivery AS v
            WHERE v.document_id = d.id AND v.acknowledged_by = $1))""",
    ExportKind.ORGANIZATION: _VISIBLE
    + """(d.organization_id = $1 OR EXISTS (SELECT FROM delivery AS v
            WHERE v.document_id = d.id AND v.recipient_id = $1))""",
    ExportKind.PERIOD: _visible("$5")
    + """((d.created_at >= $3 AND d.created_at < $4)
        OR EXISTS (SELECT FROM registration AS r WHERE r.document_id = d.id
            AND r.organization_id = $2 AND r.registered_at >= $3 AND r.registered_at < $4)
        OR EXISTS (SELECT FROM delivery AS v WHERE v.document_id = d.id
            AND v.recipient_id = $2 AND v.delivered_at >= $3 AND v.delivered_at < $4))
        AND $1::uuid IS NULL""",
}
"""Which documents, by kind of package; $1 the subject, $2 whose eyes, then the period, if any, and
last the account that asks."""

_USES: Mapping[ExportKind, str] = {
    ExportKind.PICTURE: "SELECT id FROM picture_use WHERE id = $1 AND $2::uuid IS NOT NULL",
    ExportKind.ORGANIZATION: """SELECT id FROM picture_use
        WHERE organization_id = $1 AND $2::uuid IS NOT NULL""",
    ExportKind.PERIOD: """SELECT id FROM picture_use WHERE organization_id = $2
        AND published_at >= $3 AND published_at < $4 AND $1::uuid IS NULL""",
}

_CARDS = {ExportKind.PERSON: "person", ExportKind.ORGANIZATION: "organization"}


async def fill(export: db.Row) -> int:
    """Write the items of an export; answers how many. Inside the caller's transaction."""
    export_id, kind = export["id"], ExportKind(export["kind"])
    asked: list[Any] = [export["subject_id"], export["organization_id"]]
    if kind is ExportKind.PERIOD:
        asked += [_midnight(export["since"]), _midnight(export["until"] + timedelta(days=1))]
    count = await _add(export_id, 0, [("readme", None, None)])
    if kind in _CARDS:
        count = await _add(export_id, count, [(_CARDS[kind], export["subject_id"], None)])
    first = count
    if kind in _DOCUMENTS:
        by_whom = [*asked, export["requested_by"]]
        count += await _add_found(export_id, count, "document", _DOCUMENTS[kind], by_whom)
    if kind in _USES:
        count += await _add_found(export_id, count, "use", _USES[kind], asked)
    things = count - first + (1 if kind in _CARDS else 0)
    volumes = max(1, -(-things // LINES))
    late = [("log", None, None), *(("register", None, n) for n in range(1, volumes + 1))]
    return await _add(export_id, count, [*late, ("gaps", None, None)])


async def _add(
    export_id: uuid.UUID, count: int, items: list[tuple[str, uuid.UUID | None, int | None]]
) -> int:
    await db.execute_many(
        """INSERT INTO evidence_item (export_id, position, kind, subject_id, number)
           VALUES ($1, $2, $3, $4, $5)""",
        [(export_id, place, *item) for place, item in enumerate(items, start=count + 1)],
    )
    return count + len(items)


async def _add_found(
    export_id: uuid.UUID, count: int, kind: str, sql: str, asked: list[Any]
) -> int:
    places = [f"${place}" for place in range(len(asked) + 1, len(asked) + 4)]
    return await db.execute(
        f"""INSERT INTO evidence_item (export_id, position, kind, subject_id)
            SELECT {places[0]}::uuid, {places[1]}::int + row_number() OVER (ORDER BY t.id),
                   {places[2]}::text, t.id
            FROM ({sql}) AS t""",
        *asked, export_id, count, kind,
    )  # fmt: skip


def _midnight(day: date) -> datetime:
    """When a Moscow day begins."""
    return datetime.combine(day, time(), clock.MOSCOW)
