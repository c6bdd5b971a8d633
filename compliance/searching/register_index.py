"""The registers' pictures in memory: hashes and local features, following every change.

The index is a copy of PostgreSQL's register in each process. Before every search it takes up what
was changed since the last one (`register_change`, in the order of commit), so that a change is
seen by the next check of any process. A snapshot on disk saves the next start the reading.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from compliance.hashes import PDQ_QUALITY
from compliance.index import HammingIndex
from compliance.local_index import EXACT, EXACT_UP_TO, FAST, Effort, LocalIndex
from compliance.matching import CANDIDATE_RADIUS
from compliance.pictures import CANON
from compliance.prints import RECORD, Looked, start_of
from compliance.registers import changes
from compliance.searching import references, snapshots
from compliance.sketches import rows_of
from core import db
from core.settings import settings

MOST_NEAR = 48
"""Pictures near by hash that are compared; nearest first."""
MOST_LOCAL = 16
WORTH_KEEPING = 1_000
"""Rows from which on a snapshot saves more than it costs."""
_PAGE = 500
_HASHES_PAGE = 200_000

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Index:
    """The register as this process knows it."""

    database: str
    hashes: HammingIndex = field(default_factory=HammingIndex)
    local: LocalIndex = field(default_factory=LocalIndex)
    seen: int = -1
    """The last change taken up; -1 before the first."""
    unsaved: int = 0
    """Changes since the snapshot on disk."""
    writing: asyncio.Task[None] | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


_held: list[_Index] = []


async def refreshed() -> _Index:
    """The index with everything that is committed now."""
    database = settings().database_url
    if not _held or _held[0].database != database:
        _held[:] = [_Index(database)]
    index = _held[0]
    async with index.turn:
        if index.seen < 0:
            await _load(index)
        await _catch_up(index)
        await _keep(index)
    return index


async def candidates(looked: Looked) -> tuple[dict[uuid.UUID, int | None], int]:
    """Pictures worth comparing with their hash distance, and the change they are known up to."""
    index = await refreshed()
    seen = index.seen
    near: dict[uuid.UUID, int | None] = {}
    if looked.needles:
        hits = await asyncio.to_thread(index.hashes.search, looked.needles, radius=CANDIDATE_RADIUS)
        for hit in hits:
            near.setdefault(hit.id, hit.distance)
            if len(near) >= MOST_NEAR:
                break
    if len(index.local):
        question = references.question_of(looked)
        for one in await asyncio.to_thread(index.local.search, question, most=MOST_LOCAL):
            near.setdefault(one.id, None)
    return near, seen


async def _load(index: _Index) -> None:
    """Take up the snapshot where there is one of these registers, else the registers."""
    folder = await _folder()
    found = None if folder is None else await asyncio.to_thread(snapshots.read, folder)
    if found is not None and await _is_ours(found):
        index.hashes, index.local, index.seen = found.hashes, found.local, found.seen
        return
    await _load_all(index)


async def _folder() -> Path | None:
    """Where the snapshot of these registers lies; None while there is no change in them."""
    first = await db.value("SELECT digest FROM register_change ORDER BY id LIMIT 1")
    return first and settings().data_dir / "register-index" / bytes(first).hex()[:16]


async def _is_ours(found: snapshots.Snapshot) -> bool:
    """Is the snapshot's change one of these registers, and its effort that of their size?"""
    digest = await db.value("SELECT digest FROM register_change WHERE id = $1", found.seen)
    is_known = digest is not None and bytes(digest).hex() == found.digest
    return is_known and found.local.effort == _effort(len(found.local))


def _effort(pictures: int) -> Effort:
    return EXACT if pictures <= EXACT_UP_TO else FAST


async def _load_all(index: _Index) -> None:
    """Take up the whole register, by the page: hashes, then features."""
    seen = (await changes.head()).id
    index.hashes = HammingIndex.of_pages([page async for page in _pages_of_hashes()])
    count = await db.value("SELECT count(*) FROM picture WHERE status = 'active'")
    index.local = LocalIndex(_effort(count))
    after = uuid.UUID(int=0)
    while True:
        page = await db.rows(
            """SELECT f.picture_id, substring(f.content FROM 1 FOR $1) AS start
               FROM picture_features AS f JOIN picture AS p ON p.id = f.picture_id
               WHERE p.status = 'active' AND f.canon = $2 AND f.picture_id > $3
               ORDER BY f.picture_id LIMIT $4""",
            start_of(index.local.effort.kept), CANON, after, _PAGE,
        )  # fmt: skip
        if page:
            await asyncio.to_thread(_extend, index.local, page)
            after = page[-1]["picture_id"]
        if len(page) < _PAGE:
            break
    index.seen = seen
    index.unsaved = len(index.hashes) + len(index.local)


async def _pages_of_hashes() -> AsyncIterator[tuple[bytes, bytes]]:
    """Ids and hashes, packed by the database: a row each would take minutes and gigabytes."""
    after = uuid.UUID(int=0)
    while True:
        page = await db.row(
            """SELECT string_agg(uuid_send(id), ''::bytea ORDER BY id) AS ids,
                      string_agg(pdq, ''::bytea ORDER BY id) AS hashes,
                      (array_agg(id ORDER BY id DESC))[1] AS last
               FROM (SELECT p.id, h.pdq FROM picture AS p
                     JOIN picture_hash AS h ON h.picture_id = p.id
                     WHERE p.status = 'active' AND h.canon = $1 AND h.quality >= $2 AND p.id > $3
                     ORDER BY p.id LIMIT $4) AS page""",
            CANON, PDQ_QUALITY, after, _HASHES_PAGE,
        )  # fmt: skip
        if page is None or page["last"] is None:
            return
        yield bytes(page["ids"]), bytes(page["hashes"])
        after = page["last"]


def _extend(local: LocalIndex, page: list[db.Row]) -> None:
    parts = [references.first_records(row["start"]) for row in page]
    words, poses = rows_of(references.features_of(b"".join(parts)))
    counts = np.array([len(part) // RECORD for part in parts])
    local.extend([row["picture_id"] for row in page], counts, words, poses)


async def _catch_up(index: _Index) -> None:
    """Take up what was entered and taken out since, by the page."""
    while True:
        rows = await db.rows(
            """SELECT c.id, c.change, c.picture_id, p.status, h.pdq, h.quality,
                      substring(f.content FROM 1 FOR $2) AS start
               FROM (SELECT id, change, picture_id, subject_kind FROM register_change
                     WHERE id > $1 ORDER BY id LIMIT $4) AS c
               LEFT JOIN picture AS p ON p.id = c.picture_id AND c.subject_kind = 'picture'
               LEFT JOIN picture_hash AS h ON h.picture_id = p.id AND h.canon = $3
               LEFT JOIN picture_features AS f ON f.picture_id = p.id AND f.canon = $3
                   AND c.change = 'picture.added'
               ORDER BY c.id""",
            index.seen, start_of(index.local.effort.kept), CANON, _PAGE,
        )  # fmt: skip
        for row in rows:
            if row["change"] in ("picture.added", "picture.retired"):
                _put(index, row)
            index.seen = row["id"]
        index.unsaved += len(rows)
        if len(rows) < _PAGE:
            return


async def _keep(index: _Index) -> None:
    """Have a new snapshot written beside the work, once enough has changed to be worth it."""
    size = len(index.hashes) + len(index.local)
    if index.unsaved < max(WORTH_KEEPING, size // 10):
        return
    if index.writing is not None and not index.writing.done():
        return
    folder = await _folder()
    digest = await db.value("SELECT digest FROM register_change WHERE id = $1", index.seen)
    if folder is None or digest is None:
        return
    kept = partial(
        snapshots.write, folder, seen=index.seen, digest=bytes(digest).hex(),
        effort=index.local.effort, hashes=await asyncio.to_thread(index.hashes.frozen),
        local=await asyncio.to_thread(index.local.columns),
    )  # fmt: skip
    index.unsaved = 0
    index.writing = asyncio.create_task(_written(kept))


async def _written(kept: Callable[[], bool]) -> None:
    try:
        await asyncio.to_thread(kept)
    except OSError as problem:
        log.warning("no snapshot of the index could be written: %s", problem)


def _put(index: _Index, row: db.Row) -> None:
    index.hashes.remove(row["picture_id"])
    index.local.remove(row["picture_id"])
    if row["status"] != "active" or row["start"] is None:
        return
    if row["quality"] >= PDQ_QUALITY:
        index.hashes.add(row["picture_id"], [bytes(row["pdq"])])
    index.local.add(row["picture_id"], references.first_features(row["start"]))
