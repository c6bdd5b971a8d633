"""The log's part of the job process alone: takes events, checks a slice each minute."""

import asyncio
import signal
from contextlib import suppress

from core.db import DB
from evidence.log import checking, jobs, sequencing


async def keep() -> None:
    """Until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await DB.open(size=3)
    try:
        await asyncio.gather(sequencing.run(stop), _check(stop))
    finally:
        await DB.close()


async def _check(stop: asyncio.Event) -> None:
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=60)
        if (await checking.check_slice(width=jobs.SLICE)).findings:
            raise RuntimeError("the check found something")


if __name__ == "__main__":
    asyncio.run(keep())
