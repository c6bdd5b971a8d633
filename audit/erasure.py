"""Forgetting the details of events; that they happened, and every proof, stays."""

import uuid
from collections.abc import Sequence

from audit import events
from core import db
from core.actor import Actor

ERASED = "event.detail_erased"
"""The verb that tells the check of the log that a detail is gone by an act and not by a hand."""


async def erase_details(actor: Actor, event_ids: Sequence[uuid.UUID], *, act_id: uuid.UUID) -> int:
    """Delete detail and salt of these events for good; answers how many had one.

    Belongs in the transaction of the act; each erasure is an event of its own, named by the act.
    Whether the act was lawful and no hold stands against it is the caller's to know.
    """
    async with db.transaction():
        present = await db.rows(
            "SELECT event_id FROM event_payload WHERE event_id = ANY($1::uuid[])", list(event_ids)
        )
        gone = [row["event_id"] for row in present]
        await db.execute("SELECT erase_event_payload($1::uuid[])", gone)
        for event_id in gone:
            await events.record(
                actor, ERASED, subject=("event", event_id), data={"act_id": str(act_id)}
            )
    return len(gone)
