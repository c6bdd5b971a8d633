"""One worker process as its parent sees it."""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from core.sandbox import wire
from core.sandbox.errors import SandboxAnswerTooLarge, SandboxCrash, SandboxTimeout

logger = logging.getLogger(__name__)

START_SECONDS = 60.0
_HEAD_LIMIT = 1 << 20
_KEPT_VARIABLES = ("LD_LIBRARY_PATH", "TMPDIR")
_KEPT_FILE = "MEDO_LISTS"


class Worker:
    """A process and the socket to it; does one call at a time."""

    def __init__(self, modules: Sequence[str]) -> None:
        """Start the process; `ready` waits until it has loaded `modules`."""
        ours, theirs = socket.socketpair()
        self.calls = 0
        self.busy_seconds = 0.0
        self.is_leaving = False
        """A successor is ready; stop this one instead of giving it another call."""
        self.is_followed = False
        """A successor is being started."""
        self._is_free = asyncio.Event()
        self._is_free.set()
        self._socket = ours
        ours.setblocking(False)
        with theirs:
            # Always a fresh interpreter: a fork would carry the parent's memory, its secrets and
            # its open connections into the one process that must not have them.
            self.process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                [
                    *(sys.executable, "-P", "-s", "-m", "core.sandbox.worker"),
                    *(str(theirs.fileno()), str(os.getpid()), *modules),
                ],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    @property
    def is_alive(self) -> bool:
        """Has the process not ended yet?"""
        return self.process.poll() is None

    async def ready(self) -> None:
        """Wait until the worker has loaded its modules; log those it could not load."""
        async with asyncio.timeout(START_SECONDS):
            answer, body = await self._reply(_HEAD_LIMIT)
        hello = wire.result(answer, body, dict[str, Any])
        for problem in hello["missing"]:
            logger.warning("sandbox: not loaded ahead: %s", problem)

    async def call(
        self, buffers: list[Any], *, seconds: float, answer_bytes: int
    ) -> tuple[wire.Reply, bytearray]:
        """Send a call and wait for its answer; after an exception the worker must be stopped."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.calls += 1
        self._is_free.clear()
        try:
            async with asyncio.timeout(seconds):
                for buffer in buffers:
                    await loop.sock_sendall(self._socket, buffer)
                return await self._reply(answer_bytes)
        except TimeoutError as problem:
            raise SandboxTimeout(seconds=seconds) from problem
        except (OSError, EOFError) as problem:
            raise await self._death() from problem
        except (msgspec.DecodeError, RecursionError) as problem:
            raise SandboxCrash(exit_code=None) from problem
        finally:
            self._is_free.set()
            self.busy_seconds += loop.time() - began

    async def _reply(self, answer_bytes: int) -> tuple[wire.Reply, bytearray]:
        prefix = await self._exactly(wire.PREFIX.size)
        head_size, body_size = wire.PREFIX.unpack(prefix)
        if head_size > _HEAD_LIMIT or body_size > answer_bytes:
            raise SandboxAnswerTooLarge(limit=answer_bytes)
        answer = wire.read_reply(await self._exactly(head_size))
        return answer, await self._exactly(body_size)

    async def _exactly(self, size: int) -> bytearray:
        loop = asyncio.get_running_loop()
        buffer = bytearray(size)
        view = memoryview(buffer)
        got = 0
        while got < size:
            count = await loop.sock_recv_into(self._socket, view[got:])
            if count == 0:
                raise EOFError
            got += count
        return buffer

    async def _death(self) -> SandboxCrash | SandboxTimeout:
        """Why the process went: out of processor time, or any other death."""
        self.process.kill()
        exit_code = await asyncio.to_thread(self.process.wait)
        if exit_code == -signal.SIGXCPU:
            return SandboxTimeout()
        return SandboxCrash(exit_code=exit_code)

    def kill(self) -> None:
        """End the process at once; `stopped` collects it."""
        if self.process.returncode is None:
            self.process.kill()

    async def stopped(self) -> None:
        """Wait until the killed process is gone, then let go of its socket."""
        if self.process.returncode is None:
            await asyncio.to_thread(self.process.wait)
        # A call under way still watches the socket and must see its end first.
        await self._is_free.wait()
        self._socket.close()


def _environment() -> dict[str, str]:
    """Where Python finds its modules, and nothing that could be a secret."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    if os.environ.get(_KEPT_FILE):
        kept[_KEPT_FILE] = os.path.abspath(os.environ[_KEPT_FILE])  # a worker stands elsewhere
    return kept | {
        "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path),
        "PYTHONUTF8": "1",
        "LC_ALL": "C.UTF-8",
        # One arena a thread would eat address space, which is what is limited.
        "MALLOC_ARENA_MAX": "2",
        # There is a worker for each processor; a second BLAS thread would only spin beside it.
        "OPENBLAS_NUM_THREADS": "1",
    }
