"""The rolling check of stored bytes, and the damage it found."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T06:04:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "fixity"

SQL = """
ALTER TABLE blob ADD COLUMN fixity_tried_at timestamptz;
CREATE INDEX blob_fixity_order ON blob (fixity_tried_at NULLS FIRST, id);

CREATE TABLE blob_damage (
    blob_id uuid PRIMARY KEY REFERENCES blob,
    kind text NOT NULL CONSTRAINT blob_damage_kind CHECK (kind IN ('lost', 'changed')),
    found_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="storage", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
