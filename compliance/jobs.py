"""The room's jobs: follow the register's changes, and the sweeps."""

from datetime import timedelta

from compliance import lookback, review
from compliance.changes import LOOK_BACK_JOB
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
