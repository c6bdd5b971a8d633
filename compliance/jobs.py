"""The room's jobs: follow the register's changes, and the sweeps."""

import uuid
from datetime import timedelta

from compliance.checking import review
from compliance.publishing import issue_files, lookback
from compliance.registers.changes import LOOK_BACK_JOB
from core.jobs import job, periodic


@job(LOOK_BACK_JOB, lock="compliance.look_back")
async def look_back() -> None:
    """Judge published pictures again that a change of the registers touches."""
    await lookback.follow()


@periodic("compliance.sweep_uses", every=timedelta(hours=1))
async def sweep_uses() -> None:
    """Rights that end, and uses nobody has looked at for a week."""
    await lookback.sweep()


@periodic("compliance.sweep_reviews", every=timedelta(hours=1))
async def sweep_reviews() -> None:
    """Reviews nobody has answered in time."""
    await review.sweep()


@job(issue_files.CHECK_JOB, lock="publication:{publication_id}")
async def check_publication(publication_id: str, account_id: str) -> None:
    """Judge the pictures that were taken out of an issue's file."""
    await issue_files.check_in_background(
        publication_id=uuid.UUID(publication_id), account_id=uuid.UUID(account_id)
    )
