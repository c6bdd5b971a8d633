"""The web process as it is run in production, started by a benchmark."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.http_client import Connection
from core.embedded.services import CHECKOUT

READY_WITHIN = 60


@dataclass(frozen=True, slots=True)
class Web:
    """A running web process."""

    port: int
    pid: int

    def peak_mb(self) -> float:
        """The most memory it ever held (resident), in MB of 10^6 bytes."""
        return self._status("VmHWM")

    def resident_mb(self) -> float:
        """What it holds now."""
        return self._status("VmRSS")

    def forget_peak(self) -> None:
        """Count the peak from here on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def _status(self, name: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024 / 1e6
        raise RuntimeError(f"no {name}")


@asynccontextmanager
async def serving(**more: str) -> AsyncIterator[Web]:
    """`docflow serve` on a free port, ready; ended at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    # reason: started once, before anything is measured
    process = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, str(CHECKOUT / "cli.py"), "serve", "--port", str(port)],
        env={**os.environ, "PUBLIC_URL": f"http://127.0.0.1:{port}", **more},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await _ready(process, port)
        yield Web(port, process.pid)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


async def _ready(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(READY_WITHIN * 20):
        if process.poll() is not None:
            raise RuntimeError(f"the web process ended: {process.returncode}")
        try:
            connection = await Connection.open(port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        try:
            status, _ = await connection.send("GET", "/health/ready", {}, b"")
        finally:
            connection.close()
        if status == 200:
            return
        await asyncio.sleep(0.05)
    raise RuntimeError("the web process is not ready")
