"""The job queue when workers die, connections break and the schema is not whole."""

import asyncio
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from job_queue import OwnWorker, declare_write, did, has, states, until, write
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager

from core import db, jobs
from core.jobs import recovery, schema
from core.jobs.worker import run_worker

ROOT = Path(__file__).parents[2]


async def test_missing_function_stops_the_start(queue_db, monkeypatch):
    monkeypatch.setattr(schema, "_FUNCTIONS", (*schema._FUNCTIONS, "procrastinate_gone_v9"))
    with pytest.raises(schema.WrongSchema, match="procrastinate_gone_v9"):
        await run_worker(once=True)


_CHILD = """
import asyncio, os, time
from core import db, jobs
from core.jobs.registry import JOBS
from core.jobs.worker import run_worker

JOBS.pop("jobs.prune")  # a clock's missed tick would be one more job at work

@jobs.job("t.slow", lock="slow:{n}")
async def slow(n):
    await db.execute("INSERT INTO did (what, pid) VALUES ($1, $2)", f"begun {n}", os.getpid())
    await asyncio.sleep(60)

async def main():
    await db.DB.open()
    await run_worker(concurrency=2)

asyncio.run(main())
"""


async def _kill_worker_in_the_middle():
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", _CHILD, cwd=ROOT)
    try:
        await until(lambda: has("begun 1"), 15)
    finally:
        child.send_signal(signal.SIGKILL)
        await child.wait()


@pytest.mark.parametrize(
    "silence",
    [
        pytest.param(timedelta(seconds=1), id="short"),
        pytest.param(recovery.SILENCE, id="real", marks=pytest.mark.slow),
    ],
)
async def test_job_of_killed_worker_is_recovered(queue_db, monkeypatch, silence):
    @jobs.job("t.slow", lock="slow:{n}")
    async def slow(n):
        await write(f"done {n}")

    await jobs.defer("t.slow", n=1)
    await _kill_worker_in_the_middle()
    killed = time.monotonic()
    monkeypatch.setattr(recovery, "SILENCE", silence)
    await jobs.defer("t.slow", n=1)
    assert await states() == ["doing", "todo"]
    async with OwnWorker():

        async def both():
            return (await did()).count("done 1") == 2

        await until(both, 40)
    assert time.monotonic() - killed < 30
    assert await states() == []


async def test_dead_workers_job_is_listed_and_fails_at_the_crash_limit(queue_db, monkeypatch):
    declare_write("t.slow")
    monkeypatch.setattr(recovery, "CRASH_LIMIT", 2)
    await jobs.defer("t.slow", what="poison")
    for expected in ("todo", "failed"):
        await db.execute("UPDATE procrastinate_jobs SET status = 'doing'")
        (found,) = await jobs.stuck()
        assert found.reason == "worker_died"
        assert await jobs.sweep() == 1
        assert await states() == [expected]
    (found,) = await jobs.stuck()
    assert (found.reason, found.code) == ("failed", "worker_died")


async def test_end_that_could_not_be_written_is_recovered(queue_db, monkeypatch):
    """The library gives up on the end of a job: the worker lives, the job stays 'doing'."""
    monkeypatch.setattr("core.jobs.worker.SWEEP_EVERY", timedelta(seconds=0.3))
    finish, cuts = JobManager.finish_job, [1]

    async def finish_but_once(self, **arguments):
        if cuts:
            cuts.pop()
            raise ConnectorException
        await finish(self, **arguments)

    monkeypatch.setattr(JobManager, "finish_job", finish_but_once)
    declare_write()
    await jobs.defer("t.write", what="twice")
    async with OwnWorker():

        async def done():
            return not await states()

        await until(done)
    assert await did() == ["twice", "twice"]


async def test_worker_outlives_its_connections(queue_db):
    declare_write()
    async with OwnWorker():
        await jobs.defer("t.write", what="before")
        await until(lambda: has("before"))
        await db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user"
            " AND pid <> pg_backend_pid() AND datname = current_database()"
        )
        await jobs.defer("t.write", what="after")
        await until(lambda: has("after"))


async def test_queue_survives_a_bulk_of_jobs_in_one_statement(queue_db):
    declare_write()
    begun = time.monotonic()
    await jobs.defer_many("t.write", [{"what": str(n)} for n in range(5_000)])
    assert time.monotonic() - begun < 20
    assert await db.value("SELECT count(*) FROM procrastinate_jobs") == 5_000
