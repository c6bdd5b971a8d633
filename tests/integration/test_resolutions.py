"""A chancery's resolution: who carries it out, until when, what is usual, what comes next."""

import httpx
import pytest

from core import clock, db
from core.errors import InvalidInput
from docflow.routing import inbox, relay, resolutions
from docflow.routing.resolutions import Resolution
from tests import ground, letters, people
from tests.ground import Ground

pytestmark = pytest.mark.slow


async def _line() -> tuple[Ground, people.Actor]:
    made = await ground.a_ground()
    author = await people.clerk_of(made.union)
    await people.give_key(made.union)
    for number in range(3):
        await letters.a_sent(author, made.region, title=f"Письмо {number}")
    return made, await people.clerk_of(made.region)


async def test_executor_and_day_stay_in_the_chancery(database: str) -> None:
    made, region = await _line()
    executor = await people.a_person_at(made.region)
    await db.execute(
        """INSERT INTO post (id, person_id, organization_id, kind, title, valid_from)
           VALUES ($1, $2, $3, 'deputy', 'Заместитель председателя', '2020-01-01')""",
        clock.new_id(), executor, made.region,
    )  # fmt: skip
    waits = await resolutions.next_letter(region)
    assert waits is not None
    assert waits["number"] == 3
    assert [one["id"] for one in await resolutions.executors(region)] == [executor]
    arrived = await inbox.inbox(region)
    async with ground.api(region) as client:
        answer = await client.post(
            f"/api/v1/deliveries/{arrived[-1]['id']}/pass-on",
            json={"resolution": "Исполнить", "executor_id": str(executor),
                  "due_on": people.in_days(5).isoformat()},
        )  # fmt: skip
    assert answer.status_code == httpx.codes.CREATED, answer.text
    kept = await resolutions.own(region, arrived[-1]["document_id"])
    assert kept is not None
    assert (kept["executor_id"], kept["due_on"]) == (executor, people.in_days(5))
    await relay.pass_on(region, arrived[0]["id"], resolution="Исполнить")
    await relay.pass_on(region, arrived[1]["id"], resolution="К сведению")
    assert await resolutions.usual(region) == ["Исполнить", "К сведению"]
    assert await resolutions.next_letter(region) is None


async def test_a_resolution_that_cannot_be_carried_out_is_refused(database: str) -> None:
    made, region = await _line()
    (letter, *_) = await inbox.inbox(region)
    stranger = await people.a_person_at(made.union)
    for wrong, code in (
        (Resolution("Исполнить", due_on=people.in_days(-1)), "deadline_past"),
        (Resolution("Исполнить", executor_id=stranger), "executor_unknown"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await relay.pass_on(region, letter["id"], resolution=wrong)
        assert refused.value.error_code == code
    assert await db.value("SELECT count(*) FROM hop") == 0
