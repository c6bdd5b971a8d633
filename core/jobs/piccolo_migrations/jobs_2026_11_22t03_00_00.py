"""The job queue: procrastinate's schema and ours over it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.jobs.schema import schema_sql
from core.migrations import run_sql

ID = "2026-11-22T03:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "first form"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="jobs", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(schema_sql())

    manager.add_raw(run)
    return manager
