"""Appeals under 59-FZ: registered on day D, overdue at D + 30, prolonged by at most 30 days."""

import io
import uuid
import zipfile
from datetime import timedelta

import pytest

from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from docflow.documents import appeals, cards, files, registration, signing
from tests import ground, people


@pytest.fixture
async def clerk(database: str) -> Actor:
    home = await ground.an_organization("union")
    await people.give_key(home)
    return await people.clerk_of(home)


async def an_appeal(clerk: Actor, kind: str = "appeal") -> uuid.UUID:
    card = cards.CardInput(kind=kind, title="Обращение о выплатах", addressee="Минтруд")
    document_id = await cards.create(clerk, card=card)
    await files.attach(
        clerk, document_id, stream=people.stream(await people.a_letter()), file_name="а.pdf"
    )
    await signing.submit(clerk, document_id)
    await signing.seal(clerk, document_id)
    return document_id


async def test_overdue_at_d_plus_30_and_no_day_sooner(clerk: Actor) -> None:
    document_id = await an_appeal(clerk)
    with pytest.raises(Conflict) as early:
        await appeals.start(clerk, document_id)
    assert early.value.error_code == "not_registered"
    await registration.register(clerk, document_id)
    assert await appeals.start(clerk, document_id) == await appeals.start(clerk, document_id)
    day, now = clock.today(), clock.now()
    for after, is_overdue in ((0, False), (29, False), (30, True), (45, True)):
        with clock.frozen(now + timedelta(days=after)):
            shown = await appeals.of_document(clerk, document_id)
            assert shown["is_overdue"] is is_overdue, after
    assert shown["overdue_on"] == day + timedelta(days=30)
    with clock.frozen(now + timedelta(days=29)):
        assert await appeals.watch() == 0
    with clock.frozen(now + timedelta(days=30)):
        assert await appeals.watch() == 1
        assert await appeals.watch() == 0


async def test_prolonged_by_at_most_30_days_with_its_notice(clerk: Actor) -> None:
    document_id = await an_appeal(clerk)
    await registration.register(clerk, document_id)
    await appeals.start(clerk, document_id)
    for days, notice, code in ((31, "Уведомление № 3", "extension_length"),
                               (0, "Уведомление № 3", "extension_length"),
                               (5, "", "notice_missing")):  # fmt: skip
        with pytest.raises(InvalidInput) as refused:
            await appeals.extend(clerk, document_id, days=days, notice=notice)
        assert refused.value.error_code == code
    day = await appeals.extend(clerk, document_id, days=30, notice="Уведомление № 3, почтой")
    assert day == clock.today() + timedelta(days=60)
    with pytest.raises(InvalidInput):
        await appeals.extend(clerk, document_id, days=1, notice="Уведомление № 4")
    now = clock.now()
    with clock.frozen(now + timedelta(days=59)):
        assert await appeals.watch() == 0
        shown = await appeals.of_document(clerk, document_id)
        assert (shown["is_overdue"], shown["extension_notice"]) == (
            False, "Уведомление № 3, почтой")  # fmt: skip
    with clock.frozen(now + timedelta(days=60)):
        assert await appeals.watch() == 1
    await appeals.answer(clerk, document_id)
    with clock.frozen(now + timedelta(days=61)):
        assert await appeals.watch() == 0
    with pytest.raises(Conflict):
        await appeals.extend(clerk, document_id, days=1, notice="поздно")


async def test_the_portals_number_and_day_come_back(clerk: Actor) -> None:
    document_id = await an_appeal(clerk)
    await registration.register(clerk, document_id)
    with zipfile.ZipFile(io.BytesIO(await appeals.package(clerk, document_id))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        (main,) = (name for name in names if name.startswith("main-"))
        stored = (await files.current_files(document_id))[0]["sha256"]
        import hashlib

        assert hashlib.sha256(archive.read(main)).hexdigest() == stored
        note = archive.read("КАК-ПОДАТЬ.txt").decode()
    assert "card.json" in names
    assert "Переписка между организациями обращением не является" in note
    await appeals.start(clerk, document_id)
    later = clock.now() + timedelta(days=4)
    with clock.frozen(later):
        await appeals.enter_portal_number(clerk, document_id, number="ОГ-2026-77", on=clock.today())
        shown = await appeals.of_document(clerk, document_id)
        assert shown["overdue_on"] == clock.today() + timedelta(days=30)
        assert (shown["portal_number"], shown["portal_date"]) == ("ОГ-2026-77", clock.today())
        with pytest.raises(InvalidInput):
            await appeals.enter_portal_number(
                clerk, document_id, number="1", on=clock.today() + timedelta(days=1)
            )


async def test_a_letter_is_no_appeal_and_a_stranger_sees_none(clerk: Actor) -> None:
    letter = await an_appeal(clerk, "letter")
    await registration.register(clerk, letter)
    with pytest.raises(InvalidInput) as refused:
        await appeals.start(clerk, letter)
    assert refused.value.error_code == "not_an_appeal"
    document_id = await an_appeal(clerk)
    await registration.register(clerk, document_id)
    await appeals.start(clerk, document_id)
    stranger = await people.clerk_of(await ground.an_organization("union"))
    with pytest.raises(NotFound):
        await appeals.of_document(stranger, document_id)
    async with ground.api(clerk) as client:
        base = f"/api/v1/documents/{document_id}/appeal"
        answer = await client.post(f"{base}/extension", json={"days": 10, "notice": "№ 1"})
        assert answer.json()["extended_days"] == 10, answer.text
        package = await client.get(f"{base}/package")
        assert package.headers["content-type"] == "application/zip"
        assert (await client.get(f"{base}/")).json()["is_overdue"] is False
    assert await db.value("SELECT count(*) FROM appeal") == 1
