"""A person with a post entered over the API, as on the page."""

from core import db
from tests import ground, people


async def test_a_newcomer_is_entered_once_with_the_post(database: str) -> None:
    line = await ground.a_ground()
    keeper = await people.clerk_of(line.region, "administrator")
    at = f"/api/v1/organizations/{line.primaries[0]}/people"
    told = {"last_name": "Орлова", "first_name": "Мария", "post": "chairman", "since": "2026-11-01"}
    async with ground.api(keeper) as client:
        first, again = [
            await client.post(at, json=told, headers={"Idempotency-Key": "one"}) for _ in range(2)
        ]
        assert first.status_code == 201, first.text
        assert again.json() == first.json()
        for wrong, code in (
            ({"last_name": " "}, "name_empty"),
            ({"last_name": "О\0"}, "too_long"),
            ({"since": "1900-01-01"}, "organization_closed"),
        ):
            refused = await client.post(at, json=told | wrong)
            assert refused.json()["code"] == code, refused.text
    stranger = await people.clerk_of(await ground.an_organization("union"), "administrator")
    async with ground.api(stranger) as client:
        assert (await client.post(at, json=told)).status_code in (403, 404)
    made = await db.row(
        """SELECT p.last_name, t.kind, t.valid_from::text FROM post AS t
           JOIN person AS p ON p.id = t.person_id WHERE t.organization_id = $1
           AND p.last_name = 'Орлова'""",
        line.primaries[0],
    )
    assert made == {"last_name": "Орлова", "kind": "chairman", "valid_from": "2026-11-01"}
    assert await db.value("SELECT count(*) FROM person WHERE last_name = 'Орлова'") == 1
