"""Evidence records over what was received, and what is due of them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T06:04:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "archive stamps and their entries"

SQL = """
CREATE TABLE archive_stamp (
    id uuid PRIMARY KEY,
    kind text NOT NULL CONSTRAINT archive_stamp_kind CHECK (kind IN ('receipt', 'renewal', 'rehash')),
    algorithm text NOT NULL,
    root bytea NOT NULL,
    token bytea NOT NULL,
    stamped_at timestamptz NOT NULL,
    algorithms text[] NOT NULL,
    certificate_ends_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    renew_before timestamptz NOT NULL,
    leaves integer NOT NULL CONSTRAINT archive_stamp_leaves CHECK (leaves > 0),
    material bytea[] NOT NULL DEFAULT '{}',
    renewed_by uuid REFERENCES archive_stamp,
    retired_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX archive_stamp_due ON archive_stamp (renew_before)
    WHERE renewed_by IS NULL AND retired_at IS NULL;
CREATE INDEX archive_stamp_alive ON archive_stamp (algorithm) WHERE retired_at IS NULL;

CREATE TABLE archive_stamp_entry (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    stamp_id uuid NOT NULL REFERENCES archive_stamp,
    blob_id uuid REFERENCES blob,
    renewed_id uuid REFERENCES archive_stamp,
    chain integer NOT NULL DEFAULT 0,
    after_id uuid REFERENCES archive_stamp,
    path bytea NOT NULL,
    is_current boolean NOT NULL DEFAULT true,
    CONSTRAINT archive_stamp_entry_of_one CHECK ((blob_id IS NULL) <> (renewed_id IS NULL)),
    CONSTRAINT archive_stamp_entry_blob UNIQUE (blob_id, chain),
    CONSTRAINT archive_stamp_entry_renewed UNIQUE (renewed_id)
);
CREATE INDEX archive_stamp_entry_stamp ON archive_stamp_entry (stamp_id);

CREATE TABLE evidence_material (
    sha256 bytea PRIMARY KEY CONSTRAINT evidence_material_length CHECK (octet_length(sha256) = 32),
    kind text NOT NULL CONSTRAINT evidence_material_kind CHECK (kind IN ('certificate', 'crl')),
    der bytea NOT NULL
);

ALTER TABLE signature ADD COLUMN evidenced_at timestamptz;
CREATE INDEX signature_unstamped ON signature (id) WHERE evidenced_at IS NULL;
CREATE INDEX signature_waiting ON signature (id) WHERE verdict = 'indeterminate';
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="documents", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
