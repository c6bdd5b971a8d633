"""Counts shared by all processes: how often something may be done."""

import asyncio
from datetime import timedelta

import pytest

from core import clock, db, limits
from core.errors import TooManyRequests


async def test_only_so_many_in_a_window(database: str) -> None:
    hour = timedelta(hours=1)
    tries = await asyncio.gather(
        *(limits.take("try", "10.0.0.1", limit=5, per=hour) for _ in range(12)),
        return_exceptions=True,
    )
    refused = [one for one in tries if isinstance(one, TooManyRequests)]
    assert len(refused) == 7
    assert 0 < refused[0].details["retry_after"] <= 3600
    await limits.take("try", "10.0.0.2", limit=5, per=hour)
    await limits.take("other", "10.0.0.1", limit=5, per=hour)
    with clock.frozen(clock.now() + hour):
        await limits.take("try", "10.0.0.1", limit=5, per=hour)
        await limits.sweep()
    assert await db.value("SELECT count(*) FROM use_count") == 1


async def test_a_use_is_not_taken_back(database: str) -> None:
    async with db.transaction():
        with pytest.raises(RuntimeError):
            await limits.take("try", "x", limit=1, per=timedelta(minutes=1))
