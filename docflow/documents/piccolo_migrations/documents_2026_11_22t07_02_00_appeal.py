"""Appeals under 59-FZ with a clock of their own; documents that were made outside."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T07:02:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "appeal"

SQL = """
ALTER TABLE document DROP CONSTRAINT document_origin;
ALTER TABLE document ADD CONSTRAINT document_origin CHECK (origin IN ('electronic', 'paper_copy', 'external'));

CREATE TABLE appeal (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES document,
    organization_id uuid NOT NULL REFERENCES organization,
    status text NOT NULL CONSTRAINT appeal_status CHECK (status IN ('open', 'answered')),
    registered_on date NOT NULL,
    overdue_on date NOT NULL,
    extended_days integer NOT NULL DEFAULT 0 CONSTRAINT appeal_extended CHECK (extended_days BETWEEN 0 AND 30),
    extension_notice text,
    portal_number text,
    portal_date date,
    answered_on date,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT appeal_once UNIQUE (document_id, organization_id),
    CONSTRAINT appeal_overdue CHECK (overdue_on = registered_on + 30 + extended_days),
    CONSTRAINT appeal_notice CHECK ((extended_days = 0) = (extension_notice IS NULL)),
    CONSTRAINT appeal_portal CHECK ((portal_number IS NULL) = (portal_date IS NULL))
);
CREATE INDEX appeal_open ON appeal (overdue_on) WHERE status = 'open';
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="documents", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
