"""Who may read a document of restricted use («ДСП»), and who may take its original."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T14:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "reader"

SQL = """
CREATE TABLE document_reader (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES document,
    organization_id uuid NOT NULL REFERENCES organization,
    person_id uuid REFERENCES person,
    post text,
    may_take_original boolean NOT NULL,
    named_by uuid NOT NULL,
    named_at timestamptz NOT NULL,
    struck_by uuid,
    struck_at timestamptz,
    CONSTRAINT document_reader_whom CHECK (num_nonnulls(person_id, post) = 1),
    CONSTRAINT document_reader_struck CHECK ((struck_at IS NULL) = (struck_by IS NULL))
);
CREATE UNIQUE INDEX document_reader_once
    ON document_reader (document_id, organization_id, person_id, post) NULLS NOT DISTINCT
    WHERE struck_at IS NULL;
CREATE INDEX document_restricted ON document (id) WHERE mark = 'dsp';
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="documents", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
