"""The job queue against a real PostgreSQL, in a database of its own."""

import asyncio
import logging
import re
import time
import uuid
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from job_queue import OwnWorker, declare_write, did, has, states, until, write

from core import clock, db, jobs
from core.errors import Conflict, IllegalTransition, NotFound, Unavailable
from core.jobs import queue
from core.jobs.worker import run_worker

EAGER = jobs.RetryPolicy(attempts=3, temporary_attempts=4, first=timedelta(), longest=timedelta())


async def test_job_of_rolled_back_transaction_does_not_exist(queue_db):
    declare_write()
    with suppress(ZeroDivisionError):
        async with db.transaction():
            await write("row")
            await jobs.defer("t.write", what="job")
            raise ZeroDivisionError
    assert await states() == []
    async with db.transaction():
        await write("row")
        await jobs.defer("t.write", what="job")
    await run_worker(once=True)
    assert await did() == ["row", "job"]
    assert await states() == []


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
    declare_write()
    with pytest.raises(TypeError):
        await jobs.defer("t.write", what=b"bytes")
    with pytest.raises(ValueError, match="time zone"):
        await jobs.defer("t.write", at=clock.now().replace(tzinfo=None), what="x")


async def test_key_queues_once_and_takes_the_sooner_and_the_more_urgent(queue_db):
    declare_write()
    later = clock.now() + timedelta(hours=1)
    await jobs.defer("t.write", key="k", at=later, what="first")
    await jobs.defer("t.write", key="k", at=later, priority=5, what="second")
    await run_worker(once=True)
    assert await did() == []
    assert await db.value("SELECT priority FROM procrastinate_jobs") == 5
    await jobs.defer("t.write", key="k", what="third")
    await run_worker(once=True)
    assert await did() == ["first"]
    await jobs.defer_many(
        "t.write", [{"what": "a"}, {"what": "b"}, {"what": "c"}], keys=["1", "1", None]
    )
    await run_worker(once=True, concurrency=1)
    assert sorted(await did()) == ["a", "c", "first"]


async def test_key_waits_for_the_commit_of_whoever_asked_last(queue_db):
    """A worker must not take the queued job before the change it is to see is committed."""
    declare_write()
    await jobs.defer("t.write", key="k", what="joined")
    async with db.DB.pool.acquire() as other, other.transaction():
        await other.execute(
            queue._INSERT, "default", "t.write", 0, None, [None], ["t.write:k"], ["{}"]
        )
        found = await db.row("SELECT * FROM procrastinate_fetch_job_v2(NULL, NULL)")
        assert found["id"] is None
    await run_worker(once=True)
    assert await did() == ["joined"]


async def test_priority_runs_first(queue_db):
    declare_write()
    await jobs.defer_many("t.write", [{"what": f"bulk {n}"} for n in range(3)])
    await jobs.defer("t.write", priority=10, what="urgent")
    await run_worker(once=True, concurrency=1)
    assert (await did())[0] == "urgent"


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
    async with OwnWorker(concurrency=4), OwnWorker(concurrency=4):

        async def drained():
            return not await states()

        await until(drained, 20)
    assert {most["T0"], most["T1"], most["T2"]} == {1}
    assert most["all"] > 1


async def test_job_that_waits_does_not_hold_its_lock(queue_db):
    declare_write(lock="one")
    await jobs.defer("t.write", at=clock.now() + timedelta(hours=1), what="later")
    await jobs.defer("t.write", what="now")
    await run_worker(once=True)
    assert await did() == ["now"]


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
    assert await states() == ["cancelled"]
    assert await jobs.prune(older_than=timedelta()) == 1


async def test_stopping_worker_gives_unfinished_job_back(queue_db, monkeypatch):
    monkeypatch.setattr("core.jobs.worker.GRACE_SECONDS", 0.1)
    begun = asyncio.Event()

    @jobs.job("t.long")
    async def long():
        begun.set()
        await asyncio.sleep(60)

    await jobs.defer("t.long")
    async with OwnWorker():
        await asyncio.wait_for(begun.wait(), 5)
        (job_id,) = [row["id"] for row in await db.rows("SELECT id FROM procrastinate_jobs")]
        with pytest.raises(IllegalTransition):
            await jobs.retry_now(job_id)
    assert await states() == ["todo"]


async def test_new_job_wakes_the_worker(queue_db):
    declare_write()
    waits = []
    async with OwnWorker():
        await jobs.defer("t.write", what="warm")
        await until(lambda: has("warm"))
        await asyncio.sleep(0.2)
        for n in range(10):
            begun = time.monotonic()
            await jobs.defer("t.write", what=str(n))
            await until(lambda n=n: has(str(n)))
            waits.append(time.monotonic() - begun)
            await asyncio.sleep(0.05)
    assert sorted(waits)[5] < 0.3


async def test_periodic_runs_once_for_two_workers(queue_db, caplog):
    """By the moment a run is for, which may be caught up within the next second."""
    caplog.set_level(logging.INFO, logger="procrastinate")

    @jobs.periodic("t.tick", every=timedelta(seconds=1))
    async def tick():
        await write("tick")

    async with OwnWorker(), OwnWorker():

        async def three():
            return len(await did()) >= 3

        await until(three, 20)
    moments = re.findall(r"t\.tick\[\d+\]\(timestamp=(\d+)\) deferred", caplog.text)
    assert len(set(moments)) == len(moments) >= len(await did()) >= 3


def test_periodic_refuses_what_no_clock_can_keep():
    with pytest.raises(ValueError, match="divide"):
        jobs.periodic("t.odd", every=timedelta(minutes=7))
    with pytest.raises(ValueError, match="either"):
        jobs.periodic("t.none")


def test_waits_grow_and_are_published():
    policy = jobs.RetryPolicy(attempts=5, first=timedelta(seconds=2), longest=timedelta(seconds=9))
    assert [wait.total_seconds() for wait in policy.table()] == [2, 4, 8, 9]
    assert timedelta(seconds=1.6) <= policy.wait_with_jitter(1) <= timedelta(seconds=2)
