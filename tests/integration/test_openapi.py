"""The description of the API tells what the routes do, and its examples are good input."""

from typing import Any

import httpx
import msgspec
import pytest
from access_people import CHEAP, an_administrator
from litestar.routes import HTTPRoute

import litestar_app
from core import db
from core.actor import RULE
from directory import passwords, tokens
from directory.cards import Card
from directory.controllers.authentication import guards_of
from directory.organizations import create
from directory.states import OrganizationKind
from web import examples

CREATING = (
    ("/api/v1/documents", "post"),
    ("/api/v1/documents/{document_id}/files/{role}", "put"),
    ("/api/v1/documents/{document_id}/dispatches", "post"),
    ("/api/v1/intake", "post"),
    ("/api/v1/journals", "post"),
    ("/api/v1/organizations", "post"),
    ("/api/v1/webhooks", "post"),
)
RAW = (
    ("/api/v1/documents/{document_id}/files/{role}", "put"),
    ("/api/v1/intake", "post"),
    ("/api/v1/organizations/import", "post"),
    ("/api/v1/offline/packages/take", "post"),
)
METHODS = {"get", "post", "put", "delete", "patch"}


@pytest.fixture
async def client(database: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    transport = httpx.ASGITransport(app=litestar_app.create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as opened:
        yield opened


@pytest.fixture
async def schema(client) -> dict[str, Any]:
    answer = await client.get("/schema/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def operations(schema: dict[str, Any]):
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


async def test_every_operation_is_described(schema):
    assert schema["openapi"].startswith("3.1")
    assert {"bearer", "cookie", "csrf"} <= schema["components"]["securitySchemes"].keys()
    for path, method, told in operations(schema):
        where, answers = f"{method} {path}", told["responses"]
        assert told.get("summary"), where
        assert told.get("tags"), where
        assert told.get("description"), where
        assert "400" not in answers, where
        if told["security"]:
            assert {"401", "403"} <= answers.keys(), where
            assert ("csrf" in told["security"][-1]) == (method != "get"), where
        if "{" in path:
            assert "404" in answers, where
        if method != "get":
            assert "409" in answers, where
        if told.get("requestBody") or told.get("parameters"):
            assert "422" in answers, where


async def test_every_reference_leads_somewhere(schema):
    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for value in node.values():
                yield from walk(value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value)

    for reference in set(walk(schema)):
        found: Any = schema
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    problem = schema["components"]["schemas"]["Problem"]
    assert {"code", "detail", "detail_en"} <= set(problem["required"])


async def test_keys_and_files_are_described(schema):
    for path, method in CREATING:
        names = {one["name"] for one in schema["paths"][path][method]["parameters"]}
        assert "Idempotency-Key" in names, path
    for path, method in RAW:
        body = schema["paths"][path][method]["requestBody"]["content"]
        assert body["application/octet-stream"]["schema"]["format"] == "binary"
    answer = schema["paths"]["/api/v1/files/{file_id}/content"]["get"]["responses"]["200"]
    assert list(answer["content"]) == ["*/*"]


def test_every_body_has_an_example_that_its_struct_takes():
    taken = {
        handler.parsed_fn_signature.parameters["data"].annotation
        for route in litestar_app.create_app().routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/")
        for handler, _ in route.route_handler_map.values()
        if "data" in handler.parsed_fn_signature.parameters
    }
    structs = {one for one in taken if isinstance(one, type) and issubclass(one, msgspec.Struct)}
    assert structs == examples.EXAMPLES.keys()
    assert len(taken) == len(structs) + 1  # and the contact fields
    for struct in structs:
        written = msgspec.json.encode(examples.EXAMPLES[struct])
        assert msgspec.json.decode(written, type=struct) == examples.EXAMPLES[struct]


async def test_the_guards_decide_who_may(schema):
    for route in litestar_app.create_app().routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith("/api/"):
            continue
        for method, (handler, _) in route.route_handler_map.items():
            told = schema["paths"][route.path_format].get(method.lower())
            if told is None:
                continue
            scopes = [one.removeprefix("scope:") for one in guards_of(handler) if "scope:" in one]
            bearer = [one["bearer"] for one in told["security"] if "bearer" in one]
            assert bearer == ([scopes] if scopes else bearer[:1]), route.path


async def test_the_same_key_leads_to_the_same_organization_and_journal(client):
    card = Card(code="c-1", kind=OrganizationKind.CENTER, name="Федерация")
    center = (await create(RULE, card=card))["id"]
    actor = await an_administrator("admin", center)
    scopes = frozenset({"directory:write", "documents:write"})
    made = await tokens.create(actor, name="1С", scopes=scopes, days=1)
    client.headers.update({"authorization": f"Bearer {made.token}", "idempotency-key": "one"})
    union = {"code": "u-7", "kind": "union", "name": "Профсоюз", "parents": {"branch": str(center)}}
    journal = {"code": "spec", "title": "Особый", "direction": "out", "kinds": ["letter"],
               "template": "О-{n}"}  # fmt: skip
    for path, body, key in (("organizations", union, "one"), ("journals", journal, "two")):
        client.headers["idempotency-key"] = key
        answers = [await client.post(f"/api/v1/{path}", json=body) for _ in range(2)]
        assert [one.status_code for one in answers] == [201, 201], answers[0].text
        assert answers[0].json()["id"] == answers[1].json()["id"]
        answer = await client.post(f"/api/v1/{path}", json={**body, "code": "other"})
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_mismatch")
    assert await db.value("SELECT count(*) FROM organization") == 2
