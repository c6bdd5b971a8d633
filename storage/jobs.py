"""The store's own housekeeping."""

from datetime import timedelta

from core import limits
from core.jobs import periodic
from storage import blobs


@periodic("storage.sweep_orphans", cron="17 3 * * *")
async def sweep_orphans() -> None:
    """Remove what interrupted uploads left behind, a day after."""
    await blobs.sweep_orphans(older_than=timedelta(days=1))


@periodic("limits.sweep", cron="43 * * * *")
async def sweep_limits() -> None:
    """Forget the counts of windows that are over."""
    await limits.sweep()
