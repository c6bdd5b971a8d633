"""The import over HTTP: a program with a token, in its administrator's own subtree."""

import uuid
from collections.abc import AsyncIterator

import httpx
import pytest
from access_people import CHEAP, an_administrator

import litestar_app
from core import db
from core.actor import RULE
from directory import passwords, tokens
from directory.cards import Card
from directory.organizations import create
from directory.states import Line, OrganizationKind

HEADING = "Код;Вид;Наименование;Вышестоящая"
IMPORT = "/api/v1/organizations/import"


@pytest.fixture
async def client(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    transport = httpx.ASGITransport(app=litestar_app.create_app())  # type: ignore[arg-type]  # reason: same protocol
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as opened:
        yield opened


@pytest.fixture
async def regional(database: str) -> uuid.UUID:
    """Two regional organizations of one union; the id of the first."""
    union = await create(RULE, card=Card(code="u-1", kind=OrganizationKind.UNION, name="Профсоюз"))
    made = [
        await create(
            RULE, card=Card(code=code, kind=OrganizationKind.REGIONAL, name="Областная"),
            parents={Line.BRANCH: union["id"]},
        )
        for code in ("r-1", "r-2")
    ]  # fmt: skip
    return uuid.UUID(str(made[0]["id"]))


async def as_program(client: httpx.AsyncClient, home: uuid.UUID, *scopes: str) -> None:
    actor = await an_administrator(f"a{uuid.uuid4().hex[:8]}", home)
    made = await tokens.create(actor, name="Выгрузка", scopes=frozenset(scopes), days=1)
    client.headers["authorization"] = f"Bearer {made.token}"


async def test_rows_of_ones_own_subtree_are_taken(
    client: httpx.AsyncClient, regional: uuid.UUID
) -> None:
    await as_program(client, regional, "directory:write")
    rows = [
        HEADING,
        "l-1;местная организация;Местная;r-1",
        "p-1;первичная организация;Первичная;l-1",
        "l-2;местная организация;Чужая местная;r-2",
        "r-2;региональная организация;Областная;u-1",
    ]
    body = "\n".join(rows).encode()
    for dry_run in (True, False):
        answer = await client.post(IMPORT, content=body, params={"dry_run": dry_run})
        assert answer.status_code == 200, answer.text
        report = answer.json()
        assert (report["rows"], report["created"], report["dry_run"]) == (4, 2, dry_run)
        problems = [(one["row"], one["code"]) for one in report["problems"]]
        assert problems == [(4, "forbidden"), (5, "forbidden")]
        count = await db.value("SELECT count(*) FROM organization")
        assert count == (3 if dry_run else 5)


async def test_scope_and_size_and_kind_are_checked(
    client: httpx.AsyncClient, regional: uuid.UUID
) -> None:
    await as_program(client, regional, "directory:read")
    answer = await client.post(IMPORT, content=HEADING.encode())
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    await as_program(client, regional, "directory:write")
    answer = await client.post(IMPORT, content=bytes(20 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    answer = await client.post(IMPORT, content=b"PK\x03\x04 no table")
    assert (answer.status_code, answer.json()["code"]) == (422, "sheet_broken")
    answer = await client.post(IMPORT, content=b"")
    assert (answer.status_code, answer.json()["code"]) == (422, "sheet_empty")
