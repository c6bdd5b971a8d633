"""The registers' pictures in memory: hashes and local features, following every change.

The index is a copy of PostgreSQL's register in each process. Before every search it takes up what
was changed since the last one (`register_change`, in the order of commit), so that a change is
seen by the next check of any process.
"""

import asyncio
import uuid
from dataclasses import dataclass, field

import numpy as np

from compliance.hashes import PDQ_QUALITY
from compliance.index import HammingIndex
from compliance.local_index import EXACT, EXACT_UP_TO, FAST, LocalIndex
from compliance.matching import CANDIDATE_RADIUS
from compliance.pictures import CANON
from compliance.prints import Looked, start_of
from compliance.registers import changes
from compliance.searching import references
from core import db
from core.settings import settings

MOST_NEAR = 48
"""Pictures near by hash that are compared; nearest first."""
MOST_LOCAL = 16
_PAGE = 500


@dataclass(slots=True)
class _Index:
    """The register as this process knows it."""

    database: str
    hashes: HammingIndex = field(default_factory=HammingIndex)
    local: LocalIndex = field(default_factory=LocalIndex)
    seen: int = -1
    """The last change taken up; -1 before the first."""
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
    """Take up the whole register, hashes at once and features by the page."""
    seen = (await changes.head()).id
    rows = await db.rows(
        """SELECT p.id, h.pdq FROM picture AS p JOIN picture_hash AS h ON h.picture_id = p.id
           WHERE p.status = 'active' AND h.canon = $1 AND h.quality >= $2""",
        CANON, PDQ_QUALITY,
    )  # fmt: skip
    packed = np.frombuffer(b"".join(row["pdq"] for row in rows), np.uint8).reshape(-1, 32)
    if rows:
        index.hashes = HammingIndex.built([row["id"] for row in rows], packed)
    count = await db.value("SELECT count(*) FROM picture WHERE status = 'active'")
    index.local = LocalIndex(EXACT if count <= EXACT_UP_TO else FAST)
    after: uuid.UUID | None = None
    while True:
        page = await db.rows(
            """SELECT f.picture_id, substring(f.content FROM 1 FOR $1) AS start
               FROM picture_features AS f JOIN picture AS p ON p.id = f.picture_id
               WHERE p.status = 'active' AND f.canon = $2
                 AND ($3::uuid IS NULL OR f.picture_id > $3) ORDER BY f.picture_id LIMIT $4""",
            start_of(index.local.effort.kept), CANON, after, _PAGE,
        )  # fmt: skip
        for row in page:
            index.local.add(row["picture_id"], references.first_features(row["start"]))
        if len(page) < _PAGE:
            break
        after = page[-1]["picture_id"]
    index.seen = seen


async def _catch_up(index: _Index) -> None:
    """Take up what was entered and taken out since."""
    rows = await db.rows(
        """SELECT c.id, c.change, c.picture_id, p.status, h.pdq, h.quality,
                  substring(f.content FROM 1 FOR $2) AS start
           FROM register_change AS c
           LEFT JOIN picture AS p ON p.id = c.picture_id AND c.subject_kind = 'picture'
           LEFT JOIN picture_hash AS h ON h.picture_id = p.id AND h.canon = $3
           LEFT JOIN picture_features AS f ON f.picture_id = p.id AND f.canon = $3
               AND c.change = 'picture.added'
           WHERE c.id > $1 ORDER BY c.id""",
        index.seen, start_of(index.local.effort.kept), CANON,
    )  # fmt: skip
    for row in rows:
        if row["change"] in ("picture.added", "picture.retired"):
            _put(index, row)
        index.seen = row["id"]


def _put(index: _Index, row: db.Row) -> None:
    index.hashes.remove(row["picture_id"])
    index.local.remove(row["picture_id"])
    if row["status"] != "active" or row["start"] is None:
        return
    if row["quality"] >= PDQ_QUALITY:
        index.hashes.add(row["picture_id"], [bytes(row["pdq"])])
    index.local.add(row["picture_id"], references.first_features(row["start"]))
