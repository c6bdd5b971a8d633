"""Messages by outside channels: one a target, one id over every try, one effect for a delivery."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from docflow.routing import (
    carriers,
    carrying,
    channels,
    clocks,
    consignments,
    mending,
    overdue,
    settling,
)
from docflow.routing.carriage import (
    Channel,
    Consignment,
    Outcome,
    accepted,
    broken,
    delivered,
    refused,
    retry,
)
from tests import ground, people


class Wire:
    """A channel whose other side answers as it is told, and remembers what it was handed."""

    def __init__(self) -> None:
        self.got: list[Consignment] = []
        self.answers: list[Outcome] = []

    async def send(self, message: Consignment) -> Outcome:
        self.got.append(message)
        assert not db.in_transaction()
        return self.answers.pop(0) if self.answers else delivered({"uid": str(message.id)})


@pytest.fixture
def pigeon() -> Iterator[Wire]:
    yield from _plugged("pigeon")


@pytest.fixture
def courier() -> Iterator[Wire]:
    yield from _plugged("courier")


def _plugged(name: str) -> Iterator[Wire]:
    wire, before = Wire(), channels.CHANNELS.get(name)
    channels.CHANNELS[name] = Channel(name=name, send=wire.send)
    yield wire
    channels.CHANNELS.pop(name)
    if before is not None:
        channels.CHANNELS[name] = before


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


async def reached_by(*names: str) -> uuid.UUID:
    """An organization with this order of channels."""
    one = await ground.an_organization("primary")
    await db.execute("UPDATE organization SET channels = $2 WHERE id = $1", one, list(names))
    return one


async def made(document_id: uuid.UUID) -> int:
    found = await db.rows("SELECT id FROM dispatch WHERE document_id = $1", document_id)
    return sum([await consignments.make(row["id"]) for row in found])


async def states(document_id: uuid.UUID) -> tuple[list[str], list[tuple[str, str]]]:
    deliveries = await db.rows(
        "SELECT status FROM delivery WHERE document_id = $1 ORDER BY recipient_id", document_id
    )
    messages = await db.rows(
        "SELECT channel, status FROM consignment WHERE document_id = $1 ORDER BY id", document_id
    )
    return [r["status"] for r in deliveries], [(r["channel"], r["status"]) for r in messages]


async def test_a_message_is_made_once_carried_and_settled(clerk: Actor, pigeon: Wire) -> None:
    to = [await reached_by("pigeon") for _ in range(3)]
    document_id = await ground.a_sent(clerk, *to)
    assert await made(document_id) == 3
    assert await made(document_id) == 0
    assert await carriers.carry_waiting() == 3
    assert await states(document_id) == (["delivered"] * 3, [("pigeon", "done")] * 3)
    assert {one.target for one in pigeon.got} == {str(one) for one in to}
    assert await db.value("SELECT count(*) FROM attempt WHERE status = 'sent'") == 3


async def test_a_retry_keeps_the_id_and_waits_longer_each_time(clerk: Actor, pigeon: Wire) -> None:
    document_id = await ground.a_sent(clerk, await reached_by("pigeon"))
    await made(document_id)
    pigeon.answers = [retry("busy"), retry("busy")]
    moment, pauses = clock.now(), []
    for _ in range(3):
        with clock.frozen(moment):
            assert await carriers.carry_waiting() == 1
        due = await db.value("SELECT next_attempt_at FROM consignment")
        if due is not None:
            pauses.append(due - moment)
            moment = due + timedelta(seconds=1)
    assert timedelta(seconds=48) <= pauses[0] <= timedelta(seconds=60)
    assert timedelta(seconds=96) <= pauses[1] <= timedelta(seconds=120)
    assert {one.id for one in pigeon.got} == {pigeon.got[0].id}
    assert [one.attempt for one in pigeon.got] == [1, 2, 3]
    assert await states(document_id) == (["delivered"], [("pigeon", "done")])


async def test_what_is_broken_goes_by_the_next_channel_and_then_to_a_person(
    clerk: Actor, pigeon: Wire, courier: Wire
) -> None:
    document_id = await ground.a_sent(clerk, await reached_by("pigeon", "courier"))
    await made(document_id)
    pigeon.answers, courier.answers = [broken("no_mailbox")], [broken("no_printer", "нет бумаги")]
    await carriers.carry_waiting()
    assert await states(document_id) == (["queued"], [("pigeon", "void")])
    await made(document_id)
    await carriers.carry_waiting()
    assert await states(document_id) == (["failed"], [("pigeon", "void"), ("courier", "failed")])
    assert await db.value("SELECT reason FROM delivery") == "no_printer: нет бумаги"
    # the letter did arrive after all
    await settling.settle(pigeon.got[0].id, delivered())
    assert (await states(document_id))[0] == ["delivered"]
    await overdue.sweep()
    assert (await states(document_id))[1] == [("pigeon", "void"), ("courier", "void")]


async def test_a_receipt_that_comes_twice_or_late_changes_nothing(
    clerk: Actor, pigeon: Wire
) -> None:
    document_id = await ground.a_sent(clerk, await reached_by("pigeon"))
    await made(document_id)
    pigeon.answers = [accepted()]
    await carriers.carry_waiting()
    assert await states(document_id) == (["queued"], [("pigeon", "sent")])
    for answer in (delivered(), delivered(), refused("spam"), broken("bounced"), retry("later")):
        await settling.settle(pigeon.got[0].id, answer)
        assert await states(document_id) == (["delivered"], [("pigeon", "done")])
    verbs = await db.rows(
        "SELECT verb FROM event WHERE document_id = $1 AND verb = 'delivery.delivered'", document_id
    )
    assert len(verbs) == 1


async def test_one_message_covers_all_behind_a_target_and_answers_them_apart(
    clerk: Actor, pigeon: Wire
) -> None:
    channels.CHANNELS["pigeon"] = Channel(name="pigeon", send=pigeon.send, target_sql="'node-7'")
    document_id = await ground.a_sent(clerk, *[await reached_by("pigeon") for _ in range(3)])
    await made(document_id)
    odd = await db.value("SELECT id FROM delivery LIMIT 1")
    pigeon.answers = [delivered(apart={odd: refused("unknown_here")})]
    assert await carriers.carry_waiting() == 1
    deliveries, messages = await states(document_id)
    assert sorted(deliveries) == ["delivered", "delivered", "refused"]
    assert messages == [("pigeon", "done")]


async def test_no_receipt_in_time_is_the_end_of_the_channel(clerk: Actor, pigeon: Wire) -> None:
    document_id = await ground.a_sent(clerk, await reached_by("pigeon"))
    await made(document_id)
    pigeon.answers = [accepted()]
    await carriers.carry_waiting()
    with clock.frozen(clock.now() + timedelta(days=3, minutes=1)):
        await overdue.sweep()
    assert await states(document_id) == (["failed"], [("pigeon", "failed")])


async def test_a_carrier_that_died_loses_its_lease(clerk: Actor, pigeon: Wire) -> None:
    document_id = await ground.a_sent(clerk, await reached_by("pigeon"))
    await made(document_id)
    channel = channels.CHANNELS["pigeon"]
    (message,) = await carrying.claim(channel, carrier_id=clock.new_id(), room=5)
    assert await carriers.carry_waiting() == 0
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        assert await overdue.sweep() == 1
        assert await carriers.carry_waiting() == 1
    assert [one.id for one in pigeon.got] == [message.id]
    rows = await db.rows("SELECT number, status, error_code FROM attempt ORDER BY number")
    assert [tuple(row.values()) for row in rows] == [
        (1, "failed", "carrier_died"), (2, "sent", None),
    ]  # fmt: skip


async def test_a_recipient_that_was_merged_is_reached_as_its_successor_is(
    clerk: Actor, pigeon: Wire
) -> None:
    gone, successor = await reached_by("pigeon"), await reached_by("pigeon")
    document_id = await ground.a_sent(clerk, gone)
    await made(document_id)
    pigeon.answers = [accepted()]
    await carriers.carry_waiting()
    await db.execute(
        "UPDATE organization SET status = 'merged', merged_into_id = $2, closed_on = $3"
        " WHERE id = $1",
        gone, successor, clock.today(),
    )  # fmt: skip
    assert await clocks.follow_merge(gone) == 1
    await made(document_id)
    await carriers.carry_waiting()
    await overdue.sweep()
    assert [one.target for one in pigeon.got] == [str(gone), str(successor)]
    assert await states(document_id) == (["delivered"], [("pigeon", "void"), ("pigeon", "done")])


async def test_a_person_sends_it_again_or_another_way(
    clerk: Actor, pigeon: Wire, courier: Wire
) -> None:
    document_id = await ground.a_sent(clerk, await reached_by("pigeon"))
    await made(document_id)
    pigeon.answers = [broken("no_roof")]
    await carriers.carry_waiting()
    message_id = pigeon.got[0].id
    stranger = await people.clerk_of(await ground.an_organization("union"))
    with pytest.raises(NotFound):
        await mending.retry(stranger, message_id)
    pigeon.answers = [broken("no_roof")]
    await mending.retry(clerk, message_id)
    await carriers.carry_waiting()
    assert [one.id for one in pigeon.got] == [message_id] * 2
    with pytest.raises(InvalidInput, match="channel_unknown"):
        await mending.retry(clerk, message_id, channel="rocket")
    await mending.retry(clerk, message_id, channel="courier")
    await made(document_id)
    await carriers.carry_waiting()
    assert await states(document_id) == (
        ["delivered"], [("pigeon", "void"), ("courier", "done")],
    )  # fmt: skip
    with pytest.raises(Conflict, match="illegal_transition"):
        await mending.retry(clerk, message_id)
    assert [row["status"] for row in await mending.tries_of(clerk, message_id)] == ["failed"] * 2
