"""Taking events into the log: all that were committed, in batches, each under a signed checkpoint.

Nobody who writes an event waits for this or knows of it. What is new is found by commit
visibility: an event belongs to the batch if its transaction is visible now and was not at the
last batch, i.e. it is numbered from the last snapshot's upper bound on, or was still open then.
Numbers of events or times say nothing: a transaction that began earlier may commit later.
"""

import asyncio
import logging
import uuid
from dataclasses import dataclass
from typing import Any

import asyncpg

from core import clock, db
from evidence.log import identity, leaves, tiles
from evidence.log.heads import Head
from evidence.log.identity import Identity
from evidence.log.tiles import Edge, Place

log = logging.getLogger(__name__)

LIMIT = 100_000
"""Events under one checkpoint at most; what is left comes under the next one at once."""
CHUNK = 1000
"""Rows in memory at a time; between chunks other tasks of the process have their turn."""
EVERY_SECONDS = 1.0
_LOCK = 0x6C6F67  # "log"


@dataclass(frozen=True, slots=True)
class State:
    """How far the log is: its size, and which transactions it has seen."""

    size: int
    taken_below: int
    open_xacts: tuple[int, ...]
    is_adopting: bool
    """Events that are older than the log are still coming in."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is visible to the running transaction (`pg_current_snapshot`)."""

    below: int
    open_xacts: tuple[int, ...]

    @classmethod
    def parsed(cls, text: str) -> "Snapshot":
        """From ``xmin:xmax:xip,xip``."""
        _, below, still = text.split(":")
        return cls(int(below), tuple(map(int, still.split(","))) if still else ())

    def up_to(self, xact: int) -> "Snapshot":
        """The same, told only of transactions below `xact`."""
        return Snapshot(xact, tuple(one for one in self.open_xacts if one < xact))


_SETTINGS = """SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET LOCAL enable_seqscan = off"""
"""Tables grow a thousandfold between two looks at their statistics: a plan made while the log was
empty must not read all of it for each event."""


async def take(*, limit: int = LIMIT) -> int:
    """Put what was committed since the last batch under a new checkpoint; answers how many events.

    0 also when another process is at it. One transaction: a killed process leaves nothing half.
    """
    known = await identity.begin()
    try:
        async with db.transaction() as connection:
            await connection.execute(_SETTINGS)
            if not await db.value("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
                return 0
            return await _take(connection, known, limit)
    except asyncpg.SerializationError:  # somebody finished a batch after our snapshot
        return 0


async def _take(connection: asyncpg.Connection, known: Identity, limit: int) -> int:
    state, seen, is_due = await _standing()
    is_restored = seen.below < state.taken_below
    if not (is_due or is_restored):
        return 0
    await db.execute("SELECT FROM log_state WHERE id = 1 FOR UPDATE")
    if is_restored:  # from a dump into another cluster, whose transactions count anew
        log.warning("the log looks at every event: transaction numbers went back")
        state = State(state.size, 0, (), is_adopting=state.is_adopting)
    edge = tiles.edge_of(state.size, await tiles_at(tiles.edge_places(state.size)))
    last = await _add_all(connection, known, state, edge, limit)
    added = edge.size - state.size
    if added == limit:  # there may be more: of the last transaction, and of those after it
        seen = seen.up_to(last)
    if added:
        await _store(connection, known, edge, is_adopted=state.is_adopting)
    await db.execute(
        """UPDATE log_state SET size = $1, taken_below = $2, open_xacts = $3, is_adopting = $4
           WHERE id = 1""",
        edge.size, seen.below, list(seen.open_xacts), state.is_adopting and added == limit,
    )  # fmt: skip
    return added


async def _standing() -> tuple[State, Snapshot, bool]:
    row = await db.row(
        """SELECT s.size, s.taken_below, s.open_xacts, s.is_adopting,
               pg_current_snapshot()::text AS snapshot,
               EXISTS (SELECT FROM event AS e WHERE e.xact >= s.taken_below::text::xid8)
               OR EXISTS (SELECT FROM event AS e
                          WHERE e.xact = ANY (s.open_xacts::text[]::xid8[])) AS is_due
           FROM log_state AS s WHERE s.id = 1"""
    )
    if row is None:
        raise RuntimeError("log_state has lost its row")
    state = State(
        row["size"], row["taken_below"], tuple(row["open_xacts"]), is_adopting=row["is_adopting"]
    )
    return state, Snapshot.parsed(row["snapshot"]), row["is_due"]


async def tiles_at(places: list[Place]) -> dict[Place, bytes]:
    """Stored tiles by place; those that are not there are left out."""
    rows = await db.rows(
        """SELECT t.level, t.number, t.data FROM log_tile AS t
           JOIN unnest($1::int[], $2::bigint[]) AS w (level, number)
           ON t.level = w.level AND t.number = w.number""",
        [place.level for place in places], [place.number for place in places],
    )  # fmt: skip
    return {Place(row["level"], row["number"]): row["data"] for row in rows}


_NEW = f"""SELECT {leaves.COLUMNS}, e.xact::text AS xact FROM event AS e
    WHERE {{which}} AND (SELECT l.leaf FROM log_leaf AS l WHERE l.event_id = e.id) IS NULL
    ORDER BY e.xact, e.id LIMIT $2"""
_STILL_OPEN = _NEW.format(which="e.xact = ANY ($1::text[]::xid8[])")
_LATER = _NEW.format(which="e.xact >= $1::text::xid8")


async def _add_all(
    connection: asyncpg.Connection, known: Identity, state: State, edge: Edge, limit: int
) -> int:
    """Append what is new; answers the last transaction's number."""
    last = state.taken_below
    asked: list[tuple[str, Any]] = [(_LATER, str(state.taken_below))]
    if state.open_xacts:
        asked.insert(0, (_STILL_OPEN, [str(one) for one in state.open_xacts]))
    for sql, which in asked:
        left = limit - (edge.size - state.size)
        if left == 0:
            break
        cursor = await connection.cursor(sql, which, left)
        while rows := await cursor.fetch(CHUNK):
            placed: list[tuple[int, uuid.UUID]] = []
            for row in rows:
                placed.append((edge.size, row["id"]))
                edge.add(leaves.entry_of(known.salt_secret, row))
            await connection.copy_records_to_table("log_leaf", records=placed)
            last = int(rows[-1]["xact"])
            if len(edge.changed) > CHUNK:
                await _write_tiles(connection, edge)
            await asyncio.sleep(0)
    return last


async def _write_tiles(connection: asyncpg.Connection, edge: Edge) -> None:
    await connection.executemany(
        """INSERT INTO log_tile (level, number, data) VALUES ($1, $2, $3)
           ON CONFLICT (level, number) DO UPDATE SET data = excluded.data""",
        [(place.level, place.number, data) for place, data in edge.changed.items()],
    )
    edge.changed.clear()


async def _store(
    connection: asyncpg.Connection, known: Identity, edge: Edge, *, is_adopted: bool
) -> None:
    root = edge.finish()
    await _write_tiles(connection, edge)
    note = known.signed(Head(known.origin, edge.size, root).text())
    await db.execute(
        """INSERT INTO log_checkpoint (size, root, note, is_adopted, at)
           VALUES ($1, $2, $3, $4, $5)""",
        edge.size, root, note, is_adopted, clock.now(),
    )  # fmt: skip


async def run(stop: asyncio.Event) -> None:
    """Take events once a second until `stop` is set; outlives a database that goes away.

    Several processes may run it: one of them does the work at a time.
    """
    while not stop.is_set():
        try:
            while await take() == LIMIT and not stop.is_set():
                pass
        except Exception:
            log.exception("events could not be taken into the log; this is tried again")
        try:
            await asyncio.wait_for(stop.wait(), timeout=EVERY_SECONDS)
        except TimeoutError:
            continue
