"""What looking back needs: features of used pictures, and how far the register was looked at."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T06:55:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "looking back"

SQL = """
ALTER TABLE picture_print ADD COLUMN features bytea NOT NULL;
ALTER TABLE picture_print ALTER COLUMN features SET STORAGE EXTERNAL;

CREATE TABLE lookback_state (
    id integer PRIMARY KEY CONSTRAINT lookback_state_one CHECK (id = 1),
    register_change_id bigint NOT NULL,
    updated_at timestamptz NOT NULL
);
INSERT INTO lookback_state VALUES (1, 0, now());
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="compliance", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
