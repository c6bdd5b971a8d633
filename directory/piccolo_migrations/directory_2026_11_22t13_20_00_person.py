"""A person's data can be closed (consent withdrawn) and erased (by an act)."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T13:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "person"

SQL = """
ALTER TABLE person
    ADD COLUMN erased_at timestamptz,
    ADD COLUMN blocked_at timestamptz,
    ADD COLUMN blocked bytea,
    ADD CONSTRAINT person_blocked CHECK ((blocked_at IS NULL) = (blocked IS NULL));
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="directory", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
