"""Ten thousand documents under one token, and what their renewals cost."""

import secrets
import time
from collections.abc import Iterator

import pytest
from test_longevity import trusted

from core import clock, db
from core.actor import RULE
from docflow.documents.longevity import due, records, renewal, stamping
from signatures import algorithm_lives
from tests import ground, people
from tests.stamping_places import BEGIN, StampingPlace, years

pytestmark = pytest.mark.slow

NUMBER = 10_000


@pytest.fixture
def watch() -> Iterator[list[str]]:
    lines: list[str] = []
    yield lines
    print("\n" + "\n".join(lines))  # noqa: T201 - the figures are the point


async def ten_thousand() -> None:
    """Documents with a signed file each; digests stand for bytes, which nothing here reads."""
    actor = await people.clerk_of(await ground.an_organization("union"))
    ids = await ground.signed_documents(actor, NUMBER)
    blobs = [clock.new_id() for _ in ids]
    await db.execute(
        """INSERT INTO blob (id, sha256, size, media_type, key, created_at)
           SELECT t.id, t.sha256, 300000, 'application/pdf', t.id::text, $3
           FROM unnest($1::uuid[], $2::bytea[]) AS t (id, sha256)""",
        blobs, [secrets.token_bytes(32) for _ in blobs], clock.now(),
    )  # fmt: skip
    await db.execute(
        """UPDATE document_file AS f SET blob_id = t.blob FROM
           unnest($1::uuid[], $2::uuid[]) AS t (document, blob) WHERE f.document_id = t.document""",
        ids, blobs,
    )  # fmt: skip
    await db.execute(
        """INSERT INTO signature (id, document_id, file_id, form, role, signer,
               certificate_sha256, verdict, report, checked_at)
           SELECT uuidv7(), f.document_id, f.id, 'pades', 'approving', 'x', '', 'valid', '{}', $2
           FROM document_file AS f WHERE f.document_id = ANY($1::uuid[])""",
        ids, clock.now(),
    )  # fmt: skip


async def _size() -> int:
    return int(
        await db.value(
            """SELECT sum(pg_total_relation_size(name::regclass)) FROM
               unnest(ARRAY['archive_stamp', 'archive_stamp_entry', 'evidence_material']) AS name"""
        )
    )


@pytest.mark.slow
async def test_ten_thousand_documents_under_one_token(database, watch: list[str]) -> None:
    place = StampingPlace()
    with clock.frozen(BEGIN):
        await algorithm_lives.set_life(
            RULE, "secp256r1", ends_at=None, tree_rank=None, source="Test"
        )
        place.new_key()
        await trusted(place)
        await ten_thousand()
        before = await _size()
        began = time.perf_counter()
        assert await stamping.stamp_received(stamp=place.stamp) == NUMBER
        took, grew = time.perf_counter() - began, await _size() - before
        assert place.calls == 1
        watch.append(f"receipt: {NUMBER} files, 1 token, {took:.2f} s, {grew / NUMBER:.0f} B each")
        assert grew / NUMBER < 1500
    for passed in (2.9, 5.7):
        with clock.frozen(BEGIN + years(passed)):
            place.new_key()
            await trusted(place)
            before, began = await _size(), time.perf_counter()
            assert await renewal.renew_stamps(stamp=place.stamp) == 1
            took = time.perf_counter() - began
            grew = await _size() - before
            watch.append(f"renewal: {took:.3f} s, {grew} B for all")
    began = time.perf_counter()
    await due.counts()
    watch.append(f"what is due: {time.perf_counter() - began:.3f} s")
    blob_id = await db.value("SELECT blob_id FROM archive_stamp_entry WHERE chain = 0 LIMIT 1")
    record = await records.record_of(blob_id)
    assert record is not None
    watch.append(f"one exported record after two renewals: {len(record)} B")
    assert len(record) < 10_000
