"""Requests of people about their own data, with the clock of the law."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T13:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "request"

SQL = """
CREATE TABLE subject_request (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES person,
    organization_id uuid NOT NULL REFERENCES organization,
    kind text NOT NULL CONSTRAINT subject_request_kind CHECK (kind IN
        ('access', 'correct', 'erase', 'stop', 'withdraw')),
    status text NOT NULL CONSTRAINT subject_request_status CHECK (status IN ('open', 'answered', 'refused')),
    reference text NOT NULL,
    received_on date NOT NULL,
    due_on date NOT NULL,
    extended_on date,
    notice text,
    answer text,
    export_id uuid REFERENCES evidence_export,
    erasure_id uuid REFERENCES erasure,
    entered_by uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    answered_at timestamptz,
    CONSTRAINT subject_request_due CHECK (due_on > received_on),
    CONSTRAINT subject_request_extended CHECK ((extended_on IS NULL) = (notice IS NULL)),
    CONSTRAINT subject_request_answered CHECK ((status = 'open') = (answered_at IS NULL))
);
CREATE INDEX subject_request_open ON subject_request (due_on) WHERE status = 'open';
CREATE INDEX subject_request_organization ON subject_request (organization_id, id);
CREATE INDEX subject_request_erasure ON subject_request (erasure_id) WHERE erasure_id IS NOT NULL;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="privacy", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
