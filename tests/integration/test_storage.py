"""Blobs against the real PostgreSQL and the real S3 store."""

import asyncio
import base64
import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from importlib import import_module
from uuid import uuid4

import asyncpg
import pytest

from core import clock, db
from core.embedded import Services, data_home, start
from core.errors import InvalidInput, NotFound, TooLarge
from core.settings import settings
from storage import blobs, media_type, s3

MIGRATION = "storage.piccolo_migrations.storage_2026_11_22t03_00_00"
MB = 1024 * 1024


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    folder = data_home() / f"test-storage-{os.getpid()}"
    kept = dict(os.environ)
    with start(folder, postgres_settings={"shared_buffers": "32MB"}) as running:
        os.environ.update(running.environment)
        settings.cache_clear()
        s3.client.cache_clear()
        yield running
    os.environ.clear()
    os.environ.update(kept)
    settings.cache_clear()
    s3.client.cache_clear()
    shutil.rmtree(folder)


@pytest.fixture(scope="module", autouse=True)
async def database(services: Services) -> AsyncIterator[None]:
    owner = await asyncpg.connect(services.environment["DATABASE_OWNER_URL"])
    await owner.execute(import_module(MIGRATION).SQL)
    await owner.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON blob TO docflow_app")
    await owner.close()
    previous, db.DB.pool = db.DB.pool, None
    await db.DB.open(size=4)
    await blobs.ensure_bucket()
    await blobs.ensure_bucket()
    yield
    await db.DB.close()
    db.DB.pool = previous


async def pieces(data: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start_at in range(0, len(data), size):
        yield data[start_at : start_at + size]


def keys() -> set[str]:
    listing = s3.Listing(blobs.PREFIX)
    found: set[str] = set()
    while page := listing.page():
        found |= {item.key for item in page}
    return found


@pytest.mark.parametrize("size", [1, 1000, 5 * MB - 1, 5 * MB, 5 * MB + 1, 17 * MB + 5])
async def test_bytes_come_back_as_they_went_in(size: int) -> None:
    data = os.urandom(size)
    blob = await blobs.store(pieces(data), limit=20 * MB)
    assert (blob.size, blob.sha256) == (size, hashlib.sha256(data).hexdigest())
    assert await blobs.read(blob.id, limit=20 * MB) == data
    assert await blobs.stat(blob.id) == blob
    assert await blobs.find_by_sha256(blob.sha256) == blob


async def test_one_huge_chunk_is_cut_into_parts() -> None:
    data = os.urandom(12 * MB)
    blob = await blobs.store(pieces(data, len(data)), limit=20 * MB)
    assert await blobs.read(blob.id, limit=20 * MB) == data


@pytest.mark.parametrize(("start_at", "length"), [(0, 10), (999, None), (5 * MB - 3, 6), (0, None)])
async def test_a_range_is_a_slice(start_at: int, length: int | None) -> None:
    data = b"0123456789" * (MB + 1)
    blob = await blobs.store(pieces(data), limit=20 * MB)
    stream = await blobs.open_blob(blob.id, start=start_at, length=length)
    end = len(data) if length is None else start_at + length
    assert b"".join([chunk async for chunk in stream]) == data[start_at:end]


@pytest.mark.parametrize(("start_at", "length"), [(-1, 2), (0, 0), (0, 6), (5, None)])
async def test_a_range_outside_is_refused(start_at: int, length: int | None) -> None:
    blob = await blobs.store(pieces(b"12345"), limit=10)
    with pytest.raises(InvalidInput, match="bad_range"):
        await blobs.open_blob(blob.id, start=start_at, length=length)


async def test_equal_content_is_shared_also_at_the_same_moment() -> None:
    data = os.urandom(200_000)
    before = await s3.off_loop(keys)
    found = await asyncio.gather(*(blobs.store(pieces(data), limit=MB) for _ in range(8)))
    assert len({blob.id for blob in found}) == 1
    assert await s3.off_loop(keys) - before == {found[0].key}


async def test_nothing_is_refused_with_a_code() -> None:
    with pytest.raises(InvalidInput, match="empty_file"):
        await blobs.store(pieces(b""), limit=10)


@pytest.mark.parametrize(("size", "limit"), [(100, 99), (12 * MB, 11 * MB)])
async def test_too_much_is_refused_and_removed(size: int, limit: int) -> None:
    before = await s3.off_loop(keys)
    with pytest.raises(TooLarge):
        await blobs.store(pieces(os.urandom(size)), limit=limit)
    assert await s3.off_loop(keys) == before
    assert await s3.off_loop(s3.unfinished, blobs.PREFIX) == []


async def test_a_sender_that_breaks_off_leaves_nothing() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield os.urandom(12 * MB)
        raise ConnectionResetError

    before = await s3.off_loop(keys)
    with pytest.raises(ConnectionResetError):
        await blobs.store(broken(), limit=20 * MB)
    assert await s3.off_loop(keys) == before
    assert await s3.off_loop(s3.unfinished, blobs.PREFIX) == []


async def test_a_cancelled_upload_leaves_nothing() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield os.urandom(12 * MB)
        await asyncio.sleep(60)

    before = await s3.off_loop(keys)
    task = asyncio.create_task(blobs.store(endless(), limit=20 * MB))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await s3.off_loop(keys) == before
    assert await s3.off_loop(s3.unfinished, blobs.PREFIX) == []


async def test_the_sweep_takes_orphans_and_leaves_the_rest() -> None:
    data = os.urandom(1000)
    blob = await blobs.store(pieces(data), limit=MB)
    await s3.off_loop(s3.put, f"{blobs.PREFIX}00/orphan", b"left behind by a crash")
    upload = await s3.off_loop(s3.begin, f"{blobs.PREFIX}00/unfinished")
    await s3.off_loop(s3.put_part, f"{blobs.PREFIX}00/unfinished", upload, 1, b"part")
    assert await blobs.sweep_orphans(older_than=timedelta(hours=1)) == 0
    with clock.frozen(clock.now() + timedelta(days=2)):
        assert await blobs.sweep_orphans(older_than=timedelta(days=1)) == 2
        assert await blobs.sweep_orphans(older_than=timedelta(days=1)) == 0
    assert await blobs.read(blob.id, limit=MB) == data
    with pytest.raises(ValueError, match="one hour"):
        await blobs.sweep_orphans(older_than=timedelta(minutes=1))


async def test_a_lost_object_is_named_and_healed_by_the_same_bytes() -> None:
    data = os.urandom(5000)
    blob = await blobs.store(pieces(data), limit=MB)
    await s3.off_loop(s3.remove, [blob.key])
    with pytest.raises(blobs.BlobMissing):
        await blobs.open_blob(blob.id)
    again = await blobs.store(pieces(data), limit=MB)
    assert again.id == blob.id
    assert await blobs.read(blob.id, limit=MB) == data


@pytest.mark.parametrize("other", [b"y" * 5000, b"shorter"])
async def test_changed_bytes_are_never_passed_off_as_the_file(other: bytes) -> None:
    blob = await blobs.store(pieces(os.urandom(5000)), limit=MB)
    await s3.off_loop(s3.put, blob.key, other)
    with pytest.raises(blobs.BlobMissing):
        await blobs.read(blob.id, limit=MB)


async def test_unknown_and_too_large_to_read() -> None:
    with pytest.raises(NotFound):
        await blobs.open_blob(uuid4())
    blob = await blobs.store(pieces(b"12345"), limit=10)
    with pytest.raises(TooLarge):
        await blobs.read(blob.id, limit=4)


async def test_the_store_is_not_used_inside_a_transaction() -> None:
    async with db.transaction():
        with pytest.raises(RuntimeError, match="transaction"):
            await blobs.store(pieces(b"1"), limit=1)


async def test_a_stream_left_half_way_gives_its_connection_back() -> None:
    blob = await blobs.store(pieces(os.urandom(3 * MB)), limit=4 * MB)
    for _ in range(30):
        stream = await blobs.open_blob(blob.id)
        async for _chunk in stream:
            break
        await stream.aclose()


async def test_the_row_tells_the_true_type() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "x")
    blob = await blobs.store(pieces(packed.getvalue()), limit=MB)
    assert blob.media_type == "application/zip"


def _office(name: str, content: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


SIGNED = bytes.fromhex("3082010006092a864886f70d010702a081f0") + bytes(64)
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0", "image/jpeg"),
        (b"II*\0\x08\0\0\0" + bytes(20), "image/tiff"),
        (b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0" + bytes(24), "image/webp"),
        (SIGNED, "application/pkcs7-signature"),
        (base64.b64encode(SIGNED), "application/pkcs7-signature"),
        ("Приказ № 5 о назначении".encode(), "text/plain"),
        ("Приказ о назначении председателя".encode("cp1251"), "text/plain"),
        ('<?xml version="1.0" encoding="windows-1251"?><а/>'.encode("cp1251"), "application/xml"),
        ('\ufeff<?xml version="1.0"?><a/>'.encode(), "application/xml"),
        (_office("[Content_Types].xml", "x wordprocessingml.document.main+xml"), WORD),
        (_office("a.txt", "x"), "application/zip"),
        (bytes.fromhex("f9d1a5f3807b02e6") * 9, "application/octet-stream"),
    ],
)
def test_the_true_type(head: bytes, kind: str) -> None:
    assert media_type.detect(head) == kind
