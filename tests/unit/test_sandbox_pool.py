"""The pool under load: queues, replacements, cancelled calls, starts and ends."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hostile import echo, leave, own_pool, sleep, works

from core.errors import Unavailable
from core.sandbox import (
    Sandbox,
    SandboxCrash,
)


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    pool = Sandbox(workers=2, preload=["hostile", "no.such.module"], answer_mb=8)
    yield pool
    await pool.close()


async def test_two_hundred_calls_at_once(sandbox: Sandbox) -> None:
    data = os.urandom(100_000)
    calls = [sandbox.run(echo, data + bytes([number])) for number in range(200)]
    answers = await asyncio.gather(*calls)
    assert [answer[-1] for answer in answers] == list(range(200))


async def test_good_calls_beside_bad_ones(sandbox: Sandbox) -> None:
    calls: list[Any] = []
    for number in range(20):
        calls.append(sandbox.run(echo, number))
        if number % 5 == 0:
            calls.append(sandbox.run(leave, 1))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [a for a in answers if isinstance(a, int)] == list(range(20))
    assert sum(isinstance(a, SandboxCrash) for a in answers) == 4


async def test_cancelled_call_frees_its_worker(sandbox: Sandbox) -> None:
    tasks = [asyncio.create_task(sandbox.run(sleep, 30, timeout=60)) for _ in range(2)]
    await asyncio.sleep(0.2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.wait_for(works(sandbox), 20)


async def test_worker_that_died_idle_is_noticed(sandbox: Sandbox) -> None:
    for pid in {*(await asyncio.gather(*(sandbox.run(sleep, 0.1) for _ in range(2))))}:
        os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.1)
    await works(sandbox)


async def test_queue_has_an_end() -> None:
    async with own_pool(workers=1, waiting=2, patience=0.5) as own:
        while True:  # on a busy machine the worker itself takes longer than the patience
            with suppress(Unavailable):
                await own.run(echo, 1)
                break
        calls = [asyncio.create_task(own.run(sleep, 1.0)) for _ in range(4)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, Unavailable)]
    # One runs, two wait in vain, one does not even get into the queue.
    assert len(errors) == 3
    assert {error.error_code for error in errors} == {"sandbox_busy"}


async def test_workers_are_replaced_after_their_share() -> None:
    async with own_pool(workers=1, recycle_after=3) as own:
        pids = []
        for _ in range(60):
            pids.append(await own.run(sleep, 0.02))
    assert len(set(pids)) >= 2
    assert pids.count(pids[0]) >= 3


async def test_close_ends_everything() -> None:
    own = Sandbox(workers=2, preload=["hostile"])
    pid = await own.run(sleep, 0)
    running = [asyncio.create_task(own.run(sleep, 30)) for _ in range(4)]
    await asyncio.sleep(0.2)
    await own.close()
    answers = await asyncio.gather(*running, return_exceptions=True)
    assert all(isinstance(answer, Unavailable) for answer in answers)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(Unavailable):
        await own.run(echo, 1)


async def test_close_while_starting() -> None:
    own = Sandbox(workers=2, preload=["hostile"])
    own.start()
    await own.close()


def test_under_uvloop_and_without_a_parent() -> None:
    """Another loop; and a worker whose parent is killed does not outlive it."""
    import subprocess

    program = (
        "import asyncio, os, signal, uvloop\n"
        "from core.sandbox import Sandbox, SandboxTimeout\n"
        "async def main():\n"
        "    pool = Sandbox(workers=1)\n"
        "    pid = await pool.run('os:getpid')\n"
        "    try:\n"
        "        await pool.run('time:sleep', 30, timeout=0.2)\n"
        "    except SandboxTimeout:\n"
        "        pid = await pool.run('os:getpid')\n"
        "        print(pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "uvloop.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid = int(done.stdout)
    for _ in range(100):
        if not _is_running(pid):
            return
        time.sleep(0.05)
    pytest.fail("the worker outlived its parent")


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
