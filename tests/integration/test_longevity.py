"""Receipt stamps, renewals over the years, what is due: real database and store."""

import hashlib
import uuid
from datetime import datetime, timedelta

import pytest

from core import clock, db
from core.actor import RULE
from core.errors import Unavailable
from docflow.documents import checking
from docflow.documents.longevity import due, proofs, records, renewal, stamping
from signatures import algorithm_lives, anchors, evidence_check
from signatures.authority import Subject, create_authority
from signatures.cms import sign_detached
from signatures.evidence_record import info_of
from signatures.trust import TrustStore
from storage import blobs, s3
from tests import ground, people
from tests.rfc4998 import openssl_holds, verify
from tests.stamping_places import BEGIN, StampingPlace, years

pytestmark = pytest.mark.slow


async def trusted(place: StampingPlace) -> None:
    """Let the installation trust the place, with its list of today."""
    await anchors.add(RULE, place.trust(), is_test=True)


async def a_signed_document(data: bytes, signature: bytes) -> uuid.UUID:
    """A document of one file with a detached signature, both in the store."""
    actor = await people.clerk_of(await ground.an_organization("union"))
    (document_id,) = await ground.signed_documents(actor, 1)
    blob = await blobs.store(people.stream(data), limit=10**6)
    own = await blobs.store(people.stream(signature), limit=10**6)
    file_id = await db.value(
        """UPDATE document_file SET blob_id = $2, sha256 = $3, size = $4
           WHERE document_id = $1 RETURNING id""",
        document_id, blob.id, bytes.fromhex(blob.sha256), blob.size,
    )  # fmt: skip
    await db.execute(
        """INSERT INTO signature (id, document_id, file_id, form, role, blob_id, signer,
               certificate_sha256, verdict, report, checked_at)
           VALUES ($1, $2, $3, 'cades', 'approving', $4, 'x', '', 'valid', '{}', $5)""",
        clock.new_id(), document_id, file_id, own.id, clock.now(),
    )  # fmt: skip
    return document_id


async def receive(number: int = 1, *, detached: bool = False) -> list[uuid.UUID]:
    """Signed files as they come in: real bytes, rows as the signing verbs write them."""
    union = await ground.an_organization("union")
    actor = await people.clerk_of(union)
    found = []
    for document_id in await ground.signed_documents(actor, number):
        data = uuid.uuid4().bytes * 100
        blob = await blobs.store(people.stream(data), limit=10_000)
        file_id = await db.value(
            """UPDATE document_file SET blob_id = $2, sha256 = $3, size = $4
               WHERE document_id = $1 RETURNING id""",
            document_id, blob.id, bytes.fromhex(blob.sha256), blob.size,
        )  # fmt: skip
        own = detached and (await blobs.store(people.stream(uuid.uuid4().bytes), limit=99)).id
        await db.execute(
            """INSERT INTO signature (id, document_id, file_id, form, role, blob_id, signer,
                   certificate_sha256, verdict, report, checked_at)
               VALUES ($1, $2, $3, $4, 'approving', $5, 'x', '', 'valid', '{}', $6)""",
            clock.new_id(), document_id, file_id, "cades" if detached else "pades", own or None,
            clock.now(),
        )  # fmt: skip
        found.append(blob.id)
        if own:
            found.append(own)
    return found


async def second_opinion(place: StampingPlace, blob_id: uuid.UUID, folder) -> int:
    """The second reader's count of stamps of a stored object."""
    record = await records.record_of(blob_id)
    data = await blobs.read(blob_id, limit=10**6)
    roots = folder / "roots.pem"
    roots.write_bytes(place.pem())

    def holds(token: bytes, root: bytes) -> bool:
        at: datetime = info_of(token)["gen_time"].native
        return openssl_holds(token, root, roots=roots, at=at, folder=folder)

    assert record is not None
    return verify(record, lambda name: hashlib.new(name, data).digest(), holds)


async def reasons() -> dict[str, int]:
    return {one.reason: one.number for one in await due.counts() if one.reason != "unread"}


async def test_all_that_came_goes_under_one_token(database, tmp_path) -> None:
    place = StampingPlace()
    with clock.frozen(BEGIN):
        place.new_key()
        await trusted(place)
        ids = await receive(5, detached=True)
        assert (await reasons())["unstamped"] == 5
        assert await stamping.stamp_received(stamp=place.stamp) == 10
        assert place.calls == 1
        assert "unstamped" not in await reasons()
        assert await stamping.stamp_received(stamp=place.stamp) == 0
        assert place.calls == 1
        for blob_id in ids:
            proof = await proofs.proof_of(blob_id)
            assert (proof["verdict"], proof["proven_at"]) == ("valid", BEGIN.isoformat())
            assert await second_opinion(place, blob_id, tmp_path) == 1
        event = await db.row("SELECT * FROM event WHERE verb = 'archive_stamp.receipt'")
        assert event is not None
        assert event["data"]["leaves"] == 10


async def test_an_authority_that_is_down_drops_nothing(database) -> None:
    place = StampingPlace()
    with clock.frozen(BEGIN):
        place.new_key()
        await trusted(place)
        await receive(3)

        async def down(digest: bytes, *, algorithm: str) -> bytes:
            raise Unavailable(code="timestamp_unavailable")

        with pytest.raises(Unavailable):
            await stamping.stamp_received(stamp=down)
    with clock.frozen(BEGIN + timedelta(hours=5)):
        (waiting,) = [one for one in await due.counts() if one.reason == "unstamped"]
        assert (waiting.number, waiting.since) == (3, BEGIN)
        await receive(2)
        assert await stamping.stamp_received(stamp=place.stamp) == 5
        assert "unstamped" not in await reasons()


async def test_a_stranger_s_token_is_not_taken(database) -> None:
    place, stranger = StampingPlace(), StampingPlace()
    with clock.frozen(BEGIN):
        stranger.new_key()
        await trusted(place)
        await receive(1)
        with pytest.raises(Unavailable, match="timestamp_untrusted"):
            await stamping.stamp_received(stamp=stranger.stamp)

        async def another(digest: bytes, *, algorithm: str) -> bytes:
            return place.token(hashlib.sha256(b"other").digest(), algorithm)

        place.new_key()
        with pytest.raises(Unavailable, match="timestamp_untrusted"):
            await stamping.stamp_received(stamp=another)

        async def rubbish(digest: bytes, *, algorithm: str) -> bytes:
            return b"\x30\x03\x02\x01\x01"

        with pytest.raises(Unavailable, match="timestamp_unavailable"):
            await stamping.stamp_received(stamp=rubbish)
        assert (await reasons())["unstamped"] == 1
        assert await db.value("SELECT count(*) FROM archive_stamp") == 0


async def a_renewal(place: StampingPlace, at: datetime) -> int:
    """A day of the archive: a new certificate, the list of the day, the job."""
    with clock.frozen(at):
        place.new_key()
        await trusted(place)
        return await renewal.renew_stamps(stamp=place.stamp)


async def test_fifteen_years_with_many_certificates_and_a_new_digest(database, tmp_path) -> None:
    place = StampingPlace()
    with clock.frozen(BEGIN):
        await algorithm_lives.set_life(
            RULE, "secp256r1", ends_at=None, tree_rank=None, source="Test"
        )
        place.new_key()
        await trusted(place)
        first = await receive(4)
        await stamping.stamp_received(stamp=place.stamp)
    with clock.frozen(BEGIN + timedelta(days=30)):
        await trusted(place)
        second = await receive(3)
        await stamping.stamp_received(stamp=place.stamp)
    with clock.frozen(BEGIN + years(1)):
        assert await renewal.renew_stamps(stamp=place.stamp) == 0
    # both stamps of the first certificate go under one token, then one follows the other
    assert await a_renewal(place, BEGIN + years(2.9)) == 2
    assert await a_renewal(place, BEGIN + years(5.7)) == 1
    place.digest = "sha512"
    with clock.frozen(BEGIN + years(7.3)):
        assert (await reasons())["digest"] == 7
        place.new_key()
        await trusted(place)
        assert await renewal.renew_trees(stamp=place.stamp) == 7
        assert await renewal.renew_trees(stamp=place.stamp) == 0
        assert "digest" not in await reasons()
    # the old chain ends here: only the new one is renewed
    assert await a_renewal(place, BEGIN + years(10.1)) == 1
    assert await a_renewal(place, BEGIN + years(12.9)) == 1
    with clock.frozen(BEGIN + years(15)):
        await trusted(place)
        for blob_id, since in ((first[0], BEGIN), (second[2], BEGIN + timedelta(days=30))):
            proof = await proofs.proof_of(blob_id)
            assert (proof["verdict"], proof["reasons"]) == ("valid", [])
            assert proof["proven_at"] == since.isoformat()
            assert await second_opinion(place, blob_id, tmp_path) == 6
        assert await reasons() == {}


async def test_a_skipped_renewal_is_overdue_and_the_verdict_says_so(database) -> None:
    place = StampingPlace()
    with clock.frozen(BEGIN):
        place.new_key()
        await trusted(place)
        (blob_id,) = await receive(1)
        await stamping.stamp_received(stamp=place.stamp)
    with clock.frozen(BEGIN + years(2.9)):
        assert await reasons() == {"renewal": 1}
    with clock.frozen(BEGIN + years(3.1)):
        place.new_key()
        await trusted(place)
        assert await reasons() == {"overdue": 1}
        assert await renewal.renew_stamps(stamp=place.stamp) == 0
        proof = await proofs.proof_of(blob_id)
        assert proof["verdict"] == "indeterminate"
        assert "evidence_renewal_missed" in [one["code"] for one in proof["reasons"]]
        assert proof["proven_at"] is None
        (item,) = await due.listed(reason="overdue")
        assert item["due_on"] < clock.now()


async def test_the_operator_s_policy_moves_the_dates(database) -> None:
    place = StampingPlace()
    with clock.frozen(BEGIN):
        place.new_key()
        await trusted(place)
        await receive(1)
        await stamping.stamp_received(stamp=place.stamp)
        await algorithm_lives.set_life(
            RULE, "secp256r1", ends_at=BEGIN + timedelta(days=100), tree_rank=None, source="Test"
        )
        await renewal.update_dates()
    with clock.frozen(BEGIN + timedelta(days=60)):
        assert await reasons() == {"renewal": 1}
    with clock.frozen(BEGIN + timedelta(days=101)):
        assert await reasons() == {"overdue": 1}


async def test_a_damaged_object_keeps_the_others_from_nothing(database) -> None:
    place = StampingPlace()
    with clock.frozen(BEGIN):
        place.new_key()
        await trusted(place)
        ids = await receive(3)
        await stamping.stamp_received(stamp=place.stamp)
    lost = await blobs.stat(ids[1])
    await s3.off_loop(s3.remove, [lost.key])
    place.digest = "sha512"
    with clock.frozen(BEGIN + years(7.3)):
        place.new_key()
        await trusted(place)
        assert await renewal.renew_trees(stamp=place.stamp) == 2
        assert (await reasons())["digest"] == 1


async def test_a_proof_is_made_again_from_its_export_alone(database) -> None:
    """The exported record, the bytes and the trust of the day: no database."""
    place = StampingPlace()
    with clock.frozen(BEGIN):
        place.new_key()
        await trusted(place)
        (blob_id,) = await receive(1)
        await stamping.stamp_received(stamp=place.stamp)
    await a_renewal(place, BEGIN + years(2.9))
    record = await records.record_of(blob_id)
    data = await blobs.read(blob_id, limit=10**6)
    with clock.frozen(BEGIN + years(4)):
        proof = evidence_check.check(
            record or b"", digest_of=lambda name: hashlib.new(name, data).digest(),
            trust=place.trust(), at=clock.now(),
        )  # fmt: skip
        assert proof.proven_at == BEGIN


async def test_a_stored_signature_outlives_its_certificate(database) -> None:
    """63-FZ article 11: valid at a moment that is reliably proved, and so valid for ever."""
    place, data = StampingPlace(), b"a letter of the union" * 100
    with clock.frozen(BEGIN):
        place.new_key()
        root = create_authority("Signers", not_after=BEGIN + years(20))
        leaf = root.issue(Subject("Signer"), not_before=BEGIN, not_after=BEGIN + years(1))
        made = sign_detached(digest=hashlib.sha256(data).digest(), key=leaf.key())
        crl = root.crl(this_update=BEGIN + timedelta(days=300), next_update=BEGIN + years(3))
        own = place.trust()
        await anchors.add(
            RULE, TrustStore(roots=(root.der, *own.roots), crls=(crl, *own.crls)), is_test=True
        )
        document_id = await a_signed_document(data, made)
    with clock.frozen(BEGIN + years(2)):
        before = await checking.check_document(document_id)
        assert (before.verdict, before.reasons) == ("indeterminate", ("certificate_expired",))
    with clock.frozen(BEGIN + timedelta(minutes=1)):
        await stamping.stamp_received(stamp=place.stamp)
    with clock.frozen(BEGIN + years(2)):
        await trusted(place)
        after = await checking.check_document(document_id)
        assert (after.verdict, after.reasons) == ("valid", ())
        assert "evidence_record" in {one["kind"] for one in after.raw["inputs"]}
    with clock.frozen(BEGIN + years(4)):  # nobody renewed the stamp
        await trusted(place)
        late = await checking.check_document(document_id)
        assert late.verdict == "indeterminate"
        assert "evidence_renewal_missed" in late.reasons


async def test_a_chain_that_goes_on_for_others_does_not_change_a_renewed_tree(database) -> None:
    """One of two cannot be read for the new digest; what keeps it alive must not harm the other."""
    place = StampingPlace(digest="sha512")
    with clock.frozen(BEGIN):
        place.new_key()
        await trusted(place)
        good, lost = await receive(2)
        await stamping.stamp_received(stamp=place.stamp)
        await algorithm_lives.set_life(
            RULE, "sha256", ends_at=BEGIN + years(4), tree_rank=1, source="Test"
        )
    bytes_of_lost = await blobs.read(lost, limit=10**6)
    blob = await blobs.stat(lost)
    await s3.off_loop(s3.remove, [blob.key])
    with clock.frozen(BEGIN + years(2.5)):
        await trusted(place)
        assert await renewal.renew_trees(stamp=place.stamp) == 1
    assert await a_renewal(place, BEGIN + years(2.9)) == 2
    await s3.off_loop(s3.put, blob.key, bytes_of_lost)
    with clock.frozen(BEGIN + years(3)):
        await trusted(place)
        for blob_id, lengths in ((good, [1, 2]), (lost, [2])):
            gathered = await records.gather(blob_id)
            assert gathered is not None
            assert [len(chain) for chain in gathered.chains] == lengths
            proof = await proofs.proof_of(blob_id)
            assert (proof["verdict"], proof["proven_at"]) == ("valid", BEGIN.isoformat())
        # found again, it follows
        assert await renewal.renew_trees(stamp=place.stamp) == 1
        assert (await proofs.proof_of(lost))["verdict"] == "valid"
        assert "digest" not in await reasons()
