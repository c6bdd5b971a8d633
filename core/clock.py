"""Time: aware UTC in storage, the organization's zone on the page."""

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
    """A UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then random bits."""
    millis = int(datetime.now(UTC).timestamp() * 1000)
    value = (millis << 80) | int.from_bytes(urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)
