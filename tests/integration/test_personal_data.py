"""Purposes, consents, requests: closed everywhere at once, answered in the law's time."""

import uuid
from dataclasses import replace
from datetime import date, timedelta

import pytest

from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from directory import people as directory_people
from directory import purposes
from directory.purposes import Purpose
from directory.states import PostKind
from evidence.privacy import consents, requests, terms
from evidence.privacy.states import ERASE, REQUESTS
from tests import ground, people

WORDS = "Даю согласие на обработку моих персональных данных в справочнике организаций."


async def officer(home: uuid.UUID, name: str = "Снегирёва") -> uuid.UUID:
    person_id = await directory_people.create(
        RULE, last_name=name, first_name="Вера", email="vera@snegir.example", phone="+79991234567"
    )
    await directory_people.appoint(
        RULE, person_id=person_id, organization_id=home, kind=PostKind.ACCOUNTANT,
        since=clock.today(),
    )  # fmt: skip
    return person_id


async def a_clerk() -> tuple[Actor, uuid.UUID]:
    line = await ground.a_ground()
    clerk = await people.clerk_of(line.region, "clerk", "lawyer", "administrator")
    await purposes.publish(RULE.acting_for(line.union), purpose="directory", text=WORDS)
    return clerk, await officer(line.region)


async def test_a_withdrawn_consent_closes_the_data_everywhere_at_once(database: str) -> None:
    clerk, person_id = await a_clerk()
    consent_id = await consents.give(clerk, person_id, purpose="directory", version=1)
    again = await consents.give(clerk, person_id, purpose="directory", version=1)
    assert again == consent_id
    before = await directory_people.get(clerk, person_id=person_id, purpose="test")
    assert before["last_name"] == "Снегирёва"
    await consents.withdraw(clerk, person_id, purpose="directory")
    shown = await directory_people.of_organization(
        clerk, organization_id=clerk.home_id, purpose="test"
    )
    assert [(one["last_name"], one["email"], one["phone"]) for one in shown] == [
        ("Данные закрыты", "", "")
    ]
    # no table of the directory has it in readable form, so no module can show it
    row = await db.value("SELECT to_jsonb(p)::text FROM person AS p WHERE id = $1", person_id)
    assert "Снегирёва" not in row
    assert "snegir" not in row
    with pytest.raises(NotFound, match="consent_unknown"):
        await consents.withdraw(clerk, person_id, purpose="directory")
    with pytest.raises(Conflict, match="person_blocked"):
        await requests.correct(
            clerk, await requests.receive(clerk, person_id, kind="correct"),
            values={"last_name": "Иная"}, answer="Исправлено",
        )  # fmt: skip
    # a new consent opens it again, word for word
    await consents.give(clerk, person_id, purpose="directory", version=1)
    assert await directory_people.get(clerk, person_id=person_id, purpose="test") == before
    told = await consents.of_person(clerk, person_id)
    assert [one["withdrawn_at"] is None for one in told] == [True, False]


async def test_requests_have_the_clock_of_the_law(database: str) -> None:
    clerk, person_id = await a_clerk()
    asked = await requests.receive(
        clerk, person_id, kind="access", reference="вх. № 1", received_on=clock.today(), key="k"
    )
    assert asked == await requests.receive(
        clerk, person_id, kind="access", reference="вх. № 1", received_on=clock.today(), key="k"
    )
    row = await requests.own(clerk, asked)
    assert row["due_on"] == terms.end_of(REQUESTS["access"], since=clock.today())
    later = await requests.extend(clerk, asked, notice="Уведомление исх. № 2")
    assert later > row["due_on"]
    with pytest.raises(Conflict, match="request_not_extended"):
        await requests.extend(clerk, asked, notice="Ещё раз")
    export_id = await requests.hand_out(clerk, asked)
    assert await requests.hand_out(clerk, asked) == export_id
    export = await db.row("SELECT * FROM evidence_export WHERE id = $1", export_id)
    assert export is not None
    assert (export["kind"], export["subject_id"], export["level"]) == ("person", person_id, "full")
    await requests.answer(clerk, asked, text="Пакет передан под подпись")
    with pytest.raises(Conflict):
        await requests.refuse(clerk, asked, reason="Поздно")
    wrong = await requests.receive(clerk, person_id, kind="correct")
    await requests.correct(
        clerk, wrong, values={"last_name": "Снегирева-Ли", "phone": ""}, answer="Исправлено"
    )
    person = await directory_people.get(clerk, person_id=person_id, purpose="test")
    assert (person["last_name"], person["phone"]) == ("Снегирева-Ли", "")
    stopped = await requests.receive(clerk, person_id, kind="stop", reference="вх. № 9")
    assert (await requests.own(clerk, stopped))["status"] == "open"
    closed = await directory_people.get(clerk, person_id=person_id, purpose="test")
    assert closed["last_name"] == "Данные закрыты"
    listed = await requests.listed(clerk)
    assert [one["status"] for one in listed] == ["open", "answered", "answered"]
    with clock.frozen(clock.now() + timedelta(days=90)):
        late = await requests.listed(clerk)
        assert [one["is_overdue"] for one in late] == [True, False, False]


async def test_strangers_neither_see_nor_ask(database: str) -> None:
    clerk, person_id = await a_clerk()
    asked = await requests.receive(clerk, person_id, kind="access")
    other = await people.clerk_of(
        await ground.an_organization("primary"), "clerk", "lawyer", "administrator"
    )
    for work in (
        requests.own(other, asked), requests.hand_out(other, asked),
        consents.of_person(other, person_id), requests.receive(other, person_id, kind="erase"),
        consents.withdraw(other, person_id, purpose="directory"),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await work
    herself = Actor(kind="user", id=clock.new_id(), organization_id=clerk.home_id,
                    person_id=person_id)  # fmt: skip
    own = await requests.receive(herself, person_id, kind="access")
    assert (await requests.own(clerk, own))["kind"] == "access"
    with pytest.raises(Forbidden):
        await requests.own(herself, asked)


async def test_purposes_and_words_go_by_version(database: str) -> None:
    center = await ground.an_organization("center")
    keeper = await people.clerk_of(center, "administrator")
    line = Purpose(
        code="membership", title="Учёт", basis="consent", subjects="Члены", categories="ФИО",
        actions="сбор", kept="до выхода",
    )  # fmt: skip
    assert await purposes.put(keeper, line) == 1
    assert await purposes.put(keeper, line) == 2
    assert len([r for r in await purposes.listed(history=True) if r["code"] == "membership"]) == 2
    assert {r["code"] for r in await purposes.listed()} == {
        "accounts", "directory", "documents", "membership", "pictures",
    }  # fmt: skip
    assert await purposes.publish(keeper, purpose="membership", text=WORDS) == 1
    assert await purposes.publish(keeper, purpose="membership", text=WORDS + " (2)") == 2
    assert [row["version"] for row in await purposes.texts("membership")] == [2, 1]
    with pytest.raises(NotFound, match="purpose_unknown"):
        await purposes.publish(keeper, purpose="nothing", text=WORDS)
    with pytest.raises(InvalidInput, match="purpose_wrong"):
        await purposes.put(keeper, Purpose(code="Кривой", title="", basis="x", subjects="",
                                           categories="", actions="", kept=""))  # fmt: skip
    clerk = await people.clerk_of(await ground.an_organization("union"), "administrator")
    with pytest.raises(Forbidden):
        await purposes.put(clerk, line)


async def test_personal_data_over_http(database: str) -> None:
    clerk, person_id = await a_clerk()
    base = f"/api/v1/people/{person_id}"
    async with ground.api(clerk) as client:
        made = await client.post(f"{base}/consents", json={"purpose": "directory", "version": 1})
        assert made.status_code == 201, made.text
        unknown = await client.post(f"{base}/consents", json={"purpose": "directory", "version": 7})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "consent_text_unknown")
        asked = await client.post(
            "/api/v1/subject-requests", json={"person_id": str(person_id), "kind": "access"}
        )
        assert asked.status_code == 201, asked.text
        assert len((await client.get("/api/v1/subject-requests")).json()) == 1
        gone = await client.post(f"{base}/consents/withdrawal", json={"purpose": "directory"})
        assert gone.status_code == 204, gone.text
        reads = (await client.get(f"{base}/reads")).json()
        assert isinstance(reads, list)
        traces = (await client.get(f"{base}/traces")).json()
        assert traces == {"documents": [], "holds": []}
        table = await client.get("/api/v1/processing-purposes/register.csv")
        assert "Правовое основание" in table.content.decode("utf-8-sig")
        refused = await client.post("/api/v1/erasures", json={
            "person_id": str(person_id), "ground": "ceased", "basis": "Заявление № 1",
            "since": "2026-11-20", "members": [], "documents": [],
        })  # fmt: skip
        assert refused.status_code in (403, 422), refused.text


@pytest.mark.parametrize(
    ("ground_of", "since", "end"),
    [
        ("unlawful", date(2026, 11, 20), date(2026, 12, 4)),
        ("consent_withdrawn", date(2026, 11, 20), date(2026, 12, 20)),
        ("not_needed", date(2026, 12, 29), date(2027, 1, 15)),
    ],
)
def test_terms_of_the_law(ground_of: str, since: date, end: date) -> None:
    assert terms.end_of(ERASE[ground_of], since=since) == end


async def test_contacts_are_for_those_who_have_to_do_with_the_person(database: str) -> None:
    line = await ground.a_ground()
    await officer(line.region)
    seen = {}
    for name, home, roles in (
        ("above", line.union, ("clerk",)), ("below", line.local, ("signatory",)),
        ("own", line.region, ("lawyer",)), ("beside", line.other_region, ("clerk",)),
        ("editor", line.region, ("editor",)), ("stranger", line.stranger, ("administrator",)),
    ):  # fmt: skip
        # the helper takes whoever holds a post there, and that would be herself
        actor = replace(await people.clerk_of(home, *roles), person_id=None)
        (shown,) = await directory_people.of_organization(
            actor, organization_id=line.region, purpose="test", posts=(PostKind.ACCOUNTANT,)
        )
        assert shown["last_name"] == "Снегирёва"
        seen[name] = (shown["email"], shown["phone"])
        one = await directory_people.get(actor, person_id=shown["person_id"], purpose="test")
        assert (one["email"], one["phone"]) == seen[name]
    full, dim = ("vera@snegir.example", "+79991234567"), ("v•••@snegir.example", "•••67")
    assert seen == {"above": full, "below": full, "own": full, "beside": dim, "editor": dim,
                    "stranger": dim}  # fmt: skip
