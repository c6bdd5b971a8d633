"""Databases of the tests, cleaned and used again.

Making a database costs 0.2 to 0.4 s since there are 140 tables; emptying the few that a test wrote
costs a hundredth of that. A database whose schema a test touched, or that holds much, is dropped.
Each use has a name of its own, so that nothing which remembers a database mistakes one for another.
"""

import contextlib
import os
import uuid
from dataclasses import dataclass, field

import asyncpg

MUCH = 5_000
"""Rows above which a database is dropped and not cleaned: what they leave behind slows the next."""

_SCHEMA = """
    SELECT md5(string_agg(part, ' ')) FROM (
        SELECT 'c' || count(*) || max(oid) || sum(xmin::text::bigint) AS part
        FROM pg_class WHERE relpersistence = 'p'
        UNION ALL SELECT 't' || count(*) || max(oid) || sum(xmin::text::bigint) FROM pg_trigger
        UNION ALL SELECT 'k' || count(*) || max(oid) || sum(xmin::text::bigint) FROM pg_constraint
        UNION ALL SELECT 'f' || count(*) || max(oid) || sum(xmin::text::bigint) FROM pg_proc
        UNION ALL SELECT 'd' || count(*) || sum(xmin::text::bigint) FROM pg_attrdef) AS parts"""
_TABLES = """
    SELECT format('%I.%I', nspname, relname) FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind = 'r' AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
    ORDER BY 1"""
_SEQUENCES = """
    SELECT format('%I.%I', schemaname, sequencename), start_value, last_value
    FROM pg_sequences ORDER BY 1"""


@dataclass
class _Known:
    """What a database looks like before its test."""

    schema: str
    tables: list[str]
    counters: list[tuple[str, int, int | None]]
    seeds: dict[str, tuple[str, list[asyncpg.Record]]] = field(default_factory=dict)


_known: list[_Known] = []
_spare: list[str] = []


async def take(template: str, maintenance: asyncpg.Connection) -> str:
    """The name of a database as the template has it."""
    name = f"t_{uuid.uuid4().hex}"
    while _spare:
        with contextlib.suppress(asyncpg.PostgresError):
            await maintenance.execute(f"ALTER DATABASE {_spare.pop()} RENAME TO {name}")
            return name
    await maintenance.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
    if not _known:
        connection = await _into(name)
        try:
            _known.append(await _look(connection))
        finally:
            await connection.close()
    return name


async def give_back(name: str, maintenance: asyncpg.Connection) -> None:
    """Keep the database for the next test when it can be cleaned; drop it otherwise."""
    if not _spare:
        with contextlib.suppress(asyncpg.PostgresError, OSError):
            await maintenance.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1",
                name,
            )
            connection = await _into(name)
            try:
                clean = await _clean(connection, _known[0])
            finally:
                await connection.close()
            if clean:
                _spare.append(name)
                return
    await maintenance.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def _into(name: str) -> asyncpg.Connection:
    url = os.environ["DOCFLOW_TEST_SUPERUSER"].rsplit("/", 1)[0] + "/" + name
    return await asyncpg.connect(url, statement_cache_size=0)


async def _look(connection: asyncpg.Connection) -> _Known:
    tables = [row[0] for row in await connection.fetch(_TABLES)]
    known = _Known(
        await connection.fetchval(_SCHEMA), tables,
        [tuple(row) for row in await connection.fetch(_SEQUENCES)],
    )  # fmt: skip
    for table in await _filled(connection, tables):
        rows = await connection.fetch(f"SELECT kept::text FROM {table} AS kept ORDER BY 1")
        known.seeds[table] = (await _sum(connection, table), rows)
    return known


async def _filled(connection: asyncpg.Connection, tables: list[str]) -> list[str]:
    asked = " UNION ALL ".join(
        f"(SELECT {place} FROM {table} LIMIT 1)" for place, table in enumerate(tables)
    )
    return [tables[row[0]] for row in await connection.fetch(asked)]


async def _sum(connection: asyncpg.Connection, table: str) -> str:
    found: str = await connection.fetchval(
        f"SELECT md5(string_agg(kept::text, E'\\n' ORDER BY kept::text)) FROM {table} AS kept"
    )
    return found


async def _clean(connection: asyncpg.Connection, known: _Known) -> bool:
    """Is it as before? No when the schema was touched or there was too much to remove."""
    if await connection.fetchval(_SCHEMA) != known.schema:
        return False
    removed = 0
    await connection.execute("SET session_replication_role = replica")
    filled = await _filled(connection, known.tables)
    for table in sorted({*filled, *known.seeds}):
        if table in known.seeds and await _sum(connection, table) == known.seeds[table][0]:
            continue
        tag = await connection.execute(f"DELETE FROM {table}")
        removed += int(tag.rpartition(" ")[2])
        if removed > MUCH:
            return False
        if table in known.seeds:
            await connection.execute(
                f"INSERT INTO {table} SELECT (kept::{table}).* FROM unnest($1::text[]) AS kept",
                [row[0] for row in known.seeds[table][1]],
            )
    now = [tuple(row) for row in await connection.fetch(_SEQUENCES)]
    for before, after in zip(known.counters, now, strict=True):
        if before != after:
            name, start, last = before
            await connection.execute(
                "SELECT setval($1::text::regclass, $2, $3)", name, last or start, last is not None
            )
    return True
