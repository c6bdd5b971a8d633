"""Pages: one template environment, the frame around each page, redirects with a message."""

import base64
import hashlib
import json
import uuid
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar import MediaType, Request, Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from core import clock, db, sealing
from core.actor import Actor
from core.errors import NotAuthenticated, NotFound, ServiceError
from core.settings import settings
from directory import accounts, organizations
from directory.controllers.authentication import CSRF_COOKIE
from directory.sessions import Access
from docflow.documents import signing
from docflow.documents.visibility import READERS
from docflow.routing import inbox
from web import certificate_words, picture_words, translation, words

R: TypeAlias = Request[Any, Any, Any]
HERE = Path(__file__).parent
LANGUAGE_COOKIE = "docflow_language"
FLASH_COOKIE = "docflow_flash"


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a page: who is signed in, for whom, and what awaits them."""

    actor: Actor | None = None
    name: str = ""
    organization: db.Row | None = None
    organizations: tuple[db.Row, ...] = ()
    counts: dict[str, int] | None = None

    def may(self, *roles: str) -> bool:
        """Does the signed-in person hold one of these roles?"""
        return self.actor is not None and bool(self.actor.roles & set(roles))


def _zone(context: Context) -> ZoneInfo:
    found = context.get("zone")
    return found if isinstance(found, ZoneInfo) else clock.MOSCOW


@pass_context
def _day(context: Context, value: date | datetime | None) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(_zone(context)).date()
    return f"{value:%d.%m.%Y}"


@pass_context
def _moment(context: Context, value: datetime | None) -> str:
    return "" if value is None else f"{value.astimezone(_zone(context)):%d.%m.%Y %H:%M}"


def _number(value: int) -> str:
    """1234567 as «1 234 567», with spaces that do not break."""
    return f"{value:,}".replace(",", "\u00a0")


def _size(value: int) -> str:
    if value < 1024 * 1024:
        return f"{max(1, round(value / 1024))}\u00a0" + translation.gettext("KB")
    return f"{value / 1024 / 1024:.1f}".replace(".", ",") + "\u00a0" + translation.gettext("MB")


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The one template environment; a name that is not given is an error, text is escaped."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.install_gettext_callables(  # type: ignore[attr-defined]  # reason: added by the extension
        translation.gettext, translation.ngettext, newstyle=True
    )
    made.filters |= {
        "day": _day, "moment": _moment, "number": _number, "size": _size,
        "holder": certificate_words.holder,
    }  # fmt: skip
    made.globals |= {"words": words, "pw": picture_words, "asset": asset, "told": told}
    return made


@lru_cache(maxsize=32)
def asset(name: str) -> str:
    """The address of a static file; it changes with the content, so that browsers may keep it."""
    digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def told(error: ServiceError) -> str:
    """What an error says, in the language of this task."""
    return error.message_ru if translation.spoken() == "ru" else error.message_en


def language_of(request: R) -> str:
    """The cookie of the switch, else the account's language, else Russian."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in translation.LANGUAGES:
        return str(chosen)
    access = request.scope.get("auth")
    return access.actor.language if isinstance(access, Access) else "ru"


async def page(
    request: R, template: str, *, status_code: int = 200, **context: Any
) -> Response[str]:
    """A page in its frame; a waiting message is shown once."""
    return render(request, template, await _frame(request), status_code=status_code, **context)


def render(
    request: R, template: str, frame: Frame, *, status_code: int = 200, **context: Any
) -> Response[str]:
    """A page in a given frame; asks nothing of the database."""
    translation.speak(language_of(request))
    flash = _flash(request)
    text = environment().get_template(template).render(
        frame=frame, language=translation.spoken(), flash=flash, today=clock.today(),
        csrf=request.cookies.get(CSRF_COOKIE, ""), here=request.url.path,
        address=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        zone=_zone_of(frame), **context,
    )  # fmt: skip
    answer = Response(text, media_type=MediaType.HTML, status_code=status_code)
    answer.headers["cache-control"] = "no-store"
    if FLASH_COOKIE in request.cookies:
        answer.delete_cookie(FLASH_COOKIE)
    return answer


def fragment(template: str, language: str, **context: Any) -> str:
    """A piece of a page alone, for what a page's script puts in its place."""
    translation.speak(language)
    return (
        environment()
        .get_template(template)
        .render(language=translation.spoken(), today=clock.today(), **context)
    )


def redirect(
    request: R, to: str, *, done: str = "", problem: ServiceError | None = None
) -> Redirect:
    """See other (303), with a message for the next page: `done`, or what went wrong."""
    translation.speak(language_of(request))
    answer = Redirect(to, status_code=303)
    if done or problem:
        kind, text = ("problem", told(problem)) if problem else ("done", translation.gettext(done))
        # A cookie holds 4 KB; 900 Cyrillic letters, sealed and as text, are under 3.
        plain = json.dumps([kind, text[:900]], ensure_ascii=False).encode()
        answer.set_cookie(
            Cookie(
                key=FLASH_COOKIE,
                value=base64.urlsafe_b64encode(sealing.seal(plain, purpose="flash")).decode(),
                max_age=60,
                path="/",
                secure=settings().public_url.startswith("https:"),
                httponly=True,
                samesite="lax",
            )
        )
    return answer


async def act(request: R, back: str, work: Awaitable[object], *, done: str) -> Redirect:
    """Do something and go back with word of it; a refusal is told on the same page."""
    try:
        await work
    except (NotAuthenticated, NotFound):
        raise
    except ServiceError as problem:
        return redirect(request, back, problem=problem)
    return redirect(request, back, done=done)


async def _frame(request: R) -> Frame:
    access = request.scope.get("auth")
    if not isinstance(access, Access):
        return Frame()
    actor = access.actor
    me = await accounts.me(actor)
    name = " ".join(part for part in (me["last_name"], me["first_name"]) if part)
    home = actor.organization_id
    organization = await organizations.get(organization_id=home) if home else None
    counts = await inbox.counts(actor) if home and actor.roles & READERS else None
    if counts is not None and "signatory" in actor.roles:
        counts["to_sign"] = await signing.waiting(actor)
    return Frame(actor, name, organization, tuple(me["organizations"]), counts)


def _zone_of(frame: Frame) -> ZoneInfo:
    try:
        return ZoneInfo(frame.organization["time_zone"]) if frame.organization else clock.MOSCOW
    except (KeyError, ZoneInfoNotFoundError):
        return clock.MOSCOW


def _flash(request: R) -> tuple[str, str] | None:
    kept = request.cookies.get(FLASH_COOKIE)
    if not kept:
        return None
    try:
        kind, text = json.loads(sealing.unseal(base64.urlsafe_b64decode(kept), purpose="flash"))
    except (ServiceError, ValueError):
        return None
    return str(kind), str(text)


def new_key() -> str:
    """A key that makes a form count once, however often it is sent."""
    return str(clock.new_id())


def id_of(text: str | None) -> uuid.UUID | None:
    """The id in a field or address, None when there is none or it is not one."""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None
