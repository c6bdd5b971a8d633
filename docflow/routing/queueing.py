"""Asking that queued deliveries get their messages, in the transaction that queued them."""

import uuid

from core import db, jobs

CONSIGN_JOB = "routing.consign"
jobs.allow(CONSIGN_JOB)


async def after_queueing(dispatch_id: uuid.UUID) -> None:
    """Defer the making of messages when this dispatch has anything queued for a channel."""
    priority = await db.value(
        """SELECT priority FROM dispatch WHERE id = $1 AND EXISTS (
               SELECT 1 FROM delivery WHERE dispatch_id = $1 AND status = 'queued'
               AND channel <> 'medo')""",
        dispatch_id,
    )
    if priority is not None:
        await jobs.defer(CONSIGN_JOB, priority=priority, dispatch_id=dispatch_id)
