"""Parts of messages on their way in: whole with the message, or piece by piece, resumed at will.

A part belongs to the node that sends it: nobody learns here whether we know a file already.
"""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

from core import clock, db
from core.errors import Conflict, NotFound, TooLarge
from docflow.documents.kinds import ANNEX_FILE
from docflow.gateways.node.container import PIECE, Container
from docflow.gateways.node.messages import Had, Need
from docflow.gateways.node.problems import BadMessage
from storage import blobs, pieces
from storage.blobs import StoredBlob

MOST = ANNEX_FILE.max_size
KEPT = timedelta(days=14)
"""What has not become whole by then is thrown away; the sender begins anew."""


async def stored(node_id: uuid.UUID, container: Container) -> dict[str, StoredBlob] | list[Need]:
    """Every part of a message in the store, by SHA-256; or what is still needed of which."""
    sizes = container.manifest.parts()
    if max(sizes.values()) > MOST:
        raise TooLarge(limit=MOST)
    if container.parts is not None:
        return {
            sha256: await blobs.store(_once(body), limit=len(body))
            for sha256, body in container.parts.items()
        }
    await db.execute(
        """INSERT INTO node_part (node_id, sha256, size, updated_at)
           SELECT $1, decode(sha, 'hex'), size, $4
           FROM unnest($2::text[], $3::bigint[]) AS t (sha, size) ON CONFLICT DO NOTHING""",
        node_id, list(sizes), list(sizes.values()), clock.now(),
    )  # fmt: skip
    rows = await db.rows(
        """SELECT encode(sha256, 'hex') AS sha256, have, blob_id FROM node_part
           WHERE node_id = $1 AND encode(sha256, 'hex') = ANY($2)""",
        node_id, list(sizes),
    )  # fmt: skip
    missing = [Need(row["sha256"], row["have"]) for row in rows if row["blob_id"] is None]
    if missing:
        return missing
    return {row["sha256"]: await blobs.stat(row["blob_id"]) for row in rows}


async def take_piece(node_id: uuid.UUID, sha256: str, *, offset: int, body: bytes) -> Had:
    """Keep the next piece of a part; answers how many bytes are here now.

    A piece for another place than the next is passed over: the answer says where to go on. With
    the last piece the part is put together and compared with its digest; when that differs it
    begins anew (`node_part_changed`).
    """
    row = await db.row(
        "SELECT * FROM node_part WHERE node_id = $1 AND sha256 = $2",
        node_id, _digest(sha256),
    )  # fmt: skip
    if row is None:
        raise NotFound(part=sha256[:64])
    if row["blob_id"] is not None:
        return Had(sha256, row["size"])
    if offset != row["have"]:
        return Had(sha256, row["have"])
    if len(body) != min(PIECE, row["size"] - offset):
        raise BadMessage(code="node_piece_size", expected=min(PIECE, row["size"] - offset))
    await pieces.put(_key(node_id, sha256, offset), body)
    have = await db.value(
        """UPDATE node_part SET have = $3, updated_at = $5
           WHERE node_id = $1 AND sha256 = $2 AND have = $4 RETURNING have""",
        node_id, row["sha256"], offset + len(body), offset, clock.now(),
    )  # fmt: skip
    if have is None:
        raise Conflict(code="node_piece_raced")
    if have == row["size"]:
        await _put_together(node_id, sha256, row["size"])
    return Had(sha256, have)


async def _put_together(node_id: uuid.UUID, sha256: str, size: int) -> None:
    keys = [_key(node_id, sha256, start) for start in range(0, size, PIECE)]
    try:
        blob = await blobs.store(pieces.joined(keys, size=PIECE), limit=size)
        is_whole = blob.sha256 == sha256
    except NotFound:
        is_whole = False
    if not is_whole:
        await db.execute(
            "UPDATE node_part SET have = 0, updated_at = $3 WHERE node_id = $1 AND sha256 = $2",
            node_id, _digest(sha256), clock.now(),
        )  # fmt: skip
        raise BadMessage(code="node_part_changed", part=sha256)
    await db.execute(
        """UPDATE node_part SET blob_id = $3, updated_at = $4
           WHERE node_id = $1 AND sha256 = $2""",
        node_id, _digest(sha256), blob.id, clock.now(),
    )  # fmt: skip
    await pieces.remove(keys)


async def finish_interrupted(node_id: uuid.UUID, needs: list[Need], sizes: dict[str, int]) -> None:
    """Put together parts whose last piece came just before a process died."""
    for need in needs:
        if need.have == sizes[need.sha256]:
            await _put_together(node_id, need.sha256, need.have)


async def forget_old() -> int:
    """Throw away parts nobody has gone on with; answers how many. Harmless at any time."""
    rows = await db.rows(
        """DELETE FROM node_part WHERE updated_at < $1
           RETURNING node_id, encode(sha256, 'hex') AS sha256, have, blob_id""",
        clock.now() - KEPT,
    )
    for row in rows:
        if row["blob_id"] is None and row["have"]:
            await pieces.remove(
                [_key(row["node_id"], row["sha256"], one) for one in range(0, row["have"], PIECE)]
            )
    return len(rows)


def _digest(sha256: str) -> bytes:
    try:
        found = bytes.fromhex(sha256)
    except ValueError as problem:
        raise BadMessage(code="node_part_unknown") from problem
    if len(found) != 32:
        raise BadMessage(code="node_part_unknown")
    return found


def _key(node_id: uuid.UUID, sha256: str, offset: int) -> str:
    return f"{node_id}/{sha256}/{offset:013}"


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
