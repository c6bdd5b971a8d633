"""Carrying: claim messages (transaction) → hand them over (outside) → record (transaction).

The table of messages is the queue itself, because the job queue cannot say who is next: urgent
before the rest, senders in turn, no target more than it can take, nothing to where nobody answers
(ADR 0016). Any number of processes carry side by side; who dies loses its lease, and the same
message goes again under the same id.
"""

import asyncio
import logging
import uuid
from datetime import timedelta

from core import clock, db
from core.actor import RULE
from core.errors import ServiceError
from docflow.routing import settling
from docflow.routing.carriage import URGENT, Carried, Channel, Consignment, Kind, Outcome, retry
from docflow.routing.states import ConsignmentStatus as C

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
"""What a process claimed and does not confirm for so long is somebody else's to carry."""

FIRST_CLOSED = timedelta(seconds=5)
LONGEST_CLOSED = timedelta(minutes=5)
"""A target that answers nothing is asked at least this often whether it is back."""

# One place at a target is for urgent messages only; a target that was down is asked by one message.
_CLAIM = """WITH busy AS (
        SELECT target, count(*) AS number FROM consignment
        WHERE channel = $1 AND status = 'sending' GROUP BY target),
    barred AS (
        SELECT target FROM busy WHERE number > $6
        UNION
        SELECT target FROM channel_gate AS g WHERE g.channel = $1 AND (
            g.closed_until > $4 OR EXISTS (SELECT 1 FROM busy WHERE busy.target = g.target))),
    first AS (
        SELECT id, target, priority, turn FROM consignment
        WHERE channel = $1 AND status = 'waiting' AND next_attempt_at IS NULL
        AND priority >= $7::integer
        AND target <> ALL (ARRAY(SELECT target FROM barred))
        AND (priority >= $8 OR target <> ALL (ARRAY(SELECT target FROM busy WHERE number >= $6)))
        ORDER BY priority DESC, turn LIMIT $2::integer * 4),
    ranked AS (
        SELECT f.id, f.priority, f.turn,
               row_number() OVER (PARTITION BY f.target ORDER BY f.priority DESC, f.turn)
               + coalesce(b.number, 0) AS place, g.target IS NOT NULL AS is_probe
        FROM first AS f LEFT JOIN busy AS b ON b.target = f.target
        LEFT JOIN channel_gate AS g ON g.channel = $1 AND g.target = f.target),
    chosen AS (
        SELECT id FROM ranked
        WHERE place <= CASE WHEN is_probe THEN 1 ELSE $6 + (priority >= $8)::integer END
        ORDER BY priority DESC, turn LIMIT $2),
    taken AS (
        UPDATE consignment AS m SET status = 'sending', carrier_id = $3, leased_until = $5,
               attempts = m.attempts + 1, updated_at = $4
        FROM chosen WHERE m.id = chosen.id AND m.status = 'waiting' RETURNING m.*),
    tried AS (
        INSERT INTO attempt (consignment_id, number, status, started_at, carrier_id)
        SELECT id, attempts, 'claimed', $4, $3 FROM taken)
    SELECT t.*, (
        SELECT jsonb_agg(jsonb_build_array(l.delivery_id, v.recipient_id) ORDER BY l.delivery_id)
        FROM consignment_delivery AS l JOIN delivery AS v ON v.id = l.delivery_id
        WHERE l.consignment_id = t.id AND l.outcome IS NULL AND v.status = 'queued') AS wanted
    FROM taken AS t ORDER BY t.priority DESC, t.turn"""


async def claim(
    channel: Channel, *, carrier_id: uuid.UUID, room: int, least_priority: int = 0
) -> list[Consignment]:
    """Take up to `room` messages to carry, the next ones by priority and turn, with their leases.

    The lease is told by its row of `attempt`. What no delivery needs any more turns void instead.
    """
    async with db.transaction():
        # One claimer of a channel at a time, over all processes: limits are kept exactly.
        await db.value("SELECT pg_advisory_xact_lock(hashtext($1))", f"carry:{channel.name}")
        now = clock.now()
        taken = await db.rows(
            _CLAIM, channel.name, room, carrier_id, now, now + LEASE, channel.per_target,
            least_priority, URGENT,
        )  # fmt: skip
        for row in taken:
            if not row["wanted"]:
                await settling.drop(row)
    return [_consignment(row) for row in taken if row["wanted"]]


def _consignment(row: db.Row) -> Consignment:
    return Consignment(
        id=row["id"], channel=row["channel"], target=row["target"],
        document_id=row["document_id"], sender_id=row["sender_id"], priority=row["priority"],
        attempt=row["attempts"], created_at=row["created_at"], limit_at=row["limit_at"],
        deliveries=tuple(Carried(uuid.UUID(one), uuid.UUID(to)) for one, to in row["wanted"]),
    )  # fmt: skip


async def carry(channel: Channel, message: Consignment, *, carrier_id: uuid.UUID) -> Outcome:
    """Hand one claimed message over and record how it went; nothing it meets is let through."""
    outcome = await _handed_over(channel, message)
    await record(channel, message, outcome, carrier_id=carrier_id)
    return outcome


async def _handed_over(channel: Channel, message: Consignment) -> Outcome:
    try:
        async with asyncio.timeout(channel.timeout.total_seconds()):
            return await channel.send(message)
    except TimeoutError:
        return retry("timeout", is_target_down=True)
    except ServiceError as problem:
        return retry(problem.error_code, problem.message_ru)
    except Exception as problem:
        log.exception("channel %s failed with message %s", channel.name, message.id)
        return retry("defect", type(problem).__name__)


async def record(
    channel: Channel, message: Consignment, outcome: Outcome, *, carrier_id: uuid.UUID
) -> None:
    """Write down how a try went: the try, the message, its deliveries, their events, at once.

    Who has lost the lease meanwhile records only what is certain: an answer of the other side.
    """
    async with db.transaction():
        row = await db.row("SELECT * FROM consignment WHERE id = $1 FOR UPDATE", message.id)
        if row is None:
            return
        is_ours = row["status"] == C.SENDING and row["carrier_id"] == carrier_id
        await db.execute(
            """WITH open_again AS (
                   DELETE FROM channel_gate WHERE channel = $8 AND target = $9 AND NOT $10)
               UPDATE attempt SET status = $3, finished_at = $4, error_code = $5, error = $6,
                   receipt = $7
               WHERE consignment_id = $1 AND number = $2
               AND (status = 'claimed' OR $3 <> 'failed')""",
            message.id, message.attempt, _ATTEMPT[outcome.kind], clock.now(), outcome.code,
            outcome.text, dict(outcome.receipt) if outcome.receipt is not None else None,
            channel.name, message.target, outcome.is_target_down,
        )  # fmt: skip
        if outcome.is_target_down:
            await _close_gate(channel, message, outcome)
        if outcome.kind is Kind.RETRY:
            if is_ours:
                await settling.postpone(RULE.acting_for(row["sender_id"]), row, outcome)
        else:
            await settling.apply(row, outcome)


_ATTEMPT = {
    Kind.DELIVERED: "sent",
    Kind.ACCEPTED: "sent",
    Kind.RETRY: "failed",
    Kind.REFUSED: "refused",
    Kind.BROKEN: "failed",
}


async def _close_gate(channel: Channel, message: Consignment, outcome: Outcome) -> None:
    """Close the way to a target that does not answer, twice as long each time."""
    await db.execute(
        """INSERT INTO channel_gate AS g
               (channel, target, failures, closed_until, error_code, since)
           VALUES ($1, $2, 1, $4::timestamptz + $5::interval, $3, $4)
           ON CONFLICT (channel, target) DO UPDATE SET failures = g.failures + 1,
               error_code = excluded.error_code, closed_until = $4::timestamptz
                   + least($5::interval * (1 << least(g.failures, 12)), $6::interval)""",
        channel.name, message.target, outcome.code or "down", clock.now(), FIRST_CLOSED,
        LONGEST_CLOSED,
    )  # fmt: skip
