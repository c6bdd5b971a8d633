"""What a signing session says, and each answer it does not take, over HTTP with stable codes."""

import base64
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from asn1crypto import cms as asn1

from core import clock, db
from core.actor import Actor
from docflow.documents import cards, files
from signatures import anchors, cms
from signatures.authority import Issued, Subject, create_authority, trust_of
from tests import gost_pki, ground, people


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


async def a_signer(name: str = "Смирнов Пётр Ильич", **more: Any) -> Issued:
    return (await people.trusted_authority()).issue(Subject(name, **more))


async def a_draft(actor: Actor) -> str:
    document_id = await cards.create(actor, card=cards.CardInput(kind="circular", title="О сборе"))
    await files.attach(
        actor, document_id, stream=people.stream(await people.a_letter()), file_name="a.pdf"
    )
    return str(document_id)


async def begun(
    client: httpx.AsyncClient, document_id: str, der: bytes, **more: Any
) -> httpx.Response:
    return await client.post(
        f"/api/v1/documents/{document_id}/signing-sessions",
        json={"certificate_base64": base64.encodebytes(der).decode(), **more},
    )


async def answered(client: httpx.AsyncClient, session: str, made: bytes) -> httpx.Response:
    return await client.post(
        f"/api/v1/signing-sessions/{session}/signature",
        json={"cms_base64": base64.encodebytes(made).decode()},
    )


def over(told: dict[str, Any], signer: Issued) -> bytes:
    return cms.sign_detached(digest=bytes.fromhex(told["hash_hex"]), key=signer.key())


async def test_what_a_session_tells_and_gives(clerk: Actor) -> None:
    document_id, signer = await a_draft(clerk), await a_signer()
    async with ground.api(clerk) as client:
        for form in ("pades", "cades"):
            told = (await begun(client, document_id, signer.der, form=form)).json()
            assert (told["form"], told["hash_algorithm"], told["pages"]) == (form, "sha256", 1)
            assert (told["title"], told["file_name"], told["revision"]) == ("О сборе", "a.pdf", 1)
            assert (told["document_version"], told["status"]) == (1, "open")
            assert told["warnings"] == []
            content = (await client.get(told["download_url"])).content
            if form == "cades":
                assert len(content) == told["size"]
                assert told["hash_hex"] == told["sha256"]
            else:
                assert len(content) > told["size"]
        shown = await client.get(f"/api/v1/signing-sessions/{told['id']}")
        assert shown.json() == told
        done = await answered(client, told["id"], over(told, signer))
        assert done.status_code == 201, done.text
        (report,) = done.json()["signatures"]
        assert (report["verdict"], report["signer"]) == ("valid", "Смирнов Пётр Ильич")
        shown = await client.get(f"/api/v1/signing-sessions/{told['id']}")
        assert shown.json()["status"] == "finished"


async def test_every_wrong_answer_has_its_code(clerk: Actor) -> None:
    document_id, signer, other = await a_draft(clerk), await a_signer(), await a_signer("Петров")
    async with ground.api(clerk) as client:
        told = (await begun(client, document_id, signer.der)).json()
        good = over(told, signer)
        attached = asn1.ContentInfo.load(good)
        attached["content"]["encap_content_info"] = {"content_type": "data", "content": b"in"}
        two = asn1.ContentInfo.load(good)
        two["content"]["signer_infos"] = [two["content"]["signer_infos"][0]] * 2
        twice = asn1.ContentInfo.load(over(told, other))["content"]["signer_infos"][0]
        two["content"]["signer_infos"] = [two["content"]["signer_infos"][0], twice]
        bare = asn1.ContentInfo.load(good)
        bare["content"]["certificates"] = []
        for made, code in (
            (attached.dump(force=True), "signature_attached"),
            (two.dump(force=True), "signature_several"),
            (bare.dump(force=True), "signature_without_certificate"),
            (over(told, other), "certificate_changed"),
            (over({"hash_hex": told["sha256"]}, signer), "signature_of_other_bytes"),
            (good[:-2] + bytes([good[-2] ^ 1, good[-1]]), "signature_does_not_fit"),
            (good[:200], "signature_unreadable"),
            (b"garbage" * 200, "signature_unreadable"),
        ):
            refused = await answered(client, told["id"], made)
            assert refused.json()["code"] == code, refused.text
            assert refused.status_code == 422
        empty = await client.post(f"/api/v1/signing-sessions/{told['id']}/signature", json={})
        assert empty.json()["code"] == "signature_unreadable"
        assert await db.value("SELECT count(*) FROM signature") == 0
        assert (await answered(client, told["id"], good)).status_code == 201
        again = await answered(client, told["id"], good)
        assert (again.status_code, again.json()["code"]) == (409, "session_over")


async def test_whose_session_it_is_and_when_it_ends(clerk: Actor) -> None:
    document_id, signer = await a_draft(clerk), await a_signer()
    async with ground.api(clerk) as client:
        first = (await begun(client, document_id, signer.der)).json()
        second = (await begun(client, document_id, signer.der)).json()
        async with ground.api(await people.clerk_of(clerk.home_id)) as colleague:
            for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
                at = f"/api/v1/signing-sessions/{first['id']}{path}"
                assert (await colleague.request(method, at)).status_code == 404
            assert (await answered(colleague, first["id"], over(first, signer))).status_code == 404
        crossed = await answered(client, second["id"], over(first, signer))
        assert crossed.json()["code"] in ("signature_of_other_bytes", "file_changed")
        gone = await client.delete(f"/api/v1/signing-sessions/{first['id']}")
        assert gone.status_code == 204
        late = await answered(client, first["id"], over(first, signer))
        assert (late.status_code, late.json()["code"]) == (409, "session_over")
        await db.execute(
            "UPDATE signing_session SET expires_at = $1", clock.now() - timedelta(minutes=1)
        )
        late = await answered(client, second["id"], over(second, signer))
        assert late.json()["code"] == "session_over"
        shown = await client.get(f"/api/v1/signing-sessions/{second['id']}")
        assert shown.json()["status"] == "expired"
        third = (await begun(client, document_id, signer.der)).json()
        await files.attach(
            clerk, uuid.UUID(document_id), file_name="b.pdf",
            stream=people.stream(await people.a_letter("Иное")),
        )  # fmt: skip
        changed = await answered(client, third["id"], over(third, signer))
        assert (changed.status_code, changed.json()["code"]) == (409, "file_changed")


async def test_certificates_are_judged_before_the_key_is_touched(clerk: Actor) -> None:
    document_id = await a_draft(clerk)
    await db.execute(
        "UPDATE organization SET inn = '7707083893', ogrn = '1027700132195' WHERE id = $1",
        clerk.home_id,
    )
    revoking = create_authority("Revoking authority")
    revoked = revoking.issue(Subject("Смирнов"))
    crl = revoking.crl(revoked=[(revoked.certificate, clock.now() - timedelta(days=1))])
    await people.trusted_authority()
    await anchors.add(people.RULE, trust_of(revoking, crls=[crl]), is_test=True)
    stranger = create_authority("Nobody's").issue(Subject("Смирнов"))
    foreign = await a_signer(ogrn="1027700000000")
    older = await a_signer(inn="007700000000")
    doubted = await a_signer(surname="Смирнов", inn_le="7707083893", ogrn="1027700132195")
    private = await a_signer(inn="770708389312")
    async with ground.api(clerk) as client:
        for der, code in (
            (revoked.der, "certificate_revoked"),
            (foreign.der, "certificate_of_other_organization"),
            (older.der, "certificate_of_other_organization"),
            (b"abc", "certificate_unreadable"),
            (b"", "certificate_missing"),
        ):
            assert (await begun(client, document_id, der)).json()["code"] == code
        assert await db.value("SELECT count(*) FROM signing_session") == 0
        for der, codes in (
            (stranger.der, ["certificate_untrusted"]),
            (doubted.der, ["certificate_name_differs"]),
            (private.der, []),
        ):
            told = (await begun(client, document_id, der)).json()
            assert [one["code"] for one in told["warnings"]] == codes
        await db.execute("UPDATE document_file SET size = 70000000")
        refused = await begun(client, document_id, private.der, form="pades")
        assert refused.json()["code"] == "form_not_possible"


@pytest.mark.parametrize("parameters", ["256-A", "512-C"])
@pytest.mark.parametrize("form", ["pades", "cades"])
async def test_gost_key_gets_streebog(clerk: Actor, parameters: str, form: str) -> None:
    world = gost_pki.gost_world()
    await anchors.add(people.RULE, world.trust, is_test=True)
    signer, document_id = world.signers[parameters], await a_draft(clerk)
    async with ground.api(clerk) as client:
        told = (await begun(client, document_id, signer.der, form=form)).json()
        assert told["hash_algorithm"] == f"streebog{parameters[:3]}"
        assert len(told["hash_hex"]) * 4 == int(parameters[:3])
        value = world.authority.sign_raw(base64.b64decode(told["attributes"]), signer)
        done = await client.post(
            f"/api/v1/signing-sessions/{told['id']}/signature",
            json={"signature": base64.b64encode(value).decode()},
        )
        assert done.status_code == 201, done.text
        (report,) = done.json()["signatures"]
    assert (report["verdict"], report["form"]) == ("valid", form), report["report"]["reasons"]
