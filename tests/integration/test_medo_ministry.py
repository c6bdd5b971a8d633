"""A whole conversation with a ministry, from the primary's request to the answer, as time goes by;
and everything a ministry is known to get wrong."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from core import clock, db
from core.actor import RULE, Actor
from demo import defects
from demo.defects import DEFECTS
from docflow.documents import cards, files, links, registration, signing, timeline
from docflow.gateways.medo import lists
from docflow.gateways.medo import messages as wire
from docflow.gateways.medo.messages import Kind
from docflow.routing import dispatch, inbox, lines
from docflow.routing.medo import clocks, incoming, journal, outgoing, replies
from signatures import revocation_import
from tests import ground, medo_stage, people
from tests.medo_stage import Stage

pytestmark = pytest.mark.slow


@pytest.fixture
async def stage(database: str, tmp_path: Path) -> AsyncIterator[Stage]:
    with medo_stage.transport(tmp_path):
        yield await medo_stage.a_stage(tmp_path)


async def exchange() -> None:
    """One round of the worker: what came is taken in, what is owed and waiting goes."""
    await incoming.poll()
    await replies.notify()
    await outgoing.send_waiting()


async def the_message(document_id: uuid.UUID) -> db.Row:
    return await medo_stage.sent_row(document_id)


async def a_request(stage: Stage) -> tuple[Actor, uuid.UUID]:
    """A primary's letter to the center, registered there and in the center's journal."""
    primary_id = await ground.an_organization("primary")
    primary = await people.clerk_of(primary_id)
    await people.give_key(primary_id)
    card = cards.CardInput(kind="letter", title="О задержке заработной платы", addressee="Центр")
    document_id = await cards.create(primary, card=card)
    await files.attach(primary, document_id, stream=people.stream(await people.a_letter()),
                       file_name="запрос.pdf")  # fmt: skip
    await signing.submit(primary, document_id)
    await signing.seal(primary, document_id)
    await registration.register(primary, document_id)
    await dispatch.send(primary, document_id, wanted=dispatch.DispatchInput(
        selector=lines.only([stage.clerk.home_id])))  # fmt: skip
    await registration.register_incoming(stage.clerk, document_id)
    return primary, document_id


async def test_the_complete_conversation_as_time_goes_by(stage: Stage) -> None:
    begun = clock.now()
    primary, request_id = await a_request(stage)
    letter_id = await medo_stage.a_draft(stage, "О задержке заработной платы")
    await links.link(stage.clerk, letter_id, to_id=request_id, kind="relates_to")
    await medo_stage.an_annex(stage, letter_id)
    await medo_stage.sign(stage, letter_id)
    await medo_stage.send(stage, letter_id)
    await exchange()
    (went,) = stage.they.collected()
    with clock.frozen(begun + timedelta(hours=71, minutes=59)):
        assert await clocks.watch() == 0, "71 h 59 min: nothing yet"
    with clock.frozen(begun + timedelta(hours=73)):
        assert await clocks.watch() == 1, "no receipt in 72 hours: told"
        assert await clocks.watch() == 0, "once"
        stage.they.put(stage.they.receipt(went.header_uid))
        await exchange()
    assert (await the_message(letter_id))["status"] == "delivered"
    their_day = clock.today() + timedelta(days=5)
    with clock.frozen(begun + timedelta(days=6)):
        stage.they.registers(went, number="14-2/В-77", on=their_day)
        await exchange()
        row = await the_message(letter_id)
        assert (row["status"], row["their_number"]) == ("registered", "14-2/В-77")
        assert row["overdue_on"] == their_day + timedelta(days=30), "from THEIR registration"
        stage.they.assigns(went, executor="Исполнителев И. И.")
        await exchange()
    await the_term_passes(stage, row)
    with clock.frozen(begun + timedelta(days=50)):
        await fresh_lists(stage)
        stage.they.reports(went, number="14-2/Д-3")
        await exchange()
        answered = stage.they.answers(went, await people.a_letter("Ответ"), number="14-2/И-901")
        await exchange()
    assert (await the_message(letter_id))["status"] == "answered"
    with clock.frozen(begun + timedelta(days=90)):
        assert await clocks.watch() == 0, "an answered letter is waited for no longer"
    answer_id = await the_answer(stage, letter_id, answered)
    await the_primary_finds_it(stage, primary, request_id, letter_id, answer_id)
    await our_receipt_went(stage, answered)


async def the_term_passes(stage: Stage, row: db.Row) -> None:
    """Not late on the 29th day, late on the 30th; prolonged with its notice, late again after."""
    noon = datetime.combine(row["overdue_on"], time(12), tzinfo=clock.MOSCOW)
    with clock.frozen(noon - timedelta(days=1)):
        assert await clocks.watch() == 0
    with clock.frozen(noon):
        assert await clocks.watch() == 1
        await clocks.extend(stage.clerk, row["id"], days=15, notice="Уведомление № 14-2/П-5")
        assert await clocks.watch() == 0
    with clock.frozen(noon + timedelta(days=14)):
        assert await clocks.watch() == 0
    with clock.frozen(noon + timedelta(days=15)):
        assert await clocks.watch() == 1


async def fresh_lists(stage: Stage) -> None:
    """Revocation lists of the day: those of fifty days ago would leave the verdict open."""
    issuing = stage.world.authority
    for one in (issuing, issuing.parent):
        assert one is not None
        await revocation_import.import_list(RULE, one.crl(at=clock.now()))


async def the_answer(stage: Stage, letter_id: uuid.UUID, answered: wire.Message) -> uuid.UUID:
    """Entered as their document with their number, its GOST signature valid, ours executed."""
    found = await db.row(
        """SELECT d.id, d.number, s.verdict, s.form FROM medo_message AS m
           JOIN document AS d ON d.id = m.document_id JOIN signature AS s ON s.document_id = d.id
           WHERE m.header_uid = $1 AND m.direction = 'in'""",
        uuid.UUID(answered.header_uid),
    )
    assert found is not None
    assert (found["number"], found["verdict"], found["form"]) == ("14-2/И-901", "valid", "cades")
    status = await db.value("SELECT status FROM delivery WHERE document_id = $1", letter_id)
    assert status == "executed"
    answer_id: uuid.UUID = found["id"]
    return answer_id


async def the_primary_finds_it(
    stage: Stage, primary: Actor, request_id: uuid.UUID, letter_id: uuid.UUID, answer_id: uuid.UUID
) -> None:
    """Links both ways from the request to the answer, and the card's time line in its order."""
    ways = {
        request_id: {letter_id, answer_id},
        letter_id: {request_id, answer_id},
        answer_id: {request_id, letter_id},
    }
    for known_id, expected in ways.items():
        tied = {one["id"] for one in await links.links_of(stage.clerk, known_id)}
        assert expected <= tied, known_id
    verbs = [one["verb"] for one in await timeline.timeline(stage.clerk, letter_id)]
    told = [verb for verb in verbs if verb.startswith("medo.")]
    assert told == [
        "medo.sent", "medo.undelivered", "medo.delivered", "medo.delivered", "medo.registered",
        "medo.executor_assigned", "medo.term_extended", "medo.report_prepared", "medo.report_sent",
        "medo.answered",
    ]  # fmt: skip
    conversation = await journal.conversation(stage.clerk, letter_id)
    assert conversation[0]["extension_notice"] == "Уведомление № 14-2/П-5"
    assert [one["executor"] for one in conversation if one["executor"]] == ["Исполнителев И. И."]
    assert conversation[-1]["document_id"] == answer_id


async def our_receipt_went(stage: Stage, answered: wire.Message) -> None:
    (receipt,) = stage.they.collected(Kind.RECEIPT)
    assert receipt.receipt is not None
    assert (receipt.receipt.uid, receipt.receipt.is_accepted) == (answered.header_uid, True)


@pytest.mark.parametrize(("versions", "receipts"), [([], 0), (["2.7.1"], 1)])
async def test_notifications_are_acknowledged_as_the_lists_say(
    stage: Stage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    versions: list[str],
    receipts: int,
) -> None:
    path = tmp_path / "lists.toml"
    path.write_text(f"[receipts]\nfor_notifications = {versions}", encoding="utf-8")
    monkeypatch.setenv("MEDO_LISTS", str(path))
    lists.load.cache_clear()
    try:
        await medo_stage.a_sent(stage)
        (went,) = stage.they.collected()
        stage.they.registers(went, number="1")
        await exchange()
        assert [one.kind for one in stage.they.collected()] == [Kind.RECEIPT] * receipts
    finally:
        lists.load.cache_clear()


async def test_everything_a_ministry_gets_wrong(stage: Stage) -> None:
    """Each of the known failures is taken with a warning or kept with its reason; none is lost."""
    pdf = await people.a_letter("Письмо с изъяном")
    sent = {name: await asyncio.to_thread(defects.send, stage.they, name, pdf) for name in DEFECTS}
    good, sources = stage.they.letter(pdf, number="14-9/good")
    folder = stage.they.put(good, sources)
    defects.send_again(stage.they, folder)
    counts = await incoming.poll()
    due: dict[str, int] = {"taken": 1, "duplicate": 1}
    for defect in DEFECTS.values():
        due[defect.outcome] = due.get(defect.outcome, 0) + 1
    rows = {row["folder"]: row for row in await db.rows("SELECT * FROM medo_message")}
    for name, place in sent.items():
        row, defect = rows[place.name], DEFECTS[name]
        assert row["status"] == defect.outcome, (name, row["reason"], row["facts"]["findings"])
        codes = {one["code"] for one in row["facts"]["findings"]} | {row["reason"]}
        assert not defect.finding or defect.finding in codes, (name, codes)
    assert counts == due
    assert not list(stage.inbox.iterdir())
    page = await inbox.inbox(stage.clerk, box="all", limit=100)
    assert len(page) == due["taken"], "whatever was taken lies in our inbox"
