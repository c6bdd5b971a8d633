"""The log's own clocks. Taking events is a loop of the job process (`sequencing.run`), no job."""

from datetime import timedelta

from core.errors import Unavailable
from core.jobs import RetryPolicy, periodic
from evidence.log import alarm, checking, cosigning, stamping
from signatures import stamp_client

QUEUE = "log"
"""For jobs that ask others: a witness or an authority that is slow holds up nobody else."""
SLICE = 20_000
"""Leaves checked a minute: a million within the hour."""
_PATIENT = RetryPolicy(
    first=timedelta(seconds=15), longest=timedelta(minutes=1), temporary_attempts=10**6
)
"""An authority may be away for days: one job waits for it, to be seen on the page of stuck jobs."""


@periodic("log.stamp", every=timedelta(seconds=30), queue=QUEUE, retry=_PATIENT)
async def stamp() -> None:
    """Stamp the newest checkpoint; quiet about a short outage, a failed job after a long one."""
    if not (await alarm.standing()).has_authority:
        return
    try:
        await stamping.stamp_newest(stamp=stamp_client.stamp)
    except Unavailable:
        if (await stamping.due()).is_late:
            raise


@periodic("log.ask_witnesses", every=timedelta(seconds=10), queue=QUEUE)
async def ask_witnesses() -> None:
    """Get the newest checkpoint cosigned."""
    await cosigning.ask_all()


@periodic("log.check_slice", cron="* * * * *")
async def check_slice() -> None:
    """Compare the next part of the log with the events."""
    await checking.check_slice(width=SLICE)


@periodic("log.check_all", cron="17 2 * * *")
async def check_all() -> None:
    """Compare all of the log with the events."""
    await checking.check_all()


@periodic("log.alarm", cron="*/10 * * * *")
async def tell_of_alarm() -> None:
    """Tell the center when the log is not well."""
    await alarm.tell()
