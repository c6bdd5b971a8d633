"""Certificates of people."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T05:58:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "certificates of people"

SQL = """
CREATE TABLE person_certificate (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES person,
    organization_id uuid NOT NULL REFERENCES organization,
    sha256 bytea NOT NULL CONSTRAINT person_certificate_sha256 CHECK (length(sha256) = 32),
    snils text NOT NULL DEFAULT '',
    inn text NOT NULL DEFAULT '',
    source text NOT NULL CONSTRAINT person_certificate_source CHECK (source IN ('administrator', 'session')),
    registered_by uuid,
    registered_at timestamptz NOT NULL,
    withdrawn_at timestamptz
);
CREATE UNIQUE INDEX person_certificate_once ON person_certificate (sha256, organization_id) WHERE withdrawn_at IS NULL;
CREATE INDEX person_certificate_organization ON person_certificate (organization_id);
CREATE INDEX person_certificate_person ON person_certificate (person_id);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="directory", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
