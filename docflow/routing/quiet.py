"""Quiet hours (тихие часы): what is not urgent waits for morning where the recipient lives."""

from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core import clock, db

BEGIN, END = time(21), time(8)
"""From nine in the evening till eight in the morning, by the recipient's own clock."""


def wakes_at(zone: str, at: datetime) -> datetime | None:
    """When morning comes there, if it is night at `at`; None by day and for an unknown zone."""
    place = _zone(zone)
    if place is None:
        return None
    local = at.astimezone(place)
    if END <= local.time() < BEGIN:
        return None
    day = local.date() if local.time() < END else local.date() + timedelta(days=1)
    return datetime.combine(day, END, tzinfo=place)


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


async def nights() -> tuple[list[str], list[datetime]]:
    """The zones of the directory in which it is night now, and when each wakes; parallel lists."""
    zones = await db.rows("SELECT DISTINCT time_zone AS name FROM organization")
    now = clock.now()
    asleep = [(row["name"], wake) for row in zones if (wake := wakes_at(row["name"], now))]
    return [name for name, _ in asleep], [wake for _, wake in asleep]
