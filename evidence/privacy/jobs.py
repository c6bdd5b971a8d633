"""Acts are carried out in the background; a restored database is noticed without a restart."""

import uuid
from datetime import timedelta

from core import clock, db, jobs
from core.errors import Conflict
from core.jobs import job, periodic
from evidence.privacy import acts, consents, erasing, gate, register
from storage import destroying


@job(acts.JOB, lock="erasure:{act_id}")
async def erase(act_id: str) -> None:
    """Carry out an act; interrupted, it goes on where it was. A hold leaves it waiting."""
    try:
        await erasing.execute(uuid.UUID(act_id))
    except Conflict:
        return  # the act says what stops it, and the page of stuck things shows it


@job(consents.REMOVE_JOB)
async def remove_objects(keys: list[str]) -> None:
    """Take the bytes of packages that were let go out of the store."""
    await destroying.remove(keys)


@periodic("privacy.resume", cron="*/15 * * * *")
async def resume() -> None:
    """Acts whose job was lost with its worker, and those that a hold may no longer stop."""
    found = await db.rows(
        "SELECT id FROM erasure WHERE status IN ('approved', 'executing') AND updated_at < $1",
        clock.now() - timedelta(minutes=10),
    )
    for row in found:
        await jobs.defer(acts.JOB, key=str(row["id"]), act_id=row["id"])


@periodic("privacy.replay", cron="*/10 * * * *")
async def replay() -> None:
    """A database restored under a running service learns what it missed."""
    await gate.pass_()


@periodic("privacy.forget_values", cron="23 4 * * *")
async def forget_values() -> None:
    """What people were looked for by goes when the last backup that knew them has expired."""
    await register.forget_values(older_than=register.expired_before())
