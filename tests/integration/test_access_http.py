"""Access over HTTP: cookies, CSRF, tokens and guards, as the web process wires them."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pyotp
import pytest
from access_people import CHEAP, PASSWORD, an_account, an_organization
from litestar import Controller, Litestar, MediaType, Request, Response, get, post

from core import clock, errors
from directory import passwords, sessions
from directory.controllers import access, authentication

STATUS = {
    errors.InvalidInput: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.NotAuthenticated: 401,
    errors.Forbidden: 403,
}


def problem(_: Request[Any, Any, Any], error: errors.ServiceError) -> Response[dict[str, str]]:
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return Response({"code": error.error_code}, status_code=status, media_type=MediaType.JSON)


class Probe(Controller):
    path = "/probe"
    dependencies = authentication.CALLER

    @post(
        "/write", guards=[authentication.requires("clerk"), authentication.scope("documents:write")]
    )
    async def write(self, actor: authentication.Caller) -> str:
        return str(actor.request_id)

    @get("/people-only", guards=[authentication.signed_in])
    async def people_only(self) -> str:
        return "ok"

    @get("/open", guards=[authentication.public])
    async def open(self, request: Request[Any, Any, Any]) -> str:
        return "somebody" if request.user else "nobody"

    @post("/form", guards=[authentication.signed_in])
    async def form(self, request: Request[Any, Any, Any]) -> str:
        return str((await request.form())["text"])


@pytest.fixture
async def client(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    monkeypatch.setattr(sessions, "refusal_takes", 0.0)
    app = Litestar(
        route_handlers=[*access.CONTROLLERS, Probe],
        middleware=[authentication.Authentication()],
        exception_handlers={errors.ServiceError: problem},
        before_send=[authentication.answer_request_id],
    )
    # Litestar's own test client runs another event loop, and the pool belongs to this one.
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # reason: same protocol
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as opened:
        yield opened


async def log_in(client: httpx.AsyncClient, login: str, **more: str) -> dict[str, Any]:
    answer = await client.post(
        "/api/v1/sessions", json={"login": login, "password": PASSWORD} | more
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    client.headers["x-csrf-token"] = found["csrf_token"]
    return found


async def test_a_person_logs_in_sees_themselves_and_logs_out(client: httpx.AsyncClient) -> None:
    home = await an_organization()
    await an_account("petrova", home, "clerk")
    assert (await client.get("/api/v1/me")).status_code == 401
    wrong = await client.post("/api/v1/sessions", json={"login": "petrova", "password": "x"})
    assert (wrong.status_code, wrong.json()) == (401, {"code": "login_failed"})
    answer = await client.post("/api/v1/sessions", json={"login": "petrova", "password": PASSWORD})
    cookies = {line.split("=")[0]: line.lower() for line in answer.headers.get_list("set-cookie")}
    assert "httponly" in cookies["docflow_session"]
    assert "samesite=lax" in cookies["docflow_session"]
    assert "httponly" not in cookies["docflow_csrf"]
    assert client.cookies["docflow_session"] not in answer.text
    mine = (await client.get("/api/v1/me")).json()
    assert (mine["login"], mine["roles"], mine["organization_id"]) == (
        "petrova", ["clerk"], str(home),
    )  # fmt: skip
    assert (await client.delete("/api/v1/sessions/current")).json() == {"code": "csrf_failed"}
    csrf = {"x-csrf-token": answer.json()["csrf_token"]}
    stolen = client.cookies["docflow_session"]
    assert (await client.delete("/api/v1/sessions/current", headers=csrf)).status_code == 204
    assert "docflow_session" not in client.cookies
    client.cookies.set("docflow_session", stolen)
    assert (await client.get("/api/v1/me")).status_code == 401
    assert (await client.get("/probe/open")).text == "nobody"


async def test_forged_changes_are_refused(client: httpx.AsyncClient) -> None:
    home = await an_organization()
    await an_account("petrova", home, "clerk")
    opened = await log_in(client, "petrova")
    del client.headers["x-csrf-token"]
    cases: list[tuple[dict[str, str], int]] = [
        ({}, 403),
        ({"x-csrf-token": "guess"}, 403),
        ({"x-csrf-token": client.cookies["docflow_session"]}, 403),
        ({"x-csrf-token": opened["csrf_token"], "sec-fetch-site": "cross-site"}, 403),
        ({"x-csrf-token": opened["csrf_token"], "sec-fetch-site": "same-origin"}, 201),
    ]
    for headers, status in cases:
        answer = await client.post("/probe/write", headers=headers)
        assert answer.status_code == status
    for field, status in (({}, 403), ({"_csrf": opened["csrf_token"]}, 201)):
        answer = await client.post("/probe/form", data={"text": "привет"} | field)
        assert answer.status_code == status
    assert answer.text == "привет"
    files = {"text": ("a.txt", b"x"), "_csrf": (None, opened["csrf_token"])}
    assert (await client.post("/probe/form", files=files)).status_code == 403
    login = {"login": "petrova", "password": PASSWORD}
    forged = {"sec-fetch-site": "cross-site"}
    assert (await client.post("/api/v1/sessions", json=login, headers=forged)).status_code == 403
    assert (await client.post("/api/v1/sessions", json=login)).status_code == 201


async def test_a_token_reaches_only_its_scopes_and_needs_no_csrf(
    client: httpx.AsyncClient,
) -> None:
    home = await an_organization()
    await an_account("petrova", home, "clerk")
    await log_in(client, "petrova")
    made = {}
    for scope in ("documents:write", "directory:read"):
        answer = await client.post(
            "/api/v1/tokens", json={"name": "1С", "scopes": [scope], "days": 5}
        )
        assert answer.status_code == 201
        made[scope] = answer.json()
    assert len((await client.get("/api/v1/tokens")).json()) == 2
    keys = {scope: {"authorization": f"Bearer {one['token']}"} for scope, one in made.items()}
    write, read = keys["documents:write"], keys["directory:read"]
    await client.delete("/api/v1/sessions/current")
    del client.headers["x-csrf-token"]
    request_id = str(uuid.uuid4())
    answer = await client.post("/probe/write", headers=write | {"x-request-id": request_id})
    assert (answer.status_code, answer.text) == (201, request_id)
    assert answer.headers["x-request-id"] == request_id
    lost = await client.get("/api/v1/me", headers={"x-request-id": request_id})
    assert (lost.status_code, lost.headers["x-request-id"]) == (401, request_id)
    odd = await client.post("/probe/write", headers=write | {"x-request-id": "x'; drop"})
    assert uuid.UUID(odd.text).version == 7
    refused = await client.post("/probe/write", headers=read)
    assert (refused.status_code, refused.json()) == (403, {"code": "scope_missing"})
    for path in ("/probe/people-only", "/api/v1/tokens"):
        assert (await client.get(path, headers=write)).json() == {"code": "scope_missing"}
    assert (await client.get("/api/v1/me", headers=read)).json()["scopes"] == ["directory:read"]
    for header in ("Bearer dfl_nonsense", "Bearer", "Basic YTpi", ""):
        answer = await client.get("/probe/open", headers={"authorization": header})
        assert (answer.status_code, answer.json()) == (401, {"code": "token_invalid"})
    await log_in(client, "petrova")
    gone = f"/api/v1/tokens/{made['documents:write']['id']}"
    assert (await client.delete(gone)).status_code == 204
    assert (await client.post("/probe/write", headers=write)).status_code == 401


async def test_the_administrator_sets_up_a_second_factor_invites_and_removes(
    client: httpx.AsyncClient,
) -> None:
    home = await an_organization()
    await an_account("boss", home, "administrator")
    opened = await log_in(client, "boss")
    assert opened["second_factor_due"] is True
    roles = f"/api/v1/organizations/{home}/roles"
    invite = {"organization_id": str(home), "role": "clerk", "email": "new@example.org"}
    refused = await client.post("/api/v1/invitations", json=invite)
    assert (refused.status_code, refused.json()) == (403, {"code": "second_factor_required"})
    begun = await client.post("/api/v1/me/second-factor", json={"password": PASSWORD})
    code = pyotp.TOTP(begun.json()["secret"]).at(clock.now())
    confirmed = await client.post("/api/v1/me/second-factor/confirm", json={"code": code})
    assert confirmed.status_code == 204
    invited = (await client.post("/api/v1/invitations", json=invite)).json()
    assert len((await client.get(f"/api/v1/organizations/{home}/invitations")).json()) == 1
    new = {
        "token": invited["token"], "last_name": "Иванова", "first_name": "Анна",
        "login": "ivanova", "password": PASSWORD,
    }  # fmt: skip
    weak = await client.post("/api/v1/invitations/accept", json=new | {"password": "123"})
    assert (weak.status_code, weak.json()) == (422, {"code": "password_too_short"})
    accepted = await client.post("/api/v1/invitations/accept", json=new)
    assert accepted.status_code == 201
    account_id = accepted.json()["account_id"]
    given = await client.post(roles, json={"account_id": account_id, "role": "editor"})
    assert given.status_code == 201
    held = (await client.get(roles)).json()
    assert sorted(one["role"] for one in held) == ["administrator", "clerk", "editor"]
    [last] = [one["id"] for one in held if one["role"] == "administrator"]
    answer = await client.delete(f"{roles}/{last}")
    assert (answer.status_code, answer.json()) == (409, {"code": "last_administrator"})
    assert (await client.delete(f"{roles}/{given.json()['id']}")).status_code == 204
    assert (await client.post(f"/api/v1/accounts/{account_id}/disable")).status_code == 204
    again = await client.post("/api/v1/sessions", json={"login": "boss", "password": PASSWORD})
    assert (again.status_code, again.json()) == (401, {"code": "code_required"})


async def test_a_clerk_manages_no_access(client: httpx.AsyncClient) -> None:
    home = await an_organization()
    account_id = await an_account("petrova", home, "clerk")
    await log_in(client, "petrova")
    for method, path in (
        ("GET", f"/api/v1/organizations/{home}/roles"),
        ("POST", f"/api/v1/accounts/{account_id}/disable"),
        ("DELETE", f"/api/v1/accounts/{account_id}/second-factor"),
        ("DELETE", f"/api/v1/invitations/{uuid.uuid4()}"),
    ):
        answer = await client.request(method, path)
        assert (answer.status_code, answer.json()) == (403, {"code": "forbidden"})


def test_every_route_names_its_guard() -> None:
    app = Litestar(route_handlers=[*access.CONTROLLERS, Probe])
    found = {
        (path, handler.name or handler.handler_name): authentication.guards_of(handler)
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        for path in [route.path]
        if not path.startswith("/schema") and "OPTIONS" not in getattr(handler, "http_methods", ())
    }
    assert len(found) > 20
    assert [path for path, guards in found.items() if not guards] == []
