"""Routing's jobs: an id in, one verb called."""

import uuid

from core.jobs import job, periodic
from docflow.routing import clocks


@job("routing.follow_merge")
async def follow_merge(organization_id: str) -> None:
    """A recipient was closed or merged: its open deliveries end or pass on."""
    await clocks.follow_merge(uuid.UUID(organization_id))


@periodic("routing.remind", cron="5 * * * *")
async def remind() -> None:
    """Reminders of the day; hourly, since each is written once and a missed hour is no harm."""
    await clocks.remind()
