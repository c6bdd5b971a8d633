"""Many messages at once: urgent ones overtake, senders take turns, a dead target is left alone."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from core import clock, db
from core.actor import Actor
from docflow.routing import carriers, carrying, channels, consignments
from docflow.routing.carriage import Channel, Consignment, Outcome, Send, delivered, retry
from tests import ground, people


async def arrives(_: Consignment) -> Outcome:
    return delivered()


@pytest.fixture
def channel_table() -> Iterator[None]:
    before = dict(channels.CHANNELS)
    channels.CHANNELS.clear()
    yield
    channels.CHANNELS.clear()
    channels.CHANNELS.update(before)


def plugged(name: str, send: Send = arrives, **rules: object) -> Channel:
    channels.CHANNELS[name] = Channel(name=name, send=send, **rules)  # type: ignore[arg-type]  # reason: rules by name
    return channels.CHANNELS[name]


@pytest.fixture
async def clerk(database: str, channel_table: None) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


async def a_circular(
    clerk: Actor, number: int, *, channel: str = "pigeon", urgent: bool = False
) -> None:
    """A letter queued for so many by a channel, written as a dispatch writes it, and its messages
    made.
    """
    document_id = await ground.a_sent(clerk, await ground.an_organization("primary"), urgent=urgent)
    dispatch_id = await db.value("SELECT id FROM dispatch WHERE document_id = $1", document_id)
    await db.execute(
        """WITH new AS (
               INSERT INTO organization (id, code, kind, name, channels, opened_on, created_at,
                                         updated_at)
               SELECT uuidv7(), uuidv7()::text, 'primary', 'П', ARRAY[$5], '1990-01-01', $4, $4
               FROM generate_series(1, $1) RETURNING id)
           INSERT INTO delivery (id, dispatch_id, document_id, recipient_id, recipient_kind,
                                 channel, status, updated_at)
           SELECT uuidv7(), $2, $3, id, 'primary', $5, 'queued', $4 FROM new""",
        number, dispatch_id, document_id, clock.now(), channel,
    )  # fmt: skip
    assert await consignments.make(uuid.UUID(str(dispatch_id))) == number


async def test_urgent_overtakes_and_senders_take_turns(clerk: Actor) -> None:
    pigeon = plugged("pigeon")
    other = await people.clerk_of(await ground.an_organization("union"))
    await a_circular(clerk, 300)
    first = await carrying.claim(pigeon, carrier_id=clock.new_id(), room=50)
    await a_circular(other, 10)
    await a_circular(clerk, 3, urgent=True)
    taken = await carrying.claim(pigeon, carrier_id=clock.new_id(), room=24)
    assert {one.sender_id for one in first} == {clerk.home_id}
    assert [one.priority for one in taken] == [10] * 3 + [0] * 21
    assert sum(one.sender_id == other.home_id for one in taken) == 10


async def test_a_target_has_its_limit_over_all_processes(clerk: Actor) -> None:
    pigeon = plugged("pigeon", target_sql="left(v.id::text, 0) || 'one'", per_target=2)
    for _ in range(5):
        await a_circular(clerk, 1)
    assert len(await carrying.claim(pigeon, carrier_id=clock.new_id(), room=9)) == 2
    for _ in range(2):
        await a_circular(clerk, 1, urgent=True)
    taken = [await carrying.claim(pigeon, carrier_id=clock.new_id(), room=9) for _ in range(2)]
    # a third place, for what is urgent
    assert [[one.priority for one in some] for some in taken] == [[10], []]


async def test_nobody_there_closes_the_way_and_one_looks_whether_it_is_back(clerk: Actor) -> None:
    answers = [retry("refused_connection", is_target_down=True)]

    async def send(_: Consignment) -> Outcome:
        return answers.pop() if answers else delivered()

    pigeon = plugged("pigeon", send, target_sql="'one'")
    for _ in range(4):
        await a_circular(clerk, 1)
    moment = clock.now()
    with clock.frozen(moment):
        (first, second) = await carrying.claim(pigeon, carrier_id=(us := clock.new_id()), room=9)
        await carrying.carry(pigeon, first, carrier_id=us)
        assert await carrying.claim(pigeon, carrier_id=us, room=9) == []
    with clock.frozen(moment + timedelta(seconds=6)):
        # the second of before is still under way: it is the one that looks
        assert await carrying.claim(pigeon, carrier_id=us, room=9) == []
        await carrying.carry(pigeon, second, carrier_id=us)
        assert len(await carrying.claim(pigeon, carrier_id=us, room=9)) == 2
    assert await db.value("SELECT count(*) FROM channel_gate") == 0


@asynccontextmanager
async def a_server(*, answers: bool) -> AsyncIterator[int]:
    """A real port; without `answers` it takes what comes and says nothing."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        if answers:
            writer.write(b"ok\n")
            await writer.drain()
        else:
            await reader.read()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_peer_that_never_answers_slows_nobody_else(clerk: Actor) -> None:
    ports: dict[str, int] = {}

    async def send(message: Consignment) -> Outcome:
        reader, writer = await asyncio.open_connection("127.0.0.1", ports[message.target])
        writer.write(b"hello\n")
        try:
            return delivered() if await reader.readline() else retry("hung_up")
        finally:
            writer.close()

    slow_half = "CASE WHEN hashtext(v.id::text) % 2 = 0 THEN 'slow' ELSE v.id::text END"
    plugged("pigeon", send, target_sql=slow_half, timeout=timedelta(seconds=30), parallel=8)
    for _ in range(6):
        await a_circular(clerk, 10, channel="pigeon")
    targets = [row["target"] for row in await db.rows("SELECT target FROM consignment")]
    slow, stop = targets.count("slow"), asyncio.Event()
    assert slow >= 5
    async with a_server(answers=False) as dead, a_server(answers=True) as alive:
        ports.update({one: dead if one == "slow" else alive for one in targets})
        began, crew = time.monotonic(), asyncio.create_task(carriers.run(stop))
        while await db.value("SELECT count(*) FROM consignment WHERE status = 'done'") < (
            len(targets) - slow
        ):
            assert time.monotonic() - began < 25
            await asyncio.sleep(0.05)
        held = await db.value("SELECT count(*) FROM consignment WHERE status = 'sending'")
        assert held == 2  # its limit, and no more
        stop.set()
        crew.cancel()
        await asyncio.gather(crew, return_exceptions=True)


async def test_carriers_stop_whenever_they_are_told(clerk: Actor) -> None:
    for name in ("pigeon", "courier", "runner"):
        plugged(name)
    for place in range(15):
        stop = asyncio.Event()
        crew = asyncio.create_task(carriers.run(stop))
        await asyncio.sleep(0.004 * place)
        stop.set()
        async with asyncio.timeout(5):
            await crew
