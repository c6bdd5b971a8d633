"""The room's jobs: one attempt of a webhook message, a batch of letters, and the sweep."""

import uuid
from datetime import timedelta

from core.jobs import RetryPolicy, job, periodic
from notify import mail, webhook_delivery, webhooks
from notify.notices import MAIL_JOB, MAIL_LOCK, MAIL_QUEUE

# How often a message is retried is written with the message (webhooks.RETRIES,
# mail.LONGEST_PAUSE); the queue itself runs a job again only when recording failed.
_RECORDING_FAILED = RetryPolicy(attempts=5, first=timedelta(seconds=5))


@job(webhooks.JOB, queue=webhooks.QUEUE, retry=_RECORDING_FAILED)
async def send_webhook(message_id: str) -> None:
    """Make the next attempt of a message; the lock of its webhook is given when it is queued."""
    await webhook_delivery.send(uuid.UUID(message_id))


@job(MAIL_JOB, queue=MAIL_QUEUE, retry=_RECORDING_FAILED, lock=MAIL_LOCK)
async def send_mail() -> None:
    """Send the letters that are due."""
    await mail.send_waiting()


@periodic("notify.sweep", every=timedelta(minutes=10))
async def sweep() -> None:
    """Nothing waits silently: overdue messages and letters are queued again, old ones go."""
    await webhook_delivery.requeue_forgotten()
    await webhook_delivery.prune()
    await mail.send_waiting()
