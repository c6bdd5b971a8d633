"""The directory's own housekeeping."""

from core.jobs import periodic
from directory import sessions


@periodic("directory.sweep_sessions", cron="23 2 * * *")
async def sweep_sessions() -> None:
    """Forget sessions that ended long ago."""
    await sessions.sweep()
