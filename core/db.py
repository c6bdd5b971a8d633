"""The database: one pool a process, one transaction a request or job.

Single rows go through Piccolo's tables, set-based work through the SQL functions here; both
share the pool and the transaction of the task. SQL uses PostgreSQL's own ``$1`` placeholders, and
values never travel any other way. ``jsonb`` comes and goes as Python values.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine

from core.errors import Unavailable
from core.settings import settings

Row = dict[str, Any]


async def _prepare(connection: asyncpg.Connection) -> None:
    """Speak JSON in both directions, so that callers pass and get Python values."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, encoder=_to_json, decoder=json.loads, schema="pg_catalog"
        )


async def _keep(_: asyncpg.Connection) -> None:
    """Give a connection back as it is: an open transaction is rolled back all the same, and no verb
    leaves anything else behind, so the usual clean-up would be a round trip for nothing."""


def _to_json(value: Any) -> str:
    """Piccolo hands over ready JSON text for its own columns; everything else is dumped."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


class Database(PostgresEngine):
    """Piccolo's engine whose pool speaks JSON and which lends its connection for COPY."""

    async def check_version(self) -> None:
        """Connect when the pool opens and not at import, as Piccolo would."""

    async def open(self, *, size: int | None = None) -> None:
        """Open the pool; belongs to the running event loop."""
        self.pool = await asyncpg.create_pool(
            settings().database_url,
            min_size=1,
            max_size=size or settings().pool_size,
            init=_prepare,
            reset=_keep,
            command_timeout=300,
        )

    async def close(self) -> None:
        """Close the pool, waiting for what runs."""
        if self.pool is not None:
            await self.pool.close()
            self.pool = None


DB = Database(config={"dsn": ""}, extensions=())


@asynccontextmanager
async def transaction() -> AsyncIterator[asyncpg.Connection]:
    """Run the block in one transaction; inside another one, join it.

    Never gather queries inside: a connection does one thing at a time. Piccolo's own context
    manager leaks its connection when rollback fails, so this one always gives it back and always
    clears the task's context. Yields the asyncpg connection, for COPY.
    """
    current = DB.current_transaction.get()
    if current is not None:
        yield current.connection
        return
    if DB.pool is None:
        raise RuntimeError("the database pool is not open")
    async with DB.pool.acquire() as connection:
        holder = _Ambient(connection)
        token = DB.current_transaction.set(holder)  # type: ignore[arg-type]  # reason: duck-typed
        try:
            async with connection.transaction():
                yield connection
        except _TROUBLE as problem:
            if (told := _told(connection, problem)) is None:
                raise
            raise told from problem
        finally:
            DB.current_transaction.reset(token)


class _Ambient:
    """What Piccolo's queries look for in the task's context."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection


def in_transaction() -> bool:
    """Is a transaction open in this task?"""
    return DB.current_transaction.get() is not None


async def rows(sql: str, *values: Any) -> list[Row]:
    """All rows of a query."""
    return [dict(found) for found in await _ask("fetch", sql, *values)]


async def row(sql: str, *values: Any) -> Row | None:
    """The first row, or None."""
    found = await _ask("fetchrow", sql, *values)
    return None if found is None else dict(found)


async def value(sql: str, *values: Any) -> Any:
    """The first column of the first row, or None."""
    return await _ask("fetchval", sql, *values)


async def execute(sql: str, *values: Any) -> int:
    """Run a statement; answer how many rows it touched."""
    tag = str(await _ask("execute", sql, *values))
    count = tag.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0


async def execute_many(sql: str, batches: Sequence[Sequence[Any]]) -> None:
    """Run one statement for each tuple of values, pipelined."""
    await _ask("executemany", sql, batches)


_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ConnectionError,
)
"""How a connection that was cut shows itself, by the server or on the way."""
_TROUBLE = (*_LOST, asyncpg.DeadlockDetectedError)


def _told(connection: asyncpg.Connection, problem: Exception) -> Unavailable | None:
    """Throw away a connection that was cut, and say so: trying again gets a fresh one (503).

    None for what is the caller's to see.
    """
    if isinstance(problem, asyncpg.DeadlockDetectedError):
        return Unavailable(code="database_busy")
    # The same class tells of a mistake of ours in a call; then the connection is whole.
    if isinstance(problem, asyncpg.InterfaceError) and not _is_gone(connection):
        return None
    if not _is_gone(connection):
        connection.terminate()
    return Unavailable(code="database_unavailable")


def _is_gone(connection: asyncpg.Connection) -> bool:
    """Closed, or taken back by its pool when it was lost: nothing can be asked of it then."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


async def _ask(verb: str, sql: str, *values: Any) -> Any:
    """On the connection of the open transaction, or on one from the pool for this statement.

    Every statement goes through here: no context manager of our own, which would cost a fifth of
    what asking costs.
    """
    current = DB.current_transaction.get()
    if current is not None:
        return await _say(current.connection, verb, sql, values)
    if DB.pool is None:
        raise RuntimeError("the database pool is not open")
    async with DB.pool.acquire() as connection:
        return await _say(connection, verb, sql, values)


async def _say(connection: asyncpg.Connection, verb: str, sql: str, values: tuple[Any, ...]) -> Any:
    try:
        return await getattr(connection, verb)(sql, *values)
    except _TROUBLE as problem:
        if (told := _told(connection, problem)) is None:
            raise
        raise told from problem
