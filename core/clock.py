"""Time: aware UTC in storage, the organization's zone on the page."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from os import urandom
from zoneinfo import ZoneInfo

MOSCOW = ZoneInfo("Europe/Moscow")

_frozen: ContextVar[datetime | None] = ContextVar("frozen_clock", default=None)


def now() -> datetime:
    """The present moment, aware and in UTC."""
    return _frozen.get() or datetime.now(UTC)


def today(zone: ZoneInfo = MOSCOW) -> date:
    """The calendar date in `zone`; dates on documents are Moscow dates unless said otherwise."""
    return now().astimezone(zone).date()


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Make `now` answer `at` inside the block, in this task and the tasks it starts."""
    if at.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    token = _frozen.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.reset(token)


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562 section 5.7) that is greater than every earlier one of this process.

    48 bits of milliseconds, 12 of their fraction (section 6.2, method 3, as PostgreSQL makes them),
    62 random bits. So what is told in one go stands in the order of its telling.
    """
    global _last
    millis, rest = divmod(time.time_ns(), 1_000_000)
    _last = moment = max((millis << 12) | (rest << 12) // 1_000_000, _last + 1)
    value = (moment >> 12 << 80) | (0x7 << 76) | ((moment & 0xFFF) << 64) | (0x2 << 62)
    return uuid.UUID(int=value | int.from_bytes(urandom(8), "big") >> 2)


_last = 0
