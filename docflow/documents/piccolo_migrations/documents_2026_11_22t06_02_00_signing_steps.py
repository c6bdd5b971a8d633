"""Who is to sign a document and in which order; what a signing session showed and bound."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T06:02:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "signing steps"

SQL = """
CREATE TABLE signing_step (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES document,
    position integer NOT NULL CONSTRAINT signing_step_position CHECK (position BETWEEN 1 AND 100),
    role text NOT NULL CONSTRAINT signing_step_role CHECK (role IN ('approving', 'certifying', 'endorsing')),
    organization_id uuid NOT NULL REFERENCES organization,
    person_id uuid REFERENCES person,
    post text,
    status text NOT NULL CONSTRAINT signing_step_status CHECK (status IN ('waiting', 'due', 'signed', 'skipped')),
    account_id uuid,
    certificate_sha256 bytea,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT signing_step_made CHECK ((status = 'signed') = (certificate_sha256 IS NOT NULL))
);
CREATE INDEX signing_step_document ON signing_step (document_id, position);
CREATE INDEX signing_step_due ON signing_step (organization_id, updated_at) WHERE status = 'due';

ALTER TABLE signing_session
    ADD COLUMN step_id uuid,
    ADD COLUMN document_version integer NOT NULL DEFAULT 1,
    ADD COLUMN hash_algorithm text NOT NULL DEFAULT 'sha256',
    ADD COLUMN hash bytea NOT NULL DEFAULT '',
    ADD COLUMN attributes bytea NOT NULL DEFAULT '',
    ADD COLUMN certificate bytea NOT NULL DEFAULT '',
    ADD COLUMN warnings jsonb NOT NULL DEFAULT '[]';
CREATE INDEX signing_session_account ON signing_session (account_id, id);
CREATE INDEX signature_blob ON signature (blob_id) WHERE blob_id IS NOT NULL;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="documents", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
