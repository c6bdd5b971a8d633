"""The first form of the room's tables."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T03:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "first form"

SQL = """
CREATE TABLE dispatch (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES document,
    organization_id uuid NOT NULL REFERENCES organization,
    actor_id uuid NOT NULL,
    mode text NOT NULL CONSTRAINT dispatch_mode CHECK (mode IN ('direct', 'chancery')),
    selector jsonb NOT NULL,
    as_of date NOT NULL,
    deadlines jsonb NOT NULL DEFAULT '{}',
    priority smallint NOT NULL DEFAULT 0,
    recipients integer NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX dispatch_document ON dispatch (document_id);

CREATE TABLE delivery (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    dispatch_id uuid NOT NULL REFERENCES dispatch,
    document_id uuid NOT NULL REFERENCES document,
    recipient_id uuid NOT NULL REFERENCES organization,
    recipient_kind text NOT NULL,
    via_id uuid CONSTRAINT delivery_via REFERENCES delivery,
    channel text NOT NULL,
    status text NOT NULL CONSTRAINT delivery_status CHECK (status IN
        ('awaiting_relay', 'queued', 'delivered', 'opened', 'acknowledged', 'executed', 'refused', 'failed', 'recalled', 'void')),
    due_on date,
    delivered_at timestamptz,
    opened_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by uuid,
    executed_at timestamptz,
    ended_at timestamptz,
    reason text,
    updated_at timestamptz NOT NULL,
    CONSTRAINT delivery_once UNIQUE (recipient_id, document_id),
    CONSTRAINT delivery_acknowledged CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
CREATE INDEX delivery_inbox ON delivery (recipient_id, id DESC) INCLUDE (document_id, status);
CREATE INDEX delivery_control ON delivery (document_id, id) INCLUDE (status, recipient_kind, due_on);
CREATE INDEX delivery_via ON delivery (via_id) WHERE via_id IS NOT NULL;
CREATE INDEX delivery_due ON delivery (due_on) WHERE due_on IS NOT NULL AND status IN ('awaiting_relay', 'queued', 'delivered', 'opened');

CREATE TABLE hop (
    id uuid PRIMARY KEY,
    delivery_id uuid NOT NULL CONSTRAINT hop_delivery UNIQUE REFERENCES delivery,
    document_id uuid NOT NULL REFERENCES document,
    organization_id uuid NOT NULL REFERENCES organization,
    registration_id uuid NOT NULL REFERENCES registration,
    actor_id uuid NOT NULL,
    resolution text NOT NULL DEFAULT '',
    verdict text NOT NULL,
    report jsonb NOT NULL,
    passed integer NOT NULL,
    passed_at timestamptz NOT NULL
);
CREATE INDEX hop_document ON hop (document_id);

CREATE TABLE attempt (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    delivery_id uuid NOT NULL REFERENCES delivery,
    channel text NOT NULL,
    message_uid uuid NOT NULL,
    status text NOT NULL CONSTRAINT attempt_status CHECK (status IN ('claimed', 'sent', 'failed', 'refused')),
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    next_attempt_at timestamptz,
    error_code text,
    receipt jsonb
);
CREATE INDEX attempt_delivery ON attempt (delivery_id, id);
CREATE INDEX attempt_open ON attempt (started_at) WHERE status = 'claimed';

CREATE TABLE answer (
    id uuid PRIMARY KEY,
    delivery_id uuid NOT NULL REFERENCES delivery,
    document_id uuid NOT NULL CONSTRAINT answer_document UNIQUE REFERENCES document,
    actor_id uuid NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX answer_delivery ON answer (delivery_id);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="routing", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
