"""A second installation beside the test's own: its own database and secret, one registry."""

import os
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from core import db
from core.db import DB
from core.settings import settings

_COPIED = {
    "organization": "id, code, kind, name, channels, email, phone, opened_on, created_at,"
    " updated_at",
    "organization_link": "id, parent_id, child_id, line, valid_from, valid_to",
    "person": "id, last_name, first_name, middle_name, created_at",
    "post": "id, person_id, organization_id, kind, title, valid_from, valid_to",
    "account": "id, person_id, login, password_hash, created_at",
}


@asynccontextmanager
async def second_database(template: str) -> AsyncIterator[str]:
    """A fresh migrated database; its address for the application's role."""
    name = f"t_{uuid.uuid4().hex}"
    server = await asyncpg.connect(os.environ["DOCFLOW_TEST_SUPERUSER"])
    try:
        await server.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        yield os.environ["DATABASE_URL"].rsplit("/", 1)[0] + "/" + name
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.close()


@asynccontextmanager
async def standing_in(url: str) -> AsyncIterator[None]:
    """Everything inside happens in that installation, with a secret of its own."""
    before = {name: os.environ[name] for name in ("DATABASE_URL", "SECRET_KEY")}
    await DB.close()
    os.environ |= {"DATABASE_URL": url, "SECRET_KEY": "another installation " * 3}
    settings.cache_clear()
    await DB.open()
    try:
        yield
    finally:
        await DB.close()
        os.environ.update(before)
        settings.cache_clear()
        await DB.open()


async def registry() -> dict[str, list[db.Row]]:
    """The organizations, lines and people of this installation."""
    return {
        table: await db.rows(f"SELECT {columns} FROM {table}") for table, columns in _COPIED.items()
    }


async def enter_registry(rows: dict[str, list[db.Row]]) -> None:
    """The same registry in another installation."""
    for table, found in rows.items():
        names: Sequence[str] = [one.strip() for one in _COPIED[table].split(",")]
        places = ", ".join(f"${place}" for place in range(1, len(names) + 1))
        await db.execute_many(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})",
            [tuple(row[name] for name in names) for row in found],
        )
