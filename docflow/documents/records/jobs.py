"""The records schedule's jobs."""

import uuid
from datetime import timedelta

from core import db
from core.jobs import job, periodic
from docflow.documents.records import acts, destroying


@job(acts.EXECUTE_JOB, lock="destruction:{act_id}")
async def execute(act_id: str) -> None:
    """Carry an approved act out; begun again it goes on where it was stopped."""
    await destroying.carry_out(uuid.UUID(act_id))


@periodic("records.sweep_acts", every=timedelta(minutes=30))
async def sweep_acts() -> None:
    """Acts whose job got lost get another one; the lock keeps two from one act."""
    async with db.transaction():
        for row in await db.rows("SELECT id FROM destruction_act WHERE status = 'executing'"):
            await acts.defer_execution(row["id"])
