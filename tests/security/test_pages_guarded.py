"""What every page has: headers, a policy without inline scripts, forms that cannot be forged."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from litestar import Litestar

from directory.controllers.authentication import guards_of
from litestar_app import create_app
from tests import ground
from tests.belongings import Belongings, belongings
from tests.security.test_foreign import asked, walked
from web import pages
from web.headers import HEADERS, POLICY

TEMPLATES = Path(pages.HERE) / "templates"
EXEMPT = {
    "POST /login": "no session yet; nothing is done in its name",
    "POST /check": "no session is touched and nothing is kept",
    "POST /r/{token}": "the token in the address is the right",
    "POST /join/{token}": "the token in the address is the right",
    "POST /documents": "looks for the field itself, since the body is a stream",
    "POST /documents/{document_id}/files": "as above",
    "POST /documents/{document_id}/signatures": "as above",
    "POST /organizations/import": "as above",
    "POST /pictures/checks": "as above",
    "POST /pictures/uses": "as above",
    "POST /pictures/publications/{publication_id}/file": "as above",
    "POST /pictures/publications/{publication_id}/pictures": "as above",
    "POST /pictures/reviews/{review_id}/decide": "as above",
    "POST /trust/propose": "as above",
}
"""Page routes the middleware lets pass without the CSRF token, each with its reason."""
PUBLIC = {"POST /login", "POST /check", "POST /r/{token}", "POST /join/{token}", "POST /language"}


def page_routes(app: Litestar) -> Iterator[tuple[str, str, object]]:
    for method, path, handler in walked(app):
        if not path.startswith(("/api/", "/schema", "/static", "/log/", "/health", "/metrics")):
            yield method, path, handler


class Scripts(HTMLParser):
    """What of a page a policy without inline scripts would stop."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.in_script = tag == "script" and "src" not in names
        if self.in_script or tag == "style":
            self.found.append(f"<{tag}>")
        self.found += [name for name in names if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            if (names.get(name) or "").strip().lower().startswith("javascript:"):
                self.found.append(f"{name}=javascript:")


def inline(text: str) -> list[str]:
    parser = Scripts()
    parser.feed(re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", text, flags=re.DOTALL))
    return parser.found


def test_the_policy_lets_no_inline_script_run() -> None:
    kept = dict(one.strip().split(" ", 1) for one in POLICY.split(";"))
    assert kept["default-src"] == "'self'"
    assert "unsafe" not in POLICY
    assert not {"script-src", "script-src-elem", "script-src-attr", "style-src"} & kept.keys()
    assert {kept[name] for name in ("object-src", "base-uri", "frame-ancestors")} == {"'none'"}
    assert kept["form-action"] == "'self'"
    assert inline("<a onclick='x'>") == ["onclick"]
    assert inline("<script>1</script>") == ["<script>"]


def test_no_template_holds_an_inline_script() -> None:
    found = {path.name: inline(path.read_text("utf-8")) for path in TEMPLATES.rglob("*.html")}
    assert len(found) > 30
    assert {name: what for name, what in found.items() if what} == {}
    loaded = re.compile(r"""<(?:script|link|img|iframe|source)[^>]+(?:src|href)=["']([^"'{]+)""")
    outside = [
        (path.name, address)
        for path in TEMPLATES.rglob("*.html")
        for address in loaded.findall(path.read_text("utf-8"))
        if not address.startswith(("/", "data:", "#"))
    ]
    assert outside == []


@pytest.fixture
async def made(database: str) -> Belongings:
    return await belongings()


@pytest.mark.slow
async def test_every_page_has_the_headers_and_nothing_inline(made: Belongings) -> None:
    bad, shown = [], 0
    async with ground.browser(made.owner) as client:
        for method, path, handler in page_routes(create_app()):
            if method != "GET" or path.endswith("/stream"):
                continue
            answer = await asked(client, method, path, handler, made.at(path))  # type: ignore[arg-type]  # reason: a handler
            lacks = {name for name, text in HEADERS.items() if answer.headers.get(name) != text}
            if path.startswith(("/r/", "/join/")):
                lacks -= {"referrer-policy"}  # stricter there: the address is the right itself
            if lacks:
                bad.append((path, answer.status_code, sorted(lacks)))
            if answer.headers.get("content-type", "").startswith("text/html"):
                shown += answer.status_code == 200
                bad += [(path, answer.status_code, one) for one in inline(answer.text)]
            assert answer.status_code < 500, (path, answer.text[:200])
    assert bad == []
    assert shown > 30


@pytest.mark.slow
async def test_no_page_changes_anything_without_its_token(made: Belongings) -> None:
    open_, number = [], 0
    async with ground.browser(made.owner) as client:
        token = client.headers.pop("x-csrf-token")
        for method, path, handler in page_routes(create_app()):
            name = f"{method} {path}"
            if method == "GET" or name in PUBLIC:
                continue
            number += 1
            assert "public" not in guards_of(handler), name  # type: ignore[arg-type]  # reason: a handler
            exempt = handler.opt.get("csrf_exempt", False)  # type: ignore[attr-defined]  # reason: a handler
            assert not exempt or name in EXEMPT, f"{name}: say why it needs no token, or check it"
            for forged in (None, "x" * len(token)):
                client.headers.pop("x-csrf-token", None)
                if forged:
                    client.headers["x-csrf-token"] = forged
                answer = await asked(client, method, path, handler, made.at(path))  # type: ignore[arg-type]  # reason: a handler
                if answer.status_code != 403:
                    open_.append((name, forged, answer.status_code))
    assert open_ == []
    assert number > 30
