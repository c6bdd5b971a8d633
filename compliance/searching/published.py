"""Which published pictures show a picture of the register: the search turned round.

Hashes of everything published are scanned at once, local features by the page; what is near is
verified by its pixels, as in a check.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator

import numpy as np

from compliance.hashes import Words, words
from compliance.index import kernels
from compliance.local_index import FAST, LocalIndex
from compliance.matching import CANDIDATE_RADIUS, Asked
from compliance.pictures import CANON
from compliance.prints import Looked
from compliance.registers.register import MAX_PICTURE
from compliance.searching import references, searching
from compliance.searching.searching import Found
from core import db, sandbox
from storage import blobs

MOST_NEAR = 400
"""Published files near to one reference by hash that are compared; nearest first."""
MOST_LOCAL = 32
_HASHES_PAGE = 200_000
_FEATURES_PAGE = 1_000
_SECONDS = 30.0


def _used(with_withdrawn: bool) -> str:
    """SQL: was the printed file `p` published, and is it still?"""
    still = "" if with_withdrawn else "AND u.withdrawn_at IS NULL"
    return f"EXISTS (SELECT 1 FROM picture_use AS u WHERE u.blob_id = p.blob_id {still})"


async def showing(picture_id: uuid.UUID) -> AsyncIterator[tuple[uuid.UUID, Found]]:
    """Published files (by blob) that a picture of the register is in, verified, as they are found.

    Copies that are near by hash come first, within seconds; crops and collages follow. Reads the
    reference and every near file from the store; belongs outside transactions.
    """
    reference = await db.row(
        """SELECT p.blob_id, p.sha256, f.content FROM picture AS p
           JOIN picture_features AS f ON f.picture_id = p.id AND f.canon = $2
           WHERE p.id = $1 AND p.status = 'active'""",
        picture_id, CANON,
    )  # fmt: skip
    if reference is None:
        return
    data = await blobs.read(reference["blob_id"], limit=MAX_PICTURE)
    looked: Looked = await sandbox.pool().run(
        "compliance.searching.references:looked", data, timeout=_SECONDS, into=Looked
    )
    seen: set[uuid.UUID] = set()
    for search in (_near_copies, _sharing_features):
        for blob_id in await search(looked, with_withdrawn=False):
            if blob_id in seen:
                continue
            seen.add(blob_id)
            if blob_id == reference["blob_id"]:
                yield blob_id, Found(picture_id, "exact", 1.0, is_altered=False, detail={})
                continue
            published = await blobs.read(blob_id, limit=MAX_PICTURE)
            (match,) = await searching.verify(published, [bytes(reference["content"])])
            if match is not None:
                yield blob_id, searching.of_match(picture_id, match)


async def candidates(looked: Looked, *, with_withdrawn: bool = False) -> list[uuid.UUID]:
    """Published files worth comparing: the same bytes, near by hash, sharing features."""
    near = await _near_copies(looked, with_withdrawn=with_withdrawn)
    local = await _sharing_features(looked, with_withdrawn=with_withdrawn)
    return list(dict.fromkeys([*near, *local]))


async def _near_copies(looked: Looked, *, with_withdrawn: bool) -> list[uuid.UUID]:
    same = await db.rows(
        f"SELECT p.blob_id FROM picture_print AS p WHERE p.sha256 = $1 AND {_used(with_withdrawn)}",
        bytes.fromhex(looked.sha256),
    )
    near = await near_by_hash(looked.needles, with_withdrawn=with_withdrawn)
    return list(dict.fromkeys([*(row["blob_id"] for row in same), *near]))


async def near_by_hash(needles: list[bytes], *, with_withdrawn: bool = False) -> list[uuid.UUID]:
    """Published files within the radius of any needle, nearest first."""
    if not needles:
        return []
    nearest: dict[uuid.UUID, int] = {}
    after = uuid.UUID(int=0)
    asked = words(needles)
    while True:
        page = await _page_of_hashes(after, with_withdrawn=with_withdrawn)
        if page is None:
            break
        after, owners, columns = page
        for blob_id, distance in await asyncio.to_thread(_scan, owners, columns, asked):
            nearest[blob_id] = min(distance, nearest.get(blob_id, 256))
    return sorted(nearest, key=lambda one: (nearest[one], one))[:MOST_NEAR]


async def _page_of_hashes(
    after: uuid.UUID, *, with_withdrawn: bool
) -> tuple[uuid.UUID, bytes, Words] | None:
    """Hashes as columns and their owners' ids, packed by the database: a row each would be slow."""
    row = await db.row(
        f"""SELECT string_agg(decode(repeat(encode(uuid_send(blob_id), 'hex'),
                       length(hashes) / 32), 'hex'), ''::bytea ORDER BY blob_id) AS owners,
                   string_agg(hashes, ''::bytea ORDER BY blob_id) AS hashes,
                   (array_agg(blob_id ORDER BY blob_id DESC))[1] AS last
            FROM (SELECT p.blob_id, p.hashes FROM picture_print AS p
                  WHERE p.canon = $1 AND p.blob_id > $2
                    AND {_used(with_withdrawn)}
                  ORDER BY p.blob_id LIMIT $3) AS page""",
        CANON, after, _HASHES_PAGE,
    )  # fmt: skip
    if row is None or row["last"] is None:
        return None
    rows = np.frombuffer(row["hashes"] or b"", np.uint64).reshape(-1, 4)
    return row["last"], bytes(row["owners"] or b""), np.ascontiguousarray(rows.T)


def _scan(
    owners: bytes,
    columns: Words,
    asked: Words,
) -> list[tuple[uuid.UUID, int]]:
    room = 65_536
    while True:
        kept = np.empty((3, room), np.int64)
        count = int(kernels.scan(*columns, asked, CANDIDATE_RADIUS, kept))
        if count <= room:
            break
        room = count
    return [
        (uuid.UUID(bytes=owners[16 * row : 16 * row + 16]), distance)
        for row, distance in zip(kept[1, :count].tolist(), kept[2, :count].tolist(), strict=True)
    ]


async def _sharing_features(looked: Looked, *, with_withdrawn: bool) -> list[uuid.UUID]:
    """Crops and collages are far by hash; they share local features."""
    question = references.question_of(looked)
    found: list[tuple[int, uuid.UUID]] = []
    after = uuid.UUID(int=0)
    while True:
        page = await db.rows(
            f"""SELECT p.blob_id, p.features FROM picture_print AS p
                WHERE p.canon = $1 AND p.blob_id > $2 AND length(p.features) > 0
                  AND {_used(with_withdrawn)}
                ORDER BY p.blob_id LIMIT $3""",
            CANON, after, _FEATURES_PAGE,
        )  # fmt: skip
        if page:
            hits = await asyncio.to_thread(_hits, page, question)
            found += hits
            after = page[-1]["blob_id"]
        if len(page) < _FEATURES_PAGE:
            break
    return [blob_id for _, blob_id in sorted(found, reverse=True)[:MOST_LOCAL]]


def _hits(page: list[db.Row], question: Asked) -> list[tuple[int, uuid.UUID]]:
    index = LocalIndex(FAST)
    for row in page:
        index.add(row["blob_id"], references.features_of(row["features"]))
    return [(one.votes, one.id) for one in index.search(question, most=MOST_LOCAL)]
