"""What somebody with every right in the database does to events and log, and who finds it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from audit import erasure, events
from core import clock, db
from core.actor import RULE
from evidence.log import checking, identity, leaves, proofs, sequencing, tiles, witness
from evidence.log.heads import Head
from evidence.log.witnessing import request

EVENTS = 700


async def some_events(number: int) -> None:
    async with db.transaction():
        for count in range(number):
            await events.record(
                RULE, "test.done", subject=("test", clock.new_id()), change=("a", "b"),
                detail={"name": f"Иванова {count}"} if count % 3 == 0 else None,
            )  # fmt: skip


@pytest.fixture
async def a_log(database: str) -> None:
    for _ in range(7):
        await some_events(EVENTS // 7)
        await sequencing.take()
    assert (await checking.check_all()).findings == 0


@asynccontextmanager
async def the_attacker() -> AsyncIterator[asyncpg.Connection]:
    """A superuser for whom no trigger and no key holds."""
    url = os.environ["DOCFLOW_TEST_SUPERUSER"].rsplit("/", 1)[0]
    name = os.environ["DATABASE_URL"].rsplit("/", 1)[1]
    connection = await asyncpg.connect(f"{url}/{name}")
    try:
        await connection.execute("SET session_replication_role = replica")
        yield connection
    finally:
        await connection.close()


async def found() -> dict[str, int]:
    return dict((await checking.check_all()).counts)


VICTIM = "(SELECT event_id FROM log_leaf WHERE leaf = 333)"
ATTACKS = {
    "verb": (f"UPDATE event SET verb = 'test.other' WHERE id = {VICTIM}", {"event_changed"}),
    "time": (f"UPDATE event SET at = at - interval '1 day' WHERE id = {VICTIM}",
             {"event_changed", "event_backdated"}),
    "actor": (f"UPDATE event SET actor_id = uuidv7() WHERE id = {VICTIM}", {"event_changed"}),
    "data": (f"UPDATE event SET data = '{{}}' WHERE id = {VICTIM}", {"event_changed"}),
    "id": (f"UPDATE event SET id = uuidv7() WHERE id = {VICTIM}",
           {"event_deleted", "event_unlogged"}),
    "delete": (f"DELETE FROM event WHERE id = {VICTIM}", {"event_deleted"}),
    "delete with leaf": (
        f"WITH v AS {VICTIM} DELETE FROM event WHERE id = (SELECT event_id FROM v);"
        " DELETE FROM log_leaf WHERE leaf = 333", {"leaf_missing"}),
    "swap": (
        """CREATE TEMP TABLE kept AS SELECT leaf, event_id FROM log_leaf WHERE leaf IN (10, 20);
           UPDATE log_leaf SET event_id = uuidv7() WHERE leaf IN (10, 20);
           UPDATE log_leaf AS l SET event_id = k.event_id FROM kept AS k
           WHERE l.leaf = 30 - k.leaf AND l.leaf IN (10, 20)""", {"event_changed"}),
    "swap contents": (
        """UPDATE event AS a SET (subject_id, at) = (SELECT b.subject_id, b.at FROM event AS b
               WHERE b.id = (SELECT event_id FROM log_leaf WHERE leaf = 22))
           WHERE a.id = (SELECT event_id FROM log_leaf WHERE leaf = 21)""", {"event_changed"}),
    "insert unlogged": (
        """INSERT INTO event (at, xact, actor_kind, verb, subject_kind, subject_id)
           VALUES (now(), '100'::xid8, 'rule', 'test.forged', 'test', uuidv7())""",
        {"event_unlogged"}),
    "insert of an older time": (
        """INSERT INTO event (at, actor_kind, verb, subject_kind, subject_id)
           VALUES (now() - interval '3 hours', 'rule', 'test.forged', 'test', uuidv7())""",
        {"event_backdated"}),
    "insert of a later time": (
        """INSERT INTO event (at, actor_kind, verb, subject_kind, subject_id)
           VALUES (now() + interval '3 hours', 'rule', 'test.forged', 'test', uuidv7())""",
        {"event_backdated"}),
    "truncate": ("TRUNCATE event CASCADE", {"event_deleted"}),
    "detail": ("""UPDATE event_payload SET detail = '{"name": "Петрова 0"}'
                  WHERE detail = '{"name": "Иванова 0"}'""", {"detail_changed"}),
    "detail's salt": ("UPDATE event_payload SET salt = decode(repeat('00', 32), 'hex')",
                      {"detail_changed"}),
    "detail gone": ("DELETE FROM event_payload WHERE detail = '{\"name\": \"Иванова 0\"}'",
                    {"detail_missing"}),
    "detail added": (
        """INSERT INTO event_payload SELECT e.id, decode(repeat('00', 32), 'hex'), '{"name": "X"}'
           FROM event AS e WHERE detail_sha256 IS NULL LIMIT 1""", {"detail_added"}),
    "tile": ("UPDATE log_tile SET data = set_byte(data, 5, get_byte(data, 5) # 1)"
             " WHERE level = 0 AND number = 1", {"tile_changed"}),
    "tile above": ("UPDATE log_tile SET data = set_byte(data, 40, get_byte(data, 40) # 1)"
                   " WHERE level = 1", {"tile_changed"}),
    "entry": ("UPDATE log_tile SET data = set_byte(data, 5, get_byte(data, 5) # 1)"
              " WHERE level = -1 AND number = 1", {"event_changed"}),
    "bundle gone": ("DELETE FROM log_tile WHERE level = -1 AND number = 1", {"entries_missing"}),
    "checkpoint gone": ("DELETE FROM log_checkpoint WHERE size = (SELECT max(size) FROM"
                        " log_checkpoint)", {"checkpoint_missing"}),
    "checkpoint's root": ("UPDATE log_checkpoint SET root = sha256(root) WHERE size ="
                          " (SELECT max(size) FROM log_checkpoint)", {"checkpoint_changed"}),
    "checkpoint's note": ("UPDATE log_checkpoint SET note = replace(note, '/log', '/lag')"
                          " WHERE size = (SELECT max(size) FROM log_checkpoint)",
                          {"checkpoint_unsigned"}),
    "key": ("UPDATE log_key SET public_key = sha256(public_key)", {"checkpoint_unsigned"}),
    "exemption": ("UPDATE log_checkpoint SET is_adopted = true WHERE size ="
                  " (SELECT max(size) FROM log_checkpoint)", {"checkpoint_adopted"}),
    "leaf too many": ("INSERT INTO log_leaf VALUES (5000, uuidv7())", {"leaf_surplus"}),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKS)
async def test_the_next_check_finds_what_was_done_to_rows(a_log, name: str) -> None:
    sql, expected = ATTACKS[name]
    async with the_attacker() as attacker:
        await attacker.execute(sql)
    await sequencing.take()
    counts = await found()
    assert expected <= counts.keys(), counts
    assert await checking.open_findings() > 0


async def test_a_changed_row_and_a_deleted_one_are_named(a_log) -> None:
    ids = [row["event_id"] for row in await db.rows("SELECT event_id FROM log_leaf ORDER BY leaf")]
    async with the_attacker() as attacker:
        await attacker.execute("UPDATE event SET verb = 'test.other' WHERE id = $1", ids[100])
        await attacker.execute("DELETE FROM event WHERE id = $1", ids[500])
    report = await checking.check_all()
    told = [(one.code, one.about, one.leaf) for one in report.examples]
    assert told == [("event_changed", str(ids[100]), 100), ("event_deleted", str(ids[500]), 500)]
    by_slices = [await checking.check_slice(width=256) for _ in range(3)]
    assert [one.findings for one in by_slices] == [1, 1, 0]
    assert [one.leaves for one in by_slices] == [256, 256, EVENTS + 1 - 512]


async def test_an_erasure_by_act_leaves_every_proof_whole(a_log) -> None:
    row = await db.row("SELECT event_id, detail FROM event_payload ORDER BY event_id LIMIT 1")
    assert row is not None
    before = await proofs.inclusion(row["event_id"])
    async with db.transaction():
        assert await erasure.erase_details(RULE, [row["event_id"]], act_id=clock.new_id()) == 1
    await sequencing.take()
    report = await checking.check_all()
    assert (report.findings, report.erased) == (0, 1)
    after = await proofs.inclusion(row["event_id"], size=before.size)
    assert (after.event, after.path, after.entry) == (before.event, before.path, before.entry)
    assert before.detail is not None
    assert (after.detail, after.detail_salt) == (None, None)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute("DELETE FROM event_payload")


async def rewrite(attacker: asyncpg.Connection, *, upto: int | None = None) -> None:
    """Make the whole log again from the changed events, with the log's own key and salts."""
    known = await identity.load()
    assert known is not None
    rows = await attacker.fetch(
        f"""SELECT {leaves.COLUMNS} FROM log_leaf AS l JOIN event AS e ON e.id = l.event_id
            ORDER BY l.leaf"""
    )
    sizes = [row["size"] for row in await attacker.fetch("SELECT size FROM log_checkpoint")]
    edge, roots = tiles.Edge(0, [], bytearray()), {}
    for row in rows[:upto]:
        edge.add(leaves.entry_of(known.salt_secret, row))
        roots[edge.size] = edge.root()
    edge.finish()
    await attacker.execute("TRUNCATE log_tile; TRUNCATE log_leaf")
    await attacker.executemany(
        "INSERT INTO log_leaf VALUES ($1, $2)",
        [(number, row["id"]) for number, row in enumerate(rows[:upto])],
    )
    await attacker.executemany(
        "INSERT INTO log_tile VALUES ($1, $2, $3)",
        [(place.level, place.number, data) for place, data in edge.changed.items()],
    )
    await attacker.execute("DELETE FROM log_checkpoint WHERE size > $1", edge.size)
    for size in {*sizes, edge.size}:
        if size <= edge.size:
            note = known.signed(Head(known.origin, size, roots[size]).text())
            await attacker.execute(
                """INSERT INTO log_checkpoint VALUES ($1, $2, $3, false, now())
                   ON CONFLICT (size) DO UPDATE SET root = excluded.root, note = excluded.note""",
                size, roots[size], note,
            )  # fmt: skip
    await attacker.execute("UPDATE log_state SET size = $1", edge.size)


async def shown(desk: witness.Witness) -> witness.Answer:
    """What the witness answers to our newest checkpoint."""
    latest = await proofs.checkpoint()
    seen = desk.latest(latest.head.origin)
    old = min(seen.size if seen else 0, latest.head.size)
    path = (await proofs.consistency(old, latest.head.size)).path
    return await desk.add_checkpoint(request(old, path, latest.note))


async def a_witness(folder: Path) -> witness.Witness:
    key = await identity.verifier()
    return witness.Witness(folder, "witness.example/w1", {key.name: [key]})


async def changed(attacker: asyncpg.Connection) -> None:
    await attacker.execute(f"UPDATE event SET verb = 'test.other' WHERE id = {VICTIM}")


async def deleted(attacker: asyncpg.Connection) -> None:
    await attacker.execute(f"DELETE FROM event WHERE id = {VICTIM}")
    await attacker.execute("DELETE FROM event_payload WHERE event_id NOT IN (SELECT id FROM event)")


async def inserted(attacker: asyncpg.Connection) -> None:
    forged = await attacker.fetchval(
        """INSERT INTO event (at, xact, actor_kind, verb, subject_kind, subject_id)
           SELECT at, xact, 'rule', 'test.forged', 'test', uuidv7() FROM event
           WHERE id = (SELECT event_id FROM log_leaf WHERE leaf = 333) RETURNING id"""
    )
    await attacker.execute("UPDATE log_leaf SET leaf = leaf + 100000 WHERE leaf > 333")
    await attacker.execute("UPDATE log_leaf SET leaf = leaf - 99999 WHERE leaf > 333")
    await attacker.execute("INSERT INTO log_leaf VALUES (334, $1)", forged)


@pytest.mark.parametrize(
    "crime", [changed, *(pytest.param(one, marks=pytest.mark.slow) for one in (deleted, inserted))]
)
async def test_a_whole_log_made_anew_and_signed_is_found_by_the_witness(
    a_log, tmp_path: Path, crime
) -> None:
    desk = await a_witness(tmp_path)
    assert (await shown(desk)).status == 200
    kept = (await proofs.checkpoint()).head
    async with the_attacker() as attacker:
        await crime(attacker)
        await rewrite(attacker)
    assert await found() == {}, "from the database alone nothing can be told any more"
    assert (await shown(desk)).status in (409, 422)
    await some_events(5)
    await sequencing.take()
    assert (await shown(desk)).status == 422
    assert (await checking.check_all(against=kept)).counts["log_rewritten"] == 1
    assert desk.suspicions("doubt") > 0
    assert desk.suspicions("conflict") == (1 if crime is changed else 0)
    assert desk.latest(kept.origin) == kept, "what was refused does not move its memory"
    desk.close()
