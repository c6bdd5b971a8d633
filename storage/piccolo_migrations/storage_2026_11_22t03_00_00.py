"""Blobs: one row for each distinct content."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T03:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "blob"

SQL = """
CREATE TABLE blob (
    id uuid PRIMARY KEY,
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    media_type text NOT NULL,
    key text NOT NULL,
    created_at timestamptz NOT NULL,
    fixity_checked_at timestamptz,
    CONSTRAINT blob_sha256_unique UNIQUE (sha256),
    CONSTRAINT blob_key_unique UNIQUE (key),
    CONSTRAINT blob_sha256_length CHECK (octet_length(sha256) = 32),
    CONSTRAINT blob_size_positive CHECK (size > 0),
    CONSTRAINT blob_media_type_present CHECK (media_type <> ''),
    CONSTRAINT blob_fixity_after_creation CHECK (fixity_checked_at >= created_at)
);
COMMENT ON TABLE blob IS 'Bytes in the S3 store, once by content';
"""


async def forwards() -> MigrationManager:
    """Make the table."""
    manager = MigrationManager(migration_id=ID, app_name="storage", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
