"""Signing with a key the client holds, in two requests; and with one that stays on a token."""

import base64
import dataclasses
import os
import shutil
import subprocess
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, ServiceError
from docflow.documents import cards, files, registration, signed, signing, visibility
from signatures import cms, vault
from signatures.authority import Issued, Subject
from storage import blobs
from tests import ground, people

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


@pytest.fixture
async def person(database: str) -> Issued:
    """A signatory's certificate; the key never leaves the test, which plays the client."""
    authority = await people.trusted_authority()
    return authority.issue(Subject("Смирнов Пётр Ильич", title="Председатель"))


async def a_draft(actor: Actor, *, kind: str = "circular") -> uuid.UUID:
    document_id = await cards.create(actor, card=cards.CardInput(kind=kind, title="О совещании"))
    await files.attach(
        actor, document_id, stream=people.stream(await people.a_letter()), file_name="a.pdf"
    )
    return document_id


async def an_annex(actor: Actor, document_id: uuid.UUID, content: bytes = b"a;b\n1;2\n") -> Any:
    return await files.attach(
        actor, document_id, stream=people.stream(content), file_name="t.csv", role="annex",
        position=1,
    )  # fmt: skip


def raw(person: Issued, attributes: bytes) -> bytes:
    return bytes(person.private.sign(attributes, ec.ECDSA(hashes.SHA256())))


async def begun(actor: Actor, document_id: uuid.UUID, person: Issued, **more: Any) -> Any:
    return await signing.begin(
        actor, document_id, certificate=person.der, chain=person.chain, **more
    )


async def status_of(document_id: uuid.UUID) -> str:
    return str(await db.value("SELECT status FROM document WHERE id = $1", document_id))


async def refused_with(code: str, awaited: Any) -> None:
    with pytest.raises(ServiceError) as refused:
        await awaited
    assert refused.value.error_code == code


async def test_raw_signature_in_two_requests(clerk: Actor, person: Issued) -> None:
    document_id = await a_draft(clerk)
    (before,) = await files.current_files(document_id)
    challenge = await begun(clerk, document_id, person)
    assert (challenge.form, challenge.sha256) == ("pades", before["sha256"])
    assert await status_of(document_id) == "draft"
    await signing.finish(clerk, challenge.session_id, answer=raw(person, challenge.attributes))
    assert await status_of(document_id) == "signed"
    (after,) = await files.current_files(document_id)
    (signature,) = await signed.signatures_of(document_id)
    assert (signature["verdict"], signature["signer"]) == ("valid", "Смирнов Пётр Ильич")
    assert (after["revision"], signature["file_id"]) == (2, after["id"])
    original = await blobs.read(before["blob_id"], limit=1 << 20)
    assert (await blobs.read(after["blob_id"], limit=1 << 20)).startswith(original)
    assert (await registration.register(clerk, document_id)).number == "01-01/1"


async def test_whole_cms_in_two_requests(clerk: Actor, person: Issued) -> None:
    document_id = await a_draft(clerk)
    challenge = await begun(clerk, document_id, person)
    made = cms.sign_detached(digest=challenge.digest, key=person.key())
    await signing.finish(clerk, challenge.session_id, answer=made)
    assert await status_of(document_id) == "signed"


@pytest.mark.parametrize("is_whole", [False, True])
async def test_annex_gets_a_detached_signature(
    clerk: Actor, person: Issued, is_whole: bool
) -> None:
    document_id = await a_draft(clerk)
    annex_id = await an_annex(clerk, document_id)
    challenge = await begun(clerk, document_id, person, file_id=annex_id)
    assert challenge.form == "cades"
    answer = (
        cms.sign_detached(digest=challenge.digest, key=person.key())
        if is_whole
        else raw(person, challenge.attributes)
    )
    await signing.finish(clerk, challenge.session_id, answer=answer)
    (signature,) = await signed.signatures_of(document_id)
    assert (signature["form"], signature["verdict"]) == ("cades", "valid")
    assert signature["file_id"] == annex_id
    assert await status_of(document_id) == "draft", "an annex's signature is not the document's"


async def test_session_serves_once_and_only_its_person(clerk: Actor, person: Issued) -> None:
    document_id = await a_draft(clerk)
    challenge = await begun(clerk, document_id, person)
    answer = raw(person, challenge.attributes)
    colleague = await people.clerk_of(clerk.home_id)
    with pytest.raises(NotFound):
        await signing.finish(colleague, challenge.session_id, answer=answer)
    await signing.finish(clerk, challenge.session_id, answer=answer)
    await refused_with("session_over", signing.finish(clerk, challenge.session_id, answer=answer))
    assert len(await signed.signatures_of(document_id)) == 1


async def test_session_ends_after_a_quarter_of_an_hour(clerk: Actor, person: Issued) -> None:
    document_id = await a_draft(clerk)
    challenge = await begun(clerk, document_id, person)
    answer = raw(person, challenge.attributes)
    with clock.frozen(clock.now() + timedelta(minutes=16)):
        await refused_with(
            "session_over", signing.finish(clerk, challenge.session_id, answer=answer)
        )
        assert await signing.expire_sessions() == 1
        assert await signing.expire_sessions() == 0
    assert await db.value("SELECT status FROM signing_session") == "expired"
    await refused_with("session_over", signing.finish(clerk, challenge.session_id, answer=answer))
    assert await status_of(document_id) == "draft"


async def test_wrong_answers_enter_nothing(clerk: Actor, person: Issued) -> None:
    """Another key, another file, half a signature: refused, and the session still serves."""
    document_id = await a_draft(clerk)
    authority = await people.trusted_authority()
    other = authority.issue(Subject("Иванов И. И."))
    challenge = await begun(clerk, document_id, person)
    good = raw(person, challenge.attributes)
    for answer, code in (
        (raw(other, challenge.attributes), "signature_does_not_fit"),
        (raw(person, challenge.attributes + b"x"), "signature_does_not_fit"),
        (good[:-1] + bytes([good[-1] ^ 1]), "signature_does_not_fit"),
        (b"\x00" * 64, "signature_does_not_fit"),
        (b"", "signature_unreadable"),
        (b"x" * (2 << 20), "signature_unreadable"),
        (b"x" * (4 << 20), "signature_too_large"),
        (cms.sign_detached(digest=challenge.digest, key=other.key()), "certificate_changed"),
        (cms.sign_detached(digest=b"\x01" * 32, key=person.key()), "signature_of_other_bytes"),
    ):
        await refused_with(code, signing.finish(clerk, challenge.session_id, answer=answer))
    assert await signed.signatures_of(document_id) == []
    await signing.finish(clerk, challenge.session_id, answer=good)
    assert await status_of(document_id) == "signed"


async def test_file_changed_between_the_requests(clerk: Actor, person: Issued) -> None:
    document_id = await a_draft(clerk)
    challenge = await begun(clerk, document_id, person)
    await files.attach(
        clerk, document_id, stream=people.stream(await people.a_letter("Иное")), file_name="b.pdf"
    )
    answer = raw(person, challenge.attributes)
    with pytest.raises((Conflict, InvalidInput)):
        await signing.finish(clerk, challenge.session_id, answer=answer)
    assert await signed.signatures_of(document_id) == []
    assert await status_of(document_id) == "draft"


async def test_certificates_that_must_not_sign(clerk: Actor) -> None:
    document_id = await a_draft(clerk)
    authority = await people.trusted_authority()
    name, now = Subject("Смирнов П. И."), clock.now()
    expired = authority.issue(
        name, not_before=now - timedelta(days=9), not_after=now - timedelta(days=1)
    )
    future = authority.issue(name, not_before=now + timedelta(days=1))
    for one, code in ((expired, "certificate_expired"), (future, "certificate_not_yet_valid")):
        await refused_with(code, begun(clerk, document_id, one))
    for der in (b"", b"\x30\x03abc", expired.der[:100], expired.der + b"x"):
        await refused_with(
            "certificate_unreadable", signing.begin(clerk, document_id, certificate=der)
        )
    annex_id = await an_annex(clerk, document_id)
    for der, code in ((expired.der, "certificate_expired"), (b"abc", "certificate_unreadable")):
        await refused_with(
            code, signing.begin(clerk, document_id, certificate=der, file_id=annex_id)
        )
    good = authority.issue(name)
    await refused_with(
        "certificate_unreadable",
        signing.begin(clerk, document_id, certificate=good.der, chain=(b"abc",)),
    )
    assert await db.value("SELECT count(*) FROM signing_session") == 0


async def test_who_may_sign(clerk: Actor, person: Issued) -> None:
    document_id = await a_draft(clerk)
    only_clerk = await people.clerk_of(clerk.home_id, "clerk")
    without_factor = dataclasses.replace(clerk, second_factor=False)
    stranger = await people.clerk_of(await ground.an_organization("union"))
    with pytest.raises(Forbidden):
        await begun(only_clerk, document_id, person)
    await refused_with("second_factor_required", begun(without_factor, document_id, person))
    await refused_with("not_found", begun(stranger, document_id, person))
    await people.give_key(clerk.home_id)
    with pytest.raises(Forbidden):
        await signing.seal(only_clerk, document_id)
    await signing.seal(only_clerk, document_id, role="sealing")
    assert await status_of(document_id) == "draft", "a seal is not the signatory's act"
    await signing.seal(clerk, document_id)
    assert await status_of(document_id) == "signed"
    await refused_with("illegal_transition", begun(clerk, document_id, person))


async def test_signature_of_another_file_is_refused(clerk: Actor, person: Issued) -> None:
    document_id = await a_draft(clerk)
    annex_id = await an_annex(clerk, document_id)
    foreign = cms.sign_detached(digest=b"\x07" * 32, key=person.key())
    await refused_with(
        "signature_invalid",
        signing.bring(clerk, document_id, file_id=annex_id, signature=foreign),
    )
    for content in (b"", b"no signature", b"\x30\x80\x00\x00"):
        await refused_with(
            "signature_unreadable",
            signing.bring(clerk, document_id, file_id=annex_id, signature=content),
        )
    assert await signed.signatures_of(document_id) == []
    digest = bytes(await db.value("SELECT sha256 FROM document_file WHERE id = $1", annex_id))
    good = cms.sign_detached(digest=digest, key=person.key())
    await signing.bring(clerk, document_id, file_id=annex_id, signature=base64.b64encode(good))
    (kept,) = await signed.signatures_of(document_id)
    assert kept["verdict"] == "valid"


async def test_unknown_issuer_does_not_make_a_document_signed(clerk: Actor) -> None:
    from signatures.authority import create_authority

    document_id = await a_draft(clerk)
    await people.trusted_authority()
    stranger = create_authority("Nobody's").issue(Subject("Смирнов П. И."))
    challenge = await begun(clerk, document_id, stranger)
    await signing.finish(clerk, challenge.session_id, answer=raw(stranger, challenge.attributes))
    (signature,) = await signed.signatures_of(document_id)
    assert signature["verdict"] == "indeterminate"
    assert await status_of(document_id) == "draft"
    await refused_with("signature_missing", registration.register(clerk, document_id))


async def test_declined_goes_back_with_its_reason(clerk: Actor) -> None:
    document_id = await a_draft(clerk)
    await signing.submit(clerk, document_id)
    assert await status_of(document_id) == "signing"
    await refused_with(
        "document_frozen",
        files.attach(clerk, document_id, stream=people.stream(b"%PDF-1.7"), file_name="a.pdf"),
    )
    await signing.decline(clerk, document_id, reason="Исправьте дату")
    assert (await visibility.visible_document(clerk, document_id))["status"] == "draft"


async def test_over_http_in_base64(clerk: Actor, person: Issued) -> None:
    document_id = await a_draft(clerk)
    async with ground.api(clerk) as client:
        opened = await client.post(
            f"/api/v1/documents/{document_id}/signing-sessions",
            json={"certificate": base64.b64encode(person.der).decode(),
                  "chain": [base64.b64encode(one).decode() for one in person.chain]},
        )  # fmt: skip
        assert opened.status_code == 201, opened.text
        told = opened.json()
        answer = raw(person, base64.b64decode(told["attributes"]))
        at = f"/api/v1/signing-sessions/{told['id']}"
        body = {"signature": base64.b64encode(answer).decode()}
        assert (await client.post(at, json=body)).status_code == 201
        again = await client.post(at, json=body)
        assert (again.status_code, again.json()["code"]) == (409, "session_over")
        shown = (await client.get(f"/api/v1/documents/{document_id}")).json()
    assert (shown["status"], shown["signatures"][0]["verdict"]) == ("signed", "valid")


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Any]:
    """A SoftHSM token with an EC key on it, and that key's public half."""
    if not SOFTHSM.exists() or shutil.which("softhsm2-util") is None:
        pytest.skip("no SoftHSM here: apt-get install softhsm2")
    config = tmp_path / "softhsm2.conf"
    (tmp_path / "tokens").mkdir()
    config.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nobjectstore.backend = file\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(config))
    private = ec.generate_private_key(ec.SECP256R1())
    pem = tmp_path / "key.pem"
    pem.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )  # fmt: skip
    for arguments in (
        ["--init-token", "--free", "--label", "docflow", "--so-pin", "12345678"],
        ["--import", str(pem), "--token", "docflow", "--label", "seal", "--id", "01"],
    ):
        subprocess.run(
            ["softhsm2-util", *arguments, "--pin", "4321"], check=True, capture_output=True,
            env=os.environ,
        )  # fmt: skip
    return SOFTHSM, private


async def test_key_on_a_token_seals(clerk: Actor, token: tuple[Path, Any]) -> None:
    library, private = token
    authority = await people.trusted_authority()
    certificate = authority.issue(Subject("Профсоюз"), private=private).der
    await refused_with(
        "token_unavailable",
        vault.keep_pkcs11(
            RULE, clerk.home_id, library=library, token="nobody", label="seal", pin="4321",
            certificate=certificate,
        ),
    )  # fmt: skip
    await vault.keep_pkcs11(
        RULE, clerk.home_id, library=library, token="docflow", label="seal", pin="4321",
        certificate=certificate,
    )  # fmt: skip
    document_id = await a_draft(clerk)
    await signing.seal(clerk, document_id)
    (signature,) = await signed.signatures_of(document_id)
    assert (signature["verdict"], signature["signer"]) == ("valid", "Профсоюз")
    assert await status_of(document_id) == "signed"
    kept = bytes(await db.value("SELECT material FROM sealing_key WHERE retired_at IS NULL"))
    assert b"4321" not in kept
