"""The pages of personal data, filled in as a lawyer does, to the end of an act."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from core import db
from evidence.privacy import erasing
from tests import ground
from tests.privacy_ground import own_bucket
from tests.privacy_stage import LAST, SNILS, Stage, a_stage, met_in


async def get(client: httpx.AsyncClient, address: str) -> str:
    answer = await client.get(address, headers={"accept": "text/html"})
    assert answer.status_code == 200, (address, answer.text[:600])
    return str(answer.text)


@pytest.fixture
async def stage(database: str) -> AsyncIterator[Stage]:
    async with own_bucket():
        yield await a_stage()


@pytest.mark.slow
async def test_from_the_request_to_the_act(stage: Stage) -> None:
    page = "/personal-data"
    async with ground.browser(stage.lawyer) as client:
        for tab in ("requests", "acts", "holds", "register"):
            assert "Персональные данные" in await get(client, f"{page}?tab={tab}")
        entered = await client.post(f"{page}/requests", data={
            "person_id": str(stage.person_id), "kind": "erase", "reference": "вх. № 17",
        })  # fmt: skip
        assert entered.status_code == 303, entered.text[:600]
        shown = await get(client, page)
        draft = re.search(r'href="(/personal-data/acts/new[^"]+)"', shown)
        assert draft is not None
        form = await get(client, draft[1].replace("&amp;", "&"))
        assert LAST in form and f"decision-{stage.about}" in form  # noqa: PT018 - one form
        given = {
            "person_id": str(stage.person_id), "ground": "consent_withdrawn",
            "basis": "Заявление вх. № 17", "since": "2026-11-20", "extra": SNILS,
            "request_id": str(await db.value("SELECT id FROM subject_request")),
            f"decision-{stage.about}": "destroy",
        }  # fmt: skip
        lonely = await client.post(f"{page}/acts", data=given, headers={"accept": "text/html"})
        assert lonely.status_code == 422
        assert "не меньше трёх" in lonely.text
        members = [str(one.account_id) for one in stage.others]
        made = await client.post(f"{page}/acts", data={**given, "member": members})
        assert made.status_code == 303, made.text[:600]
        act_page = made.headers["location"]
        assert "Ждёт комиссию" in await get(client, act_page)
        hold = {"kind": "person", "subject_id": str(stage.person_id), "reason": "Проверка"}
        assert (await client.post(f"{page}/holds", data=hold)).status_code == 303
        held = await get(client, f"{page}?tab=holds")
        lift = re.search(r'action="(/personal-data/holds/[^"]+/lift)"', held)
        assert lift is not None
        assert (await client.post(lift[1], data={"reason": "Окончена"})).status_code == 303
    for member in stage.others:
        async with ground.browser(member) as client:
            assert "Утвердить" in await get(client, act_page)
            assert (await client.post(f"{act_page}/approve")).status_code == 303
    act_id = await db.value("SELECT id FROM erasure")
    await erasing.execute(act_id)
    async with ground.browser(stage.lawyer) as client:
        done = await get(client, act_page)
        assert "ничего не осталось" in done
        paper = await client.get(f"{act_page}/paper")
        assert paper.content[:5] == b"%PDF-"
        extract = await client.get(f"{act_page}/events")
        assert b"person.erased" in extract.content
        assert met_in(extract.content + paper.content + done.encode()) == []
        assert "Отвечено" in await get(client, page)
