"""Errors as people see them: a page that says what to do, or the way to the log-in."""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from litestar import Response
from litestar.response import Redirect

from core.errors import NotAuthenticated, ServiceError
from directory.sessions import Access
from web import pages
from web.addresses import HOME
from web.pages import Frame, R

NOT_PAGES = ("/api/", "/schema", "/health", "/static/")


def wants_page(request: R) -> bool:
    """Is this a browser looking at a page, and not a program calling the API?"""
    path = request.url.path
    return not path.startswith(NOT_PAGES) and "text/html" in request.headers.get("accept", "")


def error_page(request: R, error: ServiceError, status: int) -> Response[Any]:
    """The error in the reader's language; who is not signed in goes to the log-in and back."""
    if isinstance(error, NotAuthenticated) and error.error_code == "not_authenticated":
        address = request.url.path if request.method == "GET" else HOME
        query = f"?{request.url.query}" if request.method == "GET" and request.url.query else ""
        return Redirect(f"/login?next={quote(address + query, safe='/')}", status_code=303)
    if error.error_code == "no_organization":
        return Redirect("/organization", status_code=303)
    access = request.scope.get("auth")
    frame = Frame(access.actor) if isinstance(access, Access) else Frame()
    return pages.render(
        request, "error.html", frame, status_code=status, error=error, number=int(status),
        phrase=HTTPStatus(status).phrase,
        request_id=str(request.scope.get("state", {}).get("request_id", "")),
    )  # fmt: skip
