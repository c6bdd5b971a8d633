"""Events become leaves by the order in which they become visible, whoever began first."""

import asyncio
import os
import sys
import uuid
from pathlib import Path

import asyncpg
import pytest

from audit import events
from core import clock, db
from core.actor import RULE
from evidence.log import identity, leaves, merkle, proofs, sequencing, tiles


async def an_event(verb: str = "test.done", **more) -> uuid.UUID:
    async with db.transaction():
        return await events.record(RULE, verb, subject=("test", clock.new_id()), **more)


async def logged() -> list[uuid.UUID]:
    return [row["event_id"] for row in await db.rows("SELECT * FROM log_leaf ORDER BY leaf")]


async def require_whole() -> int:
    """Every event is one leaf, and the tree says what the checkpoint says; answers the size."""
    known = await identity.load()
    assert known is not None
    rows = await db.rows(
        f"""SELECT l.leaf, {leaves.COLUMNS} FROM event AS e
            LEFT JOIN log_leaf AS l ON l.event_id = e.id ORDER BY l.leaf"""
    )
    assert [row["leaf"] for row in rows] == list(range(len(rows)))
    hashes = [merkle.leaf_hash(leaves.entry_of(known.salt_secret, row)) for row in rows]
    edge = tiles.Edge(0, [], bytearray())
    for row in rows:
        edge.add(leaves.entry_of(known.salt_secret, row))
    latest = await proofs.checkpoint()
    assert (latest.head.size, latest.head.root) == (len(hashes), edge.root())
    return len(rows)


async def test_details_numbers_and_proofs(database: str) -> None:
    first = await an_event(
        data={"n": 1.5, "big": 10**30, "ё": [1e-7, -0.0, 1e22, {"a": None}]},
        detail={"name": "Иванова «А»", "share": 0.1, "id": clock.new_id()},
    )
    for number in range(300):
        await an_event(f"test.{number}", change=("a", "b"))
    assert await sequencing.take() == 302, "the log's own first event is one"
    assert await sequencing.take() == 0
    size = await require_whole()
    proof = await proofs.inclusion(first)
    latest = await proofs.checkpoint()
    merkle.require_inclusion(
        merkle.leaf_hash(proof.entry), proof.leaf, size, proof.path, latest.head.root
    )
    row = await db.row(f"SELECT {leaves.COLUMNS} FROM event AS e WHERE e.id = $1", first)
    assert row is not None
    assert leaves.event_json(row) == leaves.as_general_json(row) == proof.event
    assert proof.detail is not None
    assert proof.detail_salt is not None
    assert leaves.commitment(proof.detail_salt, proof.detail) == row["detail_sha256"]
    with pytest.raises(proofs.NotLogged):
        await proofs.inclusion(clock.new_id())


async def test_who_began_first_and_committed_last_is_taken(database: str) -> None:
    await an_event()
    await sequencing.take()
    slow, slower = [await asyncpg.connect(os.environ["DATABASE_URL"]) for _ in range(2)]
    insert = """INSERT INTO event (at, actor_kind, verb, subject_kind, subject_id)
                VALUES (now(), 'rule', $1, 'test', uuidv7())"""
    try:
        for connection in (slow, slower):
            await connection.execute("BEGIN")
            await connection.execute(insert, "test.slow")
        for _ in range(3):
            await an_event("test.quick")
            assert await sequencing.take() == 1, "an open transaction holds nobody up"
        await slower.execute("SAVEPOINT inner_one")
        await slower.execute(insert, "test.slow")
        await slower.execute("RELEASE inner_one")
        await slower.execute("COMMIT")
        assert await sequencing.take() == 2, "numbered before the last batch, visible after it"
        await an_event("test.quick")
        assert await sequencing.take() == 1
        await slow.execute("COMMIT")
        assert await sequencing.take() == 1
    finally:
        await slow.close()
        await slower.close()
    assert await sequencing.take() == 0
    assert await require_whole() == 9


async def test_many_writers_limits_and_two_sequencers(database: str) -> None:
    async def write(number: int) -> None:
        for _ in range(12):
            async with db.transaction():
                await events.record(RULE, "test.many", subject=("test", clock.new_id()))
                await asyncio.sleep(0.001 * (number % 3))
                await events.record(RULE, "test.many", subject=("test", clock.new_id()))

    writers = asyncio.gather(*(write(number) for number in range(6)))
    while not writers.done():
        await asyncio.gather(sequencing.take(limit=7), sequencing.take(limit=7))
    await writers
    while await sequencing.take(limit=5):
        pass
    assert await require_whole() == 145


async def test_a_rolled_back_event_is_no_leaf_and_idle_writes_nothing(database: str) -> None:
    async def fail() -> None:
        async with db.transaction():
            await events.record(RULE, "test.gone", subject=("test", clock.new_id()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await an_event()
    await sequencing.take()
    version = "SELECT xmin::text || ':' || ctid::text FROM log_state"
    before = await db.value(version)
    for _ in range(3):
        assert await sequencing.take() == 0
    assert await db.value(version) == before
    assert await require_whole() == 2


async def test_a_dump_restored_elsewhere_goes_on(database: str) -> None:
    """There transactions count from a low number again, below those the old rows carry."""
    await an_event()
    await sequencing.take()
    await an_event("test.not_yet_logged")
    owner = await asyncpg.connect(os.environ["DATABASE_OWNER_URL"])
    try:
        await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
        await owner.execute("UPDATE event SET xact = '900000000'::xid8")
        await owner.execute("UPDATE log_state SET taken_below = 900000001")
    finally:
        await owner.close()
    await an_event("test.after_the_restore")
    assert await sequencing.take() == 2
    await an_event("test.after_the_restore")
    assert await sequencing.take() == 1
    assert await sequencing.take() == 0
    assert await require_whole() == 5


ROOT = Path(__file__).resolve().parents[2]
_SIZE = "SELECT size FROM log_state"


@pytest.mark.slow
async def test_a_killed_process_leaves_nothing_half(database: str) -> None:
    """The loop is killed in the midst of its batches, again and again, and started anew."""
    written = 0
    for turn in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.log_keeper", cwd=ROOT
        )
        before = await db.value(_SIZE)
        while await db.value(_SIZE) == before:
            await db.execute(
                """INSERT INTO event (at, actor_kind, verb, subject_kind, subject_id)
                   SELECT now(), 'rule', 'test.many', 'test', uuidv7()
                   FROM generate_series(1, 2000)"""
            )
            written += 2000
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.3 * turn)
        process.kill()
        await process.wait()
    while await sequencing.take():
        pass
    assert await require_whole() == written + 1
