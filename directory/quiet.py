"""Quiet hours (тихие часы): what is not urgent waits for morning where the recipient lives."""

from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from core.settings import settings

Hours = tuple[int, int]


def wakes_at(zone: str, at: datetime) -> datetime | None:
    """When morning comes there, if it is night at `at`; None by day and for an unknown zone.

    Night is the setting QUIET_HOURS, from nine in the evening till eight in the morning.
    """
    hours = settings().quiet_hours
    return None if hours is None else _wakes_at(zone, at, hours)


def _wakes_at(zone: str, at: datetime, hours: Hours) -> datetime | None:
    place = _zone(zone)
    if place is None:
        return None
    local, (begin, end) = at.astimezone(place), hours
    asleep = begin <= local.hour < end if begin < end else not end <= local.hour < begin
    if not asleep:
        return None
    day = local.date() if local.hour < end else local.date() + timedelta(days=1)
    return datetime.combine(day, time(end), tzinfo=place)


def nights(at: datetime) -> tuple[list[str], list[datetime]]:
    """The zones of the world in which it is night, and when each wakes; two parallel lists for SQL.

    ``LEFT JOIN unnest($1::text[], $2::timestamptz[]) AS night (zone, wake)``.
    """
    hours = settings().quiet_hours
    if hours is None:
        return [], []
    zones, wakes = _nights(at.replace(second=0, microsecond=0), hours)
    return list(zones), list(wakes)


@lru_cache(maxsize=4)
def _nights(minute: datetime, hours: Hours) -> tuple[tuple[str, ...], tuple[datetime, ...]]:
    asleep = [(zone, wake) for zone in _zones() if (wake := _wakes_at(zone, minute, hours))]
    return tuple(zone for zone, _ in asleep), tuple(wake for _, wake in asleep)


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
