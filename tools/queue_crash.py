"""Crash test of job queues: the figures behind docs/adr/0003-job-queue.md.

    DATABASE_OWNER_URL=… python tools/queue_crash.py [procrastinate] [pgqueuer] [docflow]

`procrastinate` and `pgqueuer` run as their documentation shows; `docflow` is ``core.jobs``. Each
gets a database of its own, dropped afterwards. Workers are separate processes, killed with
SIGKILL in the middle of their work. Prints one line of JSON for each candidate.
"""

import asyncio
import json
import os
import signal
import sys
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import procrastinate
from pgqueuer.db import AsyncpgDriver
from pgqueuer.executors import DatabaseRetryEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.models import Job as PgqueuerJob
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries

sys.path.insert(0, str(Path(__file__).parents[1]))

from core import db, jobs
from core.jobs.schema import library_sql, schema_sql
from core.jobs.worker import run_worker

JOBS, KEYS, KILLS, BACKLOG = 400, 20, 4, 1_000
PATIENCE = 45.0
TABLE = (
    "CREATE TABLE did"
    " (id bigserial, kind text, n int, at timestamptz NOT NULL DEFAULT clock_timestamp())"
)
NAMES = ("work", "fails", "chain", "again", "noop")


async def note(pool: asyncpg.Pool, kind: str, n: int) -> None:
    """Leave a trace that job `n` of a kind did its work."""
    await pool.execute("INSERT INTO did (kind, n) VALUES ($1, $2)", kind, n)


async def do(
    pool: asyncpg.Pool, kind: str, n: int, again: Callable[[], Awaitable[object]] | None = None
) -> None:
    """The work of each kind of job, the same for every candidate."""
    if kind == "work":
        await asyncio.sleep(0.02)
    if kind == "again" and not await pool.fetchval("SELECT 1 FROM did WHERE kind = 'again'"):
        await note(pool, kind, n)
        if again:
            await again()
        raise RuntimeError("once")
    await note(pool, kind, n)
    if kind == "fails":
        raise RuntimeError("always")


# --- procrastinate, as documented ---------------------------------------------------------------


async def defer_procrastinate(
    connection: asyncpg.Connection,
    kind: str,
    n: int,
    *,
    lock: str | None = None,
    key: str | None = None,
    at: datetime | None = None,
) -> None:
    """Queue in the transaction of `connection`."""
    await connection.execute(
        "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', $1, 0, $2, $3, $4::jsonb, $5)"
        "::procrastinate_job_to_defer_v1])", kind, lock, key, json.dumps({"n": n}), at,
    )  # fmt: skip


async def work_procrastinate(url: str, pool: asyncpg.Pool) -> None:
    """A worker as the documentation shows it."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

    def declare(kind: str) -> None:
        @app.task(name=kind, retry=procrastinate.RetryStrategy(max_attempts=3))
        async def run(n: int) -> None:
            async def again() -> None:
                async with pool.acquire() as connection:
                    await defer_procrastinate(connection, "again", n, key="again")

            await do(pool, kind, n, again)

    for name in NAMES:
        declare(name)
    async with app.open_async():
        await app.run_worker_async(concurrency=10, install_signal_handlers=False)


# --- pgqueuer, as documented ----------------------------------------------------------------------


async def defer_pgqueuer(
    connection: asyncpg.Connection,
    kind: str,
    n: int,
    *,
    lock: str | None = None,
    key: str | None = None,
    at: datetime | None = None,
) -> None:
    """Queue in the transaction of `connection`."""
    after = None if at is None else at - datetime.now(UTC)
    await Queries(AsyncpgDriver(connection)).enqueue(
        [kind], [str(n).encode()], [0], None if after is None else [after], dedupe_key=[key]
    )  # fmt: skip


async def work_pgqueuer(url: str, pool: asyncpg.Pool) -> None:
    """A worker as the documentation shows it, with retries in the database."""
    connection = await asyncpg.connect(url)
    manager = QueueManager(Queries(AsyncpgDriver(connection)))

    def declare(kind: str) -> None:
        async def run(job: PgqueuerJob) -> None:
            await do(pool, kind, int(job.payload or b"0"))

        manager.register_executor(
            kind,
            DatabaseRetryEntrypointExecutor(
                EntrypointExecutorParameters(concurrency_limit=0, func=run, on_failure="hold"),
                max_attempts=3,
            ),
        )

    for name in NAMES:
        declare(name)
    await manager.run(dequeue_timeout=timedelta(seconds=5), max_concurrent_tasks=20)


# --- core.jobs ------------------------------------------------------------------------------------


async def defer_docflow(
    connection: asyncpg.Connection,
    kind: str,
    n: int,
    *,
    lock: str | None = None,
    key: str | None = None,
    at: datetime | None = None,
) -> None:
    """Queue in the transaction of `connection`."""
    token = db.DB.current_transaction.set(db._Ambient(connection))  # type: ignore[arg-type]  # reason: the transaction is the caller's
    try:
        await jobs.defer(kind, key=key, lock=lock, at=at, n=n)
    finally:
        db.DB.current_transaction.reset(token)


def declare_docflow(pool: asyncpg.Pool | None) -> None:
    """Declare the kinds; without a pool for deferring only."""

    def declare(kind: str) -> None:
        @jobs.job(kind, retry=jobs.RetryPolicy(attempts=3, first=timedelta(milliseconds=100)))
        async def run(n: int) -> None:
            if pool is not None:
                await do(pool, kind, n, lambda: jobs.defer("again", key="again", n=n))

    jobs.JOBS.clear()
    for name in NAMES:
        declare(name)


async def work_docflow(url: str, pool: asyncpg.Pool) -> None:
    """The service's own worker."""
    declare_docflow(pool)
    await db.DB.open()
    await run_worker(concurrency=10)


DEFER = {
    "procrastinate": defer_procrastinate,
    "pgqueuer": defer_pgqueuer,
    "docflow": defer_docflow,
}
WORK = {"procrastinate": work_procrastinate, "pgqueuer": work_pgqueuer, "docflow": work_docflow}


# --- the test -------------------------------------------------------------------------------------


class Stage:
    """One candidate, its database, and its worker process."""

    def __init__(self, candidate: str, url: str, pool: asyncpg.Pool) -> None:
        self.candidate, self.url, self.pool = candidate, url, pool
        self.child: asyncio.subprocess.Process | None = None

    async def defer(self, kind: str, n: int, **options: Any) -> None:
        """Queue one job in a transaction."""
        async with self.pool.acquire() as connection, connection.transaction():
            await DEFER[self.candidate](connection, kind, n, **options)

    async def start(self) -> None:
        """Start a worker process."""
        unused = dict.fromkeys(("S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY"), "unused")
        self.child = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "worker", self.candidate, stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **unused, "DATABASE_URL": self.url, "SECRET_KEY": "x" * 32},
        )  # fmt: skip

    async def kill(self) -> None:
        """SIGKILL the worker process."""
        if self.child is not None:
            self.child.send_signal(signal.SIGKILL)
            await self.child.wait()

    async def count(self, kind: str) -> int:
        """How many different jobs of a kind were done."""
        return int(
            await self.pool.fetchval("SELECT count(DISTINCT n) FROM did WHERE kind = $1", kind)
        )

    async def wait(self, kind: str, target: int, seconds: float) -> float | None:
        """Seconds until `target` jobs of a kind are done, or None."""
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            if await self.count(kind) >= target:
                return round(time.monotonic() - begun, 2)
            await asyncio.sleep(0.02)
        return None


async def crash(stage: Stage) -> dict[str, Any]:
    """Outbox, then SIGKILL in the middle, then what became of every job."""
    async with stage.pool.acquire() as connection:
        rolled_back = connection.transaction()
        await rolled_back.start()
        for n in range(50):
            await DEFER[stage.candidate](connection, "work", 10_000 + n)
        await rolled_back.rollback()
        async with connection.transaction():
            for n in range(JOBS):
                await DEFER[stage.candidate](connection, "work", n, lock=f"key {n % KEYS}")
    for kill in range(KILLS):
        await stage.start()
        await stage.wait("work", (kill + 1) * JOBS // (KILLS + 2), 30)
        await stage.kill()
    begun = time.monotonic()
    await stage.start()
    finished = await stage.wait("work", JOBS, PATIENCE)
    done = Counter(
        row["n"] for row in await stage.pool.fetch("SELECT n FROM did WHERE kind = 'work'")
    )
    missing = [n for n in range(JOBS) if n not in done]
    last = await stage.pool.fetchval("SELECT now() - max(at) FROM did WHERE kind = 'work'")
    return {
        "after_rollback": sum(1 for n in done if n >= 10_000),
        "not_done": len(missing),
        "keys_blocked": len({n % KEYS for n in missing}),
        "done_twice": sum(1 for times in done.values() if times > 1),
        "recovered_s": finished,
        "last_progress_s": round(time.monotonic() - begun - last.total_seconds(), 2),
    }


async def rest(stage: Stage) -> dict[str, Any]:
    """Retry counts, traps around locks and keys, and the rate; the worker is already running."""
    await stage.kill()
    await stage.pool.execute("DELETE FROM did")
    for table in ("procrastinate_jobs", "pgqueuer"):
        if await stage.pool.fetchval("SELECT to_regclass($1)", table):
            await stage.pool.execute(f"DELETE FROM {table}")
    await stage.defer("noop", 0)
    await stage.start()
    await stage.wait("noop", 1, 20)
    await stage.defer("fails", 1)
    await stage.defer("again", 1, key="again")
    await stage.defer("noop", 2, lock="trap", at=datetime.now(UTC) + timedelta(hours=1))
    await stage.defer("noop", 3, lock="trap")
    passed = await stage.wait("noop", 2, 8)
    for n in range(20):
        await stage.defer("chain", n, lock="chain")
    chain = await stage.wait("chain", 20, 40)
    await asyncio.sleep(8)
    stuck = None
    if stage.candidate != "pgqueuer":
        stuck = await stage.pool.fetchval(
            "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"
        )
    runs = await stage.pool.fetchval("SELECT count(*) FROM did WHERE kind = 'fails'")
    await stage.kill()
    await stage.pool.execute("DELETE FROM did")
    for n in range(BACKLOG):
        await stage.defer("noop", n)
    await stage.pool.execute("ANALYZE")
    await stage.start()
    await stage.wait("noop", 1, 20)
    seconds = await stage.wait("noop", BACKLOG, 60)
    return {
        "runs_at_max_3": runs,
        "scheduled_job_blocks_its_lock": passed is None,
        "stuck_when_key_queued_during_retry": stuck,
        "chain_of_20_same_lock_s": chain,
        "jobs_per_s": None if seconds is None else round(BACKLOG / seconds),
    }


async def install(candidate: str, connection: asyncpg.Connection) -> None:
    """Make the candidate's tables."""
    if candidate == "pgqueuer":
        await Queries(AsyncpgDriver(connection)).install()
    else:
        await connection.execute(schema_sql() if candidate == "docflow" else library_sql())
    await connection.execute(TABLE)


async def examine(candidate: str, owner: str) -> dict[str, Any]:
    """Everything about one candidate, in a database of its own."""
    name = f"queue_crash_{uuid.uuid4().hex[:8]}"
    server = await asyncpg.connect(owner)
    await server.execute(f"CREATE DATABASE {name}")
    url = owner.rpartition("/")[0] + f"/{name}"
    try:
        async with asyncpg.create_pool(url, min_size=1, max_size=4) as pool:
            async with pool.acquire() as connection:
                await install(candidate, connection)
            if candidate == "docflow":
                declare_docflow(None)
            stage = Stage(candidate, url, pool)
            try:
                return {"candidate": candidate, **await crash(stage), **await rest(stage)}
            finally:
                await stage.kill()
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.close()


async def work(candidate: str) -> None:
    """The worker process."""
    url = os.environ["DATABASE_URL"]
    async with asyncpg.create_pool(url, min_size=1, max_size=10) as pool:
        await WORK[candidate](url, pool)


async def main(candidates: list[str]) -> None:
    """Examine the candidates one after the other."""
    for candidate in candidates or list(WORK):
        print(json.dumps(await examine(candidate, os.environ["DATABASE_OWNER_URL"])), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        asyncio.run(work(sys.argv[2]))
    else:
        asyncio.run(main(sys.argv[1:]))
