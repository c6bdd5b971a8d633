"""Onward: to the recipient's next channel, or to a person when none is left."""

import uuid
from collections.abc import Sequence

from core import clock, db
from core.actor import Actor
from docflow.routing import bulk, queueing, ways
from docflow.routing.channels import next_channel
from docflow.routing.states import DeliveryStatus


async def pass_on(
    actor: Actor, delivery_ids: Sequence[uuid.UUID], *, code: str, text: str | None = None
) -> list[uuid.UUID]:
    """Give queued deliveries to their next channel; answers those that have none left.

    Those fail with the reason and wait for a person. Inside the caller's transaction.
    """
    ways = await next_channel(delivery_ids)
    stranded = [one for one in delivery_ids if one not in ways]
    if ways:
        dispatches = await db.rows(
            """WITH changed AS (
                   UPDATE delivery AS v SET channel = w.channel, updated_at = $3
                   FROM unnest($1::uuid[], $2::text[]) AS w (id, channel)
                   WHERE v.id = w.id AND v.status = 'queued'
                   RETURNING v.id, v.document_id, v.dispatch_id, old.channel AS before, v.channel),
               told AS (
                   INSERT INTO event (at, actor_kind, actor_id, organization_id, verb, subject_kind,
                                      subject_id, document_id, request_id, data)
                   SELECT $3, $4, $5, $6, 'delivery.rerouted', 'delivery', id, document_id, $7,
                          jsonb_build_object('from', before, 'to', channel, 'reason', $8::text)
                   FROM changed)
               SELECT DISTINCT dispatch_id FROM changed""",
            list(ways), list(ways.values()), clock.now(), actor.kind, actor.id,
            actor.organization_id, actor.request_id, code,
        )  # fmt: skip
        inside = [one for one, channel in ways.items() if channel == "internal"]
        await bulk.settle(
            actor, inside, target=DeliveryStatus.DELIVERED, sources=(DeliveryStatus.QUEUED,)
        )
        for row in dispatches:
            await queueing.after_queueing(row["dispatch_id"])
    await bulk.settle(
        actor, stranded, target=DeliveryStatus.FAILED, sources=(DeliveryStatus.QUEUED,),
        reason=f"{code}: {text}" if text else code,
    )  # fmt: skip
    return stranded


async def begin_anew(actor: Actor, delivery_ids: Sequence[uuid.UUID]) -> None:
    """Their recipient is another one now: queued deliveries take its first channel.

    The messages they hung on are told nothing of it; an answer that still comes counts.
    """
    marks, names = zip(*ways.all_forbidden(), strict=True)
    barred = """ARRAY(SELECT r.name FROM unnest($4::text[], $5::text[]) AS r (mark, name)
                      WHERE r.mark = d.mark)"""
    changed = await db.rows(
        f"""WITH changed AS (
                UPDATE delivery AS v SET updated_at = $2, channel = {
                    ways.first_sql("v.recipient_id", "o.channels", barred=barred,
                                   closed="$3::text[]")}
                FROM organization AS o, document AS d
                WHERE v.id = ANY($1) AND v.status = 'queued' AND o.id = v.recipient_id
                AND d.id = v.document_id RETURNING v.id, v.dispatch_id, v.channel),
            loose AS (
                UPDATE consignment_delivery SET outcome = 'overtaken', settled_at = $2
                WHERE outcome IS NULL AND delivery_id IN (SELECT id FROM changed))
            SELECT id, dispatch_id, channel FROM changed""",
        list(delivery_ids), clock.now(), ways.not_set_up(), list(marks), list(names),
    )  # fmt: skip
    await bulk.settle(
        actor, [row["id"] for row in changed if row["channel"] == "internal"],
        target=DeliveryStatus.DELIVERED, sources=(DeliveryStatus.QUEUED,),
    )  # fmt: skip
    for dispatch_id in {row["dispatch_id"] for row in changed}:
        await queueing.after_queueing(dispatch_id)
