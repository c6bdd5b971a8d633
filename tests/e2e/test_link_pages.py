"""The page behind the link of a letter, and the one for a code from paper, on a telephone."""

from typing import Any

import pytest

from core import db
from docflow.routing import answer_codes
from docflow.routing.email import links
from tests import ways_stage
from tests.desks import Desk, an_account
from tests.mail_relay import relayed

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_answers_without_an_account(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with relayed(monkeypatch):
        stage = await ways_stage.a_stage()
        primary = await ways_stage.a_primary(stage, "email", email="ppo@example.org")
        document_id = await ways_stage.a_letter(stage.clerk, primary)
        await ways_stage.carry()
    reader: Desk = await desk(is_phone=True)
    token = links.token_of(await db.value("SELECT id FROM answer_link"))
    await reader.page.goto(f"{reader.site}/r/{token}")
    await reader.picture("link-letter")
    async with reader.page.expect_download():
        await reader.page.click("a[href*='/files/']")
    await reader.page.reload()
    await reader.page.locator("input[name=person_id]").first.check()
    await reader.follow(reader.page.locator("main button").first)
    assert (await ways_stage.delivery_of(document_id))["status"] == "acknowledged"
    await reader.picture("link-answered")
    await reader.page.goto(f"{reader.site}/r/{token[:-3]}")
    await reader.picture("link-unknown")


async def test_a_clerk_enters_a_code_from_paper(desk: Any) -> None:
    stage = await ways_stage.a_stage()
    primary = await ways_stage.a_primary(stage, "paper")
    document_id = await ways_stage.a_letter(stage.clerk, primary)
    await ways_stage.carry()
    delivery = await ways_stage.delivery_of(document_id)
    code = (await answer_codes.of_deliveries([delivery["id"]]))[delivery["id"]]
    await an_account("kadry", stage.clerk.home_id, "clerk")
    clerk: Desk = await desk()
    await clerk.log_in("kadry")
    await clerk.page.goto(f"{clerk.site}/ack")
    await clerk.page.fill("#code", answer_codes.shown(code))
    await clerk.follow(clerk.page.locator("main button"))
    await clerk.picture("code-letter")
    await clerk.page.locator("input[name=person_id]").first.check()
    await clerk.follow(clerk.page.locator("main form[method=post] button"))
    assert (await ways_stage.delivery_of(document_id))["status"] == "acknowledged"
    await clerk.picture("code-answered")
