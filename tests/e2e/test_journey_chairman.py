"""The chairman: what waits, reading, signing with the plug-in, refusing; desk and phone."""

import base64
import uuid
from typing import Any

import pytest

from docflow.documents import files, signing
from tests import ground, letters, people, twins
from tests.desks import Desk, an_account, an_authenticator
from tests.signing_desk import SMIRNOV, Store, made_by

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.usefixtures("plugin")]

WHY = "Срок в третьем пункте прошёл: исправьте."


async def test_the_chairman_signs_and_refuses(desk: Any) -> None:
    union_id = await ground.an_organization("union")
    authority = await people.trusted_authority()
    store = Store()
    clerk = await people.clerk_of(union_id)
    one_time = await an_authenticator(await an_account("chairman", union_id, "signatory"))
    waiting = [await letters.a_draft(clerk, title="О кампании") for _ in range(6)]
    for document_id in waiting:
        await signing.submit(clerk, document_id)

    left: list[dict[str, int]] = []
    chairmen = {"desk": await desk(), "phone": await desk(is_phone=True)}
    for name, chairman in chairmen.items():
        await chairman.page.expose_function("testKeys", store.list_keys)
        await chairman.page.expose_function("testSign", store.sign)
        store.take(authority.issue(SMIRNOV))
        await chairman.forget_the_code("chairman")
        await chairman.log_in("chairman", one_time)
        before = await twins.traces()
        await _signs(chairman, name, waiting.pop())
        await _refuses(chairman, name, waiting.pop())
        left.append(twins.made(before, await twins.traces()))

    program = await twins.a_session("chairman", one_time)
    store.take(authority.issue(SMIRNOV))
    before = await twins.traces()
    await _over_http(program, store, waiting.pop(), waiting.pop())
    twin = twins.made(before, await twins.traces())
    for one in left:
        twins.same(one, twin)
    assert any('"verb": "document.declined"' in row for row in twin)


async def _signs(chairman: Desk, name: str, document_id: uuid.UUID) -> None:
    page = chairman.page
    call = page.locator(".calls a").first
    assert "вашей подписи" in await call.inner_text()
    await chairman.picture(f"chairman-{name}-waits")
    await chairman.follow(call)
    await chairman.picture(f"chairman-{name}-list")
    await chairman.follow(page.locator(f".list a[href$='{document_id}']"))
    await chairman.picture(f"chairman-{name}-document")
    await chairman.follow(page.locator(".cover"))
    await page.wait_for_load_state("networkidle")
    assert await page.locator(".sheets img").first.evaluate("one => one.naturalWidth") > 500
    await chairman.picture(f"chairman-{name}-read")
    await chairman.follow(page.locator("text=Подписать в браузере"))
    await page.wait_for_selector("#certificates label")
    await chairman.tap(page.locator("#choice button"))
    await page.wait_for_selector("#sign:visible")
    await page.locator("#picture").evaluate("picture => picture.decode()")
    await chairman.picture(f"chairman-{name}-look")
    await chairman.tap(page.locator("#sign"))
    await page.wait_for_selector("#result:not([hidden])")
    assert "подтверждена" in await page.inner_text("#result")
    await chairman.picture(f"chairman-{name}-signed")
    await chairman.follow(page.locator("#onward a"))
    told = await page.inner_text(".signatures")
    assert "Смирнов" in told
    assert "действительна" in told
    await chairman.picture(f"chairman-{name}-verdict")


async def _refuses(chairman: Desk, name: str, document_id: uuid.UUID) -> None:
    page = chairman.page
    await chairman.follow(page.locator(".top nav >> text=На подпись"))
    await chairman.follow(page.locator(f".list a[href$='{document_id}']"))
    await chairman.tap(page.locator("summary", has_text="Не подписывать"))
    await page.fill("#declined", WHY)
    await chairman.picture(f"chairman-{name}-refuses")
    await chairman.follow(page.locator("button:has-text('Вернуть автору')"))
    assert "Возвращён автору" in await page.inner_text("main") or WHY in (
        await page.inner_text("main")
    )
    await chairman.picture(f"chairman-{name}-refused")


async def _over_http(
    program: Any, store: Store, signed_id: uuid.UUID, refused_id: uuid.UUID
) -> None:
    at = f"/api/v1/documents/{signed_id}"
    (file,) = await files.current_files(signed_id)
    (key,) = store.keys.values()
    begun = await twins.did(await program.post(f"{at}/signing-sessions", json={
        "certificate_base64": base64.b64encode(key.der).decode(), "file_id": str(file["id"]),
        "form": "pades",
    }))  # fmt: skip
    answer = made_by(key, {"hash": begun["hash_hex"], "time": None})
    await twins.did(await program.post(
        f"/api/v1/signing-sessions/{begun['id']}/signature", json={"cms_base64": answer["cms"]}
    ))  # fmt: skip
    await twins.did(
        await program.post(f"/api/v1/documents/{refused_id}/decline", json={"reason": WHY})
    )
