"""Packing: item by item into stretches of some tens of megabytes, each stored and then recorded.

What was recorded is never done again, so an interrupted export goes on where it was. In memory are
a handful of members at a time; large files pass through in pieces, however many there are.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from core import clock, db
from core.errors import NotFound
from evidence.packages import documents, subjects
from evidence.packages.members import Digester, Gathered, Source, digested
from evidence.verifier.docflow_verify import local_header
from storage import blobs
from storage.blobs import BlobMissing

SEGMENT = 32 << 20
"""Bytes after which a stretch ends, at the end of an item."""
SMALL = 4 << 20
"""Bytes of a file that is read once and kept; a larger one is read twice, for its digests first."""
AHEAD = 6
"""Members read and hashed ahead of the one being written."""
BATCH = 20
"""Items gathered with one look at the tables."""
LARGEST = 1 << 40

Gathering = Callable[[db.Row, list[db.Row]], Awaitable[list[Gathered]]]


async def _documents(export: db.Row, items: list[db.Row]) -> list[Gathered]:
    return await documents.gather(export, [item["subject_id"] for item in items])


KINDS: Mapping[str, Gathering] = {
    "readme": subjects.readme,
    "document": _documents,
    "use": subjects.uses,
    "person": subjects.people,
    "organization": subjects.organizations,
    "log": subjects.log_papers,
    "register": subjects.registers,
    "gaps": subjects.gaps,
}
"""How each kind of item is gathered; a new one is a function and a line."""
LATE = frozenset({"register", "gaps"})
"""Kinds that tell of the others, and so begin a stretch of their own."""


@dataclass(frozen=True, slots=True)
class Written:
    """A member as it stands in the package."""

    start: int
    name: str
    made: Digester


@dataclass(slots=True)
class Stretch:
    """What one stretch holds, for the record."""

    start: int
    size: int = 0
    members: list[Written] = field(default_factory=list)
    items: list[tuple[int, Gathered]] = field(default_factory=list)


async def pack_some(export: db.Row) -> int:
    """Pack and record the next stretch; answers the position of its last item.

    Belongs outside a transaction.
    """
    stretch = Stretch(export["bytes"])
    blob = await blobs.store(_bytes(export, stretch), limit=LARGEST)
    done = stretch.items[-1][0]
    async with db.transaction():
        await _record(export["id"], stretch, blob.id)
        await db.execute(
            """UPDATE evidence_export SET items_done = $2, members = members + $3,
                   bytes = bytes + $4, updated_at = $5 WHERE id = $1 AND items_done = $6""",
            export["id"], done, len(stretch.members), stretch.size, clock.now(),
            export["items_done"],
        )  # fmt: skip
    return done


async def _record(export_id: uuid.UUID, stretch: Stretch, blob_id: uuid.UUID) -> None:
    await db.execute(
        "INSERT INTO evidence_part (export_id, start, size, blob_id) VALUES ($1, $2, $3, $4)",
        export_id, stretch.start, stretch.size, blob_id,
    )  # fmt: skip
    await db.execute_many(
        """INSERT INTO evidence_member (export_id, start, name, size, crc, sha256, streebog256)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        [(export_id, one.start, one.name, one.made.size, one.made.crc, one.made.sha256,
          one.made.streebog256) for one in stretch.members],
    )  # fmt: skip
    await db.execute_many(
        "UPDATE evidence_item SET line = $3, lacks = $4 WHERE export_id = $1 AND position = $2",
        [(export_id, position, one.line, one.lacks) for position, one in stretch.items],
    )


async def _bytes(export: db.Row, stretch: Stretch) -> AsyncIterator[bytes]:
    """The bytes of one stretch, noting in it what they are."""
    async for position, gathered in _gathered(export):
        fresh = await _unwritten(export["id"], stretch, gathered.sources)
        async for source, made, content in _loaded(gathered, fresh):
            header = local_header(source.name, made.size, made.crc)
            stretch.members.append(Written(stretch.start + stretch.size, source.name, made))
            stretch.size += len(header) + made.size
            yield header
            if content is not None:
                yield content
            elif source.blob_id is not None:
                async for piece in await blobs.open_blob(source.blob_id):
                    yield piece
        gathered.sources.clear()
        stretch.items.append((position, gathered))
        if stretch.size >= SEGMENT:
            return


async def _gathered(export: db.Row) -> AsyncIterator[tuple[int, Gathered]]:
    """Items that are not done yet, up to the first that has to wait for the record of others.

    The next batch is gathered while this one is written.
    """
    after, is_first = export["items_done"], True
    waiting = asyncio.create_task(_batch(export, after))
    try:
        while batch := await waiting:
            if batch[0][2] in LATE and not is_first:
                return
            is_first = False
            waiting = asyncio.create_task(_batch(export, batch[-1][0]))
            for position, gathered, _ in batch:
                yield position, gathered
    finally:
        waiting.cancel()


async def _batch(export: db.Row, after: int) -> list[tuple[int, Gathered, str]]:
    found = await db.rows(
        """SELECT position, kind, subject_id, number FROM evidence_item
           WHERE export_id = $1 AND position > $2 ORDER BY position LIMIT $3""",
        export["id"], after, BATCH,
    )  # fmt: skip
    if not found:
        return []
    kind = found[0]["kind"]
    same = found[:1] if kind in LATE else list(takewhile(lambda row: row["kind"] == kind, found))
    made = await KINDS[kind](export, same)
    return [(row["position"], one, kind) for row, one in zip(same, made, strict=True)]


async def _unwritten(export_id: uuid.UUID, stretch: Stretch, sources: list[Source]) -> list[Source]:
    """Those whose name is not in the package yet: shared files and certificates lie there once."""
    wanted = {one.name: one for one in sources}
    here = {one.name for one in stretch.members}
    names = [name for name in wanted if name not in here]
    known = await db.rows(
        "SELECT name FROM evidence_member WHERE export_id = $1 AND name = ANY($2)",
        export_id, names,
    )  # fmt: skip
    before = {row["name"] for row in known}
    return [wanted[name] for name in names if name not in before]


async def _loaded(
    gathered: Gathered, sources: list[Source]
) -> AsyncIterator[tuple[Source, Digester, bytes | None]]:
    """Sources with their digests, in order, some of them read ahead; what is lost is noted."""
    waiting: deque[tuple[Source, asyncio.Task[tuple[Digester, bytes | None]]]] = deque()
    rest = iter(sources)
    try:
        while True:
            while len(waiting) < AHEAD and (source := next(rest, None)) is not None:
                waiting.append((source, asyncio.create_task(_load(source))))
            if not waiting:
                return
            source, task = waiting.popleft()
            try:
                made, content = await task
            except (BlobMissing, NotFound):
                gathered.lack("blob_missing", source.name)
                continue
            yield source, made, content
    finally:
        for _, task in waiting:
            task.cancel()


async def _load(source: Source) -> tuple[Digester, bytes | None]:
    content = source.content
    if source.produce is not None:
        content = await source.produce()
    elif source.blob_id is not None and source.size <= SMALL:
        content = await blobs.read(source.blob_id, limit=SMALL)
    if content is not None:
        return await asyncio.to_thread(digested, content), content
    if source.blob_id is None:
        raise ValueError(f"a member without content: {source.name}")
    made = Digester()
    async for piece in await blobs.open_blob(source.blob_id):
        await asyncio.to_thread(made.update, piece)
    return made, None
