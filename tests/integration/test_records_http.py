"""The records schedule over HTTP, from the list of terms to the note of what was destroyed."""

import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx
import pytest

from core import clock, db
from core.sandbox.extract import inspect_pdf
from docflow.documents.records import destroying, numerals
from tests import ground, people
from tests.records_stage import BASIS, Stage, a_stage, filed, moment

AT = "/api/v1/records"


async def made(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def paper(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(f"{AT}{path}/paper")
    assert answer.status_code == 200, answer.text
    assert b"pdfaid:part>2<" in answer.content
    return " ".join(str(inspect_pdf(answer.content)["text"]).split())


@pytest.mark.slow
async def test_a_case_from_its_plan_to_its_stub(database: str) -> None:
    stage: Stage = await a_stage()
    async with AsyncExitStack() as stack:
        clerk, head, member, second, keeper = [
            await stack.enter_async_context(ground.api(one))
            for one in (stage.clerk, stage.head, *stage.members[:2], stage.keeper)
        ]
        assert (await keeper.post(f"{AT}/retention/lists/built-in")).status_code == 201
        found = (await clerk.get(f"{AT}/retention/articles", params={"q": "19б"})).json()
        assert [(one["years"], one["mark"]) for one in found] == [(5, "seen")]
        with clock.frozen(moment(2014, 12, 1)):
            plan_id = await made(await clerk.post(f"{AT}/plans", json={"year": 2015}))
        row = {"index": "01-12", "title": "Распоряжения", "section": "01. Аппарат",
               "years": 5, "protocol": "ЭК от 01.12.2014 № 4"}  # fmt: skip
        case_id = await made(await clerk.post(f"{AT}/plans/{plan_id}/cases", json=row))
        said = await clerk.post(
            f"{AT}/plans/{plan_id}/cases",
            json={"index": "01-13", "title": "Приказы", "article_id": found[0]["id"]},
        )
        assert said.json()["code"] == "list_not_in_force", "the order is of 2020, the year 2015"
        approved = await head.post(
            f"{AT}/plans/{plan_id}/approve", json={"agreement": "ЭК от 10.12.2014 № 5"}
        )
        assert approved.status_code == 204, approved.text
        documents = await filed(stage, uuid.UUID(case_id), 2, year=2015)
        answer = await clerk.post(f"{AT}/cases/{case_id}/close", json={"on": "2026-01-01"})
        assert answer.json() == {"expires_on": "2032-01-01"}
        await db.execute("UPDATE record_case SET expires_on = '2021-01-01'")
        summary = (await clerk.post(f"{AT}/plans/{plan_id}/close")).json()
        assert summary["total"] == {"cases": 1, "carried": 0, "decision": 0}
        text = await paper(clerk, f"/plans/{plan_id}")
        for words in ("НОМЕНКЛАТУРА ДЕЛ", "01-12", "5 лет, ЭК от 01.12.2014 № 4", "Итоговая"):
            assert words in text
        await an_act(clerk, head, (member, second), case_id)
        assert (await clerk.get(f"/api/v1/documents/{documents[0]}")).status_code == 404
        stubs = (await clerk.get(f"{AT}/tombstones")).json()
        assert [one["act_number"] for one in stubs] == [1, 1]
        copied = await clerk.post(f"{AT}/plans/copy", json={"from_year": 2015, "to_year": 2026})
        assert (copied.json()["total"], copied.json()["copied"]) == (1, 1)


async def an_act(
    clerk: httpx.AsyncClient, head: httpx.AsyncClient, members: Sequence[httpx.AsyncClient],
    case_id: str,
) -> None:  # fmt: skip
    (over,) = (await clerk.get(f"{AT}/expired")).json()
    assert (over["index"], over["waits"], over["is_held"]) == ("01-12", False, False)
    body = {"case_ids": [case_id], "basis": BASIS}
    act_id = await made(await clerk.post(f"{AT}/acts", json=body))
    assert (await clerk.post(f"{AT}/acts/{act_id}/submit")).status_code == 204
    for one, status in zip(members, ("review", "agreed"), strict=True):
        voted = await one.post(f"{AT}/acts/{act_id}/vote", json={"is_for": True})
        assert voted.json() == {"status": status}
    protocol = {"protocol": "ЭК от 12.01.2026 № 1"}
    assert (await head.post(f"{AT}/acts/{act_id}/approve", json=protocol)).status_code == 204
    assert (await clerk.post(f"{AT}/acts/{act_id}/execute")).status_code == 204
    assert await destroying.carry_out(uuid.UUID(act_id))
    shown = (await clerk.get(f"{AT}/acts/{act_id}")).json()
    assert (shown["status"], shown["lines"][0]["destroyed"]) == ("executed", 2)
    text = await paper(clerk, f"/acts/{act_id}")
    for words in ("о выделении к уничтожению", "1 (одно) дело", "документов 2", " за "):
        assert words in text


async def test_members_see_their_acts_and_nothing_else(database: str) -> None:
    stage = await a_stage()
    outsider = replace(
        await people.clerk_of(stage.organization_id, "editor"), second_factor=True
    )  # fmt: skip
    async with ground.api(outsider) as client:
        assert (await client.get(f"{AT}/acts")).json() == []
        for path in ("/plans", "/expired", "/tombstones", "/inventories/", "/commission"):
            answer = await client.get(AT + path)
            assert answer.status_code in (200, 403), path
            assert answer.status_code == 403 or answer.json() == [] or path == "/commission"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "ноль"), (1, "одно"), (2, "два"), (11, "одиннадцать"), (21, "двадцать одно"),
     (340, "триста сорок"), (1002, "одна тысяча два"), (12_500, "двенадцать тысяч пятьсот"),
     (21_001, "двадцать одна тысяча одно"), (1_000_000, "1000000")],
)  # fmt: skip
def test_numbers_in_words(number: int, words: str) -> None:
    assert numerals.in_words(number) == words


def test_nouns_after_numbers() -> None:
    assert [numerals.of(n, numerals.CASES) for n in (1, 2, 5, 11, 21, 112)] == [
        "дело", "дела", "дел", "дел", "дело", "дел",
    ]  # fmt: skip
