"""Signing in a real browser with a stand-in for the plug-in: keys are here, the page is ours."""

import base64
import shutil
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509
from cryptography.x509.oid import NameOID

from core import clock, db
from core.actor import Actor
from core.settings import settings
from docflow.documents import cards, files, signed, signing
from signatures import anchors, cms
from signatures.authority import Authority, Issued, Subject, create_authority, trust_of
from signatures.trust import TrustStore
from tests import gost_pki, ground, people
from tests.desks import Desk, an_account, an_authenticator

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SMIRNOV = Subject("Смирнов Пётр Ильич", surname="Иванова", given_name="Пётр Ильич",
                  title="Председатель")  # fmt: skip


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder an operator would name, with the stand-in under the vendor's name."""
    folder = tmp_path / "plugin"
    folder.mkdir()
    shutil.copy(Path(__file__).with_name("fake_plugin.js"), folder / "cadesplugin_api.js")
    monkeypatch.setenv("SIGNING_PLUGIN_DIR", str(folder))
    settings.cache_clear()
    return folder


class Store:
    """The person's certificates, and what their plug-in does when asked to sign."""

    def __init__(self, *keys: Issued) -> None:
        self.keys = {one.certificate.serial_number: one for one in keys}
        self.gost: tuple[Any, Any] | None = None
        self.answers: list[Any] = []
        self.asked: list[dict[str, Any]] = []

    async def list_keys(self) -> list[dict[str, Any]]:
        if self.gost is not None:
            der, now = self.gost[1].der, clock.now()
            return [{
                "thumbprint": "1", "der": base64.b64encode(der).decode(), "key": True,
                "subject": "CN=Иванов Иван Иванович", "issuer": "CN=Удостоверяющий центр",
                "from": now.isoformat(), "until": (now + timedelta(days=30)).isoformat(),
            }]  # fmt: skip
        return [
            {
                "thumbprint": f"{number:X}", "der": base64.b64encode(one.der).decode(),
                "subject": f'SN=Иванова, CN="{_name(one)}", T=Председатель, C=RU',
                "issuer": "CN=Test authority, O=Docflow demo", "key": True,
                "from": one.certificate.not_valid_before_utc.isoformat(),
                "until": one.certificate.not_valid_after_utc.isoformat(),
            }
            for number, one in self.keys.items()
        ]  # fmt: skip

    async def sign(self, asked: dict[str, Any]) -> dict[str, str]:
        self.asked.append(asked)
        if self.gost is not None:
            return _gost_cms(*self.gost, asked)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, dict):
                return answer
            return _cms(answer, asked)
        return _cms(self.keys[int(asked["thumbprint"], 16)], asked)


def _name(one: Issued) -> str:
    (found,) = one.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found.value)


def _cms(one: Issued, asked: dict[str, Any]) -> dict[str, str]:
    key = one.key()
    time = asked["time"] and datetime.fromisoformat(asked["time"].replace("Z", "+00:00"))
    attributes = cms.signed_attributes(
        digest=bytes.fromhex(asked["hash"]), certificate=key.certificate, signing_time=time or None
    )
    made = cms.assemble(
        attributes=attributes, signature=key.sign(attributes, "sha256"),
        certificate=key.certificate, chain=key.chain,
    )  # fmt: skip
    return {"cms": base64.encodebytes(made).decode()}


def _gost_cms(world: Any, signer: Any, asked: dict[str, Any]) -> dict[str, str]:
    """The value is openssl's, by its engine; the attributes are written here."""
    certificate = x509.Certificate.load(signer.der)
    attributes = cms.signed_attributes(
        digest=bytes.fromhex(asked["hash"]), certificate=certificate,
        signing_time=clock.now() if asked["time"] else None,
    )  # fmt: skip
    made = cms.assemble(
        attributes=attributes, signature=world.authority.sign_raw(attributes, signer),
        certificate=certificate, digest_algorithm=f"streebog{signer.parameters[:3]}",
    )  # fmt: skip
    return {"cms": base64.encodebytes(made).decode()}


class Bench:
    """A signatory at a desk, with a document that waits for a signature."""

    def __init__(self, actor: Actor, own: Desk, document_id: uuid.UUID, store: Store) -> None:
        self.actor, self.desk, self.page = actor, own, own.page
        self.document_id, self.store = document_id, store

    async def open(self, query: str = "") -> None:
        await self.page.goto(f"{self.desk.site}/documents/{self.document_id}/sign{query}")

    async def choose(self, form: str | None = None) -> None:
        if form is not None:
            await self.page.check(f"input[value={form}]")
        await self.page.click("#choice button")
        await self.page.wait_for_selector("#sign")
        await self.page.locator("#picture").evaluate("picture => picture.decode()")

    async def told(self) -> str:
        await self.page.wait_for_selector("#problem:not([hidden]), #result:not([hidden])")
        return await self.page.inner_text("#problem:not([hidden]), #result:not([hidden])")

    async def status(self) -> str:
        return str(await db.value("SELECT status FROM document WHERE id = $1", self.document_id))


async def a_bench(
    desk: Any,
    *keys: Issued,
    trusted: TrustStore | None = None,
) -> Bench:
    if trusted is not None:
        await anchors.add(people.RULE, trusted, is_test=True)
    union_id = await ground.an_organization("union")
    if not keys:
        authority = await people.trusted_authority()
        keys = (authority.issue(SMIRNOV, kind="rsa"), authority.issue(SMIRNOV))
    actor = await people.clerk_of(union_id)
    one_time = await an_authenticator(await an_account("chairman", union_id, "clerk", "signatory"))
    document_id = await cards.create(
        actor, card=cards.CardInput(kind="circular", title="О проведении отчётно-выборной кампании")
    )
    await files.attach(
        actor, document_id, stream=people.stream(await people.a_letter()),
        file_name="Циркулярное письмо.pdf",
    )  # fmt: skip
    await signing.submit(actor, document_id)
    chairman, store = await desk(), Store(*keys)
    await chairman.page.expose_function("testKeys", store.list_keys)
    await chairman.page.expose_function("testSign", store.sign)
    await chairman.log_in("chairman", one_time)
    return Bench(actor, chairman, document_id, store)


async def test_signs_a_document_from_end_to_end(desk: Any) -> None:
    bench = await a_bench(desk)
    page = bench.page
    await page.goto(f"{bench.desk.site}/documents/{bench.document_id}")
    await page.click("text=Подписать в браузере")
    await page.wait_for_selector("#certificates label")
    assert await page.locator("#certificates label").count() == 2
    await bench.desk.picture("sign-choice")
    await bench.choose()
    shown = await page.inner_text("#shown")
    assert "Циркулярное письмо.pdf" in shown
    assert "Смирнов Пётр Ильич" in shown
    assert await page.evaluate("document.getElementById('picture').naturalWidth") > 500
    await bench.desk.picture("sign-look")
    content = await page.request.get(
        bench.desk.site + str(await page.get_attribute("#s-link", "href"))
    )
    assert (await content.body()).startswith(b"%PDF-")
    await page.click("#sign")
    assert "подтверждена" in await bench.told()
    await bench.desk.picture("sign-done")
    assert await bench.status() == "signed"
    (made,) = await signed.signatures_of(bench.document_id)
    assert (made["verdict"], made["form"]) == ("valid", "pades")
    assert bench.store.asked[0]["time"] is None, "in a PDF the time stands in the PDF"
    await page.click("text=К документу")
    assert "подтверждена" in await page.inner_text(".signatures") or "действительна" in (
        await page.inner_text(".signatures")
    )


async def test_detached_over_a_pdf(desk: Any) -> None:
    bench = await a_bench(desk)
    await bench.open()
    await bench.choose("cades")
    await bench.page.click("#sign")
    assert "Подписано" in await bench.told()
    (made,) = await signed.signatures_of(bench.document_id)
    assert (made["verdict"], made["form"]) == ("valid", "cades")
    assert bench.store.asked[0]["time"] is not None
    (file,) = await files.current_files(bench.document_id)
    assert file["revision"] == 1, "the document itself did not change"
    assert bench.store.asked[0]["hash"] == file["sha256"].upper()


async def test_cancelled_in_the_plugin_and_then_signed(desk: Any) -> None:
    bench = await a_bench(desk)
    bench.store.answers = [{"error": "0x8010006E", "text": "The action was cancelled by the user."}]
    await bench.open()
    await bench.choose()
    await bench.page.click("#sign")
    assert "отменили" in await bench.told()
    await bench.desk.picture("sign-cancelled")
    assert await bench.status() == "signing"
    await bench.page.click("#sign")
    await bench.page.wait_for_selector("#result:not([hidden])")
    assert await bench.status() == "signed"


async def test_given_up_on_the_page(desk: Any) -> None:
    bench = await a_bench(desk)
    await bench.open()
    await bench.choose()
    await bench.page.click("#give-up")
    assert "отказались" in await bench.told()
    assert await db.value("SELECT status FROM signing_session") == "cancelled"
    assert await bench.status() == "signing"


async def test_the_plugin_signs_with_another_certificate(desk: Any) -> None:
    bench = await a_bench(desk)
    authority = await people.trusted_authority()
    bench.store.answers = [authority.issue(Subject("Петров Иван"))]
    await bench.open()
    await bench.choose()
    await bench.page.click("#sign")
    assert "не тем сертификатом" in await bench.told()
    assert await signed.signatures_of(bench.document_id) == []


async def test_the_session_ran_out(desk: Any) -> None:
    bench = await a_bench(desk)
    await bench.open()
    await bench.choose()
    await db.execute(
        "UPDATE signing_session SET expires_at = $1", clock.now() - timedelta(minutes=1)
    )
    await bench.page.click("#sign")
    assert "истёк" in await bench.told()
    assert await bench.page.is_visible("#choice"), "one can begin again"
    await bench.choose()
    await bench.page.click("#sign")
    await bench.page.wait_for_selector("#result:not([hidden])")
    assert await bench.status() == "signed"


async def test_bad_certificates_are_refused_before_signing(desk: Any) -> None:
    revoking: Authority = create_authority("Revoking authority")
    bad = revoking.issue(SMIRNOV)
    crl = revoking.crl(revoked=[(bad.certificate, clock.now() - timedelta(days=1))])
    bench = await a_bench(desk, bad)
    await anchors.add(people.RULE, trust_of(revoking, crls=[crl]), is_test=True)
    await bench.open()
    await bench.page.click("#choice button")
    assert "отозван" in await bench.told()
    assert bench.store.asked == []


async def test_an_unknown_authority_is_a_warning(desk: Any) -> None:
    bench = await a_bench(desk, create_authority("Nobody's").issue(SMIRNOV))
    await bench.open()
    await bench.choose()
    assert "не в числе доверенных" in await bench.page.inner_text("#warnings")
    await bench.desk.picture("sign-warning")
    await bench.page.click("#sign")
    assert "не подтверждена" in await bench.told()
    await bench.desk.picture("sign-unproved")
    assert await bench.status() == "signing"


async def test_without_the_plugin_a_signature_is_uploaded(
    desk: Any,
    plugin: Path,
    tmp_path: Path,
) -> None:
    (plugin / "cadesplugin_api.js").unlink()
    bench = await a_bench(desk)
    page = bench.page
    await bench.open()
    await page.wait_for_selector("#missing")
    assert "КриптоПро" in await page.inner_text("#missing")
    await bench.desk.picture("sign-no-plugin")
    (file,) = await files.current_files(bench.document_id)
    own = await people.give_key(bench.actor.home_id)
    made = cms.sign_detached(digest=bytes.fromhex(file["sha256"]), key=own.key())
    path = tmp_path / "письмо.pdf.sig"
    path.write_bytes(base64.encodebytes(made))
    await page.set_input_files("#signature", path)
    await page.click("text=Загрузить и проверить")
    assert "принята и проверена" in await page.inner_text("main")
    await bench.desk.picture("sign-uploaded")
    assert await bench.status() == "signed"


@pytest.mark.parametrize("parameters", ["256-A", "512-A"])
async def test_a_gost_key_signs_by_its_own_hash(
    desk: Any,
    parameters: str,
) -> None:
    world = gost_pki.gost_world()
    bench = await a_bench(desk, trusted=world.trust)
    bench.store.gost = (world, world.signers[parameters])
    for form in ("pades", "cades"):
        await bench.open()
        await bench.choose(form)
        assert "streebog" + parameters[:3] in await bench.page.text_content("#s-hash")
        await bench.page.click("#sign")
        told = await bench.told()
        if form == "pades":
            (made,) = await signed.signatures_of(bench.document_id)
            assert (made["verdict"], made["form"]) == ("valid", "pades"), told
            await db.execute("UPDATE document SET status = 'signing'")
    every = await signed.signatures_of(bench.document_id)
    assert {one["verdict"] for one in every} == {"valid"}
    assert {one["form"] for one in every} == {"pades", "cades"}
    assert [one["algorithm"] for one in bench.store.asked] == [
        {"256": 101, "512": 102}[parameters[:3]]
    ] * 2


async def test_no_certificates_in_the_store(desk: Any) -> None:
    bench = await a_bench(desk)
    bench.store.keys.clear()
    await bench.open()
    await bench.page.wait_for_selector("#none")
    await bench.desk.picture("sign-no-certificates")
