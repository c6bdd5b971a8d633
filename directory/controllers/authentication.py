"""Who calls: the middleware that finds the actor, and the guards that every route carries.

A program sends ``Authorization: Bearer dfl_…``; a person's browser sends the session cookie and,
with everything that changes something, the session's CSRF token (header ``X-CSRF-Token``, or the
field ``_csrf`` of a plain form). A token in the header is never mixed with a cookie.
"""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.di import NamedDependency, Provide
from litestar.enums import RequestEncodingType, ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from audit import refusals
from core import clock
from core.actor import Actor
from core.errors import Forbidden, NotAuthenticated
from core.settings import settings
from directory import sessions, tokens
from directory.sessions import Access, Opened

CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "_csrf"
CSRF_COOKIE = "docflow_csrf"
REQUEST_ID = "x-request-id"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Connection: TypeAlias = ASGIConnection[Any, Any, Any, Any]
Caller: TypeAlias = NamedDependency[Actor]
"""How a handler asks for its actor: ``actor: Caller``, with `CALLER` among its dependencies."""
CallerAccess: TypeAlias = NamedDependency[Access]
Guard: TypeAlias = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


class Authentication(ASGIMiddleware):
    """Sets `request.user` (Actor or None), `request.auth` (Access or None) and the request id.

    A token that does not hold is refused at once; a cookie that does not hold is nobody, so that
    public pages stay open. Forged changes are refused here (403, `csrf_failed`), but for routes
    with ``opt={"csrf_exempt": True}``, which do nothing in the name of the session (log-in).
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Find the caller, then go on."""
        request: Request[Any, Any, Any] = Request(scope, receive=receive)
        request_id = _request_id(request)
        scope["state"]["request_id"] = request_id
        scope["user"] = scope["auth"] = None
        access = await _access(request, request_id)
        if access is not None:
            scope["user"], scope["auth"] = access.actor, access
        async with refusals.collected():
            await next_app(scope, receive, send)


async def answer_request_id(message: Message, scope: Scope) -> None:
    """Put the request id on every answer, refusals too: for the application's ``before_send``."""
    request_id = scope["state"].get("request_id")
    if request_id is not None and message["type"] == "http.response.start":
        MutableScopeHeaders.from_message(message)[REQUEST_ID] = str(request_id)


async def _access(request: Request[Any, Any, Any], request_id: uuid.UUID) -> Access | None:
    header = request.headers.get("authorization")
    if header is not None:
        kind, _, token = header.partition(" ")
        access = None
        if kind.lower() == "bearer":
            access = await tokens.resolve(token.strip(), request_id=request_id)
        if access is None:
            raise NotAuthenticated(
                "Токен не действует. Выпустите новый в профиле.",
                "The token does not hold. Make a new one in your profile.",
                code="token_invalid",
            )
        return access
    changes = request.method not in SAFE
    if changes and request.headers.get("sec-fetch-site") == "cross-site":
        raise sessions.csrf_failed()
    cookie = request.cookies.get(session_cookie())
    access = await sessions.resolve(cookie, request_id=request_id) if cookie else None
    is_exempt = request.route_handler.opt.get("csrf_exempt", False)
    if access is not None and changes and not is_exempt:
        sessions.check_csrf(access, await _csrf_sent(request))
    return access


async def _csrf_sent(request: Request[Any, Any, Any]) -> str | None:
    sent = request.headers.get(CSRF_HEADER)
    if sent is None and request.content_type[0] == RequestEncodingType.URL_ENCODED:
        found = (await request.form()).get(CSRF_FIELD)
        sent = found if isinstance(found, str) else None
    return sent


def _request_id(request: Request[Any, Any, Any]) -> uuid.UUID:
    """The caller's X-Request-Id if it is a UUID, so that both sides' logs meet; else a new one."""
    try:
        return uuid.UUID(request.headers.get(REQUEST_ID, ""))
    except ValueError:
        return clock.new_id()


def _is_https() -> bool:
    return urlsplit(settings().public_url).scheme == "https"


def session_cookie() -> str:
    """The cookie's name; over HTTPS with the prefix that binds it to this host (RFC 6265bis)."""
    return "__Host-docflow_session" if _is_https() else "docflow_session"


def cookies_of(opened: Opened) -> list[Cookie]:
    """What a browser keeps of a new session: the session, hidden from scripts, and the CSRF token.

    The CSRF cookie is only where pages and scripts read the token; it proves nothing itself.
    """
    age = int(sessions.ABSOLUTE.total_seconds())
    return [
        _cookie(session_cookie(), opened.token, age=age, hidden=True),
        _cookie(CSRF_COOKIE, opened.csrf, age=age, hidden=False),
    ]


def no_cookies() -> list[Cookie]:
    """What makes a browser forget the session."""
    return [
        _cookie(session_cookie(), "", age=0, hidden=True),
        _cookie(CSRF_COOKIE, "", age=0, hidden=False),
    ]


def _cookie(name: str, text: str, *, age: int, hidden: bool) -> Cookie:
    return Cookie(
        key=name, value=text, max_age=age, path="/", secure=_is_https(), httponly=hidden,
        samesite="lax",
    )  # fmt: skip


def actor_of(request: Connection) -> Actor:
    """The caller; raises NotAuthenticated when nobody is signed in."""
    return access_of(request).actor


def access_of(request: Connection) -> Access:
    """How the caller came in; raises NotAuthenticated when nobody is signed in."""
    found = request.scope.get("auth")
    if not isinstance(found, Access):
        raise NotAuthenticated
    return found


def _actor(request: Request[Any, Any, Any]) -> Actor:
    return actor_of(request)


def _provided_access(request: Request[Any, Any, Any]) -> Access:
    return access_of(request)


CALLER = {
    "actor": Provide(_actor, sync_to_thread=False),
    "access": Provide(_provided_access, sync_to_thread=False),
}
"""Dependencies for controllers, or once for the whole application."""


# Guards. Each carries `docflow_guard`, its own description, by which a test walks all routes;
# they are coroutines, because Litestar wraps plain functions and the attribute would be lost.


def _named(guard: Guard, description: str, *, scope: str | None = None) -> Guard:
    guard.docflow_guard = description  # type: ignore[attr-defined]  # reason: a mark for tests
    guard.docflow_scope = scope  # type: ignore[attr-defined]  # reason: read by `_check_scope`
    return guard


def guards_of(handler: BaseRouteHandler) -> list[str]:
    """The descriptions of a route's guards; a route with none is a defect."""
    found = (getattr(guard, "docflow_guard", None) for guard in handler.resolve_guards())
    return [description for description in found if description]


def requires(*roles: str) -> Guard:
    """Let in who holds one of `roles` in the chosen organization."""

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        actor = actor_of(connection)
        _check_scope(actor, handler)
        actor.require(*roles)

    return _named(guard, "requires:" + ",".join(sorted(roles)))


def scope(name: str) -> Guard:
    """Let in people, and programs whose token has this scope."""
    if name not in tokens.SCOPES:
        raise ValueError(f"unknown scope: {name}")

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        _check_scope(actor_of(connection), handler)

    return _named(guard, "scope:" + name, scope=name)


async def _signed_in(connection: Connection, handler: BaseRouteHandler) -> None:
    _check_scope(actor_of(connection), handler)


async def _any_token(connection: Connection, handler: BaseRouteHandler) -> None:
    actor_of(connection)


async def _public(connection: Connection, handler: BaseRouteHandler) -> None:
    """Nothing to check; says that somebody thought about it."""


signed_in = _named(_signed_in, "signed_in")
"""Lets in whoever is signed in; programs only where the route also names a scope."""
any_token = _named(_any_token, "any_token")
"""Lets in whoever is signed in, and any program whose token holds, whatever its scopes."""
public = _named(_public, "public")
"""Lets in everybody, on purpose."""


def _check_scope(actor: Actor, handler: BaseRouteHandler) -> None:
    """A program needs every scope that the route names; a route that names none is for people."""
    if actor.scopes is None:
        return
    asked = {getattr(guard, "docflow_scope", None) for guard in handler.resolve_guards()} - {None}
    missing = sorted(str(name) for name in asked - actor.scopes)
    if missing or not asked:
        raise Forbidden(
            "Токен не даёт доступа к этому действию. Выпустите токен с нужной областью доступа.",
            "The token does not reach this. Make a token with the scope that is needed.",
            code="scope_missing",
            needs=missing,
        )
