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
    step = per.total_seconds()
    begun = datetime.fromtimestamp(now.timestamp() // step * step, UTC)
    key = hashlib.sha256(f"{purpose}\0{who}".encode()).digest()
    used = await db.value(
        """INSERT INTO use_count AS c (key, begun_at, ends_at, number) VALUES ($1, $2, $3, 1)
           ON CONFLICT (key, begun_at) DO UPDATE SET number = c.number + 1 RETURNING number""",
        key, begun, begun + per,
    )  # fmt: skip
    if used > limit:
        raise TooManyRequests(retry_after=max(1, round((begun + per - now).total_seconds())))


async def sweep() -> None:
    """Forget windows that are over."""
    await db.execute("DELETE FROM use_count WHERE ends_at < $1", clock.now())
