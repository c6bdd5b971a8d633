"""Packages are packed in the background and let go when their time is over."""

import uuid
from datetime import timedelta

from core.jobs import job, periodic
from evidence.packages import exports


@job(exports.JOB, lock="evidence:{export_id}")
async def build(export_id: str) -> None:
    """Pack an export; interrupted, it goes on where it was."""
    await exports.build(uuid.UUID(export_id))


@periodic("evidence.resume", cron="*/15 * * * *")
async def resume() -> None:
    """Exports whose job was lost with its worker."""
    await exports.resume_forgotten(silent_for=timedelta(minutes=15))


@periodic("evidence.expire", cron="47 3 * * *")
async def expire() -> None:
    """Let go of packages that were there to be taken long enough."""
    await exports.expire()
