"""Numbers that are out in the world while their documents were lost by a restore."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T11:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "number"

SQL = """
CREATE TABLE number_lost (
    organization_id uuid NOT NULL REFERENCES organization,
    number text NOT NULL,
    year integer NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, number, year)
);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="documents", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
