"""Nothing comes out with a picture that is not clear, on that day and for that use."""

from datetime import timedelta

import httpx
import pytest

from compliance.publishing import gate, lookback
from compliance.registers import licences
from core import clock, db
from demo import scenes
from tests import ground, picture_ground
from tests.picture_ground import Office, scene

pytestmark = pytest.mark.slow


@pytest.fixture
async def office(database: str, _sandbox: None) -> Office:
    return await picture_ground.an_office()


async def verb(client: httpx.AsyncClient, page: str, name: str, **body: str) -> httpx.Response:
    return await client.post(f"/api/v1/publications/{page}/{name}", json=body or None)


async def test_a_page_goes_from_draft_to_withdrawn(office: Office) -> None:
    await picture_ground.a_licensed(office, scene(1))
    async with ground.api(office.editor) as client:
        page = await picture_ground.a_page(client)
        said = await picture_ground.put_picture(client, page, scene(1))
        assert (said["outcome"], said["attribution"]) == ("clear", [picture_ground.CAPTION])
        early = await verb(client, page, "publish")
        assert (early.status_code, early.json()["code"]) == (409, "illegal_transition")
        assert (await verb(client, page, "ready")).status_code == 204
        late = await client.put(f"/api/v1/publications/{page}/pictures", content=scene(2))
        assert (late.status_code, late.json()["code"]) == (409, "illegal_transition")
        done = await verb(client, page, "publish")
        assert (done.status_code, done.json()) == (201, {"uses": 1})
        shown = (await client.get(f"/api/v1/publications/{page}")).json()
        assert (shown["status"], len(shown["pictures"])) == ("published", 1)
        use = await db.row("SELECT * FROM picture_use")
        assert use is not None
        assert str(use["id"]) == shown["pictures"][0]["use_id"]
        assert (use["place"], use["outcome"]) == ("https://example.org/news/1", "clear")
        short = await verb(client, page, "withdraw", reason=" а ")
        assert (short.status_code, short.json()["code"]) == (422, "reason_too_short")
        assert (await verb(client, page, "withdraw", reason="Ошибка в тексте")).status_code == 204
        assert await db.value("SELECT withdrawn_at IS NOT NULL FROM picture_use")
        again = await verb(client, page, "publish")
        assert (again.status_code, again.json()["code"]) == (409, "illegal_transition")
    told = await db.rows("SELECT verb FROM event WHERE subject_kind = 'publication' ORDER BY id")
    assert [row["verb"] for row in told] == [
        "publication.created", "publication.picture_added", "publication.ready",
        "publication.published", "publication.withdrawn",
    ]  # fmt: skip


async def test_unknown_and_claimed_pictures_are_in_the_way_with_their_reasons(
    office: Office,
) -> None:
    await picture_ground.a_licensed(office, scene(1))
    await picture_ground.a_claimed(scene(2))
    crop = scenes.as_jpeg(scenes.cropped(scenes.scene(2), share=0.25), quality=80)
    async with ground.api(office.editor) as client:
        page = await picture_ground.a_page(client)
        clear = await picture_ground.put_picture(client, page, scene(1))
        claimed = await picture_ground.put_picture(client, page, crop)
        unknown = await picture_ground.put_picture(client, page, scene(3))
        broken = await picture_ground.put_picture(client, page, scene(4)[:900])
        assert [one["outcome"] for one in (clear, claimed, unknown)] == [
            "clear", "blocked", "needs_licence",
        ]  # fmt: skip
        assert (broken["outcome"], broken["problem"]["code"]) == (None, "broken_picture")
        stopped = await verb(client, page, "ready")
        assert (stopped.status_code, stopped.json()["code"]) == (409, "publication_blocked")
        against = stopped.json()["details"]["pictures"]
        assert set(against) == {claimed["id"], unknown["id"], broken["id"]}
        rules = {one["rule"] for one in against[claimed["id"]]["reasons"]}
        assert "101" in rules
        assert all(
            one["ru"] and one["do_ru"] and one["en"] for one in against[unknown["id"]]["reasons"]
        )
        assert (await client.get(f"/api/v1/publications/{page}")).json()["status"] == "draft"
        for one in (claimed, unknown, broken):
            path = f"/api/v1/publications/{page}/pictures/{one['id']}/remove"
            assert (await client.post(path)).status_code == 204
        assert (await verb(client, page, "ready")).status_code == 204
    assert await db.value("SELECT count(*) FROM picture_use") == 0


async def test_what_ended_since_it_was_ready_does_not_come_out(office: Office) -> None:
    _, licence_id = await picture_ground.a_licensed(office, scene(1))
    async with ground.api(office.editor) as client:
        page = await picture_ground.a_page(client)
        await picture_ground.put_picture(client, page, scene(1))
        assert (await verb(client, page, "ready")).status_code == 204
        await licences.revoke(office.editor, licence_id, on=clock.today(), reason="Отозвана")
        stopped = await verb(client, page, "publish")
        assert (stopped.status_code, stopped.json()["code"]) == (409, "publication_blocked")
        (said,) = stopped.json()["details"]["pictures"].values()
        assert [one["rule"] for one in said["reasons"]] == ["212"]
        assert (await verb(client, page, "reopen")).status_code == 204


async def test_the_day_the_channel_and_the_caption_count(office: Office) -> None:
    today = clock.today()
    await picture_ground.a_licensed(
        office, scene(1), channels=("site",), until=today + timedelta(days=3)
    )
    async with ground.api(office.editor) as client:
        page = await picture_ground.a_page(client)
        bare = await picture_ground.put_picture(client, page, scene(1), caption="Без подписи")
        assert [one["rule"] for one in bare["reasons"]] == ["207"]
        path = f"/api/v1/publications/{page}/pictures/{bare['id']}"
        mended = await client.put(path, json={"caption": picture_ground.CAPTION})
        assert mended.json()["outcome"] == "clear"
        card = {"kind": "page", "channel": "newspaper", "place": "№ 12", "title": "Новость",
                "planned_on": str(today)}  # fmt: skip
        other = await client.put(f"/api/v1/publications/{page}", json=card, params={"version": 99})
        assert (other.status_code, other.json()["code"]) == (409, "publication_changed")
        version = (await client.get(f"/api/v1/publications/{page}")).json()["version"]
        done = await client.put(
            f"/api/v1/publications/{page}", json=card, params={"version": version}
        )
        assert done.status_code == 204
        checked = (await verb(client, page, "check")).json()["pictures"][0]
        assert [one["rule"] for one in checked["reasons"]] == ["205"]
        later = await picture_ground.a_page(client, planned_on=str(today + timedelta(days=9)))
        ended = await picture_ground.put_picture(client, later, scene(1))
        assert [one["rule"] for one in ended["reasons"]] == ["202"]
        ahead = await picture_ground.a_page(client, planned_on=str(today + timedelta(days=2)))
        await picture_ground.put_picture(client, ahead, scene(1))
        assert (await verb(client, ahead, "ready")).status_code == 204
        soon = await verb(client, ahead, "publish")
        assert (soon.status_code, soon.json()["code"]) == (409, "publication_early")


async def test_publishing_holds_the_registers_still(office: Office) -> None:
    """A claimant who comes between the judgement and the commit is seen by a new judgement."""
    await picture_ground.a_licensed(office, scene(1))
    async with ground.api(office.editor) as client:
        page = await picture_ground.a_page(client)
        await picture_ground.put_picture(client, page, scene(1))
        await verb(client, page, "ready")
        found = await db.row("SELECT * FROM publication")
        assert found is not None
        judged = await gate.check_pictures(
            office.editor, found["id"], only_new=False, on=clock.today()
        )
        await picture_ground.a_claimed(scene(1))
        assert not await gate._let_out(office.editor, found, judged)
        stopped = await verb(client, page, "publish")
        assert stopped.json()["code"] == "publication_blocked"


async def test_looking_back_finds_what_came_out(office: Office) -> None:
    await picture_ground.a_licensed(office, scene(1))
    async with ground.api(office.editor) as client:
        page = await picture_ground.a_page(client)
        await picture_ground.put_picture(client, page, scene(1))
        await verb(client, page, "ready")
        await verb(client, page, "publish")
        await picture_ground.a_claimed(scene(1))
        await lookback.follow()
        assert await db.value("SELECT outcome FROM picture_use") == "blocked"


async def test_foreign_publications_are_as_if_they_were_not(office: Office) -> None:
    stranger = await picture_ground.another(await ground.an_organization("union"), "editor")
    async with ground.api(office.editor) as client:
        page = await picture_ground.a_page(client)
    async with ground.api(stranger) as client:
        for method, path in (
            ("GET", ""), ("POST", "/ready"), ("POST", "/publish"), ("POST", "/reopen"),
            ("POST", "/check"),
        ):  # fmt: skip
            answer = await client.request(method, f"/api/v1/publications/{page}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
        assert (await client.get("/api/v1/publications")).json() == []
    async with ground.api(office.editor, "documents:read") as client:
        refused = await client.get("/api/v1/publications")
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"place": " "}, "place"), ({"title": ""}, "title"), ({"territory": "россия"}, "territory"),
        ({"planned_on": "1812-09-07"}, "planned_on"),
    ],
)  # fmt: skip
async def test_cards_that_cannot_be(office: Office, change: dict[str, str], field: str) -> None:
    card = {"kind": "page", "channel": "site", "place": "x", "title": "x",
            "planned_on": str(clock.today())}  # fmt: skip
    async with ground.api(office.editor) as client:
        answer = await client.post("/api/v1/publications", json=card | change)
        assert (answer.status_code, answer.json()["code"]) == (422, "publication_card")
        assert answer.json()["details"]["field"] == field
        wrong = await client.post("/api/v1/publications", json=card | {"channel": "radio"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "malformed_request")
