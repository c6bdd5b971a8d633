"""A primary's chairman once a month, on a phone: what is new, two taps, a question, own data."""

import uuid
from typing import Any

import pytest

from tests import ground, letters, people, twins
from tests.desks import Desk, an_account

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ASKED = "Нужно ли прикладывать протокол собрания?"
DATA = {"address": "664000, г. Иркутск, ул. Ленина, д. 1", "phone": "+7 395 200-00-00",
        "email": "pervichka@example.org"}  # fmt: skip


async def test_a_month_of_a_primary(desk: Any) -> None:
    union = await ground.an_organization("union")
    await people.give_key(union)
    author = await people.clerk_of(union)
    homes = [await ground.an_organization("primary", under=union) for _ in range(2)]
    for login, home in zip(("chairman", "program"), homes, strict=True):
        await an_account(login, home, "clerk")
    for title in ("О приёме отчётов", "О спартакиаде"):
        await letters.a_sent(author, *homes, title=title, due_on=people.in_days(5))

    chairman = await desk(is_phone=True)
    await chairman.log_in("chairman")
    before = await twins.traces()
    await _first_screen(chairman)
    await _two_taps(chairman)
    await _a_question(chairman)
    await _own_data(chairman)
    page = twins.made(before, await twins.traces())

    program = await twins.a_session("program")
    before = await twins.traces()
    await _over_http(program, homes[1])
    twins.same(page, twins.made(before, await twins.traces()))


async def _first_screen(chairman: Desk) -> None:
    page = chairman.page
    text = await page.inner_text("main")
    for part in ("Новые", "Открыто, ждёт ответа", "Сделано недавно"):
        assert part in text
    assert "Подтвердите данные" in text
    await chairman.picture("primary-phone-today")


async def _two_taps(chairman: Desk) -> None:
    page, before = chairman.page, chairman.taps
    await chairman.follow(page.locator(".list a", has_text="О спартакиаде"))
    await chairman.picture("primary-phone-letter")
    await chairman.follow(page.locator("text=Ознакомлен(а)"))
    assert chairman.taps - before == 2
    assert "Ознакомлен" in await page.inner_text(".chips")
    await chairman.picture("primary-phone-acknowledged")
    await chairman.follow(page.locator(".back a"))
    assert "О спартакиаде" in await page.inner_text("[aria-labelledby=part-done]")


async def _a_question(chairman: Desk) -> None:
    page = chairman.page
    await chairman.follow(page.locator(".list a", has_text="О приёме отчётов"))
    await chairman.tap(page.locator("summary", has_text="Спросить отправителя"))
    await page.fill("#ask", ASKED)
    await chairman.picture("primary-phone-asks")
    await chairman.follow(page.locator("#ask >> xpath=ancestor::form >> button"))
    assert ASKED in await page.inner_text("main")
    await chairman.picture("primary-phone-asked")


async def _own_data(chairman: Desk) -> None:
    page = chairman.page
    await chairman.follow(page.locator(".back a"))
    await chairman.follow(page.locator(".calls a", has_text="Подтвердите данные"))
    for name, text in DATA.items():
        await page.fill(f"#{name}", text)
    await chairman.picture("primary-phone-data")
    await chairman.follow(page.locator("button", has_text="Всё верно"))
    assert "сохранены и подтверждены" in await page.inner_text(".message")
    await page.goto(chairman.site + "/inbox")
    assert "Подтвердите данные" not in await page.inner_text("main")
    await chairman.picture("primary-phone-done")


async def _over_http(program: Any, home: uuid.UUID) -> None:
    found = (await twins.did(await program.get("/api/v1/deliveries")))["items"]
    by_title = {one["title"]: one["id"] for one in found}
    known, asked = by_title["О спартакиаде"], by_title["О приёме отчётов"]
    at = "/api/v1/deliveries"
    for path, body in (
        (f"{at}/{known}/open", None), (f"{at}/{known}/acknowledge", None),
        (f"{at}/{asked}/open", None), (f"{at}/{asked}/questions", {"text": ASKED}),
    ):  # fmt: skip
        await twins.did(await program.post(path, json=body))
    await twins.did(await program.put(f"/api/v1/organizations/{home}", json=DATA))
    await twins.did(await program.post(f"/api/v1/organizations/{home}/confirm"))
