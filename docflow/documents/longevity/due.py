"""What of long life is due, by reason and date: nothing waits unseen."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core import clock, db
from core.errors import InvalidInput
from signatures import algorithm_lives

UNREAD = timedelta(days=180)
"""Stored bytes that were not read for so long count as due."""

REASONS = {
    "unstamped": ("ждёт отметки времени", "waits for its time stamp"),
    "renewal": ("отметку пора продлить", "its stamp is to be renewed"),
    "overdue": ("отметка не продлена вовремя", "its stamp was not renewed in time"),
    "digest": ("хеш-функция дерева скоро устареет", "the digest of its tree nears its end"),
    "damaged": ("файл в хранилище утрачен или изменён", "its bytes are lost or changed"),
    "unread": ("файл давно не перечитывался", "its bytes were not read for long"),
    "revocation": ("ждёт сведений об отзыве", "waits for revocation data"),
}
"""Each reason in Russian and English."""

_SQL = {
    "unstamped": """SELECT s.id, s.checked_at AS due_on, s.document_id, '' AS note
        FROM signature AS s WHERE s.evidenced_at IS NULL""",
    "renewal": """SELECT id, renew_before AS due_on, NULL::uuid AS document_id, kind AS note
        FROM archive_stamp WHERE renewed_by IS NULL AND retired_at IS NULL
        AND renew_before <= $1::timestamptz AND ends_at > $1::timestamptz""",
    "overdue": """SELECT id, ends_at AS due_on, NULL::uuid AS document_id, kind AS note
        FROM archive_stamp WHERE renewed_by IS NULL AND retired_at IS NULL
        AND ends_at <= $1::timestamptz""",
    "digest": """SELECT e.blob_id AS id, l.ends_at - $2::interval AS due_on,
        NULL::uuid AS document_id, l.name AS note
        FROM algorithm_life AS l JOIN archive_stamp AS s ON s.algorithm = l.name
        JOIN archive_stamp_entry AS e ON e.stamp_id = s.id AND e.blob_id IS NOT NULL
        WHERE l.ends_at - $2::interval <= $1::timestamptz
        AND s.retired_at IS NULL AND e.is_current""",
    "damaged": """SELECT d.blob_id AS id, d.found_at AS due_on, (SELECT f.document_id
        FROM document_file AS f WHERE f.blob_id = d.blob_id LIMIT 1) AS document_id, d.kind AS note
        FROM blob_damage AS d""",
    "unread": """SELECT id, coalesce(fixity_tried_at, created_at) + $3::interval AS due_on,
        NULL::uuid AS document_id, '' AS note FROM blob WHERE key NOT LIKE 'gone/%'
        AND coalesce(fixity_tried_at, created_at) < $1::timestamptz - $3::interval""",
    "revocation": """SELECT id, checked_at AS due_on, document_id, '' AS note FROM signature
        WHERE verdict = 'indeterminate' AND report->'reasons' @> ANY(ARRAY[
            '[{"code": "revocation_missing"}]', '[{"code": "revocation_stale"}]']::jsonb[])""",
}


@dataclass(frozen=True, slots=True)
class Due:
    """How many wait for one reason, and since when."""

    reason: str
    number: int
    since: datetime
    ru: str
    en: str


async def counts() -> list[Due]:
    """Every reason for which anything waits now."""
    parts = " UNION ALL ".join(
        f"SELECT '{reason}' AS reason, count(*) AS number, min(due_on) AS since FROM ({sql}) AS d"
        for reason, sql in _SQL.items()
    )
    found = await db.rows(f"SELECT * FROM ({parts}) AS all_due WHERE number > 0", *_values())
    return [
        Due(row["reason"], row["number"], row["since"], *REASONS[row["reason"]]) for row in found
    ]


async def listed(
    *, reason: str, after: uuid.UUID | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """What waits for one reason, by id: `id`, `due_on`, `document_id`, `note`."""
    if reason not in _SQL or not 1 <= limit <= 1000:
        raise InvalidInput(
            "Причина: " + ", ".join(_SQL) + "; не больше 1000 строк.",
            "Reason: " + ", ".join(_SQL) + "; at most 1000 lines.",
            code="unknown_reason",
        )
    return await db.rows(
        f"""SELECT * FROM ({_SQL[reason]}) AS d
            WHERE ($4::uuid IS NULL OR d.id > $4) AND {_TYPED} ORDER BY d.id LIMIT $5""",
        *_values(), after, limit,
    )  # fmt: skip


_TYPED = "($1::timestamptz, $2::interval, $3::interval) IS NOT NULL"
"""Names each parameter, whichever of them a reason needs."""


def _values() -> tuple[datetime, timedelta, timedelta]:
    return clock.now(), algorithm_lives.TREE_MARGIN, UNREAD


async def metrics() -> list[str]:
    """Lines for a Prometheus scraper: how many wait for each reason, and for how long."""
    found = {one.reason: one for one in await counts()}
    lines = ["# TYPE docflow_longevity_due gauge"]
    for reason in REASONS:
        number = found[reason].number if reason in found else 0
        lines.append(f'docflow_longevity_due{{reason="{reason}"}} {number}')
    lines.append("# TYPE docflow_longevity_oldest_seconds gauge")
    for reason, one in found.items():
        age = max(0, int((clock.now() - one.since).total_seconds()))
        lines.append(f'docflow_longevity_oldest_seconds{{reason="{reason}"}} {age}')
    return lines
