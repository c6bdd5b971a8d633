"""Comparing the log with the event tables: is every event still what its leaf says?

Entries are made again from the events, the tree again from the entries, and each stored tile,
checkpoint, stamp and cosignature is held against that. Who rewrote all of it and signed it anew
is found by whoever kept a checkpoint: a witness, or anyone who gives one to `against`.
"""

import asyncio
import json
import logging
import uuid
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from audit.commitments import canonical_of_text, commitment
from audit.erasure import ERASED
from core import clock, db
from core.errors import Conflict
from evidence.log import heads, identity, leaves, notes, sequencing, stamping, tiles
from evidence.log.findings import Report
from evidence.log.heads import Head
from evidence.log.identity import STARTED, Identity
from evidence.log.notes import NoteError, VerifierKey
from evidence.log.tiles import ENTRIES, WIDTH, Edge, Place

log = logging.getLogger(__name__)

CHUNK = 4 * WIDTH
BACKDATED = timedelta(minutes=15)
"""An event may be written so long before its transaction ends, and not longer."""
AHEAD = timedelta(minutes=5)


async def check_all(*, against: Head | None = None) -> Report:
    """Check the whole log as of now, and against a head somebody kept; records the check."""
    return await _recorded("full", None, against)


async def check_slice(*, width: int) -> Report:
    """Check the next `width` leaves in turn, from the beginning again at the end."""
    return await _recorded("slice", width, None)


_SETTINGS = """SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"""
"""A part of the log is looked up row by row; the planner, who does not see how small the part is,
would rather read all events for each."""


async def _recorded(kind: str, width: int | None, against: Head | None) -> Report:
    began = clock.now()
    known = await identity.load()
    async with db.transaction() as connection:
        await connection.execute(_SETTINGS)
        state = await db.row("SELECT * FROM log_state WHERE id = 1")
        report = Report(kind, state["size"] if state else 0)
        if state is None or (known is None and state["size"]):
            raise Conflict(
                "Состояние или ключ журнала потеряны. Восстановите базу из копии.",
                "The log's state or key is lost. Restore the database from a backup.",
                code="log_state_lost",
            )
        end = 0
        if known is not None:
            start = 0 if width is None else _start(state["checked"], state["size"])
            end = state["size"] if width is None else min(start + width, state["size"])
            await _Walk(known, report, against).go(start, end)
            if width is None:
                await connection.execute("SET LOCAL enable_hashjoin = on")
                await _around(report, state, known, against)
    if report.findings:
        log.error("the log and the events differ: %s", dict(report.counts))
    await _keep(report, began, end)
    return report


def _start(checked: int, size: int) -> int:
    return checked - checked % WIDTH if checked < size else 0


async def _keep(report: Report, began: datetime, end: int) -> None:
    async with db.transaction():
        await db.execute(
            """INSERT INTO log_check (id, kind, size, leaves, erased, findings, examples,
                                      started_at, ended_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
            clock.new_id(), report.kind, report.size, report.leaves, report.erased,
            report.findings,
            [{"code": one.code, "about": one.about, "leaf": one.leaf} for one in report.examples],
            began, clock.now(),
        )  # fmt: skip
        if report.kind == "slice":
            await db.execute("UPDATE log_state SET checked = $1 WHERE id = 1", end)


_LEAVES = f"""SELECT l.leaf, l.event_id, {leaves.COLUMNS}, p.salt AS detail_salt,
        p.detail::text AS detail
    FROM log_leaf AS l LEFT JOIN event AS e ON e.id = l.event_id
    LEFT JOIN event_payload AS p ON p.event_id = l.event_id
    WHERE l.leaf >= $1 AND l.leaf < $2 ORDER BY l.leaf"""


@dataclass
class _Walk:
    """A walk over leaves, events, entries, tiles and checkpoints side by side."""

    known: Identity
    report: Report
    against: Head | None
    edge: Edge = field(init=False)

    async def go(self, start: int, end: int) -> None:
        """Check leaves [start, end); `start` stands at the beginning of a tile."""
        self.edge = Edge(0, [], bytearray())
        if start:
            stored = await sequencing.tiles_at(tiles.edge_places(start))
            try:
                self.edge = tiles.edge_of(start, stored)
            except tiles.TilesMissing as problem:
                self.report.add("tile_changed", tiles.path_of(problem.args[0]))
                return
        for at in range(start, end, CHUNK):
            await self._chunk(at, min(at + CHUNK, end))
            await asyncio.sleep(0)
        if end == self.report.size:
            await self._compare_tiles(self.edge.partial())

    async def _chunk(self, start: int, end: int) -> None:
        entries = await self._entries(start, end)
        rows = {row["leaf"]: row for row in await db.rows(_LEAVES, start, end)}
        points = await _checkpoints(start, end)
        signed = {row["size"]: row for row in points if start < row["size"] <= end}
        erased: dict[uuid.UUID, int] = {}
        for leaf in range(start, end):
            made = self._leaf(leaf, rows.get(leaf), entries.get(leaf), erased)
            self.edge.add(made)
            if (point := signed.get(self.edge.size)) is not None:
                self._checkpoint(point)
            if self.against is not None and self.edge.size == self.against.size:
                self._compare_head(self.against)
        self._times(points, list(rows.values()))
        await self._erased(erased)
        full, self.edge.changed = self.edge.changed, {}
        await self._compare_tiles(full)

    def _compare_head(self, kept: Head) -> None:
        if self.edge.root() != kept.root:
            self.report.add("log_rewritten", kept.size)

    async def _entries(self, start: int, end: int) -> dict[int, bytes]:
        """Stored entries by leaf; what cannot be read is a finding."""
        places = [Place(ENTRIES, number) for number in range(start // WIDTH, -(-end // WIDTH))]
        stored = await sequencing.tiles_at(places)
        found: dict[int, bytes] = {}
        for place in places:
            wide = min(tiles.width_at(place, self.report.size), end - place.number * WIDTH)
            try:
                row = tiles.entries_of(tiles.cut_bundle(stored.get(place, b""), wide))
            except tiles.TilesMissing:
                self.report.add("entries_missing", tiles.path_of(place))
                continue
            found |= dict(enumerate(row, start=place.number * WIDTH))
        return found

    def _leaf(
        self, leaf: int, row: Any, entry: bytes | None, erased: dict[uuid.UUID, int]
    ) -> bytes:
        """The entry to build the tree with: the stored one, that one change is one finding."""
        self.report.leaves += 1
        made = entry or b""
        if row is None:
            self.report.add("leaf_missing", leaf, leaf)
        elif row["id"] is None:
            self.report.add("event_deleted", row["event_id"], leaf)
        else:
            computed = leaves.entry_of(self.known.salt_secret, row)
            if entry is not None and computed != entry:
                self.report.add("event_changed", row["id"], leaf)
            made = entry or computed
            self._detail(row, erased)
        return made

    def _detail(self, row: Any, erased: dict[uuid.UUID, int]) -> None:
        promise = row["detail_sha256"]
        if row["detail"] is None:
            if promise is not None:
                erased[row["id"]] = row["leaf"]
        elif promise is None:
            self.report.add("detail_added", row["id"], row["leaf"])
        elif commitment(row["detail_salt"], canonical_of_text(row["detail"])) != promise:
            self.report.add("detail_changed", row["id"], row["leaf"])

    async def _erased(self, gone: dict[uuid.UUID, int]) -> None:
        """A detail may be missing when an event of the log says that it was erased."""
        if not gone:
            return
        rows = await db.rows(
            "SELECT subject_id FROM event WHERE subject_id = ANY($1::uuid[]) AND verb = $2",
            list(gone), ERASED,
        )  # fmt: skip
        by_act = {row["subject_id"] for row in rows}
        self.report.erased += len(by_act)
        for event_id in gone.keys() - by_act:
            self.report.add("detail_missing", event_id, gone[event_id])

    def _checkpoint(self, point: db.Row) -> None:
        if self.edge.root() != point["root"]:
            self.report.add("checkpoint_changed", point["size"])
        try:
            note = notes.parse(point["note"].encode())
            notes.require_signed(note, [self.known.verifier])
            head = heads.parsed(note.text)
        except NoteError:
            self.report.add("checkpoint_unsigned", point["size"])
            return
        if head != Head(self.known.origin, point["size"], point["root"]):
            self.report.add("checkpoint_changed", point["size"])

    def _times(self, points: Sequence[db.Row], rows: Sequence[Any]) -> None:
        """Was an event written for a time whose events had all been taken long before?"""
        sizes = [row["size"] for row in points]
        for row in rows:
            if row["id"] is None:
                continue
            after = bisect_right(sizes, row["leaf"])
            if after == len(points) or points[after]["is_adopted"]:
                continue
            before = points[after - 1]["at"] - BACKDATED if after else None
            if (before and row["at"] < before) or row["at"] > points[after]["at"] + AHEAD:
                self.report.add("event_backdated", row["id"], row["leaf"])

    async def _compare_tiles(self, made: dict[Place, bytes]) -> None:
        places = [place for place in made if place.level != ENTRIES]
        stored = await sequencing.tiles_at(places)
        for place in places:
            if stored.get(place, b"")[: len(made[place])] != made[place]:
                self.report.add("tile_changed", tiles.path_of(place))


async def _checkpoints(start: int, end: int) -> list[db.Row]:
    """Those in the range, the last one before it, and the first one that covers its end."""
    return await db.rows(
        """SELECT size, root, note, is_adopted, at FROM log_checkpoint
           WHERE size >= coalesce((SELECT max(size) FROM log_checkpoint WHERE size <= $1), 0)
           AND size <= coalesce((SELECT min(size) FROM log_checkpoint WHERE size >= $2), $2)
           ORDER BY size""",
        start, end,
    )  # fmt: skip


async def _around(report: Report, state: db.Row, known: Identity, against: Head | None) -> None:
    """What a walk over the leaves does not meet."""
    last = await db.value("SELECT max(size) FROM log_checkpoint") or 0
    if last != state["size"]:
        report.add("checkpoint_missing", state["size"])
    if against is not None and against.size > state["size"]:
        report.add("log_shorter", against.size)
    if against is not None and against.origin != known.origin:
        report.add("log_rewritten", against.origin)
    for row in await db.rows("SELECT leaf FROM log_leaf WHERE leaf >= $1", state["size"]):
        report.add("leaf_surplus", row["leaf"], row["leaf"])
    for row in await db.rows(_ADOPTED_LATE):
        report.add("checkpoint_adopted", row["size"])
    begun = await db.rows("SELECT id FROM event WHERE verb = $1 ORDER BY id OFFSET 1", STARTED)
    for row in begun:
        report.add("log_restarted", row["id"])
    for row in await db.rows(_UNLOGGED, str(state["taken_below"]),
                             [str(one) for one in state["open_xacts"]]):  # fmt: skip
        report.add("event_unlogged", row["id"])
    await _vouchers(report)


_ADOPTED_LATE = """SELECT size FROM log_checkpoint WHERE is_adopted
    AND size > (SELECT min(size) FROM log_checkpoint WHERE NOT is_adopted)"""
"""Only what was there before the log may be older than its checkpoint, and that came first."""

_UNLOGGED = """SELECT e.id FROM event AS e LEFT JOIN log_leaf AS l ON l.event_id = e.id
    WHERE l.event_id IS NULL AND e.xact < $1::text::xid8
    AND NOT e.xact = ANY ($2::text[]::xid8[]) ORDER BY e.id"""
"""Events of transactions that the log has done with, and that are no leaves."""


async def _vouchers(report: Report) -> None:
    stamps = await db.rows(
        "SELECT s.size, s.token, c.note FROM log_stamp AS s JOIN log_checkpoint AS c USING (size)"
    )
    for row in stamps:
        if stamping.digest_of(row["note"]) not in row["token"]:
            report.add("stamp_wrong", row["size"])
    signed = await db.rows(
        """SELECT g.size, g.line, w.name, w.public_key, c.note FROM log_cosignature AS g
           JOIN log_witness AS w ON w.id = g.witness_id JOIN log_checkpoint AS c USING (size)"""
    )
    for row in signed:
        key = VerifierKey(row["name"], row["public_key"], notes.COSIGNED)
        try:
            line = notes.parsed_line(row["line"].removesuffix("\n"))
            is_good = notes.holds(line, notes.parse(row["note"].encode()).text, key)
        except NoteError:
            is_good = False
        if not is_good:
            report.add("cosignature_wrong", row["size"])


async def open_findings() -> int:
    """Findings of the last full check and of the slices since; 0 is good."""
    return int(
        await db.value(
            """SELECT coalesce(sum(findings), 0) FROM log_check WHERE id >= coalesce(
                   (SELECT id FROM log_check WHERE kind = 'full' ORDER BY id DESC LIMIT 1),
                   '00000000-0000-0000-0000-000000000000')"""
        )
    )


async def recent(*, limit: int = 50) -> list[db.Row]:
    """The last checks, newest first."""
    rows = await db.rows("SELECT * FROM log_check ORDER BY id DESC LIMIT $1", limit)
    for row in rows:
        row["examples"] = row["examples"] if isinstance(row["examples"], list) else json.loads(
            row["examples"])  # fmt: skip
    return rows
