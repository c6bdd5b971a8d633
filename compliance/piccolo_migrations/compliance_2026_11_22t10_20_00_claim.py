"""Works of claimants count from a second lawyer's word on, as claimants do."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T10:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "approved works of claimants"

SQL = """
ALTER TABLE claimant_work ADD COLUMN approved_by uuid, ADD COLUMN approved_at timestamptz,
    ADD CONSTRAINT claimant_work_approval CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    ADD CONSTRAINT claimant_work_second CHECK (approved_by <> created_by);
UPDATE claimant_work AS w SET approved_by = c.approved_by, approved_at = c.approved_at
    FROM claimant AS c WHERE c.id = w.claimant_id AND c.approved_by <> w.created_by;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="compliance", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
