"""Documents' own clocks."""

from core.jobs import periodic
from docflow.documents import appeals, signing, verdicts
from docflow.documents.longevity import alarm, authority, fixity, renewal, stamping
from signatures import stamp_client


@periodic("documents.expire_sessions", cron="*/5 * * * *")
async def expire_sessions() -> None:
    """End signing sessions nobody finished."""
    await signing.expire_sessions()


@periodic("longevity.stamp_received", cron="* * * * *")
async def stamp_received() -> None:
    """Put what came in the last minute under one time stamp; without an authority it waits."""
    if await authority.is_configured():
        await stamping.stamp_received(stamp=stamp_client.stamp)


@periodic("longevity.renew_stamps", cron="41 1 * * *")
async def renew_stamps() -> None:
    """Renew the stamps whose certificates or algorithms near their end."""
    if await authority.is_configured():
        await renewal.renew_stamps(stamp=stamp_client.stamp)


@periodic("longevity.renew_trees", cron="11 * * * *")
async def renew_trees() -> None:
    """Put objects under a new digest while the old one still holds, some each hour."""
    if await authority.is_configured():
        await renewal.renew_trees(stamp=stamp_client.stamp)


@periodic("longevity.check_stored", cron="31 * * * *")
async def check_stored() -> None:
    """Read stored bytes anew, the longest unread first."""
    await fixity.check_stored()


@periodic("longevity.alarm", cron="7 6 * * *")
async def tell_of_alarm() -> None:
    """Tell the center what the archive has lost or missed."""
    await alarm.tell()


@periodic("documents.recheck_unclear", cron="23 * * * *")
async def recheck_unclear() -> None:
    """Ask again of signatures of which nothing could be told, now that lists may have come."""
    await verdicts.recheck_unclear()


@periodic("documents.watch_appeals", cron="27 * * * *")
async def watch_appeals() -> None:
    """Tell of appeals whose term under 59-FZ is over."""
    await appeals.watch()
