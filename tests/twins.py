"""What a journey leaves in the database, so that a page and the API can be held against each other.

Every table counts, but those of sessions, keys of repetition and background work. Of a row ids,
times, bytes and sizes are left out; what stays is what a person or a program would call the result.
"""

import json
import re
from collections import Counter
from typing import Any

import httpx
import pyotp

from core import clock, db
from litestar_app import create_app
from tests.desks import PASSWORD

SKIPPED = frozenset({
    "session", "api_token", "idempotency_key", "read_log", "use_count", "trust_state", "log_leaf",
    "document_text", "blob", "picture_print", "migration",
})  # fmt: skip
"""Blobs and prints are kept by content: the second of two journeys with one file finds them."""
LEFT_OUT = frozenset({
    "size", "bytes", "key", "turn", "xact", "totp_last_step", "password_hash", "login", "tsv",
    "ordinal", "last_ordinal", "signed_bytes",
})  # fmt: skip
_ID = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)?|\b[0-9a-fA-F]{32,}\b"
    r"|\b\d\d-\d\d/\d+|вх-\d+|\b[A-Z]-\d+\b"
)
_TABLES = """
    SELECT c.relname AS name, array_agg(a.attname::text) AS columns
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE c.relkind = 'r' AND n.nspname = 'public' AND c.relname NOT LIKE 'procrastinate%'
    AND t.typname NOT IN ('uuid', '_uuid', 'timestamptz', 'bytea', 'tsvector', '_bytea')
    GROUP BY 1 ORDER BY 1"""


async def traces() -> Counter[str]:
    """Every row that counts, as text, and how often it is there."""
    found: Counter[str] = Counter()
    for table in await db.rows(_TABLES):
        if table["name"] in SKIPPED:
            continue
        columns = [name for name in table["columns"] if name not in LEFT_OUT]
        chosen = ", ".join(f'"{name}"' for name in columns)
        for row in await db.rows(f'SELECT {chosen} FROM "{table["name"]}"'):
            found[f"{table['name']} {_text(_plain(dict(row)))}"] += 1
    return found


async def work() -> Counter[str]:
    """Background work by name, state and runs, and how often it is there."""
    rows = await db.rows("SELECT task_name, status::text, attempts FROM procrastinate_jobs")
    return Counter(_text(_plain(dict(row))) for row in rows)


def _text(value: Any) -> str:
    return _ID.sub("*", json.dumps(value, ensure_ascii=False, sort_keys=True, default=str))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if name not in LEFT_OUT}
    if isinstance(value, list | tuple):
        each = [_plain(one) for one in value]
        # What the service keeps as a set has no order of its own.
        return sorted(each, key=_text) if each and isinstance(each[0], dict) else each
    return value


def made(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """What came and what went between two looks."""
    return {
        row: after[row] - before[row]
        for row in sorted({*before, *after})
        if after[row] != before[row]
    }


def same(one: dict[str, int], other: dict[str, int]) -> None:
    """Both journeys left the same; else the rows that only one of them made."""
    told = [
        f"{one.get(row, 0)} | {other.get(row, 0)}: {row}"
        for row in sorted({*one, *other})
        if one.get(row, 0) != other.get(row, 0)
    ]
    assert not told, "\n".join(told)
    assert one, "nothing was done"


async def a_session(login: str, one_time: pyotp.TOTP | None = None) -> httpx.AsyncClient:
    """A client of the API with a person's session, as a program at their desk would have it."""
    await db.execute("UPDATE account SET totp_last_step = 0 WHERE login = $1", login)
    transport = httpx.ASGITransport(app=create_app())  # type: ignore[arg-type]  # reason: same protocol
    client = httpx.AsyncClient(transport=transport, base_url="http://service.test")
    body = {"login": login, "password": PASSWORD}
    if one_time is not None:
        body["code"] = one_time.at(clock.now())
    answer = await client.post("/api/v1/sessions", json=body)
    assert answer.is_success, answer.text
    client.headers["x-csrf-token"] = client.cookies["docflow_csrf"]
    return client


async def did(answer: httpx.Response) -> Any:
    """What the API answered, once it has not refused."""
    assert answer.is_success, f"{answer.request.url}: {answer.text}"
    return answer.json() if answer.content else None
