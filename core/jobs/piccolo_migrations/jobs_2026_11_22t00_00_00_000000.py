from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core import db
from core.jobs.schema import schema_sql

ID = "2026-11-22T00:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The job queue: procrastinate's schema and ours over it"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="jobs", description=DESCRIPTION)

    async def create() -> None:
        await db.execute(schema_sql())

    manager.add_raw(create)
    return manager
