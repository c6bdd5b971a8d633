"""The sweep of messages: pauses that end, leases that ran out, receipts that do not come."""

from datetime import timedelta

from core import clock, db
from directory import quiet
from docflow.routing import settling
from docflow.routing.carriage import URGENT, Outcome, broken, retry
from docflow.routing.channels import CHANNELS

AT_ONCE = 1000


async def wake() -> int:
    """End the pauses that are over; answers how many messages are ready again."""
    return await db.execute(
        """UPDATE consignment SET next_attempt_at = NULL WHERE id IN (
               SELECT id FROM consignment WHERE status = 'waiting' AND next_attempt_at <= $1
               ORDER BY next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED)""",
        clock.now(), AT_ONCE,
    )  # fmt: skip


async def sweep() -> int:
    """Take back what dead processes held, send again, give up what is beyond its limit.

    Harmless at any time and from several processes at once; answers how many messages moved.
    """
    await _put_to_sleep()
    lost = await _each(
        "status = 'sending' AND leased_until < $1", retry("carrier_died", after=timedelta(0))
    )
    again = await _each(
        "status = 'sent' AND next_attempt_at <= $1", retry("no_receipt", after=timedelta(0))
    )
    late = await _each(
        "status IN ('waiting', 'sent') AND limit_at <= $1",
        broken("no_receipt", "квитанция не пришла в срок"),
    )
    return lost + again + late + await _drop_unwanted()


async def _each(condition: str, outcome: Outcome) -> int:
    """Settle every message that meets the condition; one whose carrier wakes meanwhile is left."""
    now, number = clock.now(), 0
    found = await db.rows(
        f"SELECT id FROM consignment WHERE {condition} ORDER BY id LIMIT {AT_ONCE}", now
    )
    for one in found:
        async with db.transaction():
            row = await db.row(
                f"SELECT * FROM consignment WHERE id = $2 AND {condition} FOR UPDATE SKIP LOCKED",
                now, one["id"],
            )  # fmt: skip
            if row is None:
                continue
            await db.execute(
                """UPDATE attempt SET status = 'failed', finished_at = $2, error_code = $3
                   WHERE consignment_id = $1 AND status = 'claimed'""",
                row["id"], now, outcome.code,
            )  # fmt: skip
            await settling.apply(row, outcome)
            number += 1
    return number


async def _drop_unwanted() -> int:
    """Messages none of whose deliveries waits any more (recalled, acknowledged …) turn void."""
    found = await db.rows(
        """SELECT m.id FROM consignment AS m WHERE m.status IN ('waiting', 'sent', 'failed')
           AND NOT EXISTS (
               SELECT 1 FROM consignment_delivery AS l JOIN delivery AS v ON v.id = l.delivery_id
               WHERE l.consignment_id = m.id AND l.outcome IS NULL
               AND v.status IN ('queued', 'failed'))
           ORDER BY m.id LIMIT $1""",
        AT_ONCE,
    )
    for one in found:
        async with db.transaction():
            row = await db.row(
                """SELECT * FROM consignment WHERE id = $1
                   AND status IN ('waiting', 'sent', 'failed') FOR UPDATE SKIP LOCKED""",
                one["id"],
            )
            if row is not None:
                await settling.drop(row)
    return len(found)


async def _put_to_sleep() -> None:
    """Where night has fallen meanwhile, what is not urgent waits for morning."""
    channels = [one.name for one in CHANNELS.values() if one.is_quiet_at_night]
    if not channels:
        return
    zones, wakes = quiet.nights(clock.now())
    await db.execute(
        """UPDATE consignment AS m SET next_attempt_at = n.wake
           FROM unnest($1::text[], $2::timestamptz[]) AS n (zone, wake)
           WHERE m.time_zone = n.zone AND m.status = 'waiting' AND m.next_attempt_at IS NULL
           AND m.channel = ANY($3) AND m.priority < $4""",
        zones, wakes, channels, URGENT,
    )  # fmt: skip
