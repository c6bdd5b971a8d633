"""Sketches of published pictures' features, so that looking back need not make them each time."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T10:05:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "sketches of prints"

SQL = """
ALTER TABLE picture_print
    ADD COLUMN sketches bytea NOT NULL DEFAULT '',
    ADD COLUMN sketch_canon text NOT NULL DEFAULT '';
ALTER TABLE picture_print ALTER COLUMN sketches SET STORAGE EXTERNAL;
CREATE INDEX picture_print_sketch ON picture_print (sketch_canon);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="compliance", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
