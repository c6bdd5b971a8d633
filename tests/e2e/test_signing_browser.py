"""Signing in a real browser with a stand-in for the plug-in: keys are here, the page is ours."""

import base64
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core import clock, db
from core.actor import Actor
from docflow.documents import cards, files, signed, signing
from signatures import anchors, cms
from signatures.authority import Authority, Issued, Subject, create_authority, trust_of
from signatures.trust import TrustStore
from tests import gost_pki, ground, people
from tests.desks import Desk, an_account, an_authenticator
from tests.signing_desk import SMIRNOV, Store

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.usefixtures("plugin")]


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
