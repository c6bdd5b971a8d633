"""Log-in, log-out, choice of organization and language, one's own account."""

import base64
import json
import uuid
from datetime import timedelta
from typing import Any

import segno
from litestar import Controller, Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromQuery
from litestar.response import Redirect
from markupsafe import Markup

from core import clock, sealing
from core.errors import Forbidden, InvalidInput, NotAuthenticated, ServiceError
from directory import accounts, second_factor, sessions
from directory.controllers.addresses import client_of
from directory.controllers.authentication import (
    CALLER,
    Caller,
    CallerAccess,
    cookies_of,
    no_cookies,
    public,
    signed_in,
)
from directory.sessions import Access, Opened
from docflow.documents.visibility import READERS
from web import pages, translation
from web.addresses import HOME, inside
from web.pages import R
from web.translation import N_

STEP_LIFE = timedelta(minutes=5)
"""How long a right password waits for the code from the authenticator."""
_STEP = "log-in step"


class LogInController(Controller):
    """In and out."""

    include_in_schema = False

    @get("/", guards=[public])
    async def first(self, request: R) -> Redirect:
        """To where one's work lies, or to the log-in."""
        access = request.scope.get("auth")
        to = _desk_of(access) if isinstance(access, Access) else "/login"
        return Redirect(to, status_code=303)

    @get("/login", guards=[public])
    async def form(self, request: R, next: FromQuery[str] = "") -> Response[Any]:
        """The log-in form."""
        if request.scope.get("auth"):
            return Redirect(inside(next), status_code=303)
        return await pages.page(request, "login.html", next=inside(next), login="", step="",
                                problem=None)  # fmt: skip

    @post("/login", guards=[public], opt={"csrf_exempt": True})
    async def begin(self, request: R) -> Response[Any]:
        """Open a session; asks for the code where an authenticator is in use."""
        form = await request.form()
        login, password = str(form.get("login", "")), str(form.get("password", ""))
        after, step = inside(str(form.get("next", ""))), str(form.get("step", ""))
        code = str(form.get("code", "")).strip() or None
        try:
            if step:
                login, password = _resumed(step)
            opened = await sessions.begin(
                login=login, password=password, code=code,
                request_id=request.scope["state"].get("request_id"), address=client_of(request),
            )  # fmt: skip
        except NotAuthenticated as problem:
            asks = problem.error_code == "code_required"
            kept = _keep(login, password) if asks else ""
            return await pages.page(
                request, "login.html", next=after, login=login, step=kept,
                problem=None if asks and not step else problem, status_code=200 if asks else 401,
            )  # fmt: skip
        return _entered(request, opened, after)

    @post("/logout", guards=[signed_in], dependencies=CALLER)
    async def end(self, request: R, actor: Caller, access: CallerAccess) -> Redirect:
        """End the session."""
        await sessions.end(actor, session_id=access.id)
        answer = pages.redirect(request, "/login", done=N_("You have logged out."))
        for cookie in no_cookies():
            answer.set_cookie(cookie)
        return answer

    @post("/language", guards=[public])
    async def language(self, request: R) -> Redirect:
        """Switch the language of the pages in this browser."""
        form = await request.form()
        chosen = str(form.get("language", ""))
        answer = Redirect(inside(str(form.get("back", "")), otherwise="/"), status_code=303)
        if chosen in translation.LANGUAGES:
            answer.set_cookie(
                Cookie(key=pages.LANGUAGE_COOKIE, value=chosen, max_age=31536000, path="/",
                       httponly=True, samesite="lax")
            )  # fmt: skip
        return answer


class AccountController(Controller):
    """One's own account: organizations, authenticator."""

    include_in_schema = False
    dependencies = CALLER

    @get("/organization", guards=[signed_in])
    async def organizations(self, request: R, actor: Caller) -> Response[str]:
        """Choose for whom to act."""
        return await pages.page(request, "organization.html")

    @post("/organization", guards=[signed_in])
    async def choose(self, request: R, actor: Caller, access: CallerAccess) -> Redirect:
        """Act for another organization from now on."""
        form = await request.form()
        chosen = pages.id_of(str(form.get("organization_id", "")))
        work = sessions.choose_organization(
            actor, session_id=access.id, organization_id=chosen or uuid.UUID(int=0)
        )
        return await pages.act(request, HOME, work, done=N_("The organization is chosen."))

    @get("/account", guards=[signed_in])
    async def account(self, request: R, actor: Caller, access: CallerAccess) -> Response[str]:
        """The account and its authenticator."""
        return await _account_page(request, actor=actor, access=access)

    @post("/account/second-factor", guards=[signed_in])
    async def enrol(self, request: R, actor: Caller, access: CallerAccess) -> Response[str]:
        """Make a new secret and show it once, as a picture for the telephone."""
        form = await request.form()
        code = str(form.get("code", "")).strip() or None
        try:
            begun = await second_factor.begin(
                actor, password=str(form.get("password", "")), code=code
            )
        except Forbidden as problem:
            return await _account_page(request, actor=actor, access=access, problem=problem)
        picture = segno.make(begun.uri, error="m").svg_inline(scale=5, border=2)
        return await _account_page(
            request,
            actor=actor,
            access=access,
            picture=Markup(picture),  # noqa: S704 - segno's own SVG
            secret=begun.secret,
        )

    @post("/account/second-factor/confirm", guards=[signed_in])
    async def confirm(self, request: R, actor: Caller, access: CallerAccess) -> Redirect:
        """Take the authenticator into use with its first code."""
        form = await request.form()
        work = second_factor.confirm(actor, code=str(form.get("code", "")), session_id=access.id)
        return await pages.act(
            request, "/account", work, done=N_("The authenticator is in use from now on.")
        )


async def _account_page(
    request: R, *, actor: Caller, access: CallerAccess, problem: ServiceError | None = None,
    picture: str = "", secret: str = "",
) -> Response[str]:  # fmt: skip
    me = await accounts.me(actor)
    spaced = " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
    return await pages.page(
        request, "account.html", me=me, is_due=sessions.is_due(access), problem=problem,
        picture=picture, secret=spaced, status_code=403 if problem else 200,
    )  # fmt: skip


def _desk_of(access: Access) -> str:
    """The page a person's roles are for; readers of documents come first."""
    actor = access.actor
    if actor.organization_id is None:
        return "/organization"
    if actor.roles & READERS:
        return "/inbox"
    return "/pictures" if "editor" in actor.roles else "/account"


def _entered(request: R, opened: Opened, after: str) -> Redirect:
    if opened.actor.organization_id is None:
        after = "/organization"
    elif opened.is_second_factor_due:
        after = "/account"
    answer = Redirect(after, status_code=303)
    for cookie in cookies_of(opened):
        answer.set_cookie(cookie)
    return answer


def _keep(login: str, password: str) -> str:
    """Login and password for the second step, sealed, so that they need not be typed again."""
    until = (clock.now() + STEP_LIFE).timestamp()
    sealed = sealing.seal(json.dumps([login, password, until]).encode(), purpose=_STEP)
    return base64.urlsafe_b64encode(sealed).decode()


def _resumed(step: str) -> tuple[str, str]:
    try:
        login, password, until = json.loads(
            sealing.unseal(base64.urlsafe_b64decode(step), purpose=_STEP)
        )
    except (ServiceError, ValueError):
        raise InvalidInput(code="malformed_form") from None
    if until < clock.now().timestamp():
        raise NotAuthenticated(
            "Время на ввод кода вышло. Войдите заново.",
            "The time for the code has run out. Log in again.",
            code="step_over",
        )
    return login, password
