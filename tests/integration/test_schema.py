"""The schema: what the migrations made, and what the application's role may do with it."""

import asyncpg
import pytest

from core import clock, db


async def test_events_are_append_only_for_the_application(database: str) -> None:
    from audit import events
    from core.actor import RULE

    async with db.transaction():
        event_id = await events.record(RULE, "test.done", subject=("test", clock.new_id()))
    for sql in ("UPDATE event SET verb = 'other'", "DELETE FROM event", "TRUNCATE event"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute(sql)
    assert await db.value("SELECT verb FROM event WHERE id = $1", event_id) == "test.done"


async def test_application_role_cannot_alter_tables(database: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute("ALTER TABLE event ADD COLUMN extra text")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute("CREATE TABLE mine (id integer)")


async def test_nested_transaction_joins_and_rolls_back_whole(database: str) -> None:
    async def fail_inside() -> None:
        async with db.transaction():
            await db.execute(
                "INSERT INTO idempotency_key VALUES ($1, 'a', '', NULL, $2)",
                clock.new_id(), clock.now(),
            )  # fmt: skip
            async with db.transaction():
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_inside()
    assert await db.value("SELECT count(*) FROM idempotency_key") == 0
