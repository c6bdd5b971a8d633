"""What belongs to another organization is not there: every route, of the API and of the pages."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from core import db
from litestar_app import create_app
from tests import ground, people
from tests.belongings import SECRET, Belongings, belongings
from web.examples import CHANGES, EXAMPLES

EVERY_ROLE = ("clerk", "signatory", "editor", "lawyer", "administrator")
COMMON = {
    "GET /api/v1/organizations/{organization_id}": "the directory is one for all",
    "GET /api/v1/organizations/{organization_id}/superiors": "the directory is one for all",
    "GET /organizations/{organization_id}": "the directory is one for all",
    "GET /api/v1/organizations/{organization_id}/people": "officers look each other up; logged",
    "GET /join/{token}": "the token itself is the right",
    "POST /join/{token}": "the token itself is the right",
    "GET /r/{token}": "the token itself is the right",
    "GET /r/{token}/files/{file_id}": "the token itself is the right",
    "POST /r/{token}": "the token itself is the right",
    "GET /log/tile/{level}/{number}": "hashes that anybody may check",
    "GET /language/{code:str}": "a choice of one's own",
    "GET /static/{file_path:path}": "style sheets and scripts",
    "GET /static/swagger/{file_path:path}": "style sheets and scripts",
    "GET /schema/{path}": "the description of the API",
}  # fmt: skip
"""Routes with an id in the address that answer everybody, each with its reason."""
OTHERWISE = {
    "node_not_founded": "there is no node, whoever asks",
    "not_authenticated": "only other nodes are let in, by their signature",
    "csrf_failed": "a form without its token",
    "link_to_itself": "says nothing of the document",
    "unsupported_type": "says nothing of the thing",
}
"""Codes of refusals that come before anybody looks for the thing, each with its reason."""
TYPED = {"text": "Причина", "reason": "Причина", "until": "2027-01-01"}
DATED: dict[str, dict[str, Any]] = {
    "/api/v1/documents/{document_id}/appeal/portal-number": {"on": "2020-01-01"},
    "/api/v1/documents/{document_id}/links": {"to_id": str(uuid.UUID(int=1))},
}
"""What the examples have that a verb refuses before it looks for the document."""


def walked(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                yield method, route.path_format, handler


def filled(value: Any, ids: dict[str, str], name: str = "") -> Any:
    """An example with ids of what is foreign in every place that has a name of one."""
    if isinstance(value, dict):
        return {key: filled(one, ids, key) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, ids, name) for one in value]
    aliases = {"to_id": "document_id", "into_id": "organization_id", "parent_id":
               "organization_id", "subject_id": "document_id", "journal_id": "document_id",
               "organizations": "organization_id", "subtree_of": "organization_id"}  # fmt: skip
    name = aliases.get(name, name)
    return ids.get(name, value) if name.endswith("_id") else value


async def asked(
    client: httpx.AsyncClient, method: str, path: str, handler: HTTPRouteHandler,
    ids: dict[str, str],
) -> httpx.Response:  # fmt: skip
    """The route with foreign ids in address and body, its body the example of the description."""
    address = re.sub(r"\{(\w+)(?::\w+)?\}", lambda at: ids.get(at[1], str(uuid.uuid4())), path)
    more: dict[str, Any] = {"params": {"version": 1, "purpose": "check"}}
    form = {name: one for name, one in ids.items() if name.endswith("_id")} | TYPED
    field = handler.parsed_fn_signature.parameters.get("data")
    if field is not None:
        example = EXAMPLES.get(field.annotation, CHANGES)
        more["json"] = filled(msgspec.json.decode(msgspec.json.encode(example)), ids)
        more["json"] = more["json"] | DATED.get(path, {})
    elif method == "POST" and handler.opt.get("csrf_exempt"):
        more["data"] = form | {"_csrf": client.headers.get("x-csrf-token", "")}
        more["files"] = {"file": ("a.pdf", b"%PDF-1.7", "application/pdf")}
    elif method in ("POST", "PUT") and path.startswith("/api/"):
        more["content"] = b"%PDF-1.7"
    elif method == "POST":
        more["data"] = form
    return await client.request(method, address, **more)


async def rows_of(made: Belongings) -> dict[str, str]:
    """Every row that has one of the ids for its own, as text."""
    tables = await db.rows(
        """SELECT c.relname AS name FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
           WHERE c.relkind = 'r' AND a.attname = 'id' AND a.atttypid = 'uuid'::regtype
           AND c.relnamespace = 'public'::regnamespace"""
    )
    ids = [uuid.UUID(one) for one in made.ids.values() if re.fullmatch(r"[0-9a-f-]{36}", one)]
    found: dict[str, str] = {}
    for table in tables:
        for row in await db.rows(
            f"SELECT t.id, t::text AS told FROM {table['name']} AS t WHERE t.id = ANY($1)", ids
        ):
            found[f"{table['name']} {row['id']}"] = row["told"]
    return found


def leaked(answer: httpx.Response, made: Belongings) -> bool:
    """Does the answer hold a word or an id of what is foreign that the question did not hold?"""
    told, sent = answer.text, str(answer.request.url)
    if answer.request.headers.get("content-type", "").startswith("application/"):
        sent += answer.request.content.decode("utf-8", "replace")
    public = made.ids["organization_id"]
    private = {one for name, one in made.ids.items() if name.endswith(("_id", "token", "public"))}
    names = {one for one in private - {public} if one not in sent}
    return SECRET in told or any(one in told for one in names)


def is_refused(answer: httpx.Response) -> bool:
    """Not there, not allowed, or sent back to a page that then is not there."""
    if answer.status_code in (403, 404):
        return True
    if answer.status_code == 303 and answer.request.method == "POST":
        return True
    return answer.is_client_error and any(code in answer.text for code in OTHERWISE)


@pytest.fixture
async def made(database: str) -> Belongings:
    return await belongings()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["token", "session"])
async def test_no_route_knows_what_is_foreign(made: Belongings, way: str) -> None:
    stranger = await people.clerk_of(made.line.stranger, *EVERY_ROLE)
    before, wrong, number = await rows_of(made), [], 0
    assert len(before) > 25
    opened = ground.api if way == "token" else ground.browser
    async with opened(stranger) as client:
        for method, path, handler in walked(create_app()):
            name = f"{method} {path}"
            if path in ("/logout", "/api/v1/sessions/current") or name in COMMON:
                continue  # the one ends the walk, the others are looked at above
            answer = await asked(client, method, path, handler, made.at(path))
            number += 1
            if leaked(answer, made) or ("{" in path and not is_refused(answer)):
                wrong.append((name, answer.status_code, answer.text[:150]))
    assert not wrong, "\n".join(map(str, wrong))
    assert number > 250
    assert await rows_of(made) == before
    assert not await db.value(
        """SELECT verb FROM event WHERE organization_id = $1 AND document_id = $2 LIMIT 1""",
        made.line.stranger, uuid.UUID(made.ids["document_id"]),
    )  # fmt: skip


def told(answer: httpx.Response) -> tuple[int, str]:
    """Status and code, or where it leads; what one could tell things apart by."""
    if "problem+json" in answer.headers.get("content-type", ""):
        return answer.status_code, answer.json()["code"]
    return answer.status_code, re.sub(r"[0-9a-f-]{36}", "ID", answer.headers.get("location", ""))


@pytest.mark.slow
async def test_what_is_foreign_answers_as_what_is_not_there(made: Belongings) -> None:
    """One cannot find out by trying which ids exist."""
    stranger = await people.clerk_of(made.line.stranger, *EVERY_ROLE)
    nothing = {name: str(uuid.uuid4()) for name in made.ids if name.endswith("_id")}
    nothing["job_id"] = "999999"
    apart = []
    async with ground.browser(stranger) as client:
        for method, path, handler in walked(create_app()):
            name = f"{method} {path}"
            if "_id" not in path or name in COMMON or "organization_id" in path:
                continue
            foreign = told(await asked(client, method, path, handler, made.at(path)))
            other = made.at(path) | nothing
            missing = told(await asked(client, method, path, handler, other))
            if foreign != missing:
                apart.append((name, foreign, missing))
    assert not apart, "\n".join(map(str, apart))
