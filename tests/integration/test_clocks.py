"""Deadlines that are watched: reminders, the silent, relays that sleep, recipients that cease."""

import uuid
from datetime import timedelta

import pytest

from core import clock, db
from core.actor import RULE, Actor
from core.errors import Forbidden, NotFound
from directory import organizations
from docflow.documents import registration
from docflow.routing import clocks, control, deliveries, dispatch, lines
from tests import ground, people

DUE = {"regional": 20, "local": 15, "primary": 10}


@pytest.fixture
async def line(database: str) -> ground.Ground:
    return await ground.a_ground()


@pytest.fixture
async def clerk(line: ground.Ground) -> Actor:
    return await people.clerk_of(line.union)


async def sent(clerk: Actor, line: ground.Ground, mode: str = "direct") -> uuid.UUID:
    (document_id,) = await ground.signed_documents(clerk, 1)
    await registration.register(clerk, document_id)
    wanted = dispatch.DispatchInput(
        selector=lines.only(line.everybody), mode=mode,
        deadlines={kind: people.in_days(days) for kind, days in DUE.items()},
    )  # fmt: skip
    await dispatch.send(clerk, document_id, wanted=wanted)
    return document_id


async def notices() -> list[tuple[uuid.UUID, str, int | None]]:
    rows = await db.rows("SELECT organization_id, kind, data FROM notice ORDER BY id")
    return [(row["organization_id"], row["kind"], row["data"].get("count")) for row in rows]


async def on_day(days: int) -> int:
    with clock.frozen(clock.now() + timedelta(days=days)):
        first = await clocks.remind()
        assert await clocks.remind() == 0, "run again on the same day nothing is new"
        with clock.frozen(clock.now() + timedelta(minutes=1)):
            assert await clocks.remind() == 0
    return first


async def test_reminded_three_days_before_and_on_the_day(clerk: Actor, line: ground.Ground) -> None:
    document_id = await sent(clerk, line)
    first, second, third = line.primaries
    await deliveries.open_delivery(
        await people.clerk_of(second), await ground.delivery_to(document_id, second)
    )
    await deliveries.acknowledge(
        await people.clerk_of(third), await ground.delivery_to(document_id, third)
    )
    assert [await on_day(days) for days in (0, 6)] == [0, 0]
    assert await on_day(7) == 2
    assert {(who, kind) for who, kind, _ in await notices()} == {
        (first, "due_in_3_days"), (second, "due_in_3_days"),
    }  # fmt: skip
    assert [await on_day(days) for days in (8, 9, 10)] == [0, 0, 2]
    assert [kind for _, kind, _ in await notices()].count("due_today") == 2
    data = await db.value("SELECT data FROM notice WHERE kind = 'due_today' LIMIT 1")
    assert data == {"document_id": str(document_id), "due_on": people.in_days(10).isoformat()}


async def test_days_slept_through_are_made_up_for(clerk: Actor, line: ground.Ground) -> None:
    await sent(clerk, line)
    assert await on_day(9) == 3, "D-3 was missed, so it is told on D-1"
    assert await on_day(13) == 2, "the silent on D+3, and the local organization on its D-2"
    assert await on_day(30) == 0


async def test_the_day_after_the_author_learns_who_is_silent(
    clerk: Actor, line: ground.Ground
) -> None:
    document_id = await sent(clerk, line)
    await deliveries.acknowledge(
        await people.clerk_of(line.primaries[0]),
        await ground.delivery_to(document_id, line.primaries[0]),
    )
    assert await on_day(11) == 1
    assert await notices() == [(line.union, "silent_list", 2)]
    with clock.frozen(clock.now() + timedelta(days=11)):
        silent = await control.silent(clerk, document_id)
    assert {row["recipient_id"] for row in silent} == set(line.primaries[1:])
    assert await control.silent(clerk, document_id) == []


async def test_relays_are_told_of_those_behind_them_and_named_when_they_sleep(
    clerk: Actor, line: ground.Ground
) -> None:
    document_id = await sent(clerk, line, mode="chancery")
    assert await on_day(11) == 1, "the primaries wait at a relay that sleeps"
    assert await notices() == [(line.union, "relay_overdue", 3)]
    region = await ground.delivery_to(document_id, line.region)
    local = await ground.delivery_to(document_id, line.local)
    assert await clocks.bypass_relay(clerk, region) == 1
    assert await clocks.bypass_relay(clerk, local) == 3
    assert await clocks.bypass_relay(clerk, local) == 0
    await db.execute("DELETE FROM notice")
    assert await on_day(11) == 2
    assert set(await notices()) == {
        (line.union, "silent_list", 3), (line.local, "silent_list", 3),
    }  # fmt: skip
    totals = control.by_status(await control.totals(clerk, document_id))
    assert (totals["delivered"], totals["awaiting_relay"], totals["total"]) == (6, 0, 6)


async def test_only_the_author_bypasses(clerk: Actor, line: ground.Ground) -> None:
    document_id = await sent(clerk, line, mode="chancery")
    region = await ground.delivery_to(document_id, line.region)
    with pytest.raises(Forbidden):
        await clocks.bypass_relay(await people.clerk_of(line.region), region)
    for stranger in (line.stranger, line.local):
        with pytest.raises(NotFound):
            await clocks.bypass_relay(await people.clerk_of(stranger), region)
    assert await db.value("SELECT count(*) FROM event WHERE verb = 'delivery.freed'") == 0


async def merged(line: ground.Ground, gone: uuid.UUID, into: uuid.UUID) -> int:
    await organizations.merge(RULE, organization_id=gone, into_id=into, as_of=clock.today())
    changed = await clocks.follow_merge(gone)
    assert await clocks.follow_merge(gone) == 0, "done twice it changes nothing"
    return changed


async def test_merged_primary_with_its_own_delivery_turns_void(
    clerk: Actor, line: ground.Ground
) -> None:
    document_id = await sent(clerk, line)
    gone, into, _ = line.primaries
    assert await merged(line, gone, into) == 1
    row = await db.row("SELECT status, reason FROM delivery WHERE recipient_id = $1", gone)
    assert row == {"status": "void", "reason": "recipient_ceased"}
    totals = control.by_status(await control.totals(clerk, document_id))
    assert (totals["void"], totals["total"]) == (1, 6)


async def test_successor_takes_over_what_it_did_not_get(clerk: Actor, line: ground.Ground) -> None:
    gone, into, _ = line.primaries
    letter = await ground.a_sent(clerk, gone)
    answered = await ground.a_sent(clerk, gone, title="Отвечено")
    await deliveries.acknowledge(
        await people.clerk_of(gone), await ground.delivery_to(answered, gone)
    )
    assert await merged(line, gone, into) == 1
    assert (
        await db.value("SELECT recipient_id FROM delivery WHERE document_id = $1", letter) == into
    )
    mine = await ground.delivery_to(letter, into)
    await deliveries.acknowledge(await people.clerk_of(into), mine)
    kept = await db.value("SELECT recipient_id FROM delivery WHERE document_id = $1", answered)
    assert kept == gone, "what was answered stays with who answered"
    for document_id in (letter, answered):
        assert control.by_status(await control.totals(clerk, document_id))["total"] == 1


async def test_closed_primary_ends_its_deliveries(clerk: Actor, line: ground.Ground) -> None:
    document_id = await sent(clerk, line, mode="chancery")
    gone = line.primaries[0]
    await organizations.close(RULE, organization_id=gone, as_of=clock.today())
    assert await clocks.follow_merge(gone) == 1
    totals = control.by_status(await control.totals(clerk, document_id))
    assert (totals["void"], totals["awaiting_relay"], totals["total"]) == (1, 3, 6)
    assert await on_day(11) == 1
    assert await notices() == [(line.union, "relay_overdue", 2)]


async def test_nobody_waits_for_a_relay_that_was_merged(clerk: Actor, line: ground.Ground) -> None:
    """A local organization goes into another one: its primaries wait for that one instead."""
    other = await ground.an_organization("local", under=line.region)
    (document_id,) = await ground.signed_documents(clerk, 1)
    await registration.register(clerk, document_id)
    wanted = dispatch.DispatchInput(selector=lines.only([*line.everybody, other]), mode="chancery")
    await dispatch.send(clerk, document_id, wanted=wanted)
    await merged(line, line.local, other)
    own = await ground.delivery_to(document_id, other)
    vias = await db.rows(
        "SELECT DISTINCT via_id FROM delivery WHERE recipient_id = ANY($1)", list(line.primaries)
    )
    assert [row["via_id"] for row in vias] == [own]
    assert await clocks.bypass_relay(clerk, own) == 3
    totals = control.by_status(await control.totals(clerk, document_id))
    assert (totals["void"], totals["total"]) == (1, 7)


async def test_nobody_waits_for_a_relay_that_was_closed(clerk: Actor, line: ground.Ground) -> None:
    document_id = await sent(clerk, line, mode="chancery")
    for primary in line.primaries:
        await db.execute(
            "UPDATE organization_link SET parent_id = $2 WHERE child_id = $1", primary, line.region
        )
    await organizations.close(RULE, organization_id=line.local, as_of=clock.today())
    await clocks.follow_merge(line.local)
    totals = control.by_status(await control.totals(clerk, document_id))
    assert (totals["void"], totals["delivered"], totals["total"]) == (1, 5, 6)
    stuck = await db.value("SELECT count(*) FROM delivery WHERE status = 'awaiting_relay'")
    assert stuck == 0


async def test_deadline_is_counted_in_moscow_days(clerk: Actor, line: ground.Ground) -> None:
    """Half past nine in the evening UTC is the next day there."""
    evening = clock.now().replace(hour=21, minute=30)
    with clock.frozen(evening):
        assert clock.today() == evening.date() + timedelta(days=1)
        document_id = await ground.a_sent(clerk, line.region, deadlines={"regional": clock.today()})
        assert await clocks.remind() == 1
        assert await control.silent(clerk, document_id) == []
    with clock.frozen(evening + timedelta(days=1)):
        assert len(await control.silent(clerk, document_id)) == 1
