"""The job queue against a real PostgreSQL, in a database of its own."""

import asyncio
import os
import signal
import sys
import time
import uuid
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager

from core import clock, db, jobs
from core.errors import Conflict, IllegalTransition, NotFound, Unavailable
from core.jobs import queue, recovery, registry, schema
from core.jobs.worker import run_worker
from core.settings import settings

ROOT = Path(__file__).parents[2]
OWNER = os.environ.get("DOCFLOW_TEST_SUPERUSER") or os.environ.get("DATABASE_OWNER_URL", "")

EAGER = jobs.RetryPolicy(attempts=3, temporary_attempts=4, first=timedelta(), longest=timedelta())

pytestmark = pytest.mark.skipif(not OWNER, reason="no PostgreSQL to make databases in")


def _with(url, *, database, user=None, password=None):
    parts = urlsplit(url)
    place = parts.netloc if user is None else f"{user}:{password}@{parts.netloc.split('@')[-1]}"
    return urlunsplit(parts._replace(netloc=place, path=f"/{database}"))


@pytest.fixture(scope="module")
async def queue_database():
    """A database made as the migration runner does it: owner's tables, an application role."""
    name, role, word = f"jobs_{uuid.uuid4().hex[:12]}", f"app_{uuid.uuid4().hex[:8]}", "x" * 24
    server = await asyncpg.connect(OWNER)
    await server.execute(f"CREATE DATABASE {name}")
    await server.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{word}'")
    owner = await asyncpg.connect(_with(OWNER, database=name))
    await owner.execute(
        f"ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};"
        f"ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO {role};"
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;"
        f"ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {role}"
    )
    await owner.execute(schema.schema_sql())
    await owner.execute("CREATE TABLE did (id bigserial, what text, pid int, at timestamptz)")
    await owner.close()
    try:
        yield _with(OWNER, database=name, user=role, password=word)
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.execute(f"DROP ROLE {role}")
        await server.close()


@pytest.fixture
async def queue_db(queue_database, monkeypatch):
    """The process speaks to the queue's database; declared jobs are forgotten afterwards."""
    monkeypatch.setenv("DATABASE_URL", queue_database)
    for setting in ("SECRET_KEY", "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY"):
        monkeypatch.setenv(
            setting, os.environ.get(setting, "not-used-by-these-tests-at-all-0123456")
        )
    monkeypatch.setattr(registry, "JOBS", dict(registry.JOBS))
    for module in (queue, recovery, sys.modules["core.jobs.worker"]):
        monkeypatch.setattr(module, "JOBS", registry.JOBS)
    monkeypatch.setattr(registry, "ALLOWED", {})
    monkeypatch.setattr(queue, "ALLOWED", registry.ALLOWED)
    settings.cache_clear()
    before, db.DB.pool = db.DB.pool, None
    await db.DB.open()
    await db.execute("DELETE FROM procrastinate_jobs")
    await db.execute("DELETE FROM procrastinate_workers")
    await db.execute("DELETE FROM did")
    try:
        yield queue_database
    finally:
        await db.DB.close()
        db.DB.pool = before
        settings.cache_clear()


async def _did():
    return [row["what"] for row in await db.rows("SELECT what FROM did ORDER BY id")]


async def _write(what):
    await db.execute(
        "INSERT INTO did (what, pid, at) VALUES ($1, $2, clock_timestamp())", what, os.getpid()
    )


def _declare_write(name="t.write", **options):
    @jobs.job(name, **options)
    async def write(what):
        await _write(what)


async def _states():
    found = await db.rows("SELECT status::text AS status FROM procrastinate_jobs ORDER BY id")
    return [row["status"] for row in found]


class _Worker:
    """A worker in this process for the length of the block."""

    def __init__(self, **options):
        self.options, self.stop = options, asyncio.Event()

    async def __aenter__(self):
        self.task = asyncio.create_task(run_worker(self.stop, **self.options))

    async def __aexit__(self, *_):
        self.stop.set()
        await asyncio.wait_for(self.task, 30)


async def _until(check, seconds=10.0):
    end = time.monotonic() + seconds
    while not await check():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.02)


async def test_job_of_rolled_back_transaction_does_not_exist(queue_db):
    _declare_write()
    with suppress(ZeroDivisionError):
        async with db.transaction():
            await _write("row")
            await jobs.defer("t.write", what="job")
            raise ZeroDivisionError
    assert await _states() == []
    async with db.transaction():
        await _write("row")
        await jobs.defer("t.write", what="job")
    await run_worker(once=True)
    assert await _did() == ["row", "job"]
    assert await _states() == []


async def test_name_must_be_declared_or_allowed(queue_db):
    with pytest.raises(LookupError):
        await jobs.defer("t.nobody")
    jobs.allow("t.nobody", queue="elsewhere")
    await jobs.defer("t.nobody", id=uuid.UUID(int=1))
    await run_worker(once=True)
    (found,) = await jobs.stuck()
    assert (found.reason, found.code, found.queue) == ("failed", "unknown_job", "elsewhere")
    assert found.arguments == {"id": str(uuid.UUID(int=1))}


async def test_arguments_that_are_no_plain_values_are_refused(queue_db):
    _declare_write()
    with pytest.raises(TypeError):
        await jobs.defer("t.write", what=b"bytes")
    with pytest.raises(ValueError, match="time zone"):
        await jobs.defer("t.write", at=clock.now().replace(tzinfo=None), what="x")


async def test_key_queues_once_and_takes_the_sooner_and_the_more_urgent(queue_db):
    _declare_write()
    later = clock.now() + timedelta(hours=1)
    await jobs.defer("t.write", key="k", at=later, what="first")
    await jobs.defer("t.write", key="k", at=later, priority=5, what="second")
    await run_worker(once=True)
    assert await _did() == []
    assert await db.value("SELECT priority FROM procrastinate_jobs") == 5
    await jobs.defer("t.write", key="k", what="third")
    await run_worker(once=True)
    assert await _did() == ["first"]
    await jobs.defer_many(
        "t.write", [{"what": "a"}, {"what": "b"}, {"what": "c"}], keys=["1", "1", None]
    )
    await run_worker(once=True, concurrency=1)
    assert sorted(await _did()) == ["a", "c", "first"]


async def test_key_waits_for_the_commit_of_whoever_asked_last(queue_db):
    """A worker must not take the queued job before the change it is to see is committed."""
    _declare_write()
    await jobs.defer("t.write", key="k", what="joined")
    async with db.DB.pool.acquire() as other, other.transaction():
        await other.execute(
            queue._INSERT, "default", "t.write", 0, None, [None], ["t.write:k"], ["{}"]
        )
        found = await db.row("SELECT * FROM procrastinate_fetch_job_v2(NULL, NULL)")
        assert found["id"] is None
    await run_worker(once=True)
    assert await _did() == ["joined"]


async def test_priority_runs_first(queue_db):
    _declare_write()
    await jobs.defer_many("t.write", [{"what": f"bulk {n}"} for n in range(3)])
    await jobs.defer("t.write", priority=10, what="urgent")
    await run_worker(once=True, concurrency=1)
    assert (await _did())[0] == "urgent"


async def test_lock_lets_one_run_at_a_time(queue_db):
    busy: Counter[str] = Counter()
    most: Counter[str] = Counter()

    @jobs.job("t.locked", lock="thing:{thing}")
    async def locked(thing, n):
        busy[thing] += 1
        busy["all"] += 1
        for name in (thing, "all"):
            most[name] = max(most[name], busy[name])
        await asyncio.sleep(0.01)
        busy[thing] -= 1
        busy["all"] -= 1

    await jobs.defer_many("t.locked", [{"thing": f"T{n % 3}", "n": n} for n in range(30)])
    async with _Worker(concurrency=4), _Worker(concurrency=4):

        async def drained():
            return not await _states()

        await _until(drained, 8)
    assert {most["T0"], most["T1"], most["T2"]} == {1}
    assert most["all"] > 1


async def test_job_that_waits_does_not_hold_its_lock(queue_db):
    _declare_write(lock="one")
    await jobs.defer("t.write", at=clock.now() + timedelta(hours=1), what="later")
    await jobs.defer("t.write", what="now")
    await run_worker(once=True)
    assert await _did() == ["now"]


async def test_temporary_error_runs_again_and_final_error_does_not(queue_db):
    runs: Counter[str] = Counter()

    @jobs.job("t.flaky", retry=EAGER)
    async def flaky(kind):
        runs[kind] += 1
        assert jobs.running().run == runs[kind]
        if kind == "heals" and runs[kind] == 1:
            raise jobs.Retry(after=timedelta(), reason="not yet")
        if kind == "down":
            raise Unavailable(code="smtp_down")
        if kind == "final":
            raise Conflict(code="recalled")
        if kind == "defect":
            raise KeyError("secret name")

    for kind in ("heals", "down", "final", "defect"):
        await jobs.defer("t.flaky", kind=kind)
    await run_worker(once=True)
    assert runs == {"heals": 2, "down": 4, "final": 1, "defect": 3}
    found = {job.arguments["kind"]: job for job in await jobs.stuck()}
    assert {kind: job.code for kind, job in found.items()} == {
        "down": "smtp_down",
        "final": "recalled",
        "defect": "defect",
    }
    assert "secret" not in found["defect"].message_en
    assert {job.reason for job in found.values()} == {"failed"}


async def test_retry_is_visible_with_its_time_and_can_be_hurried(queue_db):
    runs = []

    @jobs.job("t.patient")
    async def patient():
        runs.append(1)
        if len(runs) == 1:
            raise jobs.Retry(after=timedelta(hours=2), reason="medo_down")

    await jobs.defer("t.patient", key="only")
    await run_worker(once=True)
    (found,) = await jobs.stuck()
    assert (found.reason, found.code, found.runs) == ("retrying", "retry", 1)
    assert "medo_down" in found.message_en
    assert timedelta(minutes=119) < found.next_run_at - clock.now() < timedelta(minutes=121)
    await jobs.defer("t.patient", key="only")
    await run_worker(once=True)
    assert len(runs) == 1
    await jobs.retry_now(found.id)
    await run_worker(once=True)
    assert len(runs) == 2
    assert await jobs.stuck() == []


async def test_failed_job_is_run_again_by_hand(queue_db):
    broken = [True]

    @jobs.job("t.broken")
    async def broken_once():
        if broken:
            raise Conflict()

    await jobs.defer("t.broken")
    await run_worker(once=True)
    (found,) = await jobs.stuck()
    broken.clear()
    await jobs.retry_now(found.id)
    await run_worker(once=True)
    assert await jobs.stuck() == []
    with pytest.raises(NotFound):
        await jobs.retry_now(found.id)


async def test_retry_gives_way_to_the_same_key_queued_meanwhile(queue_db):
    runs = []

    @jobs.job("t.again", retry=EAGER)
    async def again():
        runs.append(1)
        if len(runs) == 1:
            await jobs.defer("t.again", key="k")
            raise jobs.Retry(after=timedelta())

    await jobs.defer("t.again", key="k")
    await run_worker(once=True, concurrency=1)
    assert len(runs) == 2
    assert await _states() == ["cancelled"]
    assert await jobs.prune(older_than=timedelta()) == 1


async def test_stopping_worker_gives_unfinished_job_back(queue_db, monkeypatch):
    monkeypatch.setattr("core.jobs.worker.GRACE_SECONDS", 0.1)
    begun = asyncio.Event()

    @jobs.job("t.long")
    async def long():
        begun.set()
        await asyncio.sleep(60)

    await jobs.defer("t.long")
    async with _Worker():
        await asyncio.wait_for(begun.wait(), 5)
        (job_id,) = [row["id"] for row in await db.rows("SELECT id FROM procrastinate_jobs")]
        with pytest.raises(IllegalTransition):
            await jobs.retry_now(job_id)
    assert await _states() == ["todo"]


async def test_new_job_wakes_the_worker(queue_db):
    _declare_write()
    waits = []
    async with _Worker():
        await jobs.defer("t.write", what="warm")
        await _until(lambda: _has("warm"))
        await asyncio.sleep(0.2)
        for n in range(10):
            begun = time.monotonic()
            await jobs.defer("t.write", what=str(n))
            await _until(lambda n=n: _has(str(n)))
            waits.append(time.monotonic() - begun)
            await asyncio.sleep(0.05)
    assert sorted(waits)[5] < 0.3


async def _has(what):
    return bool(await db.value("SELECT 1 FROM did WHERE what = $1", what))


async def test_periodic_runs_once_for_two_workers(queue_db):
    @jobs.periodic("t.tick", every=timedelta(seconds=1))
    async def tick():
        await _write(f"tick {int(time.time())}")

    async with _Worker(), _Worker():

        async def three():
            return len(await _did()) >= 3

        await _until(three, 8)
    assert max(Counter(await _did()).values()) == 1


def test_periodic_refuses_what_no_clock_can_keep():
    with pytest.raises(ValueError, match="divide"):
        jobs.periodic("t.odd", every=timedelta(minutes=7))
    with pytest.raises(ValueError, match="either"):
        jobs.periodic("t.none")


def test_waits_grow_and_are_published():
    policy = jobs.RetryPolicy(attempts=5, first=timedelta(seconds=2), longest=timedelta(seconds=9))
    assert [wait.total_seconds() for wait in policy.table()] == [2, 4, 8, 9]
    assert timedelta(seconds=1.6) <= policy.wait_with_jitter(1) <= timedelta(seconds=2)


async def test_missing_function_stops_the_start(queue_db, monkeypatch):
    monkeypatch.setattr(schema, "_FUNCTIONS", (*schema._FUNCTIONS, "procrastinate_gone_v9"))
    with pytest.raises(schema.WrongSchema, match="procrastinate_gone_v9"):
        await run_worker(once=True)


_CHILD = """
import asyncio, os, time
from core import db, jobs
from core.jobs.worker import run_worker

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
        await _until(lambda: _has("begun 1"), 15)
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
        await _write(f"done {n}")

    await jobs.defer("t.slow", n=1)
    await _kill_worker_in_the_middle()
    killed = time.monotonic()
    monkeypatch.setattr(recovery, "SILENCE", silence)
    await jobs.defer("t.slow", n=1)
    assert await _states() == ["doing", "todo"]
    async with _Worker():

        async def both():
            return (await _did()).count("done 1") == 2

        await _until(both, 40)
    assert time.monotonic() - killed < 30
    assert await _states() == []


async def test_dead_workers_job_is_listed_and_fails_at_the_crash_limit(queue_db, monkeypatch):
    _declare_write("t.slow")
    monkeypatch.setattr(recovery, "CRASH_LIMIT", 2)
    await jobs.defer("t.slow", what="poison")
    for expected in ("todo", "failed"):
        await db.execute("UPDATE procrastinate_jobs SET status = 'doing'")
        (found,) = await jobs.stuck()
        assert found.reason == "worker_died"
        assert await jobs.sweep() == 1
        assert await _states() == [expected]
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
    _declare_write()
    await jobs.defer("t.write", what="twice")
    async with _Worker():

        async def done():
            return not await _states()

        await _until(done)
    assert await _did() == ["twice", "twice"]


async def test_worker_outlives_its_connections(queue_db):
    _declare_write()
    async with _Worker():
        await jobs.defer("t.write", what="before")
        await _until(lambda: _has("before"))
        await db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user"
            " AND pid <> pg_backend_pid() AND datname = current_database()"
        )
        await jobs.defer("t.write", what="after")
        await _until(lambda: _has("after"))


async def test_queue_survives_a_bulk_of_jobs_in_one_statement(queue_db):
    _declare_write()
    begun = time.monotonic()
    await jobs.defer_many("t.write", [{"what": str(n)} for n in range(5_000)])
    assert time.monotonic() - begun < 5
    assert await db.value("SELECT count(*) FROM procrastinate_jobs") == 5_000
