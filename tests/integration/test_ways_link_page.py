"""The page behind a link and the page for a code, as a browser sees them."""

import re
from collections.abc import AsyncIterator

import pytest

from core import db
from directory import passwords, sessions
from directory.controllers.authentication import session_cookie
from docflow.routing import answer_codes
from docflow.routing.email import links
from tests import desks, ground, ways_stage
from tests.mail_relay import relayed
from tests.ways_stage import Ways

CHEAP = desks.CHEAP
HTML = {"accept": "text/html"}


@pytest.fixture
async def stage(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ways]:
    async with relayed(monkeypatch):
        yield await ways_stage.a_stage()


async def test_read_and_acknowledge_without_an_account(stage: Ways) -> None:
    primary = await ways_stage.a_primary(stage, "email", email="ppo@example.org")
    document_id = await ways_stage.a_letter(stage.clerk, primary)
    await ways_stage.carry()
    token = links.token_of(await db.value("SELECT id FROM answer_link"))
    async with ground.api() as browser:
        page = await browser.get(f"/r/{token}", headers=HTML)
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "Иванова Анна Петровна" in page.text
        person = re.search(r'name="person_id" value="([0-9a-f-]+)"', page.text)
        assert person is not None
        answer = {"person_id": person[1]}
        early = await browser.post(f"/r/{token}", data=answer, headers=HTML)
        assert early.status_code == 303
        assert (await ways_stage.delivery_of(document_id))["status"] == "queued"
        file = re.search(r'href="(/r/[^"]+/files/[^"]+)"', page.text)
        assert file is not None
        bytes_ = await browser.get(file[1])
        assert bytes_.content == ways_stage.BODY
        assert bytes_.headers["content-disposition"].startswith("attachment")
        done = await browser.post(f"/r/{token}", data=answer, headers=HTML)
        assert done.status_code == 303
        assert (await ways_stage.delivery_of(document_id))["status"] == "acknowledged"
        again = await browser.get(f"/r/{token}", headers=HTML)
        assert "Ознакомление отмечено" in again.text
        for wrong in ("x", token[:-3], "%00", "a" * 500):
            missing = await browser.get(f"/r/{wrong}", headers=HTML)
            assert missing.status_code == 404
        assert (await browser.post(f"/r/{token}", content=b"\xff\xfe")).status_code < 500


async def test_a_clerk_enters_a_code(stage: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    primary = await ways_stage.a_primary(stage, "paper")
    document_id = await ways_stage.a_letter(stage.clerk, primary)
    await ways_stage.carry()
    delivery = await ways_stage.delivery_of(document_id)
    code = (await answer_codes.of_deliveries([delivery["id"]]))[delivery["id"]]
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    await desks.an_account("kadry", stage.clerk.home_id, "clerk")
    opened = await sessions.begin(login="kadry", password=desks.PASSWORD)
    async with ground.api() as browser:
        browser.cookies.set(session_cookie(), opened.token)
        browser.headers["x-csrf-token"] = opened.csrf
        assert (await browser.get("/ack", headers=HTML)).status_code == 200
        found = await browser.get("/ack", params={"code": answer_codes.shown(code)}, headers=HTML)
        assert (found.status_code, found.headers["location"]) == (303, f"/ack/{code}")
        page = await browser.get(f"/ack/{code}", headers=HTML)
        person = re.search(r'name="person_id" value="([0-9a-f-]+)"', page.text)
        assert person is not None
        done = await browser.post(f"/ack/{code}", data={"person_id": person[1]}, headers=HTML)
        assert done.status_code == 303
        assert (await ways_stage.delivery_of(document_id))["status"] == "acknowledged"
        assert (await browser.get("/ack/12345", headers=HTML)).status_code == 422
        unknown = "1234567890" + answer_codes.check_digit("1234567890")
        assert (await browser.get(f"/ack/{unknown}", headers=HTML)).status_code == 404
