"""Deadlines that are watched: reminders on D-3 and D, the list of the silent on D+1, relays."""

import uuid
from datetime import timedelta

from audit import events
from core import clock, db
from core.actor import RULE, Actor
from core.errors import NotFound
from docflow.documents import visibility
from docflow.routing import bulk, escalating, onward
from docflow.routing.carriage import URGENT
from docflow.routing.states import FINAL, SILENT, DeliveryStatus
from notify import notices

REMIND_BEFORE = 3
"""Days before the deadline on which the recipient is reminded for the first time."""

CATCH_UP = 7
"""Days after which a watch that slept does not tell of the past any more."""


async def remind() -> int:
    """Write the notices that are due; each is written once, also when a day was slept through.

    D-3 and D to the recipient, D+1 to those above; answers how many are new.
    """
    today = clock.today()
    due = await db.rows(
        """SELECT v.id, v.recipient_id, v.document_id, v.due_on, s.priority
           FROM delivery AS v JOIN dispatch AS s ON s.id = v.dispatch_id
           WHERE v.due_on BETWEEN $1 AND $2 AND v.status IN ('delivered', 'opened')
           AND (v.due_on = $1 OR v.due_on - $3::integer >=
                                 (v.delivered_at AT TIME ZONE 'Europe/Moscow')::date)""",
        today, today + timedelta(days=REMIND_BEFORE), REMIND_BEFORE,
    )  # fmt: skip
    written = await notices.post_many(
        [
            notices.Post(
                row["recipient_id"],
                "due_today" if row["due_on"] == today else "due_in_3_days",
                ("delivery", row["id"]),
                row["due_on"],
                {"document_id": str(row["document_id"]), "due_on": row["due_on"].isoformat()},
                is_urgent=row["priority"] >= URGENT,
            )
            for row in due
        ]
    )
    return written + await _name_the_silent()


async def _name_the_silent() -> int:
    """On D+1 the superior on the letter's way learns how many under it are silent.

    Who sits behind a relay is reported to the relay, everybody also to the author; a relay that
    has not passed the letter on is reported to the author as such.
    """
    today = clock.today()
    silent = await db.rows(
        f"""SELECT who.organization_id, v.document_id, v.due_on, who.kind, count(*) AS number
           FROM delivery AS v
           JOIN dispatch AS s ON s.id = v.dispatch_id
           LEFT JOIN delivery AS via ON via.id = v.via_id
           CROSS JOIN LATERAL (VALUES
               (s.organization_id, CASE v.status WHEN 'awaiting_relay' THEN 'relay_overdue'
                                   ELSE 'silent_list' END),
               (CASE WHEN v.status <> 'awaiting_relay' THEN via.recipient_id END, 'silent_list')
           ) AS who (organization_id, kind)
           WHERE v.due_on >= $1 AND v.due_on < $2 AND v.status = ANY($3)
           AND who.organization_id IS NOT NULL AND {escalating.NO_PROLONGATION}
           GROUP BY 1, 2, 3, 4""",
        today - timedelta(days=CATCH_UP), today, list(SILENT),
    )  # fmt: skip
    return await notices.post_many(
        [
            notices.Post(row["organization_id"], row["kind"], ("document", row["document_id"]),
                         row["due_on"], {"count": row["number"]})
            for row in silent
        ]
    )  # fmt: skip


async def bypass_relay(actor: Actor, delivery_id: uuid.UUID) -> int:
    """The author stops waiting for a relay: what waits behind it is delivered directly.

    Answers how many deliveries were set free. The relay keeps its own copy; deliveries behind
    further relays wait for those.
    """
    actor.require("clerk")
    found = await db.row("SELECT * FROM delivery WHERE id = $1", delivery_id)
    if found is None:
        raise NotFound(delivery_id=str(delivery_id))
    async with db.transaction():
        with visibility.hiding(delivery_id=delivery_id):
            await visibility.own_document(actor, found["document_id"])
        freed = await bulk.set_free(actor, delivery_id)
        await events.record(
            actor, "delivery.relay_bypassed", subject=("delivery", delivery_id),
            document_id=found["document_id"], data={"freed": freed},
        )  # fmt: skip
    return freed


async def follow_merge(organization_id: uuid.UUID) -> int:
    """A recipient was closed or merged: its open deliveries end or pass to the successor.

    A successor that has no delivery of the document takes over the delivery as it stands; one
    that has its own makes this one void. Who waited behind a relay that is gone waits for the
    successor, or is delivered to directly when there is none or it has passed the letter on
    already. Control lists keep their sum. Answers how many changed.
    """
    actor = RULE.acting_for(organization_id)
    async with db.transaction():
        successor = await db.value(
            "SELECT merged_into_id FROM organization WHERE id = $1", organization_id
        )
        taken = 0
        if successor is not None:
            moved = await db.rows(
                """UPDATE delivery AS v SET recipient_id = $2, updated_at = $3
                   WHERE v.recipient_id = $1 AND v.status = ANY($4) AND NOT EXISTS (
                       SELECT 1 FROM delivery AS own WHERE own.recipient_id = $2
                       AND own.document_id = v.document_id) RETURNING v.id""",
                organization_id, successor, clock.now(), list(SILENT),
            )  # fmt: skip
            taken = len(moved)
            await onward.begin_anew(actor, [row["id"] for row in moved])
            if taken:
                await events.record(
                    actor, "delivery.taken_over", subject=("organization", organization_id),
                    data={"successor_id": str(successor), "deliveries": taken},
                )  # fmt: skip
        void = await bulk.end(
            actor, "recipient_id", organization_id, target=DeliveryStatus.VOID,
            reason="recipient_ceased", sources=SILENT,
        )  # fmt: skip
        await _reroute(actor, organization_id, successor)
    return taken + void


async def _reroute(actor: Actor, organization_id: uuid.UUID, successor: uuid.UUID | None) -> None:
    """Nobody waits for a relay that is no more."""
    waiting = await db.rows(
        """SELECT DISTINCT dead.id, own.id AS own_id,
                  own.id IS NULL OR own.status = ANY($3)
                  OR EXISTS (SELECT 1 FROM hop WHERE delivery_id = own.id) AS is_free
           FROM delivery AS dead JOIN delivery AS v ON v.via_id = dead.id
                AND v.status = 'awaiting_relay'
           LEFT JOIN delivery AS own ON own.recipient_id = $2
                AND own.document_id = dead.document_id
           WHERE dead.recipient_id = $1""",
        organization_id, successor, [status.value for status in FINAL],
    )  # fmt: skip
    for row in waiting:
        if row["is_free"]:
            await bulk.set_free(actor, row["id"])
        else:
            await db.execute(
                """UPDATE delivery SET via_id = $2, updated_at = $3
                   WHERE via_id = $1 AND status = 'awaiting_relay' AND id <> $2""",
                row["id"], row["own_id"], clock.now(),
            )  # fmt: skip
