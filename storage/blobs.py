"""Bytes: stored once by content, read back whole or in part.

Objects lie in the S3 store under random keys; a row of `blob` binds digest, size, type and key.
The network is never used inside a database transaction: an object is put first, its row is
written after, and what a crash leaves between the two is swept.
"""

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

import asyncpg
from urllib3.response import BaseHTTPResponse

from core import clock, db
from core.errors import InvalidInput, NotFound, ServiceError, TooLarge, Unavailable
from storage import media_type, s3
from storage.destroying import GONE, ContentDestroyed
from storage.s3 import ensure_bucket

__all__ = [
    "BlobMissing", "BlobStream", "StoredBlob", "ensure_bucket", "find_by_sha256", "forget",
    "of_row", "open_blob", "read", "stat", "store", "sweep_orphans",
]  # fmt: skip

PREFIX = "b/"
PART = 5 * 1024 * 1024
"""The least an S3 part may have; memory is (PARALLEL + 2) parts at most."""
PARALLEL = 3
CHUNK = 256 * 1024
RECORD_WITHIN = timedelta(minutes=10)
"""A row is written this soon after its object or not at all; the sweep waits much longer."""


class BlobMissing(ServiceError):
    """The row is there and the bytes are not, or not these: storage was damaged (500)."""

    code = "blob_missing"
    ru = "Содержимое файла недоступно: оно пропало из хранилища или повреждено. Сообщите оператору."
    en = "The file's bytes are gone from the store or damaged. Tell the operator."


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob as the rest of the service knows it."""

    id: UUID
    sha256: str
    """Lower-case hexadecimal."""
    size: int
    media_type: str
    """The true type by content."""
    key: str
    created_at: datetime


async def store(stream: AsyncIterator[bytes], *, limit: int) -> StoredBlob:
    """Put a stream into the store at constant memory and record it; equal content is shared.

    Raises `InvalidInput` (`empty_file`), `TooLarge` above `limit` bytes, `Unavailable`. Whatever
    goes wrong, also in `stream` itself or by cancellation, what was put is removed again. Must not
    be called inside a transaction.
    """
    _outside_transactions()
    upload = _Upload(limit)
    try:
        async for chunk in stream:
            await upload.add(chunk)
        await upload.finish()
        kind = await s3.off_loop(media_type.detect, bytes(upload.head))
    except BaseException:
        await asyncio.shield(upload.discard())
        raise
    # From here on the object may have a row, even if we never hear of it (a lost connection, a
    # cancelled caller), so it is not removed any more but left to the sweep.
    blob = await asyncio.shield(_record(upload, kind))
    if blob.key != upload.key:
        await upload.discard()
    return blob


async def open_blob(blob_id: UUID, *, start: int = 0, length: int | None = None) -> "BlobStream":
    """Open a blob for streaming, from byte `start`, `length` bytes or to the end.

    Raises before the first byte: `NotFound`, `InvalidInput` (`bad_range`), `BlobMissing` when the
    object is gone or its size is another. A whole read is checked against SHA-256 and ends with
    `BlobMissing` when the bytes are not the ones that were stored. Close it or read it to the end.
    """
    _outside_transactions()
    blob = await stat(blob_id)
    wanted = blob.size - start if length is None else length
    if start < 0 or wanted <= 0 or start + wanted > blob.size:
        raise InvalidInput(
            f"Запрошен диапазон вне файла: размер файла {blob.size} байт.",
            f"The range lies outside the file of {blob.size} bytes.",
            code="bad_range",
            size=blob.size,
        )
    try:
        answer = await s3.call(s3.get, blob.key, start, wanted)
    except s3.NoSuchObject as problem:
        raise await _lost(blob) from problem
    stream = BlobStream(blob, start, wanted, answer)
    if not stream.has_true_size():
        await stream.aclose()
        raise BlobMissing(blob_id=str(blob_id))
    return stream


async def read(wanted: UUID | StoredBlob, *, limit: int) -> bytes:
    """The whole blob in memory, checked; raises `TooLarge` above `limit` bytes."""
    _outside_transactions()
    blob = _present(wanted) if isinstance(wanted, StoredBlob) else await stat(wanted)
    if blob.size > limit:
        raise TooLarge(size=blob.size, limit=limit)
    try:
        content, sha256 = await s3.call(s3.get_whole, blob.key, blob.size)
    except s3.NoSuchObject as problem:
        raise await _lost(blob) from problem
    if sha256 != blob.sha256:
        raise BlobMissing(blob_id=str(blob.id))
    return content


async def _lost(blob: StoredBlob) -> BlobMissing:
    """Its object is not there; raises `ContentDestroyed` if that was meant since we had the row."""
    await stat(blob.id)
    return BlobMissing(blob_id=str(blob.id))


async def stat(blob_id: UUID) -> StoredBlob:
    """What is known of a blob, by its row alone; raises `NotFound`, `ContentDestroyed`."""
    found = await db.row("SELECT * FROM blob WHERE id = $1", blob_id)
    if found is None:
        raise NotFound(blob_id=str(blob_id))
    return _present(of_row(found))


async def find_by_sha256(sha256: str) -> StoredBlob | None:
    """The blob with this content, if we have it; `sha256` in hexadecimal."""
    found = await db.row("SELECT * FROM blob WHERE sha256 = $1", bytes.fromhex(sha256))
    return None if found is None or found["key"].startswith(GONE) else of_row(found)


async def forget(blob_id: UUID) -> bool:
    """Remove the row of a blob nothing refers to any more; the sweep takes its object."""
    try:
        return bool(await db.execute("DELETE FROM blob WHERE id = $1", blob_id))
    except asyncpg.ForeignKeyViolationError:
        return False


async def sweep_orphans(*, older_than: timedelta) -> int:
    """Remove objects and unfinished uploads without a row; answers how many.

    `older_than` must leave every running upload its time: at least an hour. A row is never written
    for an object older than `RECORD_WITHIN`, so nothing that has or may get a row is touched.
    """
    if older_than < timedelta(hours=1):
        raise ValueError("older_than: at least one hour")
    _outside_transactions()
    before = clock.now() - older_than
    listing = await s3.off_loop(s3.Listing, PREFIX)
    removed = 0
    while page := await s3.call(listing.page):
        old = [found.key for found in page if found.modified_at < before]
        known = await db.rows("SELECT key FROM blob WHERE key = ANY($1::text[])", old)
        orphans = sorted(set(old) - {row["key"] for row in known})
        if orphans:
            await s3.call(s3.remove, orphans)
            removed += len(orphans)
    for upload in await s3.call(s3.unfinished, PREFIX):
        if upload.modified_at < before:
            with contextlib.suppress(s3.NoSuchObject):
                await s3.call(s3.abort, upload.key, upload.upload_id)
            removed += 1
    return removed


class BlobStream:
    """The bytes of a blob as they come; an asynchronous iterator that is to be closed."""

    def __init__(self, blob: StoredBlob, start: int, length: int, answer: BaseHTTPResponse) -> None:
        self.blob = blob
        self.start = start
        self.length = length
        self._answer: BaseHTTPResponse | None = answer
        self._left = length
        self._digest = hashlib.sha256() if length == blob.size else None

    def has_true_size(self) -> bool:
        """Does the store promise as many bytes as we are to get?"""
        stated = "" if self._answer is None else self._answer.headers.get("content-length", "")
        return stated == str(self.length)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._answer is None:
            raise StopAsyncIteration
        try:
            chunk = await s3.call(self._next, self._answer)
        except BaseException:
            await self.aclose()
            raise
        if chunk:
            return chunk
        await self.aclose()
        whole = self._digest is None or self._digest.hexdigest() == self.blob.sha256
        if self._left or not whole:
            raise BlobMissing(blob_id=str(self.blob.id))
        raise StopAsyncIteration

    def _next(self, answer: BaseHTTPResponse) -> bytes:
        chunk = answer.read(CHUNK)
        self._left -= len(chunk)
        if self._digest is not None:
            self._digest.update(chunk)
        return chunk

    async def aclose(self) -> None:
        """Give the connection back; a half-read one is closed."""
        answer, self._answer = self._answer, None
        if answer is not None:
            if self._left:
                answer.close()
            answer.release_conn()


class _Upload:
    """One object on its way: a buffer of one part, a few parts in flight, a running digest."""

    def __init__(self, limit: int) -> None:
        self.key = f"{PREFIX}{secrets.token_hex(1)}/{secrets.token_hex(16)}"
        self.head = bytearray()
        self.size = 0
        self.digest = hashlib.sha256()
        self._limit = limit
        # Buffers are used again and again: fresh ones would come from other threads' arenas, and
        # the process would keep several times what is really in flight.
        self._buffer = bytearray()
        self._filled = 0
        self._spare: list[bytearray] = []
        self._upload_id = ""
        self._parts: list[asyncio.Task[str]] = []
        self._free = asyncio.Semaphore(PARALLEL)
        self.completed_at: datetime | None = None

    async def add(self, chunk: bytes) -> None:
        """Take some bytes; waits when enough parts are on their way."""
        self.size += len(chunk)
        if self.size > self._limit:
            raise TooLarge(
                f"Файл больше {_megabytes(self._limit)} МБ. Уменьшите его или разделите.",
                f"The file is larger than {_megabytes(self._limit)} MB. Make it smaller or split "
                "it.",
                limit=self._limit,
            )
        if len(self.head) < media_type.HEAD_SIZE:
            self.head += chunk[: media_type.HEAD_SIZE - len(self.head)]
        view = memoryview(chunk)
        while len(view):
            if self._filled == PART:  # more is coming, so this part is not the last
                await self._send()
            taken = view[: PART - self._filled]
            end = self._filled + len(taken)
            # a new buffer grows, an old one is overwritten
            self._buffer[self._filled : end] = taken
            self._filled = end
            view = view[len(taken) :]

    async def finish(self) -> None:
        """Send the rest and make the object exist."""
        if not self.size:
            raise InvalidInput(
                "Файл пуст. Выберите файл с содержимым.",
                "The file is empty. Choose one with content.",
                code="empty_file",
            )
        if not self._upload_id:
            self._may_exist()
            await s3.call(self._put_whole)
            return
        await self._send()
        tags = [await part for part in self._parts]
        self._may_exist()
        await s3.call(s3.complete, self.key, self._upload_id, tags)

    def _put_whole(self) -> None:
        """Hash and put what fits one part; blocks."""
        self.digest.update(self._buffer)
        s3.put(self.key, self._buffer)

    def _may_exist(self) -> None:
        """The object may be there from now on, even if the answer gets lost."""
        self.completed_at = clock.now()

    async def discard(self) -> None:
        """Remove what was put, as far as the store answers; the sweep takes the rest."""
        # not cancelled: a thread cannot be, and a part that lands after the end would stay
        await asyncio.gather(*self._parts, return_exceptions=True)
        with contextlib.suppress(ServiceError, s3.NoSuchObject):
            if self.completed_at:
                await s3.call(s3.remove, [self.key])
            elif self._upload_id:
                await s3.call(s3.abort, self.key, self._upload_id)

    async def _send(self) -> None:
        if not self._upload_id:
            self._upload_id = await s3.call(s3.begin, self.key)
        await self._free.acquire()
        self._raise_early()
        buffer, filled = self._buffer, self._filled
        with memoryview(buffer)[:filled] as part:
            await s3.off_loop(self.digest.update, part)
        self._buffer = self._spare.pop() if self._spare else bytearray()
        self._filled = 0
        number = len(self._parts) + 1
        self._parts.append(asyncio.create_task(self._put(number, buffer, filled)))

    async def _put(self, number: int, buffer: bytearray, filled: int) -> str:
        try:
            with memoryview(buffer)[:filled] as part:
                return await s3.call(s3.put_part, self.key, self._upload_id, number, part)
        finally:
            self._spare.append(buffer)
            self._free.release()

    def _raise_early(self) -> None:
        """Stop at the first failed part and not after gigabytes more."""
        for part in self._parts[-PARALLEL - 1 :]:
            if part.done():
                part.result()


async def _record(upload: _Upload, kind: str) -> StoredBlob:
    """Write the row, or find the one that has this content already."""
    digest = upload.digest.digest()
    if upload.completed_at is None or clock.now() - upload.completed_at > RECORD_WITHIN:
        raise Unavailable(code="storage_unavailable")
    found = await db.row(
        "INSERT INTO blob (id, sha256, size, media_type, key, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (sha256) DO NOTHING RETURNING *",
        *(clock.new_id(), digest, upload.size, kind, upload.key, clock.now()),
    )
    if found is None:
        found = await db.row("SELECT * FROM blob WHERE sha256 = $1", digest)
    if found is None:  # removed in this very moment
        return await _record(upload, kind)
    blob = of_row(found)
    return blob if blob.key == upload.key or await _is_intact(blob) else await _heal(blob, upload)


async def _is_intact(blob: StoredBlob) -> bool:
    """Does the store still have the object of an older row?"""
    try:
        return await s3.call(s3.size_of, blob.key) == blob.size
    except s3.NoSuchObject:
        return False


async def _heal(blob: StoredBlob, upload: _Upload) -> StoredBlob:
    """Let a row whose object was lost point at the same bytes, which have just come again."""
    found = await db.row(
        "UPDATE blob SET key = $1 WHERE id = $2 AND key = $3 RETURNING *",
        *(upload.key, blob.id, blob.key),
    )
    return await stat(blob.id) if found is None else of_row(found)


def of_row(row: dict[str, Any]) -> StoredBlob:
    """A whole row of the table, for who asked for several at once; its content may be gone."""
    return StoredBlob(
        id=row["id"], sha256=row["sha256"].hex(), size=row["size"], media_type=row["media_type"],
        key=row["key"], created_at=row["created_at"],
    )  # fmt: skip


def _present(blob: StoredBlob) -> StoredBlob:
    if blob.key.startswith(GONE):
        raise ContentDestroyed(blob_id=str(blob.id))
    return blob


def _outside_transactions() -> None:
    if db.in_transaction():
        raise RuntimeError("the store is not to be used inside a transaction (architecture rule 2)")


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.0f}" if size >= 1_000_000 else f"{size / 1_000_000:g}"
