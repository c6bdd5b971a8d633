"""The lawyer and personal data: a request on paper, an act, its commission, what it came to."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from core import db
from core.actor import RULE
from directory import accounts, grants
from directory import people as directory_people
from evidence.privacy import erasing
from tests.desks import PASSWORD, Desk, an_authenticator
from tests.privacy_ground import own_bucket
from tests.privacy_stage import FIRST, LAST, Stage, a_stage

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
async def stage(site: str) -> AsyncIterator[Stage]:
    async with own_bucket():
        yield await a_stage()


async def test_from_a_paper_to_nothing(desk: Any, stage: Stage) -> None:
    codes = {}
    for login, role in (("lawyer", "lawyer"), ("member-one", "clerk"), ("member-two", "clerk")):
        person_id = await directory_people.create(RULE, last_name="Член", first_name=login)
        account_id = await accounts.create(
            RULE, person_id=person_id, login=login, password=PASSWORD
        )
        await grants.grant(
            RULE, account_id=account_id, organization_id=stage.line.region, role=role
        )
        codes[login] = await an_authenticator(account_id)
    lawyer: Desk = await desk()
    page = lawyer.page
    await lawyer.log_in("lawyer", codes["lawyer"])
    await page.click("nav a[href='/personal-data']")
    await page.select_option("#person_id", label=f"{LAST} {FIRST} Аристарховна · Казначей")
    await page.select_option("#kind", "erase")
    await page.fill("#reference", "вх. № 17 от 20.11.2026")
    await lawyer.picture("privacy-requests")
    await page.click("main form[action='/personal-data/requests'] button.main")
    await page.click("a.button[href*='acts/new']")
    await page.select_option("#ground", "consent_withdrawn")
    await page.fill("#basis", "Заявление вх. № 17 от 20.11.2026")
    for choice in await page.locator("select[name^='decision-']").all():
        await choice.select_option("destroy")
    for login in ("member-one", "member-two"):
        await page.get_by_label(f"Член {login}").check()
    await page.fill("#extra", "112-233-445 95")
    await lawyer.picture("privacy-act-new")
    await page.click("main button.bad")
    await page.wait_for_url("**/personal-data/acts/*")
    address = page.url
    for login in ("member-one", "member-two"):
        member: Desk = await desk()
        await member.log_in(login, codes[login])
        await member.page.goto(address)
        await member.page.click("main button.main")
        await member.page.wait_for_selector(".message.done")
        assert member.complaints == []
    await erasing.execute(await db.value("SELECT id FROM erasure"))
    await page.goto(address)
    assert "ничего не осталось" in await page.inner_text("main")
    await lawyer.picture("privacy-act-done")
    for tab in ("acts", "holds", "register"):
        await page.goto(f"{lawyer.site}/personal-data?tab={tab}")
        await lawyer.picture(f"privacy-{tab}")
    assert lawyer.complaints == []
