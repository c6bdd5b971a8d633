"""Limits on how often something may be done, shared by every process of the installation."""

import hashlib
from datetime import UTC, datetime, timedelta

from core import clock, db
from core.errors import TooManyRequests


async def take(purpose: str, who: str, *, limit: int, per: timedelta) -> None:
    """Count one use of `purpose` by `who` (an address, an account) in the running window.

    Counted for good even when the caller's work fails, so it belongs outside a transaction. Only
    a hash of `who` is stored. Raises TooManyRequests (`too_many_requests`, details `retry_after` in
    seconds) once `limit` uses fall into one window of the length `per`.
    """
    if db.in_transaction():
        raise RuntimeError("a use must stay counted: take outside a transaction")
    now = clock.now()
    key, begun = _window(purpose, who, now, per)
    used = await db.value(
        """INSERT INTO use_count AS c (key, begun_at, ends_at, number) VALUES ($1, $2, $3, 1)
           ON CONFLICT (key, begun_at) DO UPDATE SET number = c.number + 1 RETURNING number""",
        key, begun, begun + per,
    )  # fmt: skip
    if used > limit:
        raise _too_many(begun + per - now)


async def check(purpose: str, who: str, *, limit: int, per: timedelta) -> None:
    """Raise as `take` does when the running window is used up already; counts nothing."""
    now = clock.now()
    key, begun = _window(purpose, who, now, per)
    used = await db.value(
        "SELECT number FROM use_count WHERE key = $1 AND begun_at = $2", key, begun
    )
    if used is not None and used >= limit:
        raise _too_many(begun + per - now)


def _window(purpose: str, who: str, now: datetime, per: timedelta) -> tuple[bytes, datetime]:
    step = per.total_seconds()
    begun = datetime.fromtimestamp(now.timestamp() // step * step, UTC)
    return hashlib.sha256(f"{purpose}\0{who}".encode()).digest(), begun


def _too_many(left: timedelta) -> TooManyRequests:
    return TooManyRequests(retry_after=max(1, round(left.total_seconds())))


async def sweep() -> None:
    """Forget windows that are over."""
    await db.execute("DELETE FROM use_count WHERE ends_at < $1", clock.now())
