"""Real processes: the web process that starts after a restore, and workers that are killed."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from core import db
from evidence.privacy import erasing
from tests import privacy_ground
from tests.privacy_ground import dumped, nothing_left, restored, run, superuser_url
from tests.privacy_stage import Stage, a_stage, approved, met_in

pytestmark = pytest.mark.prove


@pytest.fixture
async def stage(database: str) -> AsyncIterator[Stage]:
    async with privacy_ground.own_bucket():
        yield await a_stage()


async def test_processes_do_not_open_before_the_register_is_carried_out(
    stage: Stage, tmp_path: Path
) -> None:
    """The real web process on a restored database: when it answers, she is gone."""
    backup = tmp_path / "backup"
    run("pg_dump", "--format=custom", "--file", backup, superuser_url())
    await erasing.execute(await approved(stage))
    await restored(backup)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = [sys.executable, "-m", "cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    blind = os.environ | {"S3_ENDPOINT": "127.0.0.1:9"}
    deaf = await asyncio.create_subprocess_exec(
        *serve, env=blind, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert await asyncio.wait_for(deaf.wait(), 120) != 0
    assert met_in(dumped()) != []
    web = await asyncio.create_subprocess_exec(
        *serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        assert await answers(f"http://127.0.0.1:{port}/health/ready")
        await nothing_left(stage)
    finally:
        web.terminate()
        await web.wait()


async def answers(address: str) -> bool:
    async with httpx.AsyncClient() as client:
        for _ in range(600):
            try:
                return (await client.get(address)).status_code == 200
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
    return False


EXECUTE = """
import asyncio, sys, uuid
from core.db import DB
from evidence.privacy import erasing
async def main():
    await DB.open(size=2)
    print("ready", flush=True)
    await erasing.execute(uuid.UUID(sys.argv[1]))
    await DB.close()
asyncio.run(main())
"""


async def test_killed_processes_lose_nothing(stage: Stage) -> None:
    """SIGKILL at other moments of the work each time; the last process comes to its end."""
    act_id = await approved(stage)
    steps = []
    for pause in (0.01, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 60.0):
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", EXECUTE, str(act_id), stdout=subprocess.PIPE
        )
        assert worker.stdout is not None
        assert await worker.stdout.readline() == b"ready\n"
        try:
            await asyncio.wait_for(worker.wait(), pause)
        except TimeoutError:
            worker.kill()
            await worker.wait()
        steps.append(await db.value("SELECT count(*) FROM erasure_step"))
        if await db.value("SELECT status = 'done' FROM erasure"):
            break
    print("steps done at each kill:", steps)  # noqa: T201 - the figure of the proof
    assert len({one for one in steps[:-1] if 0 < one < steps[-1]}) >= 2
    await nothing_left(stage)
    assert await db.value("SELECT count(*) FROM event WHERE verb = 'erasure.done'") == 1
