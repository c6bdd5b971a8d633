"""Consignments (отправления): one message about one document by one channel to one target.

Made from queued deliveries after a dispatch or a relay; carried by ``carrying``; ended by
``settling``. A delivery hangs on at most one message at a time (the database holds that), and the
message keeps its id over every try, so that its receiver knows a repeat.
"""

import uuid
from datetime import datetime

from core import clock, db
from core.actor import RULE
from directory import quiet
from docflow.routing import onward
from docflow.routing.carriage import URGENT, Channel
from docflow.routing.channels import CHANNELS

AT_ONCE = 20_000
"""Deliveries a transaction takes: a large circular holds up nobody for long."""

_LOOSE = """NOT EXISTS (SELECT 1 FROM consignment_delivery AS l
                WHERE l.delivery_id = v.id AND l.outcome IS NULL)"""


async def make(dispatch_id: uuid.UUID) -> int:
    """Give every queued delivery of a dispatch its message; answers how many deliveries.

    Those to one target share one. Done again it finds nothing to do. Who cannot be reached by its
    channel goes on to the next one.
    """
    number = 0
    for channel in CHANNELS.values():
        while taken := await _make_some(dispatch_id, channel):
            number += taken
    return number


async def make_forgotten() -> int:
    """The sweep: queued deliveries without a message get one; answers how many.

    Also those whose channel was not there yet when they were dispatched.
    """
    found = await db.rows(
        f"""SELECT DISTINCT v.dispatch_id FROM delivery AS v
            WHERE v.status = 'queued' AND v.channel = ANY($1) AND {_LOOSE}""",
        list(CHANNELS),
    )
    return sum([await make(row["dispatch_id"]) for row in found])


async def _make_some(dispatch_id: uuid.UUID, channel: Channel) -> int:
    async with db.transaction():
        # Two who make messages of one dispatch take turns; everybody else goes on.
        sender = await db.row(
            """SELECT organization_id, document_id, priority FROM dispatch WHERE id = $1
               FOR NO KEY UPDATE""",
            dispatch_id,
        )
        if sender is None:
            return 0
        turn = await _turn(channel.name, sender["priority"], sender["organization_id"])
        zones, wakes = _nights(channel, sender["priority"])
        actor, now = RULE.acting_for(sender["organization_id"]), clock.now()
        found = await db.rows(
            _MAKE.format(target=channel.target_sql),
            dispatch_id, channel.name, AT_ONCE, sender["document_id"], sender["organization_id"],
            sender["priority"], turn, now, now + channel.patience, channel.is_quiet_at_night,
            zones, wakes, actor.kind, actor.id,
        )  # fmt: skip
        nowhere = [row["id"] for row in found if row["id"] is not None]
        if nowhere:
            await onward.pass_on(actor, nowhere, code="no_target")
    return int(found[0]["taken"])


_MAKE = (
    """WITH due AS MATERIALIZED (
        SELECT v.id, v.recipient_id, {target} AS target, uuidv7() AS fresh FROM delivery AS v
        WHERE v.dispatch_id = $1 AND v.channel = $2 AND v.status = 'queued'
        AND """
    + _LOOSE
    + """ LIMIT $3),
    placed AS MATERIALIZED (
        SELECT id, recipient_id, target,
               first_value(fresh) OVER same AS consignment_id, row_number() OVER same AS place
        FROM due WHERE target IS NOT NULL WINDOW same AS (PARTITION BY target ORDER BY id)),
    zoned AS MATERIALIZED (
        SELECT p.consignment_id, p.target, CASE WHEN $10 THEN o.time_zone END AS time_zone,
               row_number() OVER (ORDER BY p.consignment_id) AS place
        FROM placed AS p JOIN organization AS o ON o.id = p.recipient_id WHERE p.place = 1),
    made AS (
        INSERT INTO consignment (id, document_id, sender_id, channel, target, priority, turn,
                                 time_zone, next_attempt_at, limit_at, created_at, updated_at)
        SELECT z.consignment_id, $4, $5, $2, z.target, $6, $7 + z.place, z.time_zone, n.wake,
               $9, $8, $8
        FROM zoned AS z LEFT JOIN unnest($11::text[], $12::timestamptz[]) AS n (zone, wake)
             ON n.zone = z.time_zone),
    linked AS (
        INSERT INTO consignment_delivery (consignment_id, delivery_id)
        SELECT consignment_id, id FROM placed),
    told AS (
        INSERT INTO event (at, actor_kind, actor_id, organization_id, verb, subject_kind,
                           subject_id, document_id, to_status)
        SELECT $8, $13, $14, $5, 'consignment.made', 'consignment', consignment_id, $4, 'waiting'
        FROM zoned)
    SELECT taken, lost.id FROM (SELECT count(*) AS taken FROM due) AS t
    LEFT JOIN (SELECT id FROM due WHERE target IS NULL) AS lost ON true"""
)
"""Each target's message has the id of its first delivery's row: found by sorting, not by a join,
because the planner takes what comes out of ``due`` for a handful of rows."""


async def _turn(channel: str, priority: int, sender_id: uuid.UUID) -> int:
    """Where a sender's next message stands in the line: behind its own, beside everybody else's.

    Start-time fair queueing (Goyal, Vin, Cheng 1997): turns begin at the one served now, so that
    whoever sends ten waits for ten of another's hundred thousand and not for all of them.
    """
    return int(
        await db.value(
            """SELECT greatest(
                   (SELECT min(turn) FROM consignment WHERE status = 'waiting'
                    AND next_attempt_at IS NULL AND channel = $1 AND priority = $2),
                   (SELECT max(turn) FROM consignment WHERE status = 'waiting'
                    AND channel = $1 AND priority = $2 AND sender_id = $3), 0)""",
            channel, priority, sender_id,
        )
    )  # fmt: skip


def _nights(channel: Channel, priority: int) -> tuple[list[str], list[datetime]]:
    if not channel.is_quiet_at_night or priority >= URGENT:
        return [], []
    return quiet.nights(clock.now())
