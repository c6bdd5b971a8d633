"""Stored bytes read anew: objects lost and swapped behind our back in the real store."""

import os
import uuid
from datetime import timedelta

import pytest

from core import clock, db
from docflow.documents.longevity import alarm, due, fixity
from notify import notices
from storage import blobs, destroying, s3
from storage import fixity as stored_bytes
from tests import ground, people

pytestmark = pytest.mark.slow

MB = 1024 * 1024


async def stored(number: int, size: int = 100_000) -> list[blobs.StoredBlob]:
    return [
        await blobs.store(people.stream(os.urandom(size)), limit=20 * MB) for _ in range(number)
    ]


async def a_document_with(blob: blobs.StoredBlob) -> uuid.UUID:
    actor = await people.clerk_of(await ground.an_organization("union"))
    (document_id,) = await ground.signed_documents(actor, 1)
    bare = await db.value("SELECT blob_id FROM document_file WHERE document_id = $1", document_id)
    await db.execute(
        "UPDATE document_file SET blob_id = $2 WHERE document_id = $1", document_id, blob.id
    )
    await db.execute("DELETE FROM blob WHERE id = $1", bare)  # the ground's has no bytes
    return document_id


async def told(document_id: uuid.UUID) -> list[tuple[str, str | None]]:
    found = await db.rows(
        """SELECT verb, data FROM event
           WHERE document_id = $1 AND verb LIKE 'file.fixity%' ORDER BY id""",
        document_id,
    )
    return [(row["verb"], row["data"]["damage"]) for row in found]


async def problems(document_id: uuid.UUID) -> list[str]:
    return list(
        await db.value("SELECT problems FROM document_file WHERE document_id = $1", document_id)
    )


async def test_what_was_destroyed_since_its_row_was_read_is_not_damaged(database) -> None:
    (blob,) = await stored(1)
    assert len(await blobs.read(blob, limit=MB)) == blob.size
    async with db.transaction():
        keys = await destroying.condemn([blob.id])
    await destroying.remove(keys)
    with pytest.raises(destroying.ContentDestroyed):
        await blobs.read(blob, limit=MB)
    row = await db.row("SELECT * FROM blob WHERE id = $1", blob.id)
    assert row is not None
    with pytest.raises(destroying.ContentDestroyed):
        await blobs.read(blobs.of_row(row), limit=MB)
    assert await stored_bytes.examine(blob.id) is None


async def test_whole_bytes_are_read_and_dated(database) -> None:
    found = await stored(3, size=6 * MB)
    assert await fixity.check_stored() == (3, 0)
    rows = await db.rows("SELECT * FROM blob")
    assert {row["id"] for row in rows} == {one.id for one in found}
    assert all(row["fixity_checked_at"] == row["fixity_tried_at"] for row in rows)


async def test_a_lost_and_a_swapped_object_are_found_told_and_listed(database) -> None:
    good, lost, swapped, cut = await stored(4)
    documents = [await a_document_with(blob) for blob in (lost, swapped, cut)]
    await s3.off_loop(s3.remove, [lost.key])
    await s3.off_loop(s3.put, swapped.key, os.urandom(swapped.size))
    await s3.off_loop(s3.put, cut.key, b"shorter")
    assert await fixity.check_stored() == (4, 3)
    for document_id, damage in zip(documents, ("lost", "changed", "changed"), strict=True):
        assert await told(document_id) == [("file.fixity_failed", damage)]
        assert await problems(document_id) == ["fixity_failed"]
    listed = await due.listed(reason="damaged")
    assert {one["id"]: one["note"] for one in listed} == {
        lost.id: "lost", swapped.id: "changed", cut.id: "changed",
    }  # fmt: skip
    assert {one["document_id"] for one in listed} == set(documents)
    assert 'docflow_longevity_due{reason="damaged"} 3' in await due.metrics()
    undamaged = await db.row("SELECT * FROM blob WHERE id = $1", good.id)
    assert undamaged is not None
    assert undamaged["fixity_checked_at"] is not None
    # found again, it is no second event
    assert await fixity.check_stored() == (4, 3)
    assert len(await told(documents[0])) == 1


async def test_one_flipped_bit_is_found(database) -> None:
    data = bytearray(os.urandom(7 * MB))
    blob = await blobs.store(people.stream(bytes(data)), limit=20 * MB)
    data[5_000_000] ^= 1
    await s3.off_loop(s3.put, blob.key, data)
    assert await fixity.check_stored() == (1, 1)


async def test_what_is_healed_is_told_too(database) -> None:
    data = os.urandom(1000)
    blob = await blobs.store(people.stream(data), limit=MB)
    document_id = await a_document_with(blob)
    await s3.off_loop(s3.remove, [blob.key])
    await fixity.check_stored()
    await blobs.store(people.stream(data), limit=MB)
    assert await fixity.check_stored() == (1, 0)
    assert [verb for verb, _ in await told(document_id)] == [
        "file.fixity_failed", "file.fixity_restored",
    ]  # fmt: skip
    assert await problems(document_id) == []
    assert await due.listed(reason="damaged") == []


async def test_a_budget_is_kept_and_the_oldest_come_first(database) -> None:
    found = {one.id for one in await stored(5)}
    read: list[set[uuid.UUID]] = []
    for hour in range(3):
        with clock.frozen(clock.now() + timedelta(hours=hour)):
            assert (await fixity.check_stored(budget=150_000))[0] == 2
            rows = await db.rows("SELECT id FROM blob WHERE fixity_tried_at = $1", clock.now())
            read.append({row["id"] for row in rows})
    assert len(read[0] | read[1]) == 4
    assert read[0] | read[1] | read[2] == found
    assert len(read[2] & read[0]) == 1, "then the oldest once more"


async def test_a_damaged_one_does_not_take_the_turn_of_others(database) -> None:
    first, second = await stored(2)
    await s3.off_loop(s3.remove, [first.key])
    assert await fixity.check_stored(budget=1) == (1, 1)
    assert await fixity.check_stored(budget=1) == (1, 0)
    assert (await blobs.stat(second.id)).id == second.id


async def test_bytes_unread_for_long_are_due(database) -> None:
    await stored(2)
    with clock.frozen(clock.now() + timedelta(days=200)):
        (one,) = [one for one in await due.counts() if one.reason == "unread"]
        assert one.number == 2


async def test_the_center_is_told_once_a_day(database) -> None:
    center = await ground.an_organization("center")
    (blob,) = await stored(1)
    assert await alarm.tell() == 0
    await s3.off_loop(s3.remove, [blob.key])
    await fixity.check_stored()
    assert await alarm.tell() == 1
    assert await alarm.tell() == 0
    with clock.frozen(clock.now() + timedelta(days=1)):
        assert await alarm.tell() == 1
    admin = await people.clerk_of(center, "administrator")
    told = await notices.unread(admin)
    assert len(told) == 2
    assert "Повреждённых файлов: 1." in told[0].text_ru
