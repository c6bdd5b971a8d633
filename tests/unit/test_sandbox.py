"""The pool survives whatever its workers are made to do."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hostile import (
    Parcel,
    echo,
    fill_tmp,
    halves,
    hog,
    hog_slowly,
    huge,
    kill_me,
    leak,
    leave,
    lie_about_length,
    own_pool,
    raise_not_found,
    raise_system_exit,
    raise_unknown,
    raise_value_error,
    recurse,
    sleep,
    spin,
    surroundings,
    talk_rubbish,
    unpicklable,
    works,
)

from core.errors import Conflict, NotFound
from core.sandbox import (
    Sandbox,
    SandboxAnswerTooLarge,
    SandboxCrash,
    SandboxFailure,
    SandboxMemory,
    SandboxTimeout,
)


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    pool = Sandbox(workers=2, preload=["hostile", "no.such.module"], answer_mb=8)
    yield pool
    await pool.close()


async def test_plain_data_there_and_back(sandbox: Sandbox) -> None:
    value = {"a": [1, 2.5, None, True, "щ"], "b": b"\x00\xff" * 4000}
    assert await sandbox.run(echo, value) == value
    big = os.urandom(3_000_000)
    assert await sandbox.run(echo, big) == big
    assert await sandbox.run(echo, bytearray(big)) == big
    assert await sandbox.run("hostile:echo", memoryview(big)[:10]) == big[:10]


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

    assert function_path(echo) == "hostile:echo"
    for wrong in (lambda: None, Sandbox.run, "os.getpid", "__main__:main", ":x"):
        with pytest.raises(ValueError, match="not a function"):
            function_path(wrong)


@pytest.mark.parametrize(("function", "args"), [(spin, ()), (sleep, (30,))])
async def test_timeout(sandbox: Sandbox, function: Any, args: tuple[int, ...]) -> None:
    began = time.monotonic()
    with pytest.raises(SandboxTimeout) as caught:
        await sandbox.run(function, *args, timeout=0.3)
    assert time.monotonic() - began < 10
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
    async with own_pool(workers=1) as own:
        found = await own.run(surroundings)
    assert "SECRET_KEY" not in found["env"]
    assert not found["wrote"]
    assert found["network"] != "connected"
    with pytest.raises(SandboxFailure):
        await sandbox.run(fill_tmp, str(tmp_path / "x"))
