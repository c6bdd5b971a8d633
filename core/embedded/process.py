"""Starting and stopping an engine through its keeper, and the folder it owns."""

import fcntl
import json
import os
import pwd
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import Conflict, Unavailable

KEEPER = Path(__file__).with_name("keeper.py")
LOOPBACK = "127.0.0.1"
LOG_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged system account an engine drops to."""

    uid: int
    gid: int


@dataclass(slots=True)
class Engine:
    """One running engine and the keeper that holds it."""

    name: str
    pid: int
    log: Path
    grace: float
    _keeper: subprocess.Popen[bytes] = field(repr=False)

    def is_alive(self) -> bool:
        """Is the engine still there?"""
        return self._keeper.poll() is None

    def stop(self) -> None:
        """Ask for an orderly stop and wait for it; a second call does nothing."""
        if self._keeper.stdin is not None and not self._keeper.stdin.closed:
            self._keeper.stdin.close()
        try:
            self._keeper.wait(timeout=self.grace + 10)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        if self._keeper.stdout is not None:
            self._keeper.stdout.close()


@dataclass(frozen=True, slots=True)
class Launch:
    """What is to be run, and how it likes to be stopped."""

    name: str
    argv: Sequence[str]
    cwd: Path
    log: Path
    stop_signal: signal.Signals
    grace: float
    """Seconds an orderly stop may take before the engine is killed."""
    env: Mapping[str, str] = field(repr=False, default_factory=dict)
    account: Account | None = None


def launch(plan: Launch, *, hold: int) -> Engine:
    """Start an engine that stops with us, however we end; `hold` is the lock it keeps meanwhile."""
    if plan.log.exists() and plan.log.stat().st_size > LOG_LIMIT:
        plan.log.replace(plan.log.with_suffix(".log.1"))
    keeper = subprocess.Popen(  # noqa: S603  # reason: our own script, no shell
        [sys.executable, "-I", "-S", str(KEEPER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
        pass_fds=(hold,),
        start_new_session=True,  # Ctrl-C reaches the service alone, which stops engines in order
    )
    spec = {
        "argv": list(plan.argv),
        "cwd": str(plan.cwd),
        "env": dict(plan.env),
        "log": str(plan.log),
        "uid": plan.account.uid if plan.account else None,
        "gid": plan.account.gid if plan.account else None,
        "stop_signal": int(plan.stop_signal),
        "grace": plan.grace,
    }
    assert keeper.stdin is not None  # noqa: S101  # reason: asked for a pipe above
    assert keeper.stdout is not None  # noqa: S101  # reason: asked for a pipe above
    keeper.stdin.write(json.dumps(spec).encode() + b"\n")
    keeper.stdin.flush()
    answer = keeper.stdout.readline().strip()
    engine = Engine(plan.name, int(answer or b"0"), plan.log, plan.grace, keeper)
    if not answer:
        engine.stop()
        raise failed(plan.name, plan.log)
    return engine


def failed(name: str, log: Path) -> Unavailable:
    """The error of an engine that did not come up, with the end of its log."""
    tail = ""
    if log.exists():
        tail = log.read_text(encoding="utf-8", errors="replace")[-1500:]
    return Unavailable(
        f"Встроенная служба {name} не запустилась. Журнал: {log}\n{tail}",
        f"The embedded service {name} did not start. Its log: {log}\n{tail}",
        code="engine_failed",
        engine=name,
    )


def lock(folder: Path) -> int:
    """Take the folder for ourselves; answers a file descriptor that holds it while open.

    Whoever holds it is alive, so a running neighbour is told apart from a stale file. When the
    holder's service is dead and only its keeper is still shutting down, this waits for it (≤ 60 s).
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = int(os.pread(descriptor, 20, 0).strip() or b"0")
            patience = 1 if _is_process(holder) else 60
            if time.monotonic() - began > patience:
                os.close(descriptor)
                raise Conflict(
                    f"Папка данных {folder} уже используется процессом {holder}. Остановите его "
                    "или укажите другую папку.",
                    f"The data folder {folder} is in use by process {holder}. Stop it or choose "
                    "another folder.",
                    code="data_folder_busy",
                    pid=holder,
                ) from None
            time.sleep(0.05)
            continue
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return descriptor


def is_locked(folder: Path) -> bool:
    """Does a living process hold the folder?"""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_process(pid: int) -> bool:
    """Is there such a process, other than one that is dead and not yet reaped?"""
    if pid <= 0:
        return False
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return not status.rpartition(")")[2].lstrip().startswith("Z")


def free_port() -> int:
    """A port of the loopback address nobody listens on, below those the system gives to clients.

    Out of their range a client that calls an engine while it is away may be given the engine's own
    port as its local one; then it is connected with itself, and the engine does not get it back.
    """
    end = _first_of_clients()
    for _ in range(100):
        port = FIRST_PORT + secrets.randbelow(max(end - FIRST_PORT, 1))
        if port < end and is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


FIRST_PORT = 12_000


def _first_of_clients() -> int:
    try:
        told = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii")
    except OSError:
        return 32_768
    return int(told.split()[0])


def is_free(port: int) -> bool:
    """Can we listen on this port of the loopback address?"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def remembered(path: Path) -> dict[str, Any]:
    """What an engine's folder remembers (ports, keys); empty when it is new."""
    if not path.exists():
        return {}
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def remember(path: Path, kept: Mapping[str, Any]) -> None:
    """Write the memory of an engine's folder, whole or not at all, for its owner's eyes only."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        json.dump(dict(kept), target)
        target.flush()
        os.fsync(target.fileno())
    fresh.replace(path)


def own_folder(folder: Path, *, closed: bool = False) -> Path:
    """Make a folder of ours, and those above it that are missing.

    As root others may pass through it but not look, for the sake of engines that drop to another
    account, unless `closed`; otherwise it is ours alone. Folders that were there before and are
    not `folder` itself stay as they are.
    """
    if not folder.parent.exists():
        own_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    if folder.stat().st_uid == os.geteuid():
        folder.chmod(0o711 if os.geteuid() == 0 and not closed else 0o700)
    return folder


def unprivileged() -> Account | None:
    """The account engines drop to when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(65534, 65534)
    return Account(entry.pw_uid, entry.pw_gid)
