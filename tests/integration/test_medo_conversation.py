"""A whole conversation with a ministry over real folders, GOST-signed, on our side of it."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core import clock, db
from docflow.documents import links, registration, timeline, visibility
from docflow.gateways.medo import messages as wire
from docflow.gateways.medo.messages import Event, Kind
from docflow.routing import answers, deliveries
from docflow.routing.medo import journal, outgoing, replies
from tests import medo_stage, people
from tests.medo_stage import Stage

pytestmark = pytest.mark.slow


@pytest.fixture
async def stage(database: str, tmp_path: Path) -> Iterator[Stage]:
    with medo_stage.transport(tmp_path):
        yield await medo_stage.a_stage(tmp_path)


async def delivery_status(document_id: uuid.UUID) -> tuple[str, str | None]:
    found = await db.row("SELECT status, reason FROM delivery WHERE document_id = $1", document_id)
    assert found is not None
    return found["status"], found["reason"]


async def test_letter_receipt_number_executor_answer(stage: Stage) -> None:
    request_id = await medo_stage.a_draft(stage, "Просьба первичной организации")
    document_id = await medo_stage.a_draft(stage, "О заработной плате врачей")
    await medo_stage.an_annex(stage, document_id)
    await medo_stage.sign(stage, document_id)
    await links.link(stage.clerk, document_id, to_id=request_id, kind="relates_to")
    await medo_stage.send(stage, document_id)
    assert await delivery_status(document_id) == ("queued", None)
    assert await outgoing.send_waiting() == {"sent": 1}
    assert await outgoing.send_waiting() == {}, "sent once"
    (went,) = stage.they.collected()
    assert (went.kind, went.version, went.document.number) == (Kind.CONTAINER, "2.7.1",
        await db.value("SELECT number FROM document WHERE id = $1", document_id))  # fmt: skip
    assert sum(one.role is wire.Role.SIGNATURE for one in went.files) == 2
    assert [one.uid for one in went.destinations] == [str(medo_stage.THEIRS)]

    stage.they.put(stage.they.receipt(went.header_uid))
    stage.they.put(
        stage.they.notification(
            went.header_uid, Event.ACCEPTED, number="ВХ-77/1", date=clock.today()
        )
    )
    assert await medo_stage.polled(stage) == {"matched": 2}
    sent = await medo_stage.sent_row(document_id)
    assert (sent["status"], sent["their_number"]) == ("registered", "ВХ-77/1")
    assert sent["overdue_on"] == clock.today() + timedelta(days=30)
    assert await delivery_status(document_id) == ("delivered", None)

    stage.they.put(
        stage.they.notification(
            went.document.uid,
            Event.EXECUTOR,
            type="Назначен исполнитель",
            executor=wire.Party(person="Исполнитель Е. Е.", organization="Минтруд"),
            manager=wire.Party(person="Р. Р.", organization="Минтруд"),
            secretary=wire.Party(person="С. С.", organization="Минтруд"),
        )
    )
    link = wire.Link(kind="В ответ на", uid=went.document.uid, reference=wire.Reference(
        number=went.document.number, date=went.document.date,
        party=wire.Party(organization="Федерация")))  # fmt: skip
    answer = stage.they.letter(await people.a_letter("Ответ"), links=(link,))
    stage.they.put(*answer)
    assert await medo_stage.polled(stage) == {"matched": 1, "taken": 1}
    assert (await medo_stage.sent_row(document_id))["status"] == "answered"
    assert (await delivery_status(document_id))[0] == "executed"
    assert not list(stage.inbox.iterdir())
    await the_card_tells_it(stage, document_id, request_id)


async def the_card_tells_it(stage: Stage, document_id: uuid.UUID, request_id: uuid.UUID) -> None:
    """Time line, links both ways, and the conversation as the API answers it."""
    verbs = [one["verb"] for one in await timeline.timeline(stage.clerk, document_id)]
    for verb in ("medo.sent", "medo.delivered", "medo.registered", "medo.executor_assigned",
                 "medo.answered"):  # fmt: skip
        assert verb in verbs, verbs
    answer_id = await db.value("SELECT document_id FROM medo_message WHERE kind = 'container'"
                               " AND direction = 'in'")  # fmt: skip
    for known_id in (document_id, request_id):
        tied = await links.links_of(stage.clerk, known_id)
        assert answer_id in {one["id"] for one in tied}, "from ours and from the request behind it"
    told = await journal.conversation(stage.clerk, document_id)
    assert [(one["direction"], one["kind"], one["event"]) for one in told] == [
        ("out", "container", None), ("in", "receipt", None),
        ("in", "notification", "documentAccepted"), ("in", "notification", "executorAssigned"),
        ("in", "container", None)]  # fmt: skip
    assert told[3]["executor"] == "Исполнитель Е. Е."


async def test_their_letter_is_registered_and_answered_by_us(stage: Stage) -> None:
    message, sources = stage.they.letter(await people.a_letter("Запрос"))
    stage.they.put(message, sources)
    assert await medo_stage.polled(stage) == {"taken": 1}
    row = await db.row("SELECT * FROM medo_message WHERE direction = 'in'")
    assert row is not None
    found = await visibility.visible_document(stage.clerk, row["document_id"])
    assert (found["origin"], found["number"], found["status"]) == (
        "external", "14-2/В-100", "registered")  # fmt: skip
    verdict = await db.row("SELECT verdict, form FROM signature")
    assert dict(verdict or {}) == {"verdict": "valid", "form": "cades"}
    done = await registration.register_incoming(stage.clerk, row["document_id"])
    assert await replies.notify() == 1
    assert await replies.notify() == 0
    assert await outgoing.send_waiting() == {"sent": 2}
    went = stage.they.collected()
    by_kind = {one.kind: one for one in went}
    assert by_kind[Kind.RECEIPT].receipt.is_accepted
    assert by_kind[Kind.RECEIPT].receipt.uid == message.header_uid
    told = by_kind[Kind.NOTIFICATION].notification
    assert (told.event, told.number, told.uid) == (
        Event.ACCEPTED, done.number, message.header_uid)  # fmt: skip
    assert told.foundation.number == "14-2/В-100"
    # and our answer goes back by МЭДО, naming their number
    ours = await medo_stage.a_draft(stage, "Ответ Минтруду")
    await medo_stage.sign(stage, ours)
    await registration.register(stage.clerk, ours)
    await answers.answer(stage.clerk, row["delivery_id"], document_id=ours)
    assert await outgoing.send_waiting() == {"sent": 1}
    (reply,) = stage.they.collected()
    assert [(one.reference.number, one.uid) for one in reply.document.links] == [
        ("14-2/В-100", message.document.uid)]  # fmt: skip


async def test_our_refusal_reaches_them(stage: Stage) -> None:
    message, sources = stage.they.letter(await people.a_letter("Не нам"))
    stage.they.put(message, sources)
    await medo_stage.polled(stage)
    delivery_id = await db.value("SELECT delivery_id FROM medo_message WHERE direction = 'in'")
    await deliveries.refuse(stage.clerk, delivery_id, reason="Ошибка адресации. Это в Минздрав")
    assert await replies.notify() == 1
    await outgoing.send_waiting()
    (went,) = stage.they.collected(Kind.NOTIFICATION)
    told = went.notification
    assert (told.event, told.reason, told.comment) == (
        Event.REFUSED, "Ошибка адресации", "Это в Минздрав")  # fmt: skip


async def test_refused_by_them_for_each_reason(stage: Stage) -> None:
    for reason in replies.refusal_reasons():
        document_id = await medo_stage.a_sent(stage, reason)
        (went,) = stage.they.collected()
        stage.they.put(
            stage.they.notification(
                went.header_uid,
                Event.REFUSED,
                type="Отказано в регистрации",
                reason=reason,
                comment="см. правила",
            )
        )
        assert await medo_stage.polled(stage) == {"matched": 1}
        assert await delivery_status(document_id) == ("refused", f"{reason}. см. правила")
        steps = await timeline.timeline(stage.clerk, document_id)
        assert [one["data"]["reason"] for one in steps if one["verb"] == "medo.refused"] == [reason]


async def test_undelivered_then_sent_again_under_the_same_uid(stage: Stage) -> None:
    document_id = await medo_stage.a_sent(stage)
    (went,) = stage.they.collected()
    operator = wire.Party(uid=str(uuid.uuid4()), organization="Оператор МЭДО")
    refused = stage.they.receipt(
        went.header_uid, accepted=False, comment="72 часа истекли", source=operator
    )
    stage.they.put(refused)
    assert await medo_stage.polled(stage) == {"matched": 1}
    assert await delivery_status(document_id) == (
        "failed", "medo_not_delivered: 72 часа истекли")  # fmt: skip
    await outgoing.retry(stage.clerk, (await medo_stage.sent_row(document_id))["id"])
    assert await outgoing.send_waiting() == {"sent": 1}
    (again,) = stage.they.collected()
    assert (again.header_uid, again.document.uid) == (went.header_uid, went.document.uid)
    stage.they.put(stage.they.receipt(went.header_uid))
    assert await medo_stage.polled(stage) == {"matched": 1}
    assert (await delivery_status(document_id))[0] == "delivered"


@pytest.mark.parametrize("way", ["header", "document", "number"])
async def test_answers_are_matched_by(stage: Stage, way: str) -> None:
    document_id = await medo_stage.a_sent(stage)
    (went,) = stage.they.collected()
    uid = {"header": went.header_uid, "document": went.document.uid, "number": str(uuid.uuid4())}
    named = wire.Reference(number=f" № {went.document.number.upper()} ", date=went.document.date,
                           party=wire.Party(organization="Федерация"))  # fmt: skip
    stage.they.put(stage.they.notification(uid[way], Event.ACCEPTED, number="1", date=clock.today(),
        foundation=named if way == "number" else None))  # fmt: skip
    assert await medo_stage.polled(stage) == {"matched": 1}
    assert (await medo_stage.sent_row(document_id))["status"] == "registered"


async def test_another_participant_cannot_speak_for_the_ministry(stage: Stage) -> None:
    document_id = await medo_stage.a_sent(stage)
    (went,) = stage.they.collected()
    stranger = wire.Party(uid=str(uuid.uuid4()), organization="Чужие")
    stage.they.put(
        stage.they.notification(
            went.header_uid,
            Event.ACCEPTED,
            number="1",
            date=clock.today(),
            message={"source": stranger},
        )
    )
    assert await medo_stage.polled(stage) == {"quarantined": 1}
    assert (await medo_stage.sent_row(document_id))["status"] == "sent"
