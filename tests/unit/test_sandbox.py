"""The pool survives whatever its workers are made to do."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.errors import Conflict, NotFound, Unavailable
from core.sandbox import (
    Sandbox,
    SandboxAnswerTooLarge,
    SandboxCrash,
    SandboxFailure,
    SandboxMemory,
    SandboxTimeout,
)


@dataclass(frozen=True)
class Parcel:
    name: str
    data: bytes
    tags: tuple[str, ...] = ()


class UnknownToTheParent(Conflict):
    code = "unknown_to_the_parent"

    def __init__(self, one: int, two: int) -> None:
        super().__init__("по-русски", "in English", one=one, two=two, odd=object)


def echo(value: Any) -> Any:
    return value


def halves(parcel: Parcel, *, twice: bool = False) -> Parcel:
    assert type(parcel) is Parcel
    return Parcel(parcel.name, parcel.data * (2 if twice else 1), parcel.tags)


def sleep(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def spin() -> None:
    while True:
        pass


def hog() -> int:
    return len(bytearray(3 << 30))


def hog_slowly() -> int:
    held = []
    while True:
        held.append(bytearray(10 << 20))


def leak() -> int:
    globals()["_kept"] = bytearray(400 << 20)
    return os.getpid()


def leave(code: int) -> None:
    os._exit(code)


def kill_me(number: int) -> None:
    os.kill(os.getpid(), number)


def huge(size: int) -> bytes:
    return bytes(size)


def raise_value_error() -> None:
    raise ValueError("x" * 10_000)


def raise_not_found() -> None:
    raise NotFound("нет", "none", code="not_found_here", number=7)


def raise_unknown() -> None:
    raise UnknownToTheParent(1, 2)


def raise_system_exit() -> None:
    sys.exit(3)


def recurse() -> Any:
    return recurse()


def unpicklable() -> object:
    return object()


def surroundings() -> dict[str, Any]:
    try:
        Path("x").write_text("x")
        wrote = True
    except OSError:
        wrote = False
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
        network = "connected"
    except OSError as problem:
        network = str(problem.errno)
    return {"env": dict(os.environ), "wrote": wrote, "network": network, "pid": os.getpid()}


def fill_tmp(path: str) -> None:
    Path(path).write_bytes(b"x" * 100)


def lie_about_length() -> None:
    """What a taken-over worker could do: claim an endless answer."""
    import struct

    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack("<IQ", 10, 1 << 60))
        except OSError:
            continue
    time.sleep(30)


def talk_rubbish() -> None:
    import struct

    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack("<IQ", 5, 0) + b"\xc1\xc1\xc1\xc1\xc1")
        except OSError:
            continue
    time.sleep(30)


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    pool = Sandbox(workers=2, preload=[__name__, "no.such.module"], answer_mb=8)
    yield pool
    await pool.close()


async def works(sandbox: Sandbox) -> None:
    answers = await asyncio.gather(*(sandbox.run(echo, number) for number in range(4)))
    assert answers == [0, 1, 2, 3]


async def test_plain_data_there_and_back(sandbox: Sandbox) -> None:
    value = {"a": [1, 2.5, None, True, "щ"], "b": b"\x00\xff" * 4000}
    assert await sandbox.run(echo, value) == value
    big = os.urandom(3_000_000)
    assert await sandbox.run(echo, big) == big
    assert await sandbox.run(echo, bytearray(big)) == big
    assert await sandbox.run(f"{__name__}:echo", memoryview(big)[:10]) == big[:10]


async def test_dataclasses_are_rebuilt_on_both_sides(sandbox: Sandbox) -> None:
    parcel = Parcel("x", os.urandom(100), ("a", "b"))
    assert await sandbox.run(halves, parcel, into=Parcel) == parcel
    back = await sandbox.run(halves, parcel, twice=True)
    assert back == {"name": "x", "data": parcel.data * 2, "tags": ["a", "b"]}


async def test_answer_of_another_shape_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxCrash):
        await sandbox.run(echo, {"name": 5}, into=Parcel)
    await works(sandbox)


def test_only_functions_at_module_level() -> None:
    from core.sandbox.wire import function_path

    assert function_path(echo) == f"{__name__}:echo"
    for wrong in (lambda: None, Sandbox.run, "os.getpid", "__main__:main", ":x"):
        with pytest.raises(ValueError, match="not a function"):
            function_path(wrong)


@pytest.mark.parametrize(("function", "args"), [(spin, ()), (sleep, (30,))])
async def test_timeout(sandbox: Sandbox, function: Any, args: tuple[int, ...]) -> None:
    began = time.monotonic()
    with pytest.raises(SandboxTimeout) as caught:
        await sandbox.run(function, *args, timeout=0.3)
    assert time.monotonic() - began < 2
    assert caught.value.error_code == "parse_timeout"
    assert "время" in caught.value.message_ru
    await works(sandbox)


@pytest.mark.parametrize("function", [hog, hog_slowly])
async def test_memory(sandbox: Sandbox, function: Any) -> None:
    with pytest.raises(SandboxMemory) as caught:
        await sandbox.run(function, memory_mb=200)
    assert caught.value.error_code == "parse_memory"
    await works(sandbox)


async def test_bloated_worker_is_replaced(sandbox: Sandbox) -> None:
    bloated = await sandbox.run(leak)
    await works(sandbox)
    pids = set(await asyncio.gather(*(sandbox.run(sleep, 0.05) for _ in range(6))))
    assert bloated not in pids


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
async def test_death_by_signal(sandbox: Sandbox, number: int) -> None:
    with pytest.raises(SandboxCrash) as caught:
        await sandbox.run(kill_me, int(number))
    assert caught.value.error_code == "parse_crash"
    assert caught.value.details == {"exit_code": -number}
    await works(sandbox)


async def test_exit(sandbox: Sandbox) -> None:
    for code in (0, 7):
        with pytest.raises(SandboxCrash) as caught:
            await sandbox.run(leave, code)
        assert caught.value.details == {"exit_code": code}
    with pytest.raises(SandboxFailure):
        await sandbox.run(raise_system_exit)
    await works(sandbox)


async def test_processor_time_is_the_backstop(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxTimeout):
        await sandbox.run(kill_me, int(signal.SIGXCPU))
    await works(sandbox)


async def test_huge_answer(sandbox: Sandbox) -> None:
    assert len(await sandbox.run(huge, 7 << 20)) == 7 << 20
    with pytest.raises(SandboxAnswerTooLarge):
        await sandbox.run(huge, 9 << 20)
    await works(sandbox)


async def test_a_taken_over_worker_cannot_hurt_the_parent(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxAnswerTooLarge):
        await sandbox.run(lie_about_length, timeout=5)
    with pytest.raises(SandboxCrash):
        await sandbox.run(talk_rubbish, timeout=5)
    await works(sandbox)


async def test_exceptions_come_out_as_words(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxFailure) as caught:
        await sandbox.run(raise_value_error)
    assert caught.value.details == {"exception": "ValueError", "reason": "x" * 500}
    assert "x" not in caught.value.message_en.replace("ex", "")
    with pytest.raises(SandboxFailure) as caught:
        await sandbox.run(recurse)
    assert caught.value.details["exception"] == "RecursionError"
    with pytest.raises(SandboxFailure) as caught:
        await sandbox.run(unpicklable)
    assert caught.value.details["exception"] == "TypeError"
    with pytest.raises(SandboxFailure) as caught:
        await sandbox.run("no.such:function")
    assert caught.value.details["exception"] == "ModuleNotFoundError"


async def test_our_own_errors_come_out_as_themselves(sandbox: Sandbox) -> None:
    with pytest.raises(NotFound) as caught:
        await sandbox.run(raise_not_found)
    assert caught.value.error_code == "not_found_here"
    assert (caught.value.message_ru, caught.value.message_en) == ("нет", "none")
    assert caught.value.details == {"number": 7}
    with pytest.raises(Conflict) as conflict:
        await sandbox.run(raise_unknown)
    assert conflict.value.error_code == "unknown_to_the_parent"
    assert conflict.value.details["two"] == 2
    assert isinstance(conflict.value.details["odd"], str)


async def test_surroundings_are_bare(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRET_KEY", "do not leak")
    async with _pool(workers=1) as own:
        found = await own.run(surroundings)
    assert "SECRET_KEY" not in found["env"]
    assert not found["wrote"]
    assert found["network"] != "connected"
    with pytest.raises(SandboxFailure):
        await sandbox.run(fill_tmp, str(tmp_path / "x"))


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
    async with _pool(workers=1, waiting=2, patience=0.5) as own:
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
    async with _pool(workers=1, recycle_after=3) as own:
        pids = []
        for _ in range(60):
            pids.append(await own.run(sleep, 0.02))
    assert len(set(pids)) >= 2
    assert pids.count(pids[0]) >= 3


async def test_close_ends_everything() -> None:
    own = Sandbox(workers=2, preload=[__name__])
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
    own = Sandbox(workers=2, preload=[__name__])
    own.start()
    await own.close()


class _pool:
    def __init__(self, **options: Any) -> None:
        self.sandbox = Sandbox(preload=[__name__], **options)

    async def __aenter__(self) -> Sandbox:
        return self.sandbox

    async def __aexit__(self, *_: object) -> None:
        await self.sandbox.close()


def test_under_uvloop_and_without_a_parent() -> None:
    """Another loop; and a worker whose parent is killed does not outlive it."""
    import subprocess
    import sys

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
