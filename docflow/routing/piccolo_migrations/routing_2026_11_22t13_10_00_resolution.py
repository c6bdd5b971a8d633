"""Who of the chancery's own people carries a resolution out, and until when."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T13:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "resolution"

SQL = """
ALTER TABLE hop ADD COLUMN executor_id uuid REFERENCES person, ADD COLUMN due_on date;
CREATE INDEX hop_organization ON hop (organization_id, passed_at);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="routing", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
