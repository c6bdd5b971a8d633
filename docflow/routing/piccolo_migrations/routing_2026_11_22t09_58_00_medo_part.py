"""МЭДО: a small part of a message (a receipt, an envelope) is kept in its row, not as an object."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T09:58:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "small parts"

SQL = """
ALTER TABLE medo_part ADD COLUMN content bytea;
ALTER TABLE medo_part ADD CONSTRAINT medo_part_kept_once CHECK (blob_id IS NULL OR content IS NULL);
ALTER TABLE medo_part ADD CONSTRAINT medo_part_whole CHECK (content IS NULL OR octet_length(content) = size);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="routing", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
