"""The records schedule in a real browser: from an empty plan to the note of what was destroyed."""

import uuid
from typing import Any

import pytest

from core import clock, db
from docflow.documents.records import destroying, retention
from storage import blobs
from tests import ground, people
from tests.desks import Desk, an_account, an_authenticator
from tests.records_stage import BASIS

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def said(desk: Desk) -> str:
    return str(await desk.page.locator(".message").first.inner_text())


async def test_a_case_from_the_plan_to_the_act(desk: Any, site: str) -> None:
    home = await ground.an_organization("union")
    keeper = await people.clerk_of(await ground.an_organization("center"), "administrator")
    for one in retention.built_in():
        await retention.load(keeper, one)
    codes = {
        name: await an_authenticator(await an_account(name, home, *roles))
        for name, roles in (("clerk", ("clerk",)), ("head", ("signatory",)), ("first", ("lawyer",)),
                            ("second", ("lawyer",)))
    }  # fmt: skip
    clerk, head = await desk(), await desk()
    await clerk.log_in("clerk", codes["clerk"])
    await head.log_in("head", codes["head"])
    page = clerk.page
    year = clock.today().year
    await page.goto(site + "/records")
    await clerk.picture("records-empty")
    await page.fill("#year", str(year))
    await page.click("form[action='/records/plans'] button")
    await page.fill("#index", "01-12")
    await page.fill("#title", "Распоряжения по административно-хозяйственным вопросам")
    await page.fill("#section", "01. Аппарат")
    await page.fill("#article", "19б")
    await page.click("form[action$='/cases'] button")
    assert await said(clerk) == "Сделано."
    await page.fill("#index", "01-13")
    await page.fill("#title", "Протоколы президиума")
    await page.fill("#article", "18а")
    await page.click("form[action$='/cases'] button")
    assert "не сверена" in await said(clerk)
    await head.page.goto(site + f"/records?year={year}")
    await head.page.fill("#agreement", "Протокол ЭК от 18.12.2025 № 4")
    await head.page.click("form[action$='/approve'] button")
    assert await said(head) == "Сделано."
    await page.goto(site + f"/records?year={year}")
    await clerk.picture("records-plan")
    case_id = uuid.UUID(str(await db.value("SELECT id FROM record_case")))
    await file_and_close(clerk, site, home, case_id, year)
    await destroy(desk, clerk, head, site, codes, case_id)


async def file_and_close(
    clerk: Desk, site: str, home: uuid.UUID, case_id: uuid.UUID, year: int
) -> None:
    page = clerk.page
    author = await people.clerk_of(home)
    (document_id,) = await ground.signed_documents(author, 1, title="О хозяйственных расходах")
    from docflow.documents import registration

    blob = await blobs.store(people.stream(await people.a_letter()), limit=1 << 24)
    await db.execute("UPDATE document_file SET blob_id = $1", blob.id)
    number = (await registration.register(author, document_id)).number
    await page.goto(site + f"/records/cases/{case_id}")
    await page.fill("#number", "нет такого")
    await page.click("form[action$='/file'] button")
    assert "в ваших журналах нет" in await said(clerk)
    await page.fill("#number", number)
    await page.click("form[action$='/file'] button")
    assert "О хозяйственных расходах" in await page.inner_text("main")
    await clerk.picture("records-case")
    await page.click("text=О хозяйственных расходах")
    assert "01-12" in await page.inner_text("dl.card")
    await page.click("summary:has-text('Перенести в другое дело')")
    await page.click("form[action$='/file'] button")
    assert await said(clerk) == "Документ подшит в дело."
    await clerk.picture("records-document")
    await page.click("dl.card a[href^='/records/cases/']")
    await page.click("form[action$='/close'] button")
    assert "Закрыто" in await page.inner_text("main")
    await page.goto(site + "/records/tombstones")
    assert "Ничего не уничтожалось" in await page.inner_text("main")
    await page.goto(site + "/records")
    await page.fill("#to_year", str(year + 1))
    await page.click("form[action='/records/copy'] button")
    assert "скопировано: 1" in await said(clerk)


async def destroy(
    desk: Any, clerk: Desk, head: Desk, site: str, codes: Any, case_id: uuid.UUID
) -> None:
    page = clerk.page
    await db.execute("UPDATE record_case SET expires_on = '2020-01-01' WHERE id = $1", case_id)
    await head.page.goto(site + "/records/acts")
    await head.page.click("main details summary")
    for box in await head.page.locator("input[name='member']").all():
        await box.check()
    await head.page.fill("#order", "Приказ от 10.01.2026 № 3")
    await head.page.click("form[action='/records/commission'] button")
    assert await said(head) == "Сделано."
    await page.goto(site + "/records/acts")
    await clerk.picture("records-expired")
    await page.check(f"#c-{case_id}")
    await page.fill("#basis", BASIS)
    await page.click("form[action='/records/acts'] button")
    act = page.url
    await page.click("form[action$='/submit'] button")
    for name in ("first", "second"):
        member = await desk()
        await member.log_in(name, codes[name])
        await member.page.goto(act)
        await member.page.click("button[value='for']")
        assert await said(member) == "Ваш голос учтён."
        if name == "first":
            await member.picture("records-act-review")
    await head.page.goto(act)
    await head.page.click("button[value='for']")  # the head sits in the commission, too
    await head.page.fill("#protocol", "Протокол ЭК от 12.01.2026 № 1")
    await head.page.click("form[action$='/approve'] button")
    assert await said(head) == "Акт утверждён."
    await page.goto(act)
    await clerk.picture("records-act-approved")
    async with page.expect_download() as downloading:
        await page.click("a[download]")
    assert (await downloading.value).suggested_filename == "akt-o-vydelenii.pdf"
    await page.click("form[action$='/execute'] button")
    assert await destroying.carry_out(uuid.UUID(act.rpartition("/")[2]))
    await page.goto(site + "/records/tombstones")
    assert "01-12" in await page.inner_text("main")
    await clerk.picture("records-tombstones")
    await page.goto(site + "/records/articles?q=19")
    await clerk.picture("records-articles")
    await page.goto(site + "/records/inventories")
    await clerk.picture("records-inventories")
    assert clerk.complaints == []
    assert head.complaints == []
