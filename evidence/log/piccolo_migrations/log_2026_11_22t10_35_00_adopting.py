"""Earlier events come in over several checkpoints, and the log remembers that it is at it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T10:35:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "adopting"

SQL = """
ALTER TABLE log_state ADD COLUMN is_adopting boolean NOT NULL DEFAULT true;
UPDATE log_state SET is_adopting = (size = 0);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="log", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
