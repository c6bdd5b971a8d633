"""Legal hold: what it reaches, who sets it, and that nothing slips past while it is set."""

import asyncio
import uuid
from datetime import timedelta

import pytest

from core import clock, db
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from docflow.documents import holds
from tests import ground, people


async def test_a_hold_reaches_documents_by_each_way(database: str) -> None:
    line = await ground.a_ground()
    lawyer = await people.clerk_of(line.union, "lawyer", "clerk", "signatory")
    author = await people.clerk_of(line.region)
    await ground.token_of(author)  # writes the roles, by which she belongs to the region
    mine, other = await ground.signed_documents(author, 2)
    third = (await ground.signed_documents(await people.clerk_of(line.other_region), 1))[0]
    everything = [mine, other, third]
    assert await holds.on(everything) == set()
    first = await holds.place(lawyer, kind="document", subject_id=mine, reason="Дело А40-1/2026")
    assert await holds.on(everything) == {mine}
    await holds.lift(lawyer, first, reason="Дело прекращено")
    assert author.person_id is not None
    for kind, subject in (("organization", line.region), ("person", author.person_id)):
        hold_id = await holds.place(lawyer, kind=kind, subject_id=subject, reason="Проверка")
        assert await holds.on(everything) == {mine, other}
        assert [row["id"] for row in await holds.against_person(author.person_id)] == [hold_id]
        await holds.lift(lawyer, hold_id, reason="Проверка окончена")
    on_paper = await holds.place(lawyer, kind="document", subject_id=other, reason="Проверка")
    assert [row["id"] for row in await holds.against_person(author.person_id)] == [on_paper]
    assert len(await holds.listed(lawyer)) == 1
    assert len(await holds.listed(lawyer, standing=False)) == 4
    told = await db.rows("SELECT verb FROM event WHERE verb LIKE 'hold.%' ORDER BY id")
    assert len(told) == 7


async def test_a_hold_ends_after_its_last_day(database: str, monkeypatch) -> None:  # type: ignore[no-untyped-def]  # reason: pytest's fixture
    line = await ground.a_ground()
    lawyer = await people.clerk_of(line.region, "lawyer", "clerk")
    (document_id,) = await ground.signed_documents(lawyer, 1)
    last = clock.today() + timedelta(days=3)
    await holds.place(lawyer, kind="document", subject_id=document_id, reason="Спор", until=last)
    monkeypatch.setattr(clock, "today", lambda: last)
    assert await holds.on([document_id]) == {document_id}
    monkeypatch.setattr(clock, "today", lambda: last + timedelta(days=1))
    assert await holds.on([document_id]) == set()
    with pytest.raises(InvalidInput, match="hold_over"):
        await holds.place(
            lawyer, kind="document", subject_id=document_id, reason="Спор", until=last
        )


async def test_who_may_not_set_or_lift(database: str) -> None:
    line = await ground.a_ground()
    lawyer = await people.clerk_of(line.region, "lawyer", "clerk")
    (document_id,) = await ground.signed_documents(lawyer, 1)
    hold_id = await holds.place(lawyer, kind="document", subject_id=document_id, reason="Спор")
    stranger = await people.clerk_of(line.stranger, "lawyer", "administrator")
    with pytest.raises(NotFound):
        await holds.place(stranger, kind="document", subject_id=document_id, reason="Спор")
    with pytest.raises(NotFound):
        await holds.lift(stranger, hold_id, reason="Не нужно")
    assert await holds.listed(stranger) == []
    with pytest.raises(Forbidden):
        await holds.lift(await people.clerk_of(line.region), hold_id, reason="Не нужно")
    with pytest.raises(NotFound):
        await holds.place(lawyer, kind="person", subject_id=uuid.uuid4(), reason="Спор")
    with pytest.raises(InvalidInput, match="unknown_hold"):
        await holds.place(lawyer, kind="picture", subject_id=document_id, reason="Спор")
    await holds.lift(lawyer, hold_id, reason="Спор окончен")
    with pytest.raises(Conflict, match="hold_lifted"):
        await holds.lift(lawyer, hold_id, reason="Спор окончен")


async def test_a_hold_waits_for_who_destroys_and_is_seen_by_the_next(database: str) -> None:
    line = await ground.a_ground()
    lawyer = await people.clerk_of(line.region, "lawyer", "clerk")
    (document_id,) = await ground.signed_documents(lawyer, 1)
    asked, done = asyncio.Event(), []

    async def destroy() -> None:
        async with db.transaction():
            assert await holds.on([document_id]) == set()
            asked.set()
            await asyncio.sleep(0.2)
            done.append("destroyed")

    async def hold() -> None:
        await asked.wait()
        await holds.place(lawyer, kind="document", subject_id=document_id, reason="Спор")
        done.append("held")

    await asyncio.gather(destroy(), hold())
    assert done == ["destroyed", "held"]
    assert await holds.on([document_id]) == {document_id}


async def test_holds_over_http(database: str) -> None:
    line = await ground.a_ground()
    lawyer = await people.clerk_of(line.region, "lawyer", "clerk")
    (document_id,) = await ground.signed_documents(lawyer, 1)
    body = {"kind": "document", "subject_id": str(document_id), "reason": "Иск № 2-1/2026"}
    async with ground.api(lawyer) as client:
        first = await client.post(
            "/api/v1/legal-holds", json=body, headers={"Idempotency-Key": "a"}
        )
        again = await client.post(
            "/api/v1/legal-holds", json=body, headers={"Idempotency-Key": "a"}
        )
        assert first.status_code == again.status_code == 201, first.text
        assert first.json() == again.json()
        (shown,) = (await client.get("/api/v1/legal-holds")).json()
        assert shown["stands"] is True
        assert shown["reason"] == "Иск № 2-1/2026"
        lifted = await client.post(
            f"/api/v1/legal-holds/{shown['id']}/lift", json={"reason": "Отказ от иска"}
        )
        assert lifted.status_code == 204, lifted.text
        assert (await client.get("/api/v1/legal-holds")).json() == []
