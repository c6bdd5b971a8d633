"""The carriers of the job process alone: messages by every channel, until SIGTERM."""

import asyncio
import signal

from core import sandbox
from core.db import DB
from docflow.routing import carriers


async def carry() -> None:
    """Say «ready» once the pool is open; then what the job process does with messages."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await DB.open()
    print("ready", flush=True)
    try:
        await carriers.run(stop)
    finally:
        await sandbox.pool().close()
        await DB.close()


if __name__ == "__main__":
    asyncio.run(carry())
