"""Which published pictures show a picture of the register: the search turned round.

Hashes of everything published are scanned at once, sketches of local features by the page, for
several pictures of the register in one go; what is near is verified by its pixels, as in a check.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from compliance.hashes import Words, words
from compliance.index import kernels
from compliance.local_index import FAST, LocalIndex
from compliance.matching import CANDIDATE_RADIUS, Asked
from compliance.pictures import CANON
from compliance.prints import RECORD, SKETCH, Looked
from compliance.registers.register import MAX_PICTURE
from compliance.searching import references, searching
from compliance.searching.searching import Found
from compliance.sketches import SKETCHES_CANON
from core import db, sandbox
from storage import blobs

TOGETHER = 16
"""Pictures of the register that are looked for in one pass over what is published."""
MOST_NEAR = 400
"""Published files near to one reference by hash that are compared; nearest first."""
MOST_LOCAL = 32
_HASHES_PAGE = 200_000
_SKETCHES_PAGE = 5_000
_RENEWED_PAGE = 1_000
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Reference:
    """A picture of the register, ready to be looked for."""

    id: uuid.UUID
    blob_id: uuid.UUID
    content: bytes
    looked: Looked


def _used(with_withdrawn: bool) -> str:
    """SQL: was the printed file `p` published, and is it still?"""
    still = "" if with_withdrawn else "AND u.withdrawn_at IS NULL"
    return f"EXISTS (SELECT 1 FROM picture_use AS u WHERE u.blob_id = p.blob_id {still})"


async def showing(picture_ids: Sequence[uuid.UUID]) -> AsyncIterator[tuple[uuid.UUID, Found]]:
    """Published files (by blob) that pictures of the register are in, verified, as they are found.

    Copies that are near by hash come first, within seconds; crops and collages follow. Reads the
    references and every near file from the store; belongs outside transactions.
    """
    for start in range(0, len(picture_ids), TOGETHER):
        wanted = await _references(picture_ids[start : start + TOGETHER])
        seen: set[tuple[int, uuid.UUID]] = set()
        for search in (_near_copies, _sharing_features):
            found = await search([one.looked for one in wanted], with_withdrawn=False)
            asked: dict[uuid.UUID, list[_Reference]] = {}
            for number, blob_ids in enumerate(found):
                for blob_id in blob_ids:
                    if (number, blob_id) not in seen:
                        seen.add((number, blob_id))
                        asked.setdefault(blob_id, []).append(wanted[number])
            for blob_id, references_near in asked.items():
                for one in await _shown_in(blob_id, references_near):
                    yield blob_id, one


async def candidates(looked: Looked, *, with_withdrawn: bool = False) -> list[uuid.UUID]:
    """Published files worth comparing: the same bytes, near by hash, sharing features."""
    (near,) = await _near_copies([looked], with_withdrawn=with_withdrawn)
    (local,) = await _sharing_features([looked], with_withdrawn=with_withdrawn)
    return list(dict.fromkeys([*near, *local]))


async def _references(picture_ids: Sequence[uuid.UUID]) -> list[_Reference]:
    rows = await db.rows(
        """SELECT p.id, p.blob_id, f.content FROM picture AS p
           JOIN picture_features AS f ON f.picture_id = p.id AND f.canon = $2
           WHERE p.id = ANY ($1) AND p.status = 'active' ORDER BY p.id""",
        list(picture_ids), CANON,
    )  # fmt: skip
    return [
        _Reference(row["id"], row["blob_id"], bytes(row["content"]), await _look(row["blob_id"]))
        for row in rows
    ]


async def _look(blob_id: uuid.UUID) -> Looked:
    data = await blobs.read(blob_id, limit=MAX_PICTURE)
    found: Looked = await sandbox.pool().run(
        "compliance.searching.references:looked", data, timeout=_SECONDS, into=Looked
    )
    return found


async def _shown_in(blob_id: uuid.UUID, wanted: list[_Reference]) -> list[Found]:
    """Which of the references the published file really shows."""
    same = [one for one in wanted if one.blob_id == blob_id]
    others = [one for one in wanted if one.blob_id != blob_id]
    found = [Found(one.id, "exact", 1.0, is_altered=False, detail={}) for one in same]
    if others:
        data = await blobs.read(blob_id, limit=MAX_PICTURE)
        told = await searching.verify(data, [one.content for one in others])
        found += [
            searching.of_match(one.id, match)
            for one, match in zip(others, told, strict=True)
            if match is not None
        ]
    return found


async def _near_copies(asked: list[Looked], *, with_withdrawn: bool) -> list[list[uuid.UUID]]:
    rows = await db.rows(
        f"""SELECT p.sha256, p.blob_id FROM picture_print AS p
            WHERE p.sha256 = ANY ($1) AND {_used(with_withdrawn)}""",
        [bytes.fromhex(one.sha256) for one in asked],
    )
    near = await near_by_hash([one.needles for one in asked], with_withdrawn=with_withdrawn)
    return [
        list(dict.fromkeys(
            [*(row["blob_id"] for row in rows if bytes(row["sha256"]).hex() == one.sha256), *ids]
        ))
        for one, ids in zip(asked, near, strict=True)
    ]  # fmt: skip


async def near_by_hash(
    needles: list[list[bytes]], *, with_withdrawn: bool = False
) -> list[list[uuid.UUID]]:
    """For each group of needles the published files within their radius, nearest first."""
    nearest: list[dict[uuid.UUID, int]] = [{} for _ in needles]
    groups = [number for number, group in enumerate(needles) for _ in group]
    asked = words([one for group in needles for one in group])
    after = uuid.UUID(int=0)
    while groups:
        page = await _page_of_hashes(after, with_withdrawn=with_withdrawn)
        if page is None:
            break
        after, owners, columns = page
        for needle, blob_id, distance in await asyncio.to_thread(_scan, owners, columns, asked):
            known = nearest[groups[needle]]
            known[blob_id] = min(distance, known.get(blob_id, 256))
    return [sorted(one, key=lambda id: (one[id], id))[:MOST_NEAR] for one in nearest]


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


def _scan(owners: bytes, columns: Words, asked: Words) -> list[tuple[int, uuid.UUID, int]]:
    """Needle, owner and distance of everything near."""
    room = 65_536
    while True:
        kept = np.empty((3, room), np.int64)
        count = int(kernels.scan(*columns, asked, CANDIDATE_RADIUS, kept))
        if count <= room:
            break
        room = count
    return [
        (needle, uuid.UUID(bytes=owners[16 * row : 16 * row + 16]), distance)
        for needle, row, distance in kept[:, :count].T.tolist()
    ]


async def _sharing_features(asked: list[Looked], *, with_withdrawn: bool) -> list[list[uuid.UUID]]:
    """Crops and collages are far by hash; they share local features."""
    await renew_sketches()
    questions = [references.question_of(one) for one in asked]
    found: list[list[tuple[int, uuid.UUID]]] = [[] for _ in asked]
    after = uuid.UUID(int=0)
    while True:
        page = await db.row(
            f"""SELECT string_agg(uuid_send(blob_id), ''::bytea ORDER BY blob_id) AS ids,
                       array_agg(length(sketches) ORDER BY blob_id) AS sizes,
                       string_agg(sketches, ''::bytea ORDER BY blob_id) AS rows,
                       (array_agg(blob_id ORDER BY blob_id DESC))[1] AS last
                FROM (SELECT p.blob_id, p.sketches FROM picture_print AS p
                      WHERE p.canon = $1 AND p.sketch_canon = $2 AND p.blob_id > $3
                        AND length(p.sketches) > 0 AND {_used(with_withdrawn)}
                      ORDER BY p.blob_id LIMIT $4) AS page""",
            CANON, SKETCHES_CANON, after, _SKETCHES_PAGE,
        )  # fmt: skip
        if page is None or page["last"] is None:
            break
        for known, hits in zip(found, await asyncio.to_thread(_hits, page, questions), strict=True):
            known += hits
        after = page["last"]
    return [[blob_id for _, blob_id in sorted(one, reverse=True)[:MOST_LOCAL]] for one in found]


def _hits(page: db.Row, questions: list[Asked]) -> list[list[tuple[int, uuid.UUID]]]:
    ids = [
        uuid.UUID(bytes=bytes(page["ids"][at : at + 16])) for at in range(0, len(page["ids"]), 16)
    ]
    index = LocalIndex(FAST)
    index.extend(ids, np.array(page["sizes"]) // SKETCH, *references.unsketched(page["rows"]))
    return [
        [(one.votes, one.id) for one in index.search(question, most=MOST_LOCAL)]
        for question in questions
    ]


async def renew_sketches() -> int:
    """Make the sketches of prints that have none, or have them made otherwise; how many."""
    renewed = 0
    while True:
        page = await db.rows(
            """SELECT blob_id, features FROM picture_print
               WHERE sketch_canon < $1 OR sketch_canon > $1 LIMIT $2""",
            SKETCHES_CANON, _RENEWED_PAGE,
        )  # fmt: skip
        if not page:
            return renewed
        made = await asyncio.to_thread(_sketched, page)
        await db.execute(
            """UPDATE picture_print AS p SET sketches = m.sketches, sketch_canon = $3
               FROM unnest($1::uuid[], $2::bytea[]) AS m (blob_id, sketches)
               WHERE p.blob_id = m.blob_id""",
            [row["blob_id"] for row in page], made, SKETCHES_CANON,
        )  # fmt: skip
        renewed += len(page)


def _sketched(page: list[db.Row]) -> list[bytes]:
    """For each row its sketches, all made in one go."""
    whole = references.sketched(references.features_of(b"".join(row["features"] for row in page)))
    ends = np.cumsum([0, *(len(row["features"]) // RECORD * SKETCH for row in page)])
    return [whole[start:end] for start, end in pairwise(ends)]
