"""The first journey in a real browser: a circular from the union to a primary's chairman."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.async_api import Route, expect

from core import clock, db, jobs
from core.actor import RULE, Actor
from directory import dataset, grants
from docflow.routing import control, relay
from notify import notices
from tests import letters, people, twins
from tests.desks import BUDGET, PASSWORD, Desk, an_account, an_authenticator

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TITLE = "О проведении отчётно-выборной кампании в 2026 году"
NAME = "Письмо о совещании.pdf"
FIRST = "Председателям региональных организаций"
ADDRESSEE = "Председателям организаций Профсоюза"
RESOLUTION = "Довести до первичных организаций до конца недели."


async def test_a_circular_from_the_clerk_to_the_chairman(
    desk: Any, site: str, tmp_path: Path
) -> None:
    registry = dataset.generate("S")
    await dataset.load(registry)
    union_id = registry.health_union_id
    await people.give_key(union_id)
    one_time = await an_authenticator(await an_account("clerk", union_id, "clerk", "signatory"))
    await letters.a_numbered(await people.clerk_of(union_id))
    letter = tmp_path / NAME
    letter.write_bytes(await people.a_letter())

    clerk = await desk()
    page = clerk.page
    await page.goto(site + "/documents?q=1")
    assert "/login?next=" in page.url
    await clerk.picture("login")
    await clerk.log_in("clerk", one_time)
    clerk.weight = 0
    await page.goto(site + "/inbox", wait_until="networkidle")
    assert 0 < clerk.weight < BUDGET
    await clerk.picture("inbox-empty")

    before = await twins.traces()
    document_id = await _write_and_sign(clerk, letter)
    await _send(clerk)
    page_made = twins.made(before, await twins.traces())
    program = await twins.a_session("clerk", one_time)
    before = await twins.traces()
    twin_id = await _over_http(program, await people.a_letter(), union_id)
    twins.same(page_made, twins.made(before, await twins.traces()))

    await clerk.page.goto(f"{site}/documents/{document_id}/control")
    await _a_line(registry, document_id)
    before = await twins.traces()
    await _down_the_line(desk, document_id)
    page_made = twins.made(before, await twins.traces())
    before = await twins.traces()
    await _down_over_http(twin_id)
    twins.same(page_made, twins.made(before, await twins.traces()))
    await expect(clerk.page.locator("#totals")).to_contain_text("Ознакомлен")
    await _look_back(clerk, document_id, await people.clerk_of(union_id))

    await _their_day_is_over(document_id, twin_id)
    before = await twins.traces()
    await _remind(clerk, document_id)
    page_made = twins.made(before, await twins.traces())
    before = await twins.traces()
    await twins.did(await program.post(f"/api/v1/documents/{twin_id}/remind"))
    twins.same(page_made, twins.made(before, await twins.traces()))


async def _write_and_sign(clerk: Desk, letter: Path) -> uuid.UUID:
    """A draft with its file, corrected, signed with the organization's key, numbered."""
    page = clerk.page
    await page.click("text=Новый документ")
    await clerk.picture("kinds")
    await page.click("text=Циркулярное письмо")
    await page.fill("#title", TITLE)
    await page.fill("#addressee", FIRST)
    await page.set_input_files("#file", letter)
    await clerk.picture("new")
    await page.click("text=Сохранить проект")
    assert await page.locator(".message.done").inner_text() == "Проект сохранён."
    document_id = uuid.UUID(page.url.rpartition("/")[2])
    await clerk.picture("draft")
    await page.click("text=Исправить карточку")
    await page.fill("#addressee", ADDRESSEE)
    await clerk.picture("edit")
    await page.click("main button.main")
    await page.click("text=Направить на подпись")
    await clerk.picture("signing")
    await page.click("text=Подписать ключом организации")
    assert "Подпись действительна" in await page.inner_text("main")
    await page.click("main .do >> text=Зарегистрировать")
    assert "№ 01-01/2" in await page.inner_text("h1 >> xpath=..")
    async with page.expect_download() as downloading:
        await page.click(".files a[download]")
    assert (await downloading.value).suggested_filename == letter.name
    return document_id


async def _late(route: Route) -> None:
    await asyncio.sleep(1)
    await route.continue_()


async def _send(clerk: Desk) -> None:
    """Choose, look at the dry run, send; a double click sends once."""
    page = clerk.page
    await page.route("**/dispatch*.js*", _late)
    await page.click("text=Разослать")
    await page.check("#subtree")  # before the script is there, as quick people do
    await page.wait_for_selector("#plan .total")
    assert "45" in await page.inner_text("#plan .total")
    assert await page.locator("#plan .bar").count() >= 3, "who is reached by what, by level"
    await page.check("#chancery")
    await page.fill("#due_regional", people.in_days(10).isoformat())
    await page.fill("#due_primary", people.in_days(7).isoformat())
    await page.click("text=Отдельные организации")
    await page.fill("#picker", "Иркутск")
    await page.wait_for_selector("#hits li")
    await expect(page.locator("#plan")).to_contain_text("Через канцелярию: 42")
    await clerk.picture("dispatch-choice")
    await page.click("text=Показать, кто получит")
    await clerk.picture("dispatch-plan")
    await page.dblclick("#send button")
    await page.wait_for_url("**/control*")
    assert await db.value("SELECT count(*) FROM dispatch") == 1
    assert await page.locator("#totals .bar").count() == 4
    assert "45" in await page.inner_text(".totals tfoot")
    await clerk.picture("control")


async def _over_http(program: Any, letter: bytes, union_id: uuid.UUID) -> uuid.UUID:
    """The same circular as a program would send it."""
    card = {"kind": "circular", "title": TITLE, "addressee": FIRST}
    made = await twins.did(await program.post("/api/v1/documents", json=card))
    at = f"/api/v1/documents/{made['id']}"
    await twins.did(await program.put(
        f"{at}/files/main", params={"file_name": NAME}, content=letter
    ))  # fmt: skip
    shown = await twins.did(await program.get(at))
    await twins.did(await program.put(
        at, params={"version": shown["version"]}, json=card | {"addressee": ADDRESSEE}
    ))  # fmt: skip
    await twins.did(await program.post(f"{at}/submit"))
    await twins.did(await program.post(f"{at}/seal", json={}))
    await twins.did(await program.post(f"{at}/register", json={}))
    await twins.did(await program.post(f"{at}/dispatches", json={
        "selector": {"subtree_of": str(union_id)}, "mode": "chancery",
        "deadlines": {"regional": people.in_days(10).isoformat(),
                      "primary": people.in_days(7).isoformat()},
    }))  # fmt: skip
    return uuid.UUID(made["id"])


async def _their_day_is_over(*document_ids: uuid.UUID) -> None:
    await db.execute(
        """UPDATE delivery SET due_on = $2
           WHERE document_id = ANY ($1) AND due_on IS NOT NULL""",
        document_ids, people.in_days(-1),
    )  # fmt: skip


async def _remind(clerk: Desk, document_id: uuid.UUID) -> None:
    """The silent, once their day has passed, and a word to them."""
    page = clerk.page
    await page.goto(f"{clerk.site}/documents/{document_id}/control?view=silent")
    assert await page.locator(".list tbody tr").count() > 1
    await clerk.picture("control-silent")
    before = await db.value("SELECT count(*) FROM notice")
    await page.click("text=Напомнить")
    assert "Напоминание отправлено" in await page.inner_text(".message")
    assert await db.value("SELECT count(*) FROM notice") > before


async def _look_back(clerk: Desk, document_id: uuid.UUID, actor: Actor) -> None:
    """The control list afterwards, on the screen and on paper, and the remaining pages."""
    page, site = clerk.page, clerk.site
    await page.goto(f"{site}/documents/{document_id}/control")
    sums = control.by_status(await control.totals(actor, document_id))
    assert (sums["acknowledged"], sums["total"]) == (1, 45)
    await clerk.picture("control-later")
    await page.click("text=По подчинённым")
    await clerk.picture("control-branches")
    await page.click("text=Не ответили")
    async with page.expect_download() as downloading:
        await page.click("text=В PDF")
    printed = await downloading.value
    assert printed.suggested_filename == "control-list.pdf"
    assert await printed.failure() is None
    await page.goto(f"{site}/documents")
    await clerk.picture("documents")
    await page.goto(f"{site}/documents/{document_id}")
    await clerk.picture("document-sent")
    await page.goto(f"{site}/documents/{uuid.uuid4()}")
    await clerk.picture("not-found")
    await page.goto(f"{site}/documents/{document_id}/messages")
    await clerk.picture("messages")


async def _a_line(registry: dataset.Dataset, document_id: uuid.UUID) -> None:
    """Accounts of a region, a local organization below it and a primary of that one; both
    chanceries have passed a letter on before, so their journals are open.
    """
    primary_id = await db.value(
        """SELECT v.recipient_id FROM delivery AS v JOIN delivery AS a ON a.id = v.via_id
           WHERE a.recipient_id = $1 AND v.document_id = $2 ORDER BY v.id LIMIT 1""",
        registry.relay_local_id, document_id,
    )  # fmt: skip
    for login, place in (("region", registry.relay_regional_id),
                         ("local", registry.relay_local_id), ("chairman", primary_id)):  # fmt: skip
        await an_account(login, place, "clerk")
    author = await people.clerk_of(registry.health_union_id)
    places = registry.relay_regional_id, registry.relay_local_id
    earlier = await letters.a_sent(author, *places, primary_id, mode="chancery")
    for place in places:
        (way,) = await db.rows(
            "SELECT id FROM delivery WHERE document_id = $1 AND recipient_id = $2", earlier, place
        )
        await relay.pass_on(await people.clerk_of(place), way["id"])


async def _down_the_line(desk: Any, document_id: uuid.UUID) -> None:
    """A region and a local organization pass the letter on; a primary's chairman takes note."""
    for login in ("region", "local"):
        passing = await desk()
        await passing.log_in(login)
        if login == "region":
            await passing.picture("inbox")
        await passing.page.click(f".list a[href$='{document_id}']")
        if login == "region":
            await passing.picture("received")
        await passing.page.fill("#resolution", RESOLUTION)
        await passing.page.click("button:has-text('Зарегистрировать и передать ниже')")
        assert "вх-2" in await passing.page.inner_text("main")
        if login == "region":
            await passing.picture("passed-on")
    chairman = await desk()
    await chairman.log_in("chairman")
    await chairman.page.click(f".list a[href$='{document_id}']")
    assert "Открыто" in await chairman.page.inner_text(".chips")
    await chairman.picture("primary")
    await chairman.page.click("text=Ознакомлен(а)")
    assert "Ознакомлен" in await chairman.page.inner_text(".chips")
    await chairman.page.click("text=English")
    assert "Acknowledged" in await chairman.page.inner_text(".chips")
    await chairman.picture("primary-english")


async def _down_over_http(document_id: uuid.UUID) -> None:
    for login, verb, body in (
        ("region", "pass-on", {"resolution": RESOLUTION}),
        ("local", "pass-on", {"resolution": RESOLUTION}), ("chairman", "acknowledge", None),
    ):  # fmt: skip
        program = await twins.a_session(login)
        found = (await twins.did(await program.get("/api/v1/deliveries")))["items"]
        (own,) = [one["id"] for one in found if one["document_id"] == str(document_id)]
        await twins.did(await program.post(f"/api/v1/deliveries/{own}/open"))
        await twins.did(await program.post(f"/api/v1/deliveries/{own}/{verb}", json=body))


async def test_the_rest_of_the_pages(desk: Any, site: str) -> None:
    registry = dataset.generate("S")
    await dataset.load(registry)
    center = registry.center_id
    account_id = await an_account("boss", center, "administrator", "clerk")
    await grants.grant(
        RULE, account_id=account_id, organization_id=registry.irkutsk_id, role="clerk"
    )
    await notices.post(center, "silent_list", ("document", clock.new_id()), data={"count": 12})
    await jobs.defer("notify.send_mail")
    await db.execute("UPDATE procrastinate_jobs SET status = 'failed', attempts = 3")
    boss = await desk()
    page = boss.page
    await boss.log_in("boss")
    await boss.picture("organization")
    await page.click(".choices button:has-text('Федерация')")
    await page.goto(site + "/account")
    await page.fill("#password", PASSWORD)
    await page.click("text=Подключить приложение")
    await boss.picture("account-qr")
    secret = (await page.inner_text(".key")).replace(" ", "")
    await page.fill("#code", pyotp.TOTP(secret).at(clock.now()))
    await page.click("button:has-text('Подключить')")
    assert "подключено" in (await page.inner_text("main")).lower()
    for name in ("coverage", "coverage?case=all", "deadlines", "ack"):
        await page.goto(f"{site}/{name}")
        await boss.picture(name.replace("?case=", "-"))
    await page.goto(site + "/notices")
    assert "Не ответили организаций: 12" in await page.inner_text("main")
    await boss.picture("notices")
    await page.goto(site + "/stuck")
    await page.click("main a[href='/stuck?kind=job']")
    await boss.picture("stuck")
    await page.click("text=Выполнить сейчас")
    assert await db.value("SELECT status::text FROM procrastinate_jobs") == "todo"
    await page.goto(site + "/api")
    await page.wait_for_selector(".swagger-ui .opblock-tag")
    await boss.picture("api")
