"""Which process made a try."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T10:31:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "carrier"

SQL = """
ALTER TABLE attempt ADD COLUMN carrier_id uuid;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="routing", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
