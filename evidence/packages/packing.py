"""Packing: item by item into stretches of some tens of megabytes, each stored and then recorded.

What was recorded is never done again, so an interrupted export goes on where it was. In memory are
a handful of members at a time; large files pass through in pieces, however many there are.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import takewhile

from core import clock, db
from core.errors import NotFound, Unavailable
from evidence.packages import documents, subjects
from evidence.packages.members import Digester, Gathered, Source, digested
from evidence.verifier.archive import local_header
from storage import blobs
from storage.blobs import BlobMissing

SEGMENT = 32 << 20
"""Bytes after which a stretch ends, at the end of an item."""
SMALL = 2 << 20
"""Bytes of a file that is read once and kept; a larger one is read twice, for its digests first."""
AT_HAND = 16 << 10
"""Bytes that are hashed sooner than a thread is found for them."""
AHEAD = 12
"""Members read and hashed ahead of the one being written."""
BATCH = 20
"""Items gathered with one look at the tables."""
LARGEST = 1 << 40

Loaded = tuple[Source, Digester, bytes | None]
"""A source, its digests, and its bytes unless they are many."""

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
    names: set[str] = field(default_factory=set)
    items: list[tuple[int, Gathered]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Item:
    position: int
    gathered: Gathered
    kind: str


async def pack_some(export: db.Row) -> int:
    """Pack and record the next stretch; answers the position of its last item.

    Belongs outside a transaction.
    """
    stretch = Stretch(export["bytes"])
    blob = await blobs.store(_bytes(export, stretch), limit=LARGEST)
    done = stretch.items[-1][0]
    async with db.transaction():
        is_ours = await db.execute(
            """UPDATE evidence_export SET items_done = $2, members = members + $3,
                   bytes = bytes + $4, updated_at = $5
               WHERE id = $1 AND items_done = $6 AND status = 'packing'""",
            export["id"], done, len(stretch.members), stretch.size, clock.now(),
            export["items_done"],
        )  # fmt: skip
        if not is_ours:  # a second process is at it; what it recorded counts
            raise Unavailable(code="packed_elsewhere")
        await _record(export["id"], stretch, blob.id)
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
    async with aclosing(_gathered(export)) as batches:
        async for batch, before in batches:
            async with aclosing(_of_batch(stretch, batch, before)) as pieces:
                async for piece in pieces:
                    yield piece
            if stretch.size >= SEGMENT:
                return


async def _of_batch(
    stretch: Stretch, batch: list[_Item], before: set[str]
) -> AsyncGenerator[bytes, None]:
    """The members of some items, up to the one at whose end the stretch is long enough."""
    async with aclosing(_loaded(_fresh(batch, before | stretch.names))) as every:
        async for item, loaded in every:
            if loaded is None:  # that was its last member
                stretch.items.append((item.position, item.gathered))
                item.gathered.sources.clear()
                if stretch.size >= SEGMENT:
                    return
                continue
            source, made, content = loaded
            header = local_header(source.name, made.size, made.crc)
            stretch.members.append(Written(stretch.start + stretch.size, source.name, made))
            stretch.names.add(source.name)
            stretch.size += len(header) + made.size
            yield header
            if content is not None:
                yield content
            elif source.blob_id is not None:
                async for piece in await blobs.open_blob(source.blob_id):
                    yield piece


def _fresh(batch: list[_Item], known: set[str]) -> Iterator[tuple[_Item, Source | None]]:
    """The sources of a batch that are not in the package yet; None after those of each item."""
    seen = set(known)
    for item in batch:
        for source in item.gathered.sources:
            if source.name not in seen:
                seen.add(source.name)
                yield item, source
        yield item, None


async def _gathered(
    export: db.Row,
) -> AsyncGenerator[tuple[list[_Item], set[str]], None]:
    """Items that are not done yet, up to the first that has to wait for the record of others.

    The next batch is gathered while this one is written. With each come the names that are in the
    package already: shared files and certificates lie there once.
    """
    after, is_first = export["items_done"], True
    waiting = asyncio.create_task(_batch(export, after))
    try:
        while batch := await waiting:
            if batch[0].kind in LATE and not is_first:
                return
            is_first = False
            waiting = asyncio.create_task(_batch(export, batch[-1].position))
            before = await _written_before(export["id"], batch)
            yield batch, before
    finally:
        waiting.cancel()


async def _batch(export: db.Row, after: int) -> list[_Item]:
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
    return [_Item(row["position"], one, kind) for row, one in zip(same, made, strict=True)]


async def _written_before(export_id: uuid.UUID, batch: list[_Item]) -> set[str]:
    known = await db.rows(
        "SELECT name FROM evidence_member WHERE export_id = $1 AND name = ANY($2)",
        export_id, list({one.name for item in batch for one in item.gathered.sources}),
    )  # fmt: skip
    return {row["name"] for row in known}


async def _loaded(
    sources: Iterator[tuple[_Item, Source | None]],
) -> AsyncGenerator[tuple[_Item, Loaded | None], None]:
    """Sources with their digests, in order, some of them read ahead; what is lost is noted."""
    waiting: deque[tuple[_Item, Source | None, asyncio.Task[Loaded] | None]] = deque()
    try:
        while True:
            while len(waiting) < AHEAD and (following := next(sources, None)) is not None:
                item, source = following
                task = None if source is None else asyncio.create_task(_load(source))
                waiting.append((item, source, task))
            if not waiting:
                return
            item, source, task = waiting.popleft()
            try:
                loaded = None if task is None else await task
            except (BlobMissing, NotFound):
                item.gathered.lack("blob_missing", source.name if source else "")
                continue
            yield item, loaded
    finally:
        for _, _, task in waiting:
            if task is not None:
                task.cancel()


async def _load(source: Source) -> Loaded:
    content = source.content
    if source.produce is not None:
        content = await source.produce()
    elif source.blob_id is not None and source.size <= SMALL:
        content = await blobs.read(source.blob_id, limit=SMALL)
    if content is not None:
        if len(content) <= AT_HAND:
            return source, digested(content), content
        return source, await asyncio.to_thread(digested, content), content
    if source.blob_id is None:
        raise ValueError(f"a member without content: {source.name}")
    made = Digester()
    async for piece in await blobs.open_blob(source.blob_id):
        await asyncio.to_thread(made.update, piece)
    return source, made, None
