"""The whole way of a picture over HTTP, and every refusal with its code."""

import base64
import json
import uuid
from typing import Any

import httpx
import pytest

from core import db
from tests import ground, painted

pytestmark = pytest.mark.slow

SITE = {"channel": "site"}
NOBODY = uuid.UUID(int=0)


@pytest.fixture
async def office(database: str) -> painted.Office:
    return await painted.an_office(await ground.an_organization("union"))


async def checked(client: httpx.AsyncClient, data: bytes, use: Any = None, **headers: str) -> Any:
    return await client.post(
        "/api/v1/pictures/checks", files={"picture": ("a.jpg", data, "image/jpeg")},
        data={"use": use if isinstance(use, str) else json.dumps(use or SITE)}, headers=headers,
    )  # fmt: skip


def document() -> str:
    return base64.b64encode(painted.scan()).decode()


async def test_from_the_upload_to_the_use(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(51))
    async with ground.api(office.editor) as editor, ground.api(office.other) as other:
        first = await checked(editor, data)
        assert first.status_code == 201, first.text
        told = first.json()
        assert told["outcome"] == told["verdict"] == "needs_licence"
        reason = next(one for one in told["reasons"] if one["code"] == "origin_unknown")
        assert reason["rule"] == "401"
        assert all(reason[name] for name in ("ru", "en", "do_ru", "do_en"))
        made = await editor.post(
            "/api/v1/pictures", content=data, params={"title": "Мост", "author": "И. Петров"}
        )
        assert made.status_code == 201, made.text
        picture = f"/api/v1/pictures/{made.json()['id']}"
        assert (await editor.put(picture + "/snapshot", content=painted.page())).status_code == 204
        assert (await editor.post(picture + "/approve")).json()["code"] == "second_person"
        assert (await other.post(picture + "/approve")).status_code == 204
        terms = {"kind": "contract", "holder": "ООО «Фото»", "attribution": "Фото: Петров",
                 "until": "2099-01-01"}  # fmt: skip
        licence = await editor.post(
            picture + "/licences", json={"terms": terms, "document": document()}
        )
        assert licence.status_code == 201, licence.text
        address = f"/api/v1/pictures/licences/{licence.json()['id']}/confirm"
        assert (await other.post(address, json={"terms": terms})).status_code == 204
        second = (await checked(editor, data)).json()
        assert second["attribution"][0]["line"] == "Фото: Петров"
        third = (await checked(editor, data, SITE | {"caption": "Фото: Петров"})).json()
        assert (third["outcome"], third["turns"]["on"]) == ("clear", "2099-01-02")
        shown = (await editor.get(f"/api/v1/pictures/checks/{third['id']}")).json()
        assert shown == third
        replay = (await editor.get(f"/api/v1/pictures/checks/{third['id']}/replay")).json()
        assert replay["is_same"] is True
        use = await editor.post(
            "/api/v1/pictures/uses", json={"check_id": third["id"], "place": "https://e.org/1"}
        )
        assert use.status_code == 201, use.text
        listed = (await editor.get("/api/v1/pictures/uses")).json()
        assert [one["outcome"] for one in listed] == ["clear"]
        assert (await editor.get("/api/v1/pictures", params={"q": "мост"})).json()[0]["title"]
        content = await editor.get(picture + "/content")
        assert content.content == data
        assert content.headers["content-disposition"].startswith("attachment")


async def test_a_lawyer_decides(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(55))
    async with ground.api(office.editor) as editor, ground.api(office.lawyer) as lawyer:
        second = (await checked(editor, data)).json()
        asked = await editor.post(
            f"/api/v1/pictures/checks/{second['id']}/reviews", json={"question": "Без подписи?"}
        )
        assert asked.status_code == 201, asked.text
        queue = (await lawyer.get("/api/v1/pictures/reviews")).json()
        assert [one["id"] for one in queue] == [asked.json()["id"]]
        decide = f"/api/v1/pictures/reviews/{asked.json()['id']}/decide"
        body = {"verdict": "cleared", "reason": "Автор согласен без подписи"}
        assert (await editor.post(decide, json=body)).status_code == 403
        assert (await lawyer.post(decide, json=body)).status_code == 204
        lifted = (await checked(editor, data)).json()
        assert (lifted["outcome"], lifted["verdict"]) == ("clear", "needs_licence")
        assert lifted["reasons"][0]["code"] == "lawyer_decision"


async def test_keys(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(52))
    async with ground.api(office.editor) as client:
        answers = [await checked(client, data, **{"Idempotency-Key": "one"}) for _ in range(2)]
        assert answers[0].json()["id"] == answers[1].json()["id"]
        other = await checked(client, data, {"channel": "print"}, **{"Idempotency-Key": "one"})
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    assert await db.value("SELECT count(*) FROM picture_check") == 1


async def test_bad_uploads(office: painted.Office) -> None:
    good = painted.jpeg(painted.scene(53))
    async with ground.api(office.editor) as client:
        told = {}
        for name, data, use in (
            ("text", b"hello, this is no picture", SITE), ("half", good[:4000], SITE),
            ("empty", b"", SITE), ("svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", SITE),
            ("no use", good, "{"), ("channel", good, {"channel": "radio"}),
            ("field", good, SITE | {"colour": 1}), ("date", good, SITE | {"on": "2020-01-01"}),
            ("territory", good, SITE | {"territory": "ru"}), ("nul", good, SITE | {"seat": "\x00"}),
        ):  # fmt: skip
            answer = await checked(client, data, use)
            assert answer.status_code in (413, 415, 422), (name, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            told[name] = answer.json()["code"]
        assert told == {
            "text": "not_a_picture", "half": "broken_picture", "empty": "empty_file",
            "svg": "unsupported_format", "no use": "malformed_request",
            "channel": "malformed_request", "field": "malformed_request", "date": "use_date",
            "territory": "use_territory", "nul": "seat_name",
        }  # fmt: skip
        bare = await client.post("/api/v1/pictures/checks", content=good)
        assert bare.json()["code"] == "picture_missing"
        for path in ("", "/content", "/licences", "/own-works"):
            answer = await client.get(f"/api/v1/pictures/{NOBODY}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        for path in ("checks", "reviews"):
            assert (await client.get(f"/api/v1/pictures/{path}/{NOBODY}")).status_code == 404
        for path in ("pictures", "pictures/checks", "pictures/uses", "claimants"):
            answer = await client.get(f"/api/v1/{path}", params={"limit": 1000})
            assert answer.json()["code"] == "bad_limit", path
        answer = await client.post("/api/v1/pictures", content=good, params={"kind": "odd"})
        assert answer.json()["code"] == "unknown_kind"
        answer = await client.get("/api/v1/pictures", params={"q": "я" * 300})
        assert answer.json()["code"] == "query_too_long"
    assert await db.value("SELECT count(*) FROM picture_check") == 0


async def test_roles_and_scopes(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(54))
    clerk = await painted.somebody(office.editor.home_id, "clerk")
    async with ground.api(clerk) as client:
        assert (await checked(client, data)).status_code == 403
    reader = await painted.somebody(office.editor.home_id, "editor")
    async with ground.api(reader, "pictures:read") as client:
        answer = await checked(client, data)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
        assert (await client.get("/api/v1/pictures/checks")).json() == []
    async with ground.api() as client:
        assert (await checked(client, data)).status_code == 401
    async with ground.api(office.editor) as client:
        answer = await client.post("/api/v1/claimants", json={"name": "Истцов"})
        assert answer.status_code == 403
