"""The pictures' pages without a browser: checks, the lawyer's queue, uses, publications."""

import httpx
import pytest
from test_web import HTML, client, signed_in  # noqa: F401 - a fixture is found by its name

from core import clock, db
from tests import picture_ground

pytestmark = pytest.mark.slow


async def test_an_editor_asks_and_a_lawyer_decides(client: httpx.AsyncClient) -> None:  # noqa: F811
    await signed_in(client, "editor")
    token = client.cookies["docflow_csrf"]
    picture = picture_ground.scene(1)
    fields = {"_csrf": token, "channel": "site", "on": clock.today().isoformat(), "caption": ""}
    made = await client.post(
        "/pictures/checks", data=fields, files={"file": ("Плакат.jpg", picture, "image/jpeg")}
    )
    assert made.status_code == 303, made.text
    shown = await client.get(made.headers["location"])
    assert "Нужна лицензия" in shown.text
    assert (await client.get(f"{made.headers['location']}/thumbnail")).content[:2] == b"\xff\xd8"
    part = await client.post(
        "/pictures/checks", data=fields, files={"file": ("x.jpg", b"junk", "image/jpeg")},
        headers={"x-fragment": "1"},
    )  # fmt: skip
    assert (part.status_code, "не изображение" in part.text) == (200, True)
    asked = await client.post(f"{made.headers['location']}/ask", data={"_csrf": token})
    assert asked.status_code == 303
    review_id = await db.value("SELECT id FROM picture_review")
    assert "Плакат.jpg" in (await client.get("/pictures/reviews")).text
    assert "Ждёт решения" in (await client.get(f"/pictures/reviews/{review_id}")).text
    found = await client.post(
        "/pictures/uses", data={"_csrf": token}, files={"file": ("x.jpg", picture, "image/jpeg")}
    )
    assert "Ни одно опубликованное" in found.text


async def test_a_post_is_held_back(client: httpx.AsyncClient) -> None:  # noqa: F811
    await signed_in(client, "editor")
    token = client.cookies["docflow_csrf"]
    card = {"_csrf": token, "kind": "post", "channel": "social", "title": "Первомай",
            "place": "https://example.org/1", "planned_on": clock.today().isoformat()}  # fmt: skip
    made = await client.post("/pictures/publications", data=card)
    assert made.status_code == 303, made.text
    at = made.headers["location"]
    added = await client.post(
        f"{at}/pictures", data={"_csrf": token, "caption": "На площади"},
        files={"file": ("x.jpg", picture_ground.scene(2), "image/jpeg")},
    )  # fmt: skip
    assert added.status_code == 303
    assert "Публикации мешает 1 изображение" in (await client.get(at)).text
    held = await client.post(f"{at}/ready", data={"_csrf": token})
    assert held.status_code == 303
    assert await db.value("SELECT status FROM publication") == "draft"
    wrong = await client.post("/pictures/publications", data={**card, "title": ""})
    assert wrong.status_code == 422
