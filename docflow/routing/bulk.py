"""Changes of many deliveries at once, each with its event, in one statement each."""

import uuid
from collections.abc import Collection

from core import clock, db
from core.actor import Actor
from docflow.routing import announcing, queueing
from docflow.routing.states import TRANSITIONS, DeliveryStatus

_TELL = """INSERT INTO event (at, actor_kind, actor_id, organization_id, verb, subject_kind,
               subject_id, document_id, from_status, to_status, request_id)
           SELECT $2, $3, $4, $5, $6, 'delivery', id, document_id, before, after, $7 FROM changed"""


async def set_free(actor: Actor, relay_delivery_id: uuid.UUID) -> int:
    """Let go what waited for a relay: delivered inside this installation, queued elsewhere."""
    freed = await db.rows(
        f"""WITH changed AS (
                UPDATE delivery SET updated_at = $2,
                    status = CASE channel WHEN 'internal' THEN 'delivered' ELSE 'queued' END,
                    delivered_at = CASE channel WHEN 'internal' THEN $2::timestamptz END
                WHERE via_id = $1 AND status = 'awaiting_relay'
                RETURNING id, document_id, dispatch_id, old.status AS before, new.status AS after),
            told AS ({_TELL})
            SELECT dispatch_id, count(*) AS number FROM changed GROUP BY dispatch_id""",
        relay_delivery_id, clock.now(), actor.kind, actor.id, actor.organization_id,
        "delivery.freed", actor.request_id,
    )  # fmt: skip
    for row in freed:
        await queueing.after_queueing(row["dispatch_id"])
    return sum(row["number"] for row in freed)


async def end(
    actor: Actor,
    column: str,
    owner_id: uuid.UUID,
    *,
    target: DeliveryStatus,
    reason: str,
    sources: Collection[DeliveryStatus],
) -> int:
    """End the deliveries of a document or of a recipient that stand in one of `sources`.

    `column` is ``document_id`` or ``recipient_id``. A letter that never arrived turns void, so
    that it does not appear to its recipient after all.
    """
    if column not in ("document_id", "recipient_id"):
        raise ValueError(column)
    if not all({target, DeliveryStatus.VOID} <= TRANSITIONS[source] for source in sources):
        raise ValueError("the graph of deliveries knows no such step")
    number = await db.value(
        f"""WITH changed AS (
                UPDATE delivery SET reason = $8, ended_at = $2, updated_at = $2,
                    status = CASE WHEN delivered_at IS NULL THEN 'void' ELSE $9 END
                WHERE {column} = $1 AND status = ANY($10)
                RETURNING id, document_id, old.status AS before, new.status AS after),
            told AS ({_TELL})
            SELECT count(*) FROM changed""",
        owner_id, clock.now(), actor.kind, actor.id, actor.organization_id, "delivery.ended",
        actor.request_id, reason, target.value, [source.value for source in sources],
    )  # fmt: skip
    return int(number)


async def settle(
    actor: Actor,
    delivery_ids: Collection[uuid.UUID],
    *,
    target: DeliveryStatus,
    sources: Collection[DeliveryStatus],
    reason: str | None = None,
) -> list[uuid.UUID]:
    """What a channel says of many deliveries: `target` is delivered, refused or failed.

    Those that stand elsewhere by now (acknowledged, recalled …) stay as they are. Answers which
    changed; their senders are told.
    """
    if not all(target in TRANSITIONS[source] for source in sources):
        raise ValueError("the graph of deliveries knows no such step")
    changed = await db.rows(
        f"""WITH changed AS (
                UPDATE delivery SET status = $8, reason = left($9, 1000), updated_at = $2,
                    delivered_at = CASE $8 WHEN 'delivered' THEN $2::timestamptz END,
                    ended_at = CASE $8 WHEN 'refused' THEN $2::timestamptz END
                WHERE id = ANY($1) AND status = ANY($10)
                RETURNING id, document_id, dispatch_id, old.status AS before, new.status AS after),
            told AS ({_TELL})
            SELECT v.id, {announcing.LISTENERS} FROM changed AS v""",
        list(delivery_ids), clock.now(), actor.kind, actor.id, actor.organization_id,
        f"delivery.{target.value}", actor.request_id, target.value, reason,
        [source.value for source in sources],
    )  # fmt: skip
    await announcing.to_senders(changed, f"delivery.{target.value}")
    return [row["id"] for row in changed]
