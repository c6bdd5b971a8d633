"""Long life over HTTP: what is due, policy, export of evidence records, metrics."""

import base64
import hashlib

from test_longevity import receive, trusted

from core import clock, db
from docflow.documents.longevity import stamping
from signatures import evidence_check
from storage import blobs
from tests import ground, people
from tests.stamping_places import StampingPlace


async def test_what_is_due_is_seen_by_the_center(database) -> None:
    place = StampingPlace()
    place.new_key()
    await trusted(place)
    await receive(2)
    admin = await people.clerk_of(await ground.an_organization("center"), "administrator")
    async with ground.api(admin) as client:
        answer = await client.get("/api/v1/longevity/due")
        assert answer.status_code == 200
        told = answer.json()
        assert told["has_authority"] is False
        (one,) = told["counts"]
        assert (one["reason"], one["number"]) == ("unstamped", 2)
        items = (await client.get("/api/v1/longevity/due/unstamped?limit=1")).json()
        assert len(items) == 1
        after = (await client.get(f"/api/v1/longevity/due/unstamped?after={items[0]['id']}")).json()
        assert [one["id"] for one in after] != [items[0]["id"]]
        assert len(after) == 1
        for reason in ("renewal", "overdue", "digest", "damaged", "unread", "revocation"):
            assert (await client.get(f"/api/v1/longevity/due/{reason}")).json() == []
        assert (await client.get("/api/v1/longevity/due/nothing")).status_code == 422
        metrics = (await client.get("/metrics")).text
        assert 'docflow_longevity_due{reason="unstamped"} 2' in metrics
        assert "docflow_longevity_authority 0" in metrics
        await db.execute(
            """INSERT INTO stamp_service (id, name, url, position, status, added_at, updated_at)
               VALUES ($1, 'TSA', 'https://tsa.example.org/', 0, 'active', $2, $2)""",
            clock.new_id(), clock.now(),
        )  # fmt: skip
        assert await stamping.stamp_received(stamp=place.stamp) == 2
        told = (await client.get("/api/v1/longevity/due")).json()
        assert told == {"has_authority": True, "counts": []}


async def test_others_do_not_see_the_whole_archive(database) -> None:
    admin = await people.clerk_of(await ground.an_organization("union"), "administrator")
    async with ground.api(admin) as client:
        answer = await client.get("/api/v1/longevity/due")
        assert (answer.status_code, answer.json()["code"]) == (403, "center_only")
    clerk = await people.clerk_of(await ground.an_organization("center"), "clerk")
    async with ground.api(clerk) as client:
        assert (await client.get("/api/v1/longevity/due")).status_code == 403


async def test_the_policy_is_set_with_its_source(database) -> None:
    admin = await people.clerk_of(await ground.an_organization("center"), "administrator")
    async with ground.api(admin) as client:
        wanted = {"ends_at": "2031-01-01T00:00:00Z", "source": "Приказ № 1", "tree_rank": 9}
        answer = await client.put("/api/v1/longevity/algorithms/streebog256", json=wanted)
        assert answer.status_code == 204
        found = {
            one["name"]: one for one in (await client.get("/api/v1/longevity/algorithms")).json()
        }
        assert found["streebog256"]["source"] == "Приказ № 1"
        assert found["streebog256"]["tree_rank"] == 9
        answer = await client.put("/api/v1/longevity/algorithms/rsa-2048", json=wanted)
        assert (answer.status_code, answer.json()["code"]) == (422, "algorithm_life")
        answer = await client.put("/api/v1/longevity/algorithms/sha256", json={"source": ""})
        assert answer.status_code == 422
    assert await db.value("SELECT count(*) FROM event WHERE verb = 'algorithm.life_set'") == 1


async def test_a_record_is_exported_and_checked(database) -> None:
    place = StampingPlace()
    place.new_key()
    await trusted(place)
    first, _ = await receive(1, detached=True)
    file = await db.row(
        """SELECT f.id, f.document_id, d.organization_id FROM document_file AS f
           JOIN document AS d ON d.id = f.document_id WHERE blob_id = $1""",
        first,
    )
    assert file is not None
    reader = await people.clerk_of(file["organization_id"])
    async with ground.api(reader) as client:
        address = f"/api/v1/files/{file['id']}/evidence-record"
        early = await client.get(address)
        assert (early.status_code, early.json()["code"]) == (404, "not_stamped")
        await stamping.stamp_received(stamp=place.stamp)
        answer = await client.get(address)
        assert answer.headers["content-disposition"].endswith('.er"')
        data = await blobs.read(first, limit=10**6)
        proof = evidence_check.check(
            answer.content, digest_of=lambda name: hashlib.new(name, data).digest(),
            trust=place.trust(), at=clock.now(),
        )  # fmt: skip
        assert proof.verdict == "valid"
        listed = (
            await client.get(f"/api/v1/documents/{file['document_id']}/evidence-records")
        ).json()
        assert {one["part"] for one in listed} == {"file", "signature"}
        assert all(one["proof"]["verdict"] == "valid" for one in listed)
        (whole,) = [one for one in listed if one["part"] == "file"]
        assert base64.b64decode(whole["record"]) == answer.content
    stranger = await people.clerk_of(await ground.an_organization("union"))
    async with ground.api(stranger) as client:
        assert (await client.get(address)).status_code == 404
        answer = await client.get(f"/api/v1/documents/{file['document_id']}/evidence-records")
        assert answer.status_code == 404
