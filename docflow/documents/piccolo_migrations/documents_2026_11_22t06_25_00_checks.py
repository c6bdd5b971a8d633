"""Every check of a signature, the first and the later ones."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T06:25:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "checks of signatures"

SQL = """
CREATE TABLE signature_check (
    id uuid PRIMARY KEY,
    signature_id uuid NOT NULL REFERENCES signature,
    verdict text NOT NULL
        CONSTRAINT signature_check_verdict CHECK (verdict IN ('valid', 'invalid', 'indeterminate')),
    policy text NOT NULL,
    report jsonb NOT NULL,
    checked_at timestamptz NOT NULL
);
CREATE INDEX signature_check_latest ON signature_check (signature_id, id DESC);
CREATE TRIGGER signature_check_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON signature_check
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="documents", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
