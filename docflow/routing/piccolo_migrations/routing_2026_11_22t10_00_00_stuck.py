"""Indexes for the list of stuck things."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T10:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "stuck"

SQL = """
CREATE INDEX delivery_failed ON delivery (updated_at) WHERE status = 'failed';
CREATE INDEX document_unfinished ON document (status, updated_at)
    WHERE status IN ('signing', 'signed', 'registered');
CREATE INDEX medo_message_halted ON medo_message (status, updated_at)
    WHERE status IN ('waiting', 'blocked', 'failed', 'sent', 'registered', 'quarantined');
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="routing", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
