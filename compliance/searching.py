"""Which pictures of the register a picture was made from: an index in memory, then the pixels.

The index is a copy of PostgreSQL's register in each process. Before every search it takes up what
was changed since the last one (`register_change`, in the order of commit), so that a change is
seen by the next check of any process.
"""

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from compliance import changes, references, register
from compliance.case import Level
from compliance.hashes import PDQ_QUALITY, PDQ_RADIUS
from compliance.index import HammingIndex
from compliance.local_index import EXACT, EXACT_UP_TO, FAST, LocalIndex
from compliance.matching import CANDIDATE_RADIUS
from compliance.pictures import CANON
from compliance.references import Looked
from core import db, sandbox
from core.settings import settings

MOST_NEAR = 48
"""Pictures near by hash that are compared; nearest first."""
MOST_LOCAL = 16
_BATCH = 16
_PAGE = 500
_SECONDS = 60.0
_CROPPED, _FILLED, _STRAIGHT = 0.03, 0.97, 1.0
"""Beyond these a copy counts as changed: what it lacks, what is around it, degrees of turn."""


@dataclass(slots=True)
class _Index:
    """The register as this process knows it."""

    database: str
    hashes: HammingIndex = field(default_factory=HammingIndex)
    local: LocalIndex = field(default_factory=LocalIndex)
    seen: int = -1
    """The last change taken up; -1 before the first."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class Found:
    """One picture of the register in, or perhaps in, the asked one."""

    picture_id: uuid.UUID
    level: Level
    covered: float
    is_altered: bool
    detail: dict[str, Any]
    """Corners, crop, turn as `references.verified` tells them."""


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


async def find_matches(
    *,
    data: bytes,
    looked: Looked,
    organization_id: uuid.UUID,
    superiors: list[uuid.UUID],
) -> tuple[list[Found], int]:
    """All pictures that the organization may know of and that the asked one was made from.

    Also those alike by hash that the pixels do not bear out, as candidates; and the id of the
    last change of the registers that was taken into account. Verification runs in the sandbox.
    """
    near, seen = await candidates(looked)
    rows = await db.rows(
        f"""SELECT p.id, encode(p.sha256, 'hex') AS sha256, f.content
            FROM picture AS p JOIN picture_features AS f ON f.picture_id = p.id AND f.canon = $1
            WHERE p.status = 'active' AND (p.id = ANY ($2) OR p.sha256 = $3)
              AND {register.condition("p", "$4", "$5")} ORDER BY p.id""",
        CANON, list(near), bytes.fromhex(looked.sha256), organization_id, superiors,
    )  # fmt: skip
    found = [
        Found(row["id"], "exact", 1.0, is_altered=False, detail={})
        for row in rows
        if row["sha256"] == looked.sha256
    ]
    others = [row for row in rows if row["sha256"] != looked.sha256]
    told = await verify(data, [row["content"] for row in others])
    for row, match in zip(others, told, strict=True):
        if match is not None:
            found.append(of_match(row["id"], match))
        elif (distance := near.get(row["id"])) is not None and distance <= PDQ_RADIUS:
            detail = {"distance": distance}
            found.append(Found(row["id"], "candidate", 1.0, is_altered=False, detail=detail))
    return found, seen


async def verify(data: bytes, contents: list[bytes]) -> list[dict[str, Any] | None]:
    """Compare a picture with packed references, pixel by pixel, in the sandbox."""
    told: list[dict[str, Any] | None] = []
    for start in range(0, len(contents), _BATCH):
        part = [bytes(one) for one in contents[start : start + _BATCH]]
        told += await sandbox.pool().run(references.verified, data, part, timeout=_SECONDS)
    return told


def of_match(picture_id: uuid.UUID, match: dict[str, Any]) -> Found:
    """A verified match in the words of a case."""
    turned = abs((match["rotation"] + 180.0) % 360.0 - 180.0)
    is_altered = (
        match["is_mirrored"]
        or match["cropped"] > _CROPPED
        or match["area"] < _FILLED
        or turned > _STRAIGHT
    )
    covered = round(min(1.0, match["area"]), 2)
    return Found(picture_id, "verified", covered, is_altered=bool(is_altered), detail=match)


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
            references.start_of(index.local.effort.kept), CANON, after, _PAGE,
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
        index.seen, references.start_of(index.local.effort.kept), CANON,
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
