"""The life of a document by its verbs: every step with its event, none that the graph forbids."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from audit import transitions
from core import db
from core.actor import Actor
from core.errors import Conflict, Forbidden, IllegalTransition, ServiceError
from docflow.documents import cards, files, links, registration, signing
from docflow.documents.states import TRANSITIONS, DocumentStatus
from docflow.routing import deliveries, recall
from tests import ground, people


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


VERBS: dict[str, Callable[[Actor, uuid.UUID], Awaitable[Any]]] = {
    "submit": lambda actor, one: signing.submit(actor, one),
    "decline": lambda actor, one: signing.decline(actor, one, reason="Исправьте дату"),
    "register": lambda actor, one: registration.register(actor, one),
    "discard": lambda actor, one: cards.discard(actor, one),
    "close": lambda actor, one: cards.close(actor, one, file_index="01-12"),
    "recall": lambda actor, one: recall.recall(actor, one, reason="Ошибка"),
}
LEADS = {
    ("draft", "submit"): "signing", ("draft", "discard"): "discarded",
    ("signing", "decline"): "draft", ("signing", "discard"): "discarded",
    ("signed", "register"): "registered", ("signed", "discard"): "discarded",
    ("registered", "close"): "closed", ("registered", "recall"): "recalled",
    ("registered", "register"): "registered", ("sent", "register"): "sent",
    ("closed", "register"): "closed", ("recalled", "register"): "recalled",
    ("sent", "close"): "closed", ("sent", "recall"): "recalled",
}  # fmt: skip
"""What each verb does from each state; every other pair is refused and changes nothing."""


@pytest.mark.parametrize("verb", VERBS)
async def test_verbs_go_where_they_may_and_nowhere_else(clerk: Actor, verb: str) -> None:
    for status in DocumentStatus:
        (document_id,) = await ground.signed_documents(clerk, 1)
        numbered = status in ("registered", "sent", "closed", "recalled")
        if numbered:
            await registration.register(clerk, document_id)
        await db.execute("UPDATE document SET status = $2 WHERE id = $1", document_id, status)
        events = await db.value("SELECT count(*) FROM event")
        wanted = LEADS.get((status, verb))
        if wanted is None:
            with pytest.raises(ServiceError):
                await VERBS[verb](clerk, document_id)
        else:
            await VERBS[verb](clerk, document_id)
        after = await db.value("SELECT status FROM document WHERE id = $1", document_id)
        assert after == (wanted or status), (status, verb)
        is_changed = after != status
        assert (await db.value("SELECT count(*) FROM event") > events) is is_changed


async def test_of_two_at_once_one_wins(clerk: Actor) -> None:
    for _ in range(5):
        (document_id,) = await ground.signed_documents(clerk, 1)
        moves = [registration.register(clerk, document_id), cards.discard(clerk, document_id)]
        answers = await asyncio.gather(*moves, return_exceptions=True)
        refused = [one for one in answers if isinstance(one, ServiceError)]
        assert len(refused) == 1
        status = await db.value("SELECT status FROM document WHERE id = $1", document_id)
        number = await db.value(
            "SELECT number FROM registration WHERE document_id = $1", document_id
        )
        assert (status, number is not None) in (("registered", True), ("discarded", False))


async def test_guarded_move_tells_from_and_to(clerk: Actor) -> None:
    document_id = await cards.create(clerk, card=cards.CardInput(kind="circular", title="О"))
    with pytest.raises(IllegalTransition) as refused:
        await transitions.move(
            clerk, "document", document_id, graph=TRANSITIONS, source=DocumentStatus.SIGNED,
            target=DocumentStatus.REGISTERED, verb="document.registered",
        )  # fmt: skip
    assert refused.value.details == {"from_status": "signed", "to_status": "registered"}
    assert await db.value("SELECT count(*) FROM event WHERE verb = 'document.registered'") == 0


async def test_correction_keeps_old_beside_new_apart_from_the_event(clerk: Actor) -> None:
    card = cards.CardInput(kind="circular", title="О Петрове", fields={"body": "Президиум"})
    document_id = await cards.create(clerk, card=card)
    new = cards.CardInput(kind="circular", title=" О Сидорове ", fields={"body": "Президиум"})
    await cards.correct(clerk, document_id, card=new, version=1)
    event = await db.row("SELECT id, data FROM event WHERE verb = 'document.corrected'")
    assert event is not None
    assert event["data"] == {"fields": ["title"]}
    detail = await db.value("SELECT detail FROM event_payload WHERE event_id = $1", event["id"])
    assert detail == {"title": {"old": "О Петрове", "new": "О Сидорове"}}
    with pytest.raises(Conflict) as refused:
        await cards.correct(clerk, document_id, card=card, version=1)
    assert refused.value.error_code == "stale_version"
    await cards.correct(clerk, document_id, card=new, version=2)
    assert await db.value("SELECT version FROM document") == 2, "nothing changed, nothing counted"


async def test_files_are_revisions_and_the_earlier_stay(clerk: Actor) -> None:
    document_id = await cards.create(clerk, card=cards.CardInput(kind="circular", title="О"))
    made = [
        await files.attach(
            clerk, document_id, stream=people.stream(await people.a_letter(text)), file_name="a.pdf"
        )
        for text in ("Первое", "Второе", "Первое")
    ]
    assert len(set(made)) == 3
    (current,) = await files.current_files(document_id)
    assert (current["id"], current["revision"]) == (made[2], 3)
    assert await db.value("SELECT count(*) FROM document_file") == 3
    assert (await files.visible_file(clerk, made[0]))["is_current"] is False
    at_once = [
        files.attach(
            clerk, document_id, stream=people.stream(b"a;b\n%d\n" % n), file_name="a.csv",
            role="annex", position=2,
        )
        for n in range(5)
    ]  # fmt: skip
    await asyncio.gather(*at_once)
    annexes = [one for one in await files.current_files(document_id) if one["role"] == "annex"]
    assert [one["revision"] for one in annexes] == [5]


async def test_links_are_walked_both_ways_and_made_once(clerk: Actor) -> None:
    first, second = await ground.signed_documents(clerk, 2)
    await asyncio.gather(
        *(links.link(clerk, first, to_id=second, kind="instead_of") for _ in range(5))
    )
    (ahead,), (back,) = await links.links_of(clerk, first), await links.links_of(clerk, second)
    assert (ahead["direction"], ahead["id"]) == ("from", second)
    assert (back["direction"], back["id"]) == ("to", first)
    assert await db.value("SELECT count(*) FROM event WHERE verb = 'document.linked'") == 1


async def test_extract_is_registered_once_it_names_its_minutes(clerk: Actor) -> None:
    (minutes,) = await ground.signed_documents(clerk, 1, kind="minutes")
    (extract,) = await ground.signed_documents(clerk, 1, kind="extract")
    await db.execute("""UPDATE document SET fields = '{"item": 3}' WHERE id = $1""", extract)
    with pytest.raises(ServiceError, match="link_missing"):
        await registration.register(clerk, extract)
    await links.link(clerk, extract, to_id=minutes, kind="extract_of")
    assert (await registration.register(clerk, extract)).number == "01-01/1"


async def test_who_may_not_change_anything(clerk: Actor) -> None:
    (document_id,) = await ground.signed_documents(clerk, 1)
    for roles in (("lawyer",), ("administrator",), ("editor",)):
        actor = await people.clerk_of(clerk.home_id, *roles)
        for verb in VERBS.values():
            with pytest.raises(Forbidden):
                await verb(actor, document_id)
    assert await db.value("SELECT status FROM document") == "signed"


async def test_four_answers_are_never_mixed(clerk: Actor) -> None:
    """Delivered, opened, acknowledged, executed: each has its own time, none stands for another."""
    region = await ground.an_organization("regional", under=clerk.home_id)
    letter = await ground.a_sent(clerk, region)
    delivery_id = await ground.delivery_to(letter, region)
    reader = await people.clerk_of(region)

    async def times() -> list[bool]:
        row = await db.row(
            """SELECT delivered_at, opened_at, acknowledged_at, executed_at FROM delivery
               WHERE id = $1""",
            delivery_id,
        )
        return [moment is not None for moment in (row or {}).values()]

    assert await times() == [True, False, False, False]
    await asyncio.gather(*(deliveries.open_delivery(reader, delivery_id) for _ in range(5)))
    assert await times() == [True, True, False, False]
    await asyncio.gather(*(deliveries.acknowledge(reader, delivery_id) for _ in range(5)))
    assert await times() == [True, True, True, False]
    with pytest.raises(IllegalTransition):
        await deliveries.refuse(reader, delivery_id, reason="Не по адресу")
    verbs = await db.rows("SELECT verb FROM event WHERE subject_id = $1 ORDER BY id", delivery_id)
    assert sorted(row["verb"] for row in verbs) == [
        "delivery.acknowledged", "delivery.made", "delivery.opened",
    ]  # fmt: skip
