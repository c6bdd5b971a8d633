"""Routing's jobs: an id in, one verb called."""

import uuid
from datetime import timedelta

from core.jobs import job, periodic
from docflow.routing import (
    clocks,
    consignments,
    escalating,
    overdue,
    prolongations,
    queueing,
)
from docflow.routing.email import receiving as mail_receiving
from docflow.routing.medo import clocks as medo_clocks
from docflow.routing.medo import incoming, outgoing, replies
from docflow.routing.offline import polling as offline_polling


@job("routing.follow_merge")
async def follow_merge(organization_id: str) -> None:
    """A recipient was closed or merged: its open deliveries end or pass on."""
    await clocks.follow_merge(uuid.UUID(organization_id))


@job(queueing.CONSIGN_JOB, lock="consign:{dispatch_id}")
async def consign(dispatch_id: str) -> None:
    """Give what a dispatch has queued its messages."""
    await consignments.make(uuid.UUID(dispatch_id))


@periodic("routing.sweep_consignments", every=timedelta(seconds=5))
async def sweep_consignments() -> None:
    """Leases that ran out, pauses that end, receipts that do not come."""
    await overdue.sweep()


@periodic("routing.consign_forgotten", every=timedelta(minutes=5))
async def consign_forgotten() -> None:
    """Queued deliveries without a message get one."""
    await consignments.make_forgotten()


@periodic("routing.remind", cron="5 * * * *")
async def remind() -> None:
    """Reminders of the day; hourly, since each is written once and a missed hour is no harm."""
    await prolongations.lapse()
    await clocks.remind()
    await escalating.escalate()


@periodic("mail.poll", every=timedelta(minutes=1), queue="mail")
async def poll_mail() -> None:
    """Take in the delivery reports that wait in the folder and the mailbox."""
    await mail_receiving.poll()


@periodic("offline.poll", every=timedelta(minutes=1))
async def poll_offline() -> None:
    """Take in the packages that were brought."""
    await offline_polling.poll()


@periodic("medo.poll", every=timedelta(seconds=30))
async def poll_medo() -> None:
    """Take in what the МЭДО transport has put into the incoming folder."""
    await incoming.poll()


@periodic("medo.send", every=timedelta(seconds=30))
async def send_medo() -> None:
    """Queue what our office owes and write all that waits into the outgoing folder."""
    await replies.notify()
    await outgoing.send_waiting()


@periodic("medo.watch", cron="17 * * * *")
async def watch_medo() -> None:
    """Messages without a receipt, letters without an answer; each told once."""
    await medo_clocks.watch()
