"""Legal holds: what may be neither erased nor destroyed, by whose word and until when."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T13:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "hold"

SQL = """
ALTER TABLE document DROP COLUMN legal_hold;

CREATE TABLE legal_hold (
    id uuid PRIMARY KEY,
    kind text NOT NULL CONSTRAINT legal_hold_kind CHECK (kind IN ('document', 'person', 'organization')),
    subject_id uuid NOT NULL,
    organization_id uuid NOT NULL REFERENCES organization,
    reason text NOT NULL CONSTRAINT legal_hold_reason CHECK (reason <> ''),
    until date,
    set_by uuid,
    set_at timestamptz NOT NULL,
    lifted_by uuid,
    lifted_at timestamptz,
    lift_reason text,
    CONSTRAINT legal_hold_lifted CHECK ((lifted_at IS NULL) = (lift_reason IS NULL))
);
CREATE INDEX legal_hold_standing ON legal_hold (subject_id) WHERE lifted_at IS NULL;
CREATE INDEX legal_hold_organization ON legal_hold (organization_id, id);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="documents", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
