"""Every page takes empty, broken, huge and hostile forms and addresses with a clear answer."""

import re
import uuid
from pathlib import Path

import pytest

from litestar_app import create_app
from tests import ground, people
from tests.belongings import Belongings, belongings
from tests.security.test_foreign import EVERY_ROLE
from tests.security.test_pages_guarded import page_routes
from web import pages

HOSTILE = {
    "empty": "",
    "nul": "a\0b",
    "huge": "я" * 20_000,
    "markup": "<script>alert(1)</script>'\"--",
    "number": "99999999999999999999999999",
    "day": "9999-99-99",
    "surrogate": "\udcff",
    "template": "{{7*7}}%(x)s${x}",
}
ENDS = ("/logout", "/stream")
"""Ends of routes that would end the walk or never end themselves."""


def fields() -> list[str]:
    """Every name a form of the pages has, and what addresses ask by."""
    found = {"after", "limit", "number", "kind", "state", "page", "year", "q", "tab"}
    for path in Path(pages.HERE, "templates").glob("*.html"):
        found |= set(re.findall(r'\bname="([A-Za-z_]+)"', path.read_text(encoding="utf-8")))
    return sorted(found - {"_csrf"})


@pytest.fixture
async def made(database: str) -> Belongings:
    return await belongings()


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
async def test_no_page_fails_on_what_is_typed_into_it(made: Belongings, kind: str) -> None:
    typed, names, failed, number = HOSTILE[kind], fields(), [], 0
    assert len(names) > 60
    form = dict.fromkeys(names, typed.encode("utf-8", "surrogateescape"))
    owner = await people.clerk_of(made.line.union, *EVERY_ROLE)
    async with ground.browser(owner) as client:
        for method, path, _ in page_routes(create_app()):
            if path.endswith(ENDS):
                continue
            ids = made.at(path)
            unknown = [dict.fromkeys(ids, str(uuid.uuid4()))] if kind == "empty" and ids else []
            for place in (ids, *unknown):
                address = path
                for name, value in place.items():
                    address = re.sub(rf"\{{{name}(:\w+)?\}}", value, address)
                address = re.sub(r"\{.*?\}", "x", address)
                if method == "GET":
                    short = {name: one[:100] for name, one in form.items()}
                    answer = await client.get(address, params=short)
                else:
                    answer = await client.request(method, address, data=form)
                number += 1
                if answer.status_code >= 500 or "internal_error" in answer.text:
                    failed.append((method, path, answer.status_code, answer.text[-200:]))
    assert number > 120
    assert not failed, "\n".join(map(str, failed))
