"""What programs may rely on: OpenAPI, problems for every error, bad registers named row by row."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import litestar_app
from core import db
from core.errors import ServiceError
from tests import ground, people


@pytest.fixture
async def described(database: str) -> dict[str, Any]:
    async with ground.api() as client:
        answer = await client.get("/schema/openapi.json")
    assert answer.status_code == 200, answer.text[:200]
    found: dict[str, Any] = answer.json()
    return found


def operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in described["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "delete", "patch"):
                yield f"{method} {path}", operation


async def test_every_operation_is_described(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    found = dict(operations(described))
    assert len(found) > 50
    assert [name for name, one in found.items() if not one.get("summary")] == []
    names = [one["operationId"] for one in found.values()]
    assert len(names) == len(set(names))


def errors_of(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from errors_of(below)


def test_every_error_has_a_status_and_two_languages() -> None:
    rooms = ("core", "storage", "directory", "signatures", "notify", "compliance", "docflow",
             "evidence", "web")  # fmt: skip
    for kind in errors_of(ServiceError):
        if kind.__module__.partition(".")[0] not in rooms:
            continue  # a class of a test
        one = kind()
        assert one.error_code == one.error_code.lower()
        assert one.message_ru != one.message_en
        if kind is not ServiceError:
            assert litestar_app.status_of(one) in litestar_app.STATUS.values(), kind


HEADINGS = ["code", "kind", "name", "inn"]


def table(*rows: list[str], encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([HEADINGS, *rows])
    return text.getvalue().encode(encoding)


async def imported(client: httpx.AsyncClient, content: bytes) -> httpx.Response:
    return await client.post(
        "/api/v1/organizations/import", content=content, headers={"content-type": "text/csv"}
    )


async def test_registers_that_cannot_be_read_or_taken(database: str) -> None:
    center = await ground.an_organization("center")
    async with ground.api(await people.clerk_of(center, "administrator")) as client:
        before = await db.value("SELECT count(*) FROM organization")
        for content in (b"", b"\x00\x01\x02", b"PK\x03\x04 no table", b"a;b\n1;2\n",
                        b"\xff\xfe\x00\x00", table()):  # fmt: skip
            answer = await imported(client, content)
            if answer.status_code < 400:
                assert answer.json()["created"] == 0, content
            else:
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.status_code < 500, (content, answer.text)
        assert await db.value("SELECT count(*) FROM organization") == before
        rows = [["A-1", "union", "Профсоюз культуры", "7707083893"],
                ["A-2", "union", "Второй с тем же ИНН", "7707083893"],
                ["A-3", "union", "Плохой ИНН", "7707083890"],
                ["A-4", "planet", "Плохой вид", ""]]  # fmt: skip
        first = (await imported(client, table(*rows, encoding="cp1251"))).json()
        assert first["created"] == 1
        told = {problem["row"]: problem["code"] for problem in first["problems"]}
        assert set(told) == {3, 4, 5}
        name = await db.value("SELECT name FROM organization WHERE code = 'A-1'")
        assert name == "Профсоюз культуры", "the legacy encoding is understood"


async def test_duplicate_inn_and_cycle_have_their_codes(database: str) -> None:
    center = await ground.an_organization("center")
    async with ground.api(await people.clerk_of(center, "administrator")) as client:
        card = {"kind": "union", "name": "Профсоюз", "inn": "7707083893"}
        made = await client.post("/api/v1/organizations", json=card | {"code": "A-1"})
        assert made.status_code == 201, made.text
        twice = await client.post("/api/v1/organizations", json=card | {"code": "A-2"})
        assert (twice.status_code, twice.json()["code"]) == (409, "inn_taken")
        wrong = await client.post(
            "/api/v1/organizations", json=card | {"code": "A-3", "inn": "7707083890"}
        )
        assert wrong.status_code == 422
        outer = await ground.an_organization("local")
        inner = await ground.an_organization("local", under=outer)
        move = {"line": "branch", "parent_id": str(inner), "as_of": "2026-01-01"}
        circle = await client.post(f"/api/v1/organizations/{outer}/move", json=move)
        assert (circle.status_code, circle.json()["code"]) == (409, "hierarchy_cycle")
        missing = move | {"parent_id": "00000000-0000-7000-8000-000000000000"}
        lost = await client.post(f"/api/v1/organizations/{inner}/move", json=missing)
        assert lost.status_code == 404
    assert await db.value("SELECT count(*) FROM organization WHERE inn IS NOT NULL") == 1
    assert await db.value("SELECT count(*) FROM organization_link") == 1
