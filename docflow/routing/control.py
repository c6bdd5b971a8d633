"""The control list (контрольный список): who has it, who answered, who is silent."""

import uuid
from collections.abc import Sequence
from datetime import date

from audit import reads
from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput, NotFound
from core.paging import require_limit
from docflow.documents import visibility
from docflow.routing import lines
from docflow.routing.states import SILENT, DeliveryStatus

MAX_LIMIT = 200

_AUTHORS = """mine AS NOT MATERIALIZED (
    SELECT id, status, recipient_kind, due_on FROM delivery
    WHERE document_id = $2 AND $1::uuid IS NOT NULL)"""
"""What the author follows: every delivery, read off one index."""

_RELAYS = """mine AS (
    WITH RECURSIVE below AS (
        SELECT v.id, v.status, v.recipient_kind, v.due_on FROM delivery AS own
        JOIN delivery AS v ON v.via_id = own.id
        WHERE own.document_id = $2 AND own.recipient_id = $1
        UNION ALL
        SELECT v.id, v.status, v.recipient_kind, v.due_on
        FROM below JOIN delivery AS v ON v.via_id = below.id)
    SELECT * FROM below)"""
"""What a relay follows: the deliveries behind it."""


async def totals(actor: Actor, document_id: uuid.UUID) -> dict[str, dict[str, int]]:
    """Final recipients by kind of organization and status; they sum to the number of recipients.

    The author counts everybody, a relay those behind it.
    """
    organization_id, mine = await _follower(actor, document_id)
    counts = await db.rows(
        f"""WITH {mine} SELECT recipient_kind, status, count(*) AS number
            FROM mine GROUP BY 1, 2""",
        organization_id, document_id,
    )  # fmt: skip
    table: dict[str, dict[str, int]] = {}
    for row in counts:
        table.setdefault(row["recipient_kind"], {})[row["status"]] = row["number"]
    return table


def by_status(table: dict[str, dict[str, int]]) -> dict[str, int]:
    """The same totals over all kinds, every status present, and ``total``."""
    summed = {status.value: 0 for status in DeliveryStatus}
    for line in table.values():
        for status, number in line.items():
            summed[status] += number
    return {**summed, "total": sum(summed.values())}


async def recipients(
    actor: Actor,
    document_id: uuid.UUID,
    *,
    statuses: Sequence[str] = (),
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> list[db.Row]:
    """One page of the list, oldest first; who acknowledged is named, and that is logged."""
    organization_id, mine = await _follower(actor, document_id)
    require_limit(limit, most=MAX_LIMIT)
    unknown = set(statuses) - set(DeliveryStatus)
    if unknown:
        raise InvalidInput(code="unknown_status", statuses=sorted(unknown))
    found = await db.rows(
        f"""WITH {mine}, page AS MATERIALIZED (
                SELECT id FROM mine WHERE ($3::uuid IS NULL OR id > $3)
                AND (cardinality($4::text[]) = 0 OR status = ANY($4)) ORDER BY id LIMIT $5)
            SELECT v.id, v.recipient_id, o.code, o.name, v.recipient_kind, v.channel, v.status,
                   v.due_on, v.delivered_at, v.opened_at, v.acknowledged_at, v.executed_at,
                   v.reason, p.last_name, p.first_name, p.middle_name, via.recipient_id AS via_id
            FROM page JOIN delivery AS v ON v.id = page.id
            JOIN organization AS o ON o.id = v.recipient_id
            LEFT JOIN person AS p ON p.id = v.acknowledged_by
            LEFT JOIN delivery AS via ON via.id = v.via_id
            ORDER BY v.id""",
        organization_id, document_id, after, list(statuses), limit,
    )  # fmt: skip
    if named := sum(1 for row in found if row["last_name"] is not None):
        await reads.log(
            actor, subject=("document", document_id), purpose="control_list", count=named
        )
    return found


async def silent(
    actor: Actor, document_id: uuid.UUID, *, on: date | None = None,
    after: uuid.UUID | None = None, limit: int = 50,
) -> list[db.Row]:  # fmt: skip
    """Those whose day has passed without an acknowledgement or an answer."""
    organization_id, mine = await _follower(actor, document_id)
    require_limit(limit, most=MAX_LIMIT)
    return await db.rows(
        f"""WITH {mine}, page AS MATERIALIZED (
                SELECT id FROM mine WHERE due_on < $3 AND status = ANY($4)
                AND ($5::uuid IS NULL OR id > $5) ORDER BY id LIMIT $6)
            SELECT v.id, v.recipient_id, o.code, o.name, o.phone, o.email, v.recipient_kind,
                   v.channel, v.status, v.due_on
            FROM page JOIN delivery AS v ON v.id = page.id
            JOIN organization AS o ON o.id = v.recipient_id ORDER BY v.id""",
        organization_id, document_id, on or clock.today(), list(SILENT), after, limit,
    )  # fmt: skip


async def roll_up(actor: Actor, document_id: uuid.UUID, *, on: date | None = None) -> list[db.Row]:
    """Totals by the organizations directly under the actor's, each with its subtree as of `on`.

    A primary that was moved counts under its new superior from the day of the move, and under the
    old one for any day before.
    """
    organization_id, _ = await _follower(actor, document_id)
    day = on or clock.today()
    branches, values = lines.branches_sql(organization_id, on=day, first=2)
    return await db.rows(
        f"""SELECT o.id, o.code, o.name, o.kind, v.status, count(*) AS number
            FROM ({branches}) AS b JOIN delivery AS v ON v.recipient_id = b.organization_id
                 AND v.document_id = $1
            JOIN organization AS o ON o.id = b.branch_id
            GROUP BY o.id, v.status ORDER BY o.code, v.status""",
        document_id, *values,
    )  # fmt: skip


async def _follower(actor: Actor, document_id: uuid.UUID) -> tuple[uuid.UUID, str]:
    """Whose list it is, and the common table ``mine`` that holds it; author or relay.

    Nobody is both, since no dispatch reaches its sender.
    """
    found = await visibility.visible_document(actor, document_id)
    if found["status"] not in ("sent", "closed", "recalled"):
        raise NotFound(
            "Документ ещё не рассылался.", "The document has not been dispatched.",
            code="not_dispatched",
        )  # fmt: skip
    is_author = found["organization_id"] == actor.home_id
    return actor.home_id, _AUTHORS if is_author else _RELAYS
