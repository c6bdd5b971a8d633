"""The fan-out of a dispatch (веерная рассылка): everything it writes, in one statement."""

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any

from core import clock, db
from core.actor import Actor


async def fan_out(
    actor: Actor,
    document_id: uuid.UUID,
    dispatch_id: uuid.UUID,
    *,
    chosen: tuple[str, list[Any]],
    is_relayed: bool,
    is_first: bool,
    deadlines: Mapping[str, date],
) -> int:
    """Write every delivery and its event; answers how many. The database never ships a row to us.

    `chosen` is the common table of that name (recipient_id, kind, channel, via_recipient_id) and
    its values. `is_relayed`: some go through others of them. `is_first`: nobody has the document
    yet; otherwise those who have it are passed over.
    """
    table, values = chosen
    p = len(values)
    planned = (_PLANNED_FIRST if is_first else _PLANNED_AGAIN).format(
        document=f"${p + 2}", id=_counted_id(p + 9)
    )
    made = await db.value(
        f"""WITH {table}, {planned},
            {_PLACED_BY_RELAY if is_relayed else _PLACED_AT_ONCE},
            made AS (
                INSERT INTO delivery (id, dispatch_id, document_id, recipient_id, recipient_kind,
                                      via_id, channel, status, due_on, delivered_at, updated_at)
                SELECT id, ${p + 1}, ${p + 2}, recipient_id, kind, via_id, channel, status,
                       (${p + 3}::jsonb ->> kind)::date,
                       CASE status WHEN 'delivered' THEN ${p + 4}::timestamptz END, ${p + 4}
                FROM placed),
            told AS (
                INSERT INTO event (id, at, actor_kind, actor_id, organization_id, verb,
                                   subject_kind, subject_id, document_id, to_status, request_id)
                SELECT {_counted_id(p + 10)}, ${p + 4}, ${p + 5}, ${p + 6}, ${p + 7},
                       'delivery.made', 'delivery', id, ${p + 2}, status, ${p + 8}
                FROM placed)
            SELECT count(*) FROM placed""",
        *values, dispatch_id, document_id,
        {kind: day.isoformat() for kind, day in deadlines.items()}, clock.now(),
        actor.kind, actor.id, actor.home_id, actor.request_id, _id_stem(), _id_stem(),
    )  # fmt: skip
    return int(made)


def _id_stem() -> str:
    """All of a UUIDv7 but its last 32 bits."""
    return str(clock.new_id())[:-8]


def _counted_id(place: int) -> str:
    """SQL for UUIDv7s of one statement that count on from a random stem (RFC 9562 section 6.2,
    method 2); PostgreSQL's uuidv7() asks the kernel for each one, a sixth of a whole dispatch."""
    return f"(${place}::text || lpad(to_hex(row_number() OVER ()), 8, '0'))::uuid"


_PLANNED_FIRST = """planned AS MATERIALIZED (
                SELECT {id} AS id, true AS is_new, c.recipient_id, c.kind, c.channel,
                       c.via_recipient_id
                FROM chosen AS c)"""
"""For a document that was never dispatched: nobody has it, so nobody is looked up."""

_PLANNED_AGAIN = """planned AS MATERIALIZED (
                SELECT coalesce(v.id, {id}) AS id, v.id IS NULL AS is_new, c.recipient_id,
                       c.kind, c.channel, c.via_recipient_id
                FROM chosen AS c LEFT JOIN delivery AS v ON v.recipient_id = c.recipient_id
                     AND v.document_id = {document})"""

_STATUS_AT_ONCE = "CASE channel WHEN 'internal' THEN 'delivered' ELSE 'queued' END"

_PLACED_AT_ONCE = f"""placed AS MATERIALIZED (
                SELECT id, recipient_id, kind, NULL::uuid AS via_id, channel,
                       {_STATUS_AT_ONCE} AS status
                FROM planned WHERE is_new)"""

_PLACED_BY_RELAY = f"""paired AS (
                SELECT id, recipient_id, kind, channel, is_new, via_recipient_id,
                       first_value(relay_id) OVER (PARTITION BY meeting ORDER BY side) AS via_id,
                       side
                FROM (SELECT recipient_id AS meeting, 0 AS side, id AS relay_id, id, recipient_id,
                             kind, channel, is_new, via_recipient_id FROM planned
                      UNION ALL
                      SELECT via_recipient_id, 1, NULL, id, recipient_id,
                             kind, channel, is_new, via_recipient_id FROM planned WHERE is_new
                     ) AS sides),
            placed AS MATERIALIZED (
                SELECT id, recipient_id, kind, via_id, channel,
                       CASE WHEN via_id IS NOT NULL THEN 'awaiting_relay'
                            ELSE {_STATUS_AT_ONCE} END AS status
                FROM paired WHERE side = 1)"""
"""Each recipient meets its relay by sorting, not by a join: the planner takes what comes out of
the recursive selection for a handful of rows and would compare everybody with everybody."""
