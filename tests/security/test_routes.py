"""Every route of the application, walked: guarded, closed to nobody, silent on what is foreign."""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from core import db
from directory.controllers.authentication import guards_of
from litestar_app import create_app
from tests import ground, people

PUBLIC = {
    "GET /health/live", "GET /health/ready", "GET /metrics", "GET /api/v1/exchange/identity",
    "POST /api/v1/sessions", "POST /api/v1/invitations/accept", "POST /api/v1/password-resets",
    "POST /r/{token}", "POST /join/{token}",
    "GET /login", "POST /login", "GET /language/{code:str}", "POST /language", "POST /check",
    "POST /api/v1/check",
}  # fmt: skip
"""Open to everybody on purpose, each looked at; static files come beside them."""
NO_DATA = (
    "/kinds",
    "/journals",
    "/refusal-reasons",
    "/channels",
    "/retention/lists",
    "/retention/articles",
)
"""Lists of the house's own words."""


NOT_IDS = {"role": "main", "job_id": "1", "number": "1"}
"""What stands in a path where no UUID does."""


def walked(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                yield method, route.path_format, handler


@pytest.fixture
def app(database: str) -> Litestar:
    return create_app()


def test_every_route_has_a_guard(app: Litestar) -> None:
    found = [(f"{method} {path}", guards_of(handler)) for method, path, handler in walked(app)]
    assert len(found) > 80
    bare = [name for name, guards in found if not guards and " /schema" not in name]
    assert bare == []


def test_public_routes_are_those_we_know(app: Litestar) -> None:
    public = {
        f"{method} {path}" for method, path, handler in walked(app)
        if "public" in guards_of(handler) and "/static" not in path
    }  # fmt: skip
    api = {name for name in public if " /api/" in name}
    assert api <= PUBLIC, api - PUBLIC
    assert all("public" not in name for name in api)
    changing = {name for name in public - PUBLIC if not name.startswith("GET ")}
    assert changing == set(), "a public route that changes something"


def test_what_writes_asks_for_a_role_or_says_why_not(app: Litestar) -> None:
    """Whatever changes documents needs a scope and a role, but noting the opening."""
    for method, path, handler in walked(app):
        if method == "GET" or not path.startswith(("/api/v1/documents", "/api/v1/deliveries")):
            continue
        guards = guards_of(handler)
        assert any(guard.startswith("scope:documents:") for guard in guards), path
        if not path.endswith("/open"):
            assert any(guard.startswith("requires:") for guard in guards), path


def addressed(path: str, ids: dict[str, str]) -> str:
    """The path with ids in its places."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda place: ids.get(place[1], str(uuid.uuid4())), path)


async def test_nobody_is_let_in_without_credentials(app: Litestar) -> None:
    let_in = []
    async with ground.api() as client:
        for method, path, handler in walked(app):
            if "public" in guards_of(handler) or not path.startswith("/api/"):
                continue
            # Cookies that are nobody's, and no credentials at all, are the same.
            for headers in ({}, {"cookie": "docflow_session=guess"}):
                answer = await client.request(method, addressed(path, NOT_IDS), headers=headers)
                if answer.status_code != 401 or answer.json()["code"] != "not_authenticated":
                    let_in.append((method, path, answer.status_code))
            answer = await client.request(
                method, addressed(path, NOT_IDS), headers={"authorization": "Bearer dfl_guess"}
            )
            assert answer.json()["code"] == "token_invalid"
    assert let_in == []


async def test_pages_send_who_is_not_signed_in_to_the_log_in(app: Litestar) -> None:
    async with ground.api() as client:
        for method, path, handler in walked(app):
            if "public" in guards_of(handler) or path.startswith(("/api/", "/schema", "/static")):
                continue
            answer = await client.request(
                method,
                addressed(path, NOT_IDS),
                headers={"accept": "text/html"},
            )
            assert answer.status_code == 303, (method, path, answer.status_code)
            assert answer.headers["location"].startswith("/login")


def body_for(handler: HTTPRouteHandler, ids: dict[str, str]) -> dict[str, Any] | None:
    """A body that passes the parser, so that the answer comes from the verb."""
    field = handler.parsed_fn_signature.parameters.get("data")
    if field is None:
        return None
    known: dict[str, Any] = {
        "kind": "reply_to", "title": "О", "reason": "По ошибке", "file_index": "01",
        "selector": {"include": [ids["organization_id"]]}, "signature": "AAAA",
        "certificate": "AAAA", "to_id": str(uuid.uuid4()), "document_id": ids["document_id"],
        "file_id": ids["file_id"], "person_id": str(uuid.uuid4()), "code": "c",
        "direction": "out", "kinds": ["circular"], "template": "{n}", "role": "approving",
        "days": 30, "notice": "№ 12", "number": "1", "on": "2020-01-01",
        "text": "Вопрос", "until": "2027-01-01",
    }  # fmt: skip
    names = getattr(field.annotation, "__struct_fields__", ())
    body = {name: known[name] for name in names if name in known}
    return body | ({"kind": "circular"} if "addressee" in names else {})


async def test_foreign_ids_are_as_if_they_were_not(app: Litestar) -> None:
    """A clerk with every role elsewhere meets 403 or 404 on each route that takes an id."""
    line = await ground.a_ground()
    clerk = await people.clerk_of(line.union)
    document_id = await ground.a_sent(clerk, line.region)
    ids = {
        "document_id": str(document_id),
        "delivery_id": str(await ground.delivery_to(document_id, line.region)),
        "file_id": str(await db.value("SELECT id FROM document_file")),
        "organization_id": str(line.union),
        "account_id": str(clerk.id),
        "role": "main",
    }
    stranger = await people.clerk_of(
        line.stranger, "clerk", "signatory", "editor", "lawyer", "administrator"
    )
    before = await db.value("SELECT count(*) FROM event WHERE organization_id = $1", line.stranger)
    wrong, asked = [], 0
    async with ground.api(stranger) as client:
        for method, path, handler in walked(app):
            if not re.match(r"/api/v1/(documents|deliveries|files|signing-sessions)/\{", path):
                continue
            body = body_for(handler, ids)
            more: dict[str, Any] = {"params": {"version": 1}} if method == "PUT" else {}
            if body is not None:
                more["json"] = body
            elif "/files/" in path and method == "PUT":
                more["content"] = b"%PDF-1.7"
            answer = await client.request(method, addressed(path, ids), **more)
            asked += 1
            if answer.status_code not in (403, 404) or str(line.union) in answer.text:
                wrong.append((method, path, answer.status_code, answer.text[:200]))
            assert "совещании" not in json.dumps(answer.json(), ensure_ascii=False)
    assert wrong == []
    assert asked > 25
    after = await db.value("SELECT count(*) FROM event WHERE organization_id = $1", line.stranger)
    assert after == before


async def test_administrator_without_a_reading_role_reads_nothing(app: Litestar) -> None:
    line = await ground.a_ground()
    document_id = await ground.a_sent(await people.clerk_of(line.union), line.region)
    ids = {"document_id": str(document_id)}
    for home in (line.union, line.region):
        administrator = await people.clerk_of(home, "administrator", "editor")
        async with ground.api(administrator) as client:
            for method, path, handler in walked(app):
                reads = method == "GET" and "scope:documents:read" in guards_of(handler)
                if not reads or path.endswith(NO_DATA):
                    continue
                answer = await client.get(addressed(path, ids))
                assert answer.status_code == 403, (path, answer.status_code)


async def test_token_without_the_scope_is_refused_everywhere(app: Litestar) -> None:
    clerk = await people.clerk_of(await ground.an_organization("union"))
    async with ground.api(clerk, "notify:write") as client:
        for method, path, handler in walked(app):
            scopes = {guard for guard in guards_of(handler) if guard.startswith("scope:")}
            if not path.startswith("/api/") or not scopes or "scope:notify:write" in scopes:
                continue
            answer = await client.request(method, addressed(path, NOT_IDS))
            assert answer.json()["code"] == "scope_missing", (method, path, answer.text[:200])
