"""How often something was done in a window of time; not logged: a crash may forget it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T10:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "use count"

SQL = """
CREATE UNLOGGED TABLE use_count (
    key bytea NOT NULL,
    begun_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    number integer NOT NULL,
    PRIMARY KEY (key, begun_at)
);
CREATE INDEX use_count_ends ON use_count (ends_at);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="limits", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
