"""Prolongations asked for, and who was told above of a delivery that stays silent."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T10:15:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "prolongation"

SQL = """
CREATE TABLE prolongation (
    id uuid PRIMARY KEY,
    delivery_id uuid NOT NULL REFERENCES delivery,
    document_id uuid NOT NULL REFERENCES document,
    sender_id uuid NOT NULL REFERENCES organization,
    due_on date NOT NULL,
    wanted_on date NOT NULL,
    reason text NOT NULL CONSTRAINT prolongation_reason CHECK (length(btrim(reason)) >= 3),
    status text NOT NULL CONSTRAINT prolongation_status CHECK (status IN
        ('pending', 'granted', 'refused', 'withdrawn', 'lapsed')),
    asked_by uuid NOT NULL,
    decided_by uuid,
    decision text,
    granted_on date,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT prolongation_later CHECK (wanted_on > due_on),
    CONSTRAINT prolongation_granted CHECK ((status = 'granted') = (granted_on IS NOT NULL))
);
CREATE UNIQUE INDEX prolongation_pending ON prolongation (delivery_id) WHERE status = 'pending';
CREATE INDEX prolongation_wanted ON prolongation (wanted_on) WHERE status = 'pending';
CREATE INDEX prolongation_document ON prolongation (document_id, id);
CREATE INDEX prolongation_sender ON prolongation (sender_id, id) WHERE status = 'pending';

CREATE TABLE escalation (
    delivery_id uuid NOT NULL REFERENCES delivery,
    due_on date NOT NULL,
    step smallint NOT NULL CONSTRAINT escalation_step CHECK (step > 0),
    superior_id uuid NOT NULL REFERENCES organization,
    at timestamptz NOT NULL,
    PRIMARY KEY (delivery_id, due_on, step, superior_id)
);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="routing", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
