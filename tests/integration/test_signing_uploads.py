"""Signatures made elsewhere: every wrapping they come in, kept as they came, each signer told."""

import base64
import uuid
from typing import Any

import pytest
from asn1crypto import cms as asn1

from core import db
from core.actor import Actor
from core.errors import ServiceError
from docflow.documents import cards, checking, files, signed, signing_uploads
from signatures import cms
from signatures.authority import Issued, Subject
from storage import blobs
from tests import ground, people

pytestmark = pytest.mark.slow


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


async def a_signer(name: str = "Смирнов Пётр Ильич") -> Issued:
    authority = await people.trusted_authority()
    return authority.issue(Subject(name))


async def a_draft(actor: Actor) -> tuple[uuid.UUID, db.Row]:
    document_id = await cards.create(actor, card=cards.CardInput(kind="circular", title="О"))
    await files.attach(
        actor, document_id, stream=people.stream(await people.a_letter()), file_name="a.pdf"
    )
    (file,) = await files.current_files(document_id)
    return document_id, file


def over(file: db.Row, *signers: Issued) -> bytes:
    """A detached CMS by one signer, or by several in one file."""
    digest = bytes.fromhex(file["sha256"])
    made = [asn1.ContentInfo.load(cms.sign_detached(digest=digest, key=one.key()))
            for one in signers]  # fmt: skip
    whole = made[0]["content"]
    whole["signer_infos"] = [one["content"]["signer_infos"][0] for one in made]
    every = {choice.chosen.dump(): choice for one in made
             for choice in one["content"]["certificates"]}  # fmt: skip
    whole["certificates"] = list(every.values())
    return bytes(asn1.ContentInfo({"content_type": "signed_data", "content": whole}).dump())


def lines(der: bytes, end: str = "\n") -> str:
    text = base64.b64encode(der).decode()
    return end.join(text[place : place + 64] for place in range(0, len(text), 64)) + end


def pem(der: bytes, label: str = "CMS", end: str = "\n") -> str:
    return f"-----BEGIN {label}-----{end}{lines(der, end)}-----END {label}-----{end}"


WRAPPINGS: dict[str, Any] = {
    "der": lambda der: der,
    "base64": lambda der: base64.b64encode(der),
    "base64 in lines": lambda der: lines(der).encode(),
    "base64, CRLF": lambda der: lines(der, "\r\n").encode(),
    "base64 with BOM": lambda der: b"\xef\xbb\xbf" + base64.b64encode(der),
    "base64 without padding": lambda der: base64.b64encode(der).rstrip(b"="),
    "PEM": lambda der: pem(der).encode(),
    "PEM PKCS7, CRLF": lambda der: pem(der, "PKCS7", "\r\n").encode(),
    "PEM with BOM": lambda der: b"\xef\xbb\xbf" + pem(der).encode(),
    "UTF-16 LE with BOM": lambda der: b"\xff\xfe" + lines(der, "\r\n").encode("utf-16-le"),
    "UTF-16 BE with BOM": lambda der: b"\xfe\xff" + lines(der, "\r\n").encode("utf-16-be"),
    "UTF-16 LE": lambda der: pem(der).encode("utf-16-le"),
    "UTF-16 BE": lambda der: base64.b64encode(der).decode().encode("utf-16-be"),
}


async def test_every_wrapping_is_read_and_kept_as_it_came(clerk: Actor) -> None:
    document_id, file = await a_draft(clerk)
    annexes = []
    for place, name in enumerate(WRAPPINGS, start=1):
        annexes.append((name, await files.attach(
            clerk, document_id, stream=people.stream(f"a;b\n{place};2\n".encode()),
            file_name="t.csv", role="annex", position=place,
        )))  # fmt: skip
    signer = await a_signer()
    for name, annex_id in annexes:
        annex = await db.row("SELECT *, encode(sha256, 'hex') AS sha256 FROM document_file"
                             " WHERE id = $1", annex_id)  # fmt: skip
        assert annex is not None
        sent = WRAPPINGS[name](over(annex, signer))
        (entered,) = await signing_uploads.bring_all(
            clerk, document_id, file_id=annex_id, signature=sent
        )
        assert entered["verdict"] == "valid", (name, entered["report"]["reasons"])
        kept = await db.value("SELECT blob_id FROM signature WHERE id = $1", entered["id"])
        assert await blobs.read(kept, limit=1 << 22) == sent, name
    sent = WRAPPINGS["UTF-16 LE with BOM"](over(file, signer))
    await signing_uploads.bring_all(clerk, document_id, file_id=None, signature=sent)
    check = await checking.check_document(document_id)
    assert (check.verdict, check.signatures) == ("valid", len(WRAPPINGS) + 1), "read again as kept"


async def test_several_signers_in_one_file_are_each_reported(clerk: Actor) -> None:
    document_id, file = await a_draft(clerk)
    made = over(file, await a_signer("Смирнов П. И."), await a_signer("Иванова А. С."))
    entered = await signing_uploads.bring_all(
        clerk, document_id, file_id=file["id"], signature=made
    )
    assert sorted(one["signer"] for one in entered) == ["Иванова А. С.", "Смирнов П. И."]
    assert {one["verdict"] for one in entered} == {"valid"}
    assert len(await signed.signatures_of(document_id)) == 2


async def test_the_same_file_twice_is_one_signature(clerk: Actor) -> None:
    document_id, _ = await a_draft(clerk)
    annex_id = await files.attach(
        clerk, document_id, stream=people.stream(b"a;b\n1;2\n"), file_name="t.csv", role="annex",
        position=1,
    )  # fmt: skip
    annex = next(one for one in await files.current_files(document_id) if one["id"] == annex_id)
    made = over(annex, await a_signer())
    answers = [
        await signing_uploads.bring_all(clerk, document_id, file_id=annex_id, signature=made)
        for _ in range(2)
    ]
    assert answers[0][0]["id"] == answers[1][0]["id"]
    assert len(await signed.signatures_of(document_id)) == 1


async def test_one_bad_signer_refuses_the_file_and_is_named(clerk: Actor) -> None:
    document_id, file = await a_draft(clerk)
    good, bad = await a_signer(), await a_signer("Петров")
    other = {**file, "sha256": "07" * 32}
    whole = asn1.ContentInfo.load(over(file, good, bad))
    wrong = asn1.ContentInfo.load(over(other, bad))["content"]["signer_infos"][0]
    whole["content"]["signer_infos"] = [whole["content"]["signer_infos"][0], wrong]
    with pytest.raises(ServiceError) as refused:
        await signing_uploads.bring_all(
            clerk, document_id, file_id=None, signature=whole.dump(force=True)
        )
    assert refused.value.error_code == "signature_invalid"
    assert [one.split(",")[0] for one in refused.value.details["signers"]] in (
        ["1: valid", "2: invalid"], ["1: invalid", "2: valid"],
    )  # fmt: skip
    assert await signed.signatures_of(document_id) == []


async def test_what_is_no_detached_signature(clerk: Actor) -> None:
    document_id, file = await a_draft(clerk)
    signer = await a_signer()
    attached = asn1.ContentInfo.load(over(file, signer))
    attached["content"]["encap_content_info"] = {"content_type": "data", "content": b"inside"}
    for content, code in (
        (b"", "signature_unreadable"),
        (b"%PDF-1.7 not a signature", "signature_unreadable"),
        (b"\x30\x80\x00\x00", "signature_unreadable"),
        (b"\xff\xfe\x00", "signature_unreadable"),
        (signer.der, "signature_unreadable"),
        (b"\x30" * 100_000, "signature_unreadable"),
        (over(file, signer)[:-40], "signature_unreadable"),
        (attached.dump(force=True), "signature_attached"),
        (b"\x30\x84\x00\x20\x00\x00" + b"\x00" * (2 << 20), "signature_unreadable"),
        (b"A" * (4 << 20), "signature_too_large"),
    ):
        with pytest.raises(ServiceError) as refused:
            await signing_uploads.bring_all(
                clerk, document_id, file_id=file["id"], signature=content
            )
        assert refused.value.error_code == code, content[:20]
    assert await signed.signatures_of(document_id) == []


async def test_uploaded_over_http_as_a_form_and_as_json(clerk: Actor) -> None:
    document_id, file = await a_draft(clerk)
    annex_id = await files.attach(
        clerk, document_id, stream=people.stream(b"a;b\n1;2\n"), file_name="t.csv", role="annex",
        position=1,
    )  # fmt: skip
    annex = next(one for one in await files.current_files(document_id) if one["id"] == annex_id)
    signer = await a_signer()
    at = f"/api/v1/documents/{document_id}/signatures"
    async with ground.api(clerk) as client:
        told = await client.post(
            at, files={"file": ("t.csv.p7s", pem(over(annex, signer)).encode())},
            data={"file_id": str(annex_id), "role": "certifying"},
        )  # fmt: skip
        assert told.status_code == 201, told.text
        (one,) = told.json()["signatures"]
        assert (one["verdict"], one["role"], one["file_id"]) == (
            "valid", "certifying", str(annex_id),
        )  # fmt: skip
        assert one["report"]["signer"] == "Смирнов Пётр Ильич"
        for more, code in (
            ({"data": {"file_id": str(annex_id)}}, "malformed_request"),
            ({"files": {"file": ("a.sig", b"")}}, "signature_unreadable"),
            ({"files": {"other": ("a.sig", b"x")}}, "signature_file_missing"),
            ({"files": {"file": ("a.sig", b"x")}, "data": {"role": "royal"}}, "malformed_request"),
            ({"files": {"file": ("a.sig", b"x")}, "data": {"file_id": "x"}}, "malformed_request"),
            ({"content": b"{", "headers": {"content-type": "application/json"}},
             "malformed_request"),
        ):  # fmt: skip
            refused = await client.post(at, **more)
            assert (refused.status_code < 500, refused.json()["code"]) == (True, code), more
        # An upload says nothing of who holds the key; the organization's own is known.
        own = await people.give_key(clerk.home_id)
        whole = base64.b64encode(over(file, own)).decode()
        told = await client.post(at, json={"signature": whole})
        assert told.status_code == 201, told.text
        assert (await client.get(f"/api/v1/documents/{document_id}")).json()["status"] == "signed"
