"""The first form of the room's tables."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T03:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "first form"

SQL = """
CREATE TABLE trust_anchor (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    kind text NOT NULL CONSTRAINT trust_anchor_kind CHECK (kind IN ('root', 'other', 'crl')),
    der bytea NOT NULL,
    sha256 bytea NOT NULL CONSTRAINT trust_anchor_once UNIQUE,
    is_test boolean NOT NULL,
    added_by uuid,
    added_at timestamptz NOT NULL
);

CREATE TABLE sealing_key (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    source text NOT NULL CONSTRAINT sealing_key_source CHECK (source IN ('software', 'pkcs11')),
    material bytea NOT NULL,
    certificate_sha256 bytea NOT NULL,
    added_by uuid,
    added_at timestamptz NOT NULL,
    retired_at timestamptz
);
CREATE UNIQUE INDEX sealing_key_active ON sealing_key (organization_id) WHERE retired_at IS NULL;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="signatures", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
