"""A later day asked for, and what is told above of those who stay silent."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from core.settings import settings
from directory import quiet
from docflow.routing import (
    carriers,
    clocks,
    consignments,
    escalating,
    mending,
    overdue,
    prolongations,
)
from docflow.routing.carriage import URGENT, Channel, Consignment, Outcome, delivered
from docflow.routing.channels import CHANNELS
from notify import notices
from tests import ground, people


@pytest.fixture
async def line(database: str) -> ground.Ground:
    return await ground.a_ground()


@pytest.fixture
async def clerk(line: ground.Ground) -> Actor:
    return await people.clerk_of(line.union)


async def told(organization_id: uuid.UUID) -> list[str]:
    rows = await db.rows(
        "SELECT kind FROM notice WHERE organization_id = $1 ORDER BY kind", organization_id
    )
    return [row["kind"] for row in rows]


async def a_due(clerk: Actor, to: uuid.UUID) -> tuple[uuid.UUID, uuid.UUID]:
    document_id = await ground.a_sent(clerk, to, deadlines={"primary": people.in_days(5)})
    return document_id, await ground.delivery_to(document_id, to)


async def test_the_silent_are_told_upwards_step_by_step_and_once(
    clerk: Actor, line: ground.Ground
) -> None:
    await a_due(clerk, line.primaries[0])
    for days, expected in ((7, (0, 0)), (8, (1, 0)), (9, (1, 0)), (12, (1, 1)), (13, (1, 1))):
        with clock.frozen(clock.now() + timedelta(days=days)):
            await escalating.escalate()
        assert (len(await told(line.local)), len(await told(line.region))) == expected, days
    assert await told(line.region) == ["escalated_further"]
    rows = await db.rows("SELECT organization_id FROM event WHERE verb = 'delivery.escalated'")
    assert {row["organization_id"] for row in rows} == {line.local, line.region}


async def test_a_pending_prolongation_stops_the_telling_until_its_own_day(
    clerk: Actor, line: ground.Ground
) -> None:
    _, delivery_id = await a_due(clerk, line.primaries[0])
    there = await people.clerk_of(line.primaries[0])
    asked = await prolongations.ask(
        there, delivery_id, until=people.in_days(10), reason="Ждём данные"
    )
    again = await prolongations.ask(there, delivery_id, until=people.in_days(11), reason="Ещё раз")
    assert again == asked
    assert await told(line.union) == ["prolongation_asked"]
    with clock.frozen(clock.now() + timedelta(days=9)):
        await clocks.remind()
        await prolongations.lapse()
        assert await escalating.escalate() == 0
    with clock.frozen(clock.now() + timedelta(days=10)):
        assert await prolongations.lapse() == 1
        assert await escalating.escalate() == 1


async def test_granted_moves_the_day_and_refused_leaves_it(
    clerk: Actor, line: ground.Ground
) -> None:
    document_id, delivery_id = await a_due(clerk, line.primaries[0])
    there = await people.clerk_of(line.primaries[0])
    first = await prolongations.ask(
        there, delivery_id, until=people.in_days(10), reason="Ждём данные"
    )
    with pytest.raises(InvalidInput, match="reason_length"):
        await prolongations.decide(clerk, first, is_granted=False)
    with pytest.raises(NotFound):
        await prolongations.decide(there, first, is_granted=True)
    await prolongations.decide(clerk, first, is_granted=True)
    due = await db.value("SELECT due_on FROM delivery WHERE id = $1", delivery_id)
    assert due == people.in_days(10)
    with pytest.raises(Conflict, match="illegal_transition"):
        await prolongations.decide(clerk, first, is_granted=False, reason="Поздно")
    with pytest.raises(InvalidInput, match="date_too_early"):
        await prolongations.ask(there, delivery_id, until=people.in_days(9), reason="Ждём")
    second = await prolongations.ask(
        there, delivery_id, until=people.in_days(20), reason="Ещё ждём"
    )
    await prolongations.withdraw(there, second)
    found = await prolongations.of_document(clerk, document_id)
    assert [row["status"] for row in found] == ["withdrawn", "granted"]
    assert await told(line.primaries[0]) == ["prolongation_granted"]


async def test_over_http(clerk: Actor, line: ground.Ground) -> None:
    document_id, delivery_id = await a_due(clerk, line.primaries[0])
    there = await people.clerk_of(line.primaries[0])
    async with ground.api(there) as client:
        made = await client.post(
            f"/api/v1/deliveries/{delivery_id}/prolongations",
            json={"until": people.in_days(9).isoformat(), "reason": "Ждём данные"},
        )
        assert made.status_code == 201
    async with ground.api(clerk) as client:
        decided = await client.post(
            f"/api/v1/prolongations/{made.json()['id']}/decide", json={"is_granted": True}
        )
        assert decided.status_code == 204
        (one,) = (await client.get(f"/api/v1/documents/{document_id}/prolongations")).json()
        assert (one["status"], one["granted_on"]) == ("granted", people.in_days(9).isoformat())
        assert (await client.get(f"/api/v1/documents/{document_id}/messages")).json() == []
        channels = (await client.get("/api/v1/channels")).json()
        assert all(one["retries_seconds"] for one in channels)
    assert await mending.of_document(clerk, document_id) == []


@pytest.mark.parametrize(
    ("zone", "hour", "wakes"),
    [
        ("Europe/Moscow", 12, None),
        ("Europe/Moscow", 19, (23, 5)),
        ("Asia/Kamchatka", 12, (22, 20)),
        ("Europe/Kaliningrad", 5, (22, 6)),
        ("Nowhere/Never", 1, None),
    ],
)
def test_night_is_where_the_recipient_lives(
    zone: str, hour: int, wakes: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUIET_HOURS", "21-8")
    settings.cache_clear()
    at = datetime(2026, 11, 22, hour, 30, tzinfo=UTC)
    morning = quiet.wakes_at(zone, at)
    assert (None if morning is None else (morning.astimezone(UTC).day,
                                          morning.astimezone(UTC).hour)) == wakes  # fmt: skip
    assert (zone in quiet.nights(at)[0]) is (wakes is not None)
    settings.cache_clear()


async def test_letters_wait_for_morning_unless_they_are_urgent(
    clerk: Actor, line: ground.Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUIET_HOURS", "21-8")
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    settings.cache_clear()
    await db.execute(
        "UPDATE organization SET email = 'a@b.example', time_zone = 'Asia/Kamchatka' WHERE id = $1",
        line.local,
    )
    night = datetime(2026, 11, 22, 12, tzinfo=UTC)
    with clock.frozen(night):
        for urgent, kind in ((False, "due_today"), (True, "due_in_3_days")):
            await notices.post_many(
                [notices.Post(line.local, kind, ("delivery", line.union), is_urgent=urgent)]
            )
        await notices.post(line.local, "dispatch_recalled", ("document", line.union))
        rows = await db.rows("SELECT kind, email_next_at FROM notice ORDER BY kind")
    morning = datetime(2026, 11, 22, 20, tzinfo=UTC)
    assert {row["kind"]: row["email_next_at"] for row in rows} == {
        "dispatch_recalled": night, "due_in_3_days": night, "due_today": morning,
    }  # fmt: skip


async def test_messages_of_a_quiet_channel_wait_for_morning(
    clerk: Actor, line: ground.Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send(_: Consignment) -> Outcome:
        return delivered()

    monkeypatch.setenv("QUIET_HOURS", "21-8")
    settings.cache_clear()
    monkeypatch.setitem(
        CHANNELS, "pigeon", Channel(name="pigeon", send=send, is_quiet_at_night=True)
    )
    evening = datetime(2026, 11, 22, 8, 59, tzinfo=UTC)  # 20:59 in Kamchatka
    to = await ground.an_organization("primary", channel="pigeon")
    await db.execute("UPDATE organization SET time_zone = 'Asia/Kamchatka' WHERE id = $1", to)
    with clock.frozen(evening):
        for urgent in (False, True):
            document_id = await ground.a_sent(clerk, to, urgent=urgent)
            dispatch_id = await db.value(
                "SELECT id FROM dispatch WHERE document_id = $1", document_id
            )
            await consignments.make(dispatch_id)
    with clock.frozen(evening + timedelta(minutes=2)):
        await overdue.sweep()
        assert await carriers.carry_waiting() == 1
        assert await db.value("SELECT priority FROM consignment WHERE status = 'done'") == URGENT
    with clock.frozen(evening + timedelta(hours=11, minutes=2)):
        assert await carriers.carry_waiting() == 1
