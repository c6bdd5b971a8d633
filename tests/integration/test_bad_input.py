"""Bad requests over HTTP: each a problem with its code in two languages, and nothing written."""

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from core import clock, db
from core.actor import RULE, Actor
from directory import organizations
from docflow.documents import registration
from tests import ground, people

GOOD = {"kind": "circular", "title": "О совещании"}
TABLES = ("document", "document_text", "document_file", "event", "event_payload", "registration",
          "dispatch", "delivery", "hop", "journal", "signature", "signing_session", "answer",
          "document_link", "idempotency_key", "organization", "organization_link",
          "notice")  # fmt: skip
NOBODY = "00000000-0000-7000-8000-000000000000"


def is_problem(answer: httpx.Response) -> str:
    """The code of a well-formed problem; fails for anything else."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json", answer.text[:300]
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:docflow:error:{body['code']}"
    assert any("а" <= letter <= "я" for letter in body["detail"].lower()), body
    assert body["detail_en"].isascii() or "«" in body["detail_en"], body
    assert "Traceback" not in answer.text
    assert uuid.UUID(body["instance"].removeprefix("urn:uuid:"))
    return str(body["code"])


async def counted() -> dict[str, int]:
    """Rows of every table that a request may write."""
    return {name: await db.value(f"SELECT count(*) FROM {name}") for name in TABLES}


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(
        await ground.an_organization("union"), "clerk", "signatory", "administrator"
    )


@pytest.fixture
async def client(clerk: Actor) -> AsyncIterator[httpx.AsyncClient]:
    async with ground.api(clerk) as opened:
        yield opened


BODIES: list[tuple[str, Any, str]] = [
    ("no json", b"{", "malformed_request"),
    ("nothing", b"", "malformed_request"),
    ("a list", b"[]", "malformed_request"),
    ("a number", b"5", "malformed_request"),
    ("latin-1", '{"kind": "circular", "title": "Й"}'.encode("cp1251"), "malformed_request"),
    ("utf-16", json.dumps(GOOD).encode("utf-16"), "malformed_request"),
    ("half a character", b'{"kind": "circular", "title": "\xd0"}', "malformed_request"),
    ("half a surrogate", b'{"kind": "circular", "title": "\\ud800"}', "malformed_request"),
    ("deep", b'{"kind":"letter","title":"a","fields":{"a":' + b"[" * 100_000, "malformed_request"),
    ("too deep", b'{"kind":"letter","title":"a","fields":{"a":' + b"[" * 5000 + b"]" * 5000
     + b"}}", "malformed_request"),
    ("no title", {"kind": "circular"}, "malformed_request"),
    ("no kind", {"title": "О"}, "malformed_request"),
    ("a field nobody knows", GOOD | {"colour": "red"}, "malformed_request"),
    ("title is a number", GOOD | {"title": 5}, "malformed_request"),
    ("bad uuid", GOOD | {"signatory_id": "five"}, "malformed_request"),
    ("bad date", GOOD | {"due_on": "2026-02-31"}, "malformed_request"),
    ("unknown kind", GOOD | {"kind": "memo"}, "unknown_kind"),
    ("empty title", GOOD | {"title": "  "}, "title_length"),
    ("long title", GOOD | {"title": "ж" * 10_000}, "title_length"),
    ("title a little long", GOOD | {"title": "ж" * 1001}, "title_length"),
    ("long addressee", GOOD | {"addressee": "ж" * 20_000}, "too_long"),
    ("nul in title", GOOD | {"title": "a\x00b"}, "bad_character"),
    ("nul in addressee", GOOD | {"addressee": "\x00"}, "bad_character"),
    ("nul in a field", GOOD | {"fields": {"body": "a\x00b"}}, "bad_character"),
    ("nul in a name", GOOD | {"fields": {"a\x00": 1}}, "bad_character"),
    ("fields too large", GOOD | {"fields": {"a": "ж" * 70_000}}, "too_long"),
    ("unknown mark", GOOD | {"mark": "secret"}, "unknown_value"),
    ("unknown origin", GOOD | {"origin": "air"}, "unknown_value"),
]  # fmt: skip


async def test_bad_cards(client: httpx.AsyncClient) -> None:
    before = await counted()
    answered = {}
    for name, body, _ in BODIES:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await client.post(
            "/api/v1/documents", content=content, headers={"content-type": "application/json"}
        )
        answered[name] = is_problem(answer)
    assert answered == {name: code for name, _, code in BODIES}
    assert await counted() == before


async def test_numbers_that_json_cannot_keep(client: httpx.AsyncClient) -> None:
    for text in (b"1e999", b"-1e999", b"NaN", b"1" * 5000):
        content = b'{"kind": "circular", "title": "a", "fields": {"a": ' + text + b"}}"
        answer = await client.post(
            "/api/v1/documents", content=content, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 201 or is_problem(answer)


async def test_wrong_content_types(client: httpx.AsyncClient) -> None:
    before = await counted()
    for kind in ("text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                 "application/json; charset=klingon", ""):  # fmt: skip
        answer = await client.post(
            "/api/v1/documents", content=b"<kind>circular</kind>", headers={"content-type": kind}
        )
        is_problem(answer)
    assert await counted() == before


ADDRESSES: list[tuple[str, str, str]] = [
    ("GET", "/api/v1/documents?limit=0", "bad_limit"),
    ("GET", "/api/v1/documents?limit=-5", "bad_limit"),
    ("GET", "/api/v1/documents?limit=1000000", "bad_limit"),
    ("GET", "/api/v1/documents?limit=many", "malformed_request"),
    ("GET", "/api/v1/documents?limit=" + "9" * 5000, "malformed_request"),
    ("GET", "/api/v1/documents?after=five", "malformed_request"),
    ("GET", "/api/v1/documents?since=yesterday", "malformed_request"),
    ("GET", "/api/v1/documents?q=" + "я" * 501, "query_too_long"),
    ("GET", "/api/v1/documents?q=%00", "query_too_long"),
    ("GET", "/api/v1/documents?number=%00", "bad_character"),
    ("GET", "/api/v1/documents?kind=%00", "bad_character"),
    ("GET", "/api/v1/documents?status=%00", "bad_character"),
    ("GET", "/api/v1/documents/five", "not_found"),
    ("GET", f"/api/v1/documents/{NOBODY}", "not_found"),
    ("GET", f"/api/v1/documents/{NOBODY}/events", "not_found"),
    ("GET", f"/api/v1/documents/{NOBODY}/control", "not_found"),
    ("GET", f"/api/v1/documents/{NOBODY}/deliveries", "not_found"),
    ("GET", f"/api/v1/documents/{NOBODY}/silent", "not_found"),
    ("GET", f"/api/v1/documents/{NOBODY}/roll-up", "not_found"),
    ("GET", f"/api/v1/documents/{NOBODY}/hops", "not_found"),
    ("GET", f"/api/v1/files/{NOBODY}/content", "not_found"),
    ("GET", "/api/v1/deliveries?box=secret", "unknown_box"),
    ("GET", "/api/v1/deliveries?limit=-1", "bad_limit"),
    ("GET", "/api/v1/deliveries?q=%00", "query_too_long"),
    ("GET", "/api/v1/nothing", "not_found"),
    ("DELETE", "/api/v1/documents", "http_405"),
    ("POST", f"/api/v1/deliveries/{NOBODY}/open", "not_found"),
    ("POST", f"/api/v1/deliveries/{NOBODY}/acknowledge", "not_found"),
    ("POST", f"/api/v1/deliveries/{NOBODY}/bypass", "not_found"),
    ("GET", f"/api/v1/organizations/{NOBODY}", "organization_unknown"),
    ("GET", "/api/v1/organizations?q=%00", "bad_character"),
    ("GET", "/api/v1/organizations?kind=planet", "malformed_request"),
    ("GET", "/api/v1/organizations?region=%00", "bad_character"),
]


async def test_bad_addresses_and_parameters(client: httpx.AsyncClient) -> None:
    before, answered = await counted(), {}
    for method, path, _ in ADDRESSES:
        answered[f"{method} {path[:60]}"] = is_problem(await client.request(method, path))
    assert answered == {f"{method} {path[:60]}": code for method, path, code in ADDRESSES}
    assert await counted() == before


async def test_parameters_nobody_knows_change_nothing(client: httpx.AsyncClient) -> None:
    await client.post("/api/v1/documents", json=GOOD)
    plain = (await client.get("/api/v1/documents")).json()
    odd = await client.get("/api/v1/documents?admin=true&organization_id=" + NOBODY)
    assert (odd.status_code, odd.json()) == (200, plain)


async def test_bad_changes_of_a_document(client: httpx.AsyncClient, clerk: Actor) -> None:
    made = (await client.post("/api/v1/documents", json=GOOD)).json()["id"]
    (ready,) = await ground.signed_documents(clerk, 1)
    at, done = f"/api/v1/documents/{made}", f"/api/v1/documents/{ready}"
    nul, long = {"reason": "a\x00b"}, {"reason": "ж" * 20_000}
    cases: list[tuple[str, str, Any, str]] = [
        ("PUT", f"{at}?version=7", GOOD | {"title": "Иное"}, "stale_version"),
        ("PUT", f"{at}?version=x", GOOD, "malformed_request"),
        ("PUT", at, GOOD, "malformed_request"),
        ("PUT", f"{done}?version=1", GOOD, "document_frozen"),
        ("POST", f"{at}/submit", None, "file_missing"),
        ("POST", f"{at}/register", {}, "file_missing"),
        ("POST", f"{at}/register", {"on": "2999-01-01"}, "file_missing"),
        ("POST", f"{done}/register", {"on": "2999-01-01"}, "date_in_future"),
        ("POST", f"{done}/register", {"journal_id": NOBODY}, "not_found"),
        ("POST", f"{done}/register", {"variables": {"index": "a b"}}, "number_variable"),
        ("POST", f"{done}/register", {"variables": {"index": 5}}, "malformed_request"),
        ("POST", f"{at}/seal", {}, "no_signing_key"),
        ("POST", f"{at}/seal", {"role": "royal"}, "malformed_request"),
        ("POST", f"{at}/close", {"file_index": " "}, "field_missing"),
        ("POST", f"{at}/close", {"file_index": "\x00"}, "bad_character"),
        ("POST", f"{at}/close", {"file_index": "01-12"}, "illegal_transition"),
        ("POST", f"{at}/discard", nul, "bad_character"),
        ("POST", f"{at}/discard", long, "too_long"),
        ("POST", f"{at}/decline", {"reason": ""}, "reason_length"),
        ("POST", f"{at}/decline", nul, "bad_character"),
        ("POST", f"{at}/recall", {"reason": "По ошибке"}, "illegal_transition"),
        ("POST", f"{at}/recall", nul, "bad_character"),
        ("POST", f"{at}/links", {"to_id": made, "kind": "reply_to"}, "link_to_itself"),
        ("POST", f"{at}/links", {"to_id": NOBODY, "kind": "reply_to"}, "not_found"),
        ("POST", f"{at}/links", {"to_id": str(ready), "kind": "loves"}, "unknown_link_kind"),
        ("POST", f"{at}/signatures", {"file_id": NOBODY, "signature": "AAAA"}, "file_missing"),
        ("POST", f"{at}/signatures", {"file_id": NOBODY, "signature": "%"}, "malformed_request"),
        ("POST", f"{at}/signing-sessions", {"certificate": "AAAA"}, "certificate_unreadable"),
        ("POST", f"/api/v1/signing-sessions/{NOBODY}", {"signature": "AAAA"}, "not_found"),
        ("GET", f"{at}/control", None, "not_dispatched"),
    ]  # fmt: skip
    before, answered = await counted(), []
    for method, path, body, _ in cases:
        sent = {} if body is None else {"json": body}
        answered.append(is_problem(await client.request(method, path, **sent)))
    assert answered == [code for *_, code in cases]
    assert await counted() == before


async def test_bad_journals(client: httpx.AsyncClient) -> None:
    good = {"code": "own", "title": "Свой", "direction": "out", "kinds": ["circular"],
            "template": "{n}"}  # fmt: skip
    cases = [
        ({"template": "{sitting}{n}"}, "template_invalid"),
        ({"template": "{n}", "scope": ["sitting"]}, "template_invalid"),
        ({"template": "без номера"}, "template_invalid"),
        ({"direction": "up"}, "unknown_value"),
        ({"kinds": ["memo"]}, "unknown_kind"),
        ({"code": ""}, "field_missing"),
        ({"code": "\x00"}, "bad_character"),
        ({"title": "ж" * 10_000}, "too_long"),
        ({"template": "\x00{n}"}, "template_invalid"),
    ]
    before, answered = await counted(), []
    for change, _ in cases:
        answered.append(is_problem(await client.post("/api/v1/journals", json=good | change)))
    assert answered == [code for _, code in cases]
    assert await counted() == before
    assert (await client.post("/api/v1/journals", json=good)).status_code == 201
    twice = await client.post("/api/v1/journals", json=good)
    assert is_problem(twice) == "journal_exists"


async def test_bad_dispatches(client: httpx.AsyncClient, clerk: Actor) -> None:
    region = await ground.an_organization("regional", under=clerk.home_id)
    stranger = await ground.an_organization("primary")
    gone = await ground.an_organization("regional", under=clerk.home_id)
    await organizations.merge(RULE, organization_id=gone, into_id=region, as_of=clock.today())
    shut = await ground.an_organization("primary", under=region)
    await organizations.close(RULE, organization_id=shut, as_of=clock.today())
    draft = (await client.post("/api/v1/documents", json=GOOD)).json()["id"]
    (ready,) = await ground.signed_documents(clerk, 1)
    await registration.register(clerk, ready)
    past = (clock.today() - people.timedelta(days=1)).isoformat()
    soon, later = people.in_days(3).isoformat(), people.in_days(9).isoformat()
    one = {"include": [str(region)]}
    cases: list[tuple[Any, str]] = [
        ({}, "malformed_request"),
        ({"selector": {}}, "selector_empty"),
        ({"selector": {"exclude": [str(region)]}}, "selector_empty"),
        ({"selector": {"include": [NOBODY]}}, "organization_unknown"),
        ({"selector": {"include": [str(region), NOBODY]}}, "organization_unknown"),
        ({"selector": {"subtree_of": NOBODY}}, "organization_unknown"),
        ({"selector": {"any_of": [{"subtree_of": NOBODY}]}}, "organization_unknown"),
        ({"selector": {"kinds": ["planet"]}}, "malformed_request"),
        ({"selector": {"districts": ["mars"]}}, "selector_invalid"),
        ({"selector": {"regions": ["\x00"]}}, "bad_character"),
        ({"selector": {"include": ["five"]}}, "malformed_request"),
        ({"selector": {"any_of": [{"any_of": [{"any_of": [{"any_of": [one]}]}]}]}},
         "selector_too_large"),
        ({"selector": {"include": [str(clerk.home_id)]}}, "no_recipients"),
        ({"selector": {"subtree_of": str(clerk.home_id), "kinds": ["council"]}}, "no_recipients"),
        ({"selector": {"include": [str(stranger)]}}, "route_forbidden"),
        ({"selector": {"include": [str(region), str(gone)]}}, "organization_ceased"),
        ({"selector": {"any_of": [{"include": [str(shut)]}, one]}}, "organization_ceased"),
        ({"selector": {"include": [str(gone), str(shut)], "exclude": [str(gone), str(shut)]}},
         "no_recipients"),
        ({"selector": one, "mode": "pigeon"}, "malformed_request"),
        ({"selector": one, "deadlines": {"regional": past}}, "deadline_past"),
        ({"selector": one, "deadlines": {"regional": soon, "local": later}}, "deadline_order"),
        ({"selector": one, "deadlines": {"regional": soon, "primary": later}}, "deadline_order"),
        ({"selector": one, "deadlines": {"planet": soon}}, "unknown_level"),
        ({"selector": one, "deadlines": {"regional": "soon"}}, "malformed_request"),
    ]  # fmt: skip
    before, answered = await counted(), []
    for body, _ in cases:
        answer = await client.post(f"/api/v1/documents/{ready}/dispatches", json=body)
        answered.append(is_problem(answer))
    assert answered == [code for _, code in cases]
    unready = await client.post(f"/api/v1/documents/{draft}/dispatches", json={"selector": one})
    assert is_problem(unready) == "not_registered"
    assert await counted() == before


async def test_bad_deliveries(client: httpx.AsyncClient, clerk: Actor) -> None:
    sender = await people.clerk_of(await ground.an_organization("union"))
    document_id = await ground.a_sent(sender, clerk.home_id)
    delivery_id = await ground.delivery_to(document_id, clerk.home_id)
    at = f"/api/v1/deliveries/{delivery_id}"
    (mine,) = await ground.signed_documents(clerk, 1)
    cases: list[tuple[str, Any, str]] = [
        ("refuse", {"reason": ""}, "reason_length"),
        ("refuse", {"reason": "a\x00bc"}, "bad_character"),
        ("refuse", {"reason": "ж" * 20_000}, "too_long"),
        ("pass-on", {"resolution": "ж" * 5000}, "too_long"),
        ("pass-on", {"resolution": "\x00"}, "bad_character"),
        ("pass-on", {"journal_id": "five"}, "malformed_request"),
        ("acknowledge-for", {"person_id": NOBODY}, "not_found"),
        ("acknowledge-for", {}, "malformed_request"),
        ("answer", {"document_id": str(mine)}, "not_registered"),
        ("answer", {"document_id": str(document_id)}, "not_the_author"),
        ("answer", {"document_id": NOBODY}, "not_found"),
        ("bypass", {}, "not_the_author"),
    ]
    before, answered = await counted(), []
    for verb, body, _ in cases:
        answered.append(is_problem(await client.post(f"{at}/{verb}", json=body)))
    assert answered == [code for *_, code in cases]
    assert await counted() == before
