"""A database with nothing but the job queue in it, and what the tests of jobs ask of it."""

import asyncio
import os
import sys
import time
import uuid
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from core import db, jobs
from core.jobs import queue, recovery, registry, schema
from core.jobs.worker import run_worker
from core.settings import settings


def _with(url, *, database, user=None, password=None):
    parts = urlsplit(url)
    place = parts.netloc if user is None else f"{user}:{password}@{parts.netloc.split('@')[-1]}"
    return urlunsplit(parts._replace(netloc=place, path=f"/{database}"))


@pytest.fixture(scope="module")
async def queue_database():
    """A database made as the migration runner does it: owner's tables, an application role."""
    name, role, word = f"jobs_{uuid.uuid4().hex[:12]}", f"app_{uuid.uuid4().hex[:8]}", "x" * 24
    superuser = os.environ["DOCFLOW_TEST_SUPERUSER"]
    server = await asyncpg.connect(superuser)
    await server.execute(f"CREATE DATABASE {name}")
    await server.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{word}'")
    owner = await asyncpg.connect(_with(superuser, database=name))
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
        yield _with(superuser, database=name, user=role, password=word)
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
    # Clocks of rooms that other tests imported would put jobs of their own among those counted.
    own = {name: job for name, job in registry.JOBS.items() if job.cron is None}
    monkeypatch.setattr(registry, "JOBS", own)
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


async def did():
    return [row["what"] for row in await db.rows("SELECT what FROM did ORDER BY id")]


async def write(what):
    await db.execute(
        "INSERT INTO did (what, pid, at) VALUES ($1, $2, clock_timestamp())", what, os.getpid()
    )


def declare_write(name="t.write", **options):
    @jobs.job(name, **options)
    async def write_it(what):
        await write(what)


async def states():
    found = await db.rows("SELECT status::text AS status FROM procrastinate_jobs ORDER BY id")
    return [row["status"] for row in found]


class OwnWorker:
    """A worker in this process for the length of the block."""

    def __init__(self, **options):
        self.options, self.stop = options, asyncio.Event()

    async def __aenter__(self):
        self.task = asyncio.create_task(run_worker(self.stop, **self.options))

    async def __aexit__(self, *_):
        self.stop.set()
        await asyncio.wait_for(self.task, 30)


async def until(check, seconds=10.0):
    end = time.monotonic() + seconds
    while not await check():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.02)


async def has(what):
    return bool(await db.value("SELECT 1 FROM did WHERE what = $1", what))
