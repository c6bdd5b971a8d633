"""The job process as it is run in production, started by a benchmark."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core.embedded.services import CHECKOUT


@asynccontextmanager
async def working(**more: str) -> AsyncIterator[int]:
    """`docflow work` with these settings too; its process id. Ended at the end."""
    # reason: started once, before anything is measured
    process = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, str(CHECKOUT / "cli.py"), "work"], env={**os.environ, **more},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process.pid
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 60)


def resident_mb(pid: int) -> float:
    """What a process holds now, in MB of 10^6 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("no VmRSS")
