"""Runs one engine and lets it outlive nobody; started as a script, standard library only.

Why a process of its own: the engine has to stop when the service dies, also by ``kill -9``. The
kernel's parent-death signal alone will not do in the service itself: it fires when the *thread*
that forked ends, and code between fork and exec may deadlock in a process with threads. This
script has one thread, so it may ask for that signal for the engine, and it notices the end of
the service by itself: by the end of its standard input, and, because a forked sandbox process
may hold the other end of that pipe, by a change of its parent.

Standard input: one line of JSON (``argv``, ``cwd``, ``env``, ``uid``, ``gid``, ``log``,
``stop_signal``, ``grace``), then nothing; its end asks for an orderly stop. Standard output: the
engine's process id. Secrets travel here and not on the command line, where everybody sees them.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from typing import Any

PR_SET_PDEATHSIG = 1
LOOK_EVERY = 0.5


def main() -> int:
    """Start the engine, wait until it ends or is to end; answer its exit status."""
    # handlers and not SIG_IGN: an ignored signal would stay ignored in the engine
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    parent = os.getppid()
    line = sys.stdin.buffer.readline()
    if not line:
        return 1
    spec = json.loads(line)
    engine = _start(spec)
    sys.stdout.write(f"{engine.pid}\n")
    sys.stdout.flush()
    watched: list[Any] = [sys.stdin]
    with contextlib.suppress(OSError):  # an old kernel: then the next look finds out
        watched.append(os.pidfd_open(engine.pid))  # ends the waiting at once when the engine ends
    while engine.poll() is None:
        ready, _, _ = select.select(watched, [], [], LOOK_EVERY)
        if sys.stdin in ready or stopping or os.getppid() != parent:
            return _stop(engine, spec)
    return engine.returncode


def _start(spec: dict[str, Any]) -> subprocess.Popen[bytes]:
    libc = ctypes.CDLL(None, use_errno=True)
    stop_signal = int(spec["stop_signal"])

    def die_with_the_keeper() -> None:
        libc.prctl(PR_SET_PDEATHSIG, stop_signal, 0, 0, 0)

    drop: dict[str, Any] = {}
    if spec["uid"] is not None:
        drop = {"user": spec["uid"], "group": spec["gid"], "extra_groups": []}
    descriptor = os.open(spec["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # runs after the change of user, which would clear the signal; one thread here
        return subprocess.Popen(  # noqa: S603  # reason: argv is ours, no shell
            spec["argv"],
            cwd=spec["cwd"],
            env=spec["env"],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            preexec_fn=die_with_the_keeper,
            umask=0o077,
            **drop,
        )
    finally:
        os.close(descriptor)


def _stop(engine: subprocess.Popen[bytes], spec: dict[str, Any]) -> int:
    engine.send_signal(int(spec["stop_signal"]))
    try:
        return engine.wait(timeout=float(spec["grace"]))
    except subprocess.TimeoutExpired:
        engine.kill()
        return engine.wait()


if __name__ == "__main__":
    sys.exit(main())
