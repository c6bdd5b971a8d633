"""Documents' own clocks."""

from core import jobs
from core.jobs import periodic
from docflow.documents import signing


@periodic("documents.expire_sessions", cron="*/5 * * * *")
async def expire_sessions() -> None:
    """End signing sessions nobody finished."""
    await signing.expire_sessions()


@periodic("jobs.prune", cron="41 * * * *")
async def prune() -> None:
    """Forget finished jobs of the days before."""
    await jobs.prune()
