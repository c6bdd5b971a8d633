"""Documents' own clocks."""

from core.jobs import periodic
from docflow.documents import signing


@periodic("documents.expire_sessions", cron="*/5 * * * *")
async def expire_sessions() -> None:
    """End signing sessions nobody finished."""
    await signing.expire_sessions()
