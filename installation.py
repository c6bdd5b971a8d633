"""One machine, everything: engines, schema, web process, job process; used by `up` and `demo`."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from core.embedded import services
from core.errors import Conflict, Unavailable

CHECKOUT = Path(__file__).resolve().parent
READY_WITHIN = 60.0


@dataclass
class Installation:
    """A running installation; as a context manager it stops at its end."""

    engines: services.Services
    address: str
    environment: Mapping[str, str] = field(repr=False)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def stop(self) -> None:
        """Stop web and worker, then the engines."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()
        self.engines.stop()

    def fallen(self) -> list[str]:
        """What has ended by itself."""
        ended = [str(process.args) for process in self.processes if process.poll() is not None]
        return [*self.engines.fallen(), *ended]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start_engines(data: Path) -> services.Services:
    """PostgreSQL and the store, with their environment in ours; says so when they run already."""
    try:
        engines = services.start(data)
    except Conflict as problem:
        raise Conflict(
            f"Папка {data} занята: docflow уже запущен на ней. Остановите его или укажите другую "
            "папку (--data).",
            f"The folder {data} is in use: docflow runs on it already. Stop it or name another "
            "folder (--data).",
            code="already_running",
        ) from problem
    os.environ.update(engines.environment)
    return engines


def open_doors(
    engines: services.Services, *, port: int | None, extra: Mapping[str, str] | None = None
) -> Installation:
    """Start web and worker on running engines and wait until they are ready."""
    chosen = port or _free_port(8000)
    address = f"http://127.0.0.1:{chosen}"
    environment = {
        **os.environ, **engines.environment, "PUBLIC_URL": address, **(extra or {}),
    }  # fmt: skip
    made = Installation(engines, address, environment)
    try:
        for words in (["serve", "--host", "127.0.0.1", "--port", str(chosen)], ["work"]):
            made.processes.append(_child(words, environment, engines.data_dir))
        _wait(made)
    except BaseException:
        made.stop()
        raise
    return made


def _child(words: list[str], environment: Mapping[str, str], data: Path) -> subprocess.Popen[bytes]:
    log = (data / f"{words[0]}.log").open("ab")
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, str(CHECKOUT / "cli.py"), *words],
        env=dict(environment), cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
    )  # fmt: skip


def _wait(made: Installation) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        if fallen := made.fallen():
            raise Unavailable(
                f"Не запустилось: {', '.join(fallen)}. Журнал — в папке данных.",
                f"Did not start: {', '.join(fallen)}. See the logs in the data folder.",
                code="start_failed",
            )
        try:
            if httpx.get(f"{made.address}/health/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise Unavailable(code="start_failed")


def _free_port(wished: int) -> int:
    """The usual port, or any other one when somebody has it."""
    for port in (wished, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable(code="no_free_port")
