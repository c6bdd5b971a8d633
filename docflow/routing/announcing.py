"""Tell programs and nodes outside what happened to a delivery; in the change's transaction."""

import uuid
from collections.abc import Collection

from core import db
from docflow.routing.nodes import prompting
from notify import webhooks


async def to_sender(delivery_id: uuid.UUID, event_type: str) -> None:
    """Tell the organization that dispatched the document."""
    found = await db.row(
        """SELECT v.document_id, v.recipient_id, v.status, s.organization_id
           FROM delivery AS v JOIN dispatch AS s ON s.id = v.dispatch_id WHERE v.id = $1""",
        delivery_id,
    )
    if found is not None:
        await prompting.changed([delivery_id])
        data = {
            "delivery_id": str(delivery_id),
            "document_id": str(found["document_id"]),
            "recipient_id": str(found["recipient_id"]),
            "status": found["status"],
        }
        await webhooks.announce(found["organization_id"], event_type, data)


LISTENERS = """EXISTS (SELECT FROM node_delivery WHERE delivery_id = v.id) AS is_awaited,
    EXISTS (SELECT FROM dispatch AS s JOIN webhook AS w
                ON w.organization_id = s.organization_id AND w.status = 'active'
            WHERE s.id = v.dispatch_id) AS is_heard"""
"""SQL over deliveries `v`: does another node wait to hear of it, does its sender listen."""


async def to_senders(found: Collection[db.Row], event_type: str) -> None:
    """Tell who dispatched these; rows with `id` and `LISTENERS`, so only who listens costs."""
    if awaited := [row["id"] for row in found if row["is_awaited"]]:
        await prompting.changed(awaited)
    for row in found:
        if row["is_heard"]:
            await to_sender(row["id"], event_type)


async def received(
    *, dispatch_id: uuid.UUID | None = None, via_id: uuid.UUID | None = None
) -> None:
    """Tell the recipients a dispatch or a relay has just reached; only those who listen."""
    reached = await db.rows(
        """SELECT v.id, v.document_id, v.recipient_id FROM delivery AS v
           WHERE v.recipient_id IN (SELECT organization_id FROM webhook WHERE status = 'active')
           AND (v.dispatch_id = $1 OR v.via_id = $2) AND v.status = 'delivered'""",
        dispatch_id, via_id,
    )  # fmt: skip
    await webhooks.announce_many(
        "document.received",
        {
            found["recipient_id"]: {
                "delivery_id": str(found["id"]),
                "document_id": str(found["document_id"]),
            }
            for found in reached
        },
    )
