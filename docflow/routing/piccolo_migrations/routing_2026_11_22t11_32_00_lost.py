"""Messages of ours that another node has and we, restored from a backup, do not know."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T11:32:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "lost"

SQL = """
CREATE TABLE node_lost (
    node_id uuid NOT NULL REFERENCES node,
    uid uuid NOT NULL,
    document_id uuid NOT NULL,
    organization_id uuid REFERENCES organization,
    number text NOT NULL,
    date date,
    title text NOT NULL,
    recipients integer NOT NULL,
    committed_at timestamptz,
    told jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (node_id, uid)
);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="routing", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
