"""Consignments: messages by outside channels, the deliveries they cover, and their tries."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T09:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "consignment"

SQL = """
CREATE TABLE consignment (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    document_id uuid NOT NULL REFERENCES document,
    sender_id uuid NOT NULL REFERENCES organization,
    channel text NOT NULL,
    target text NOT NULL CONSTRAINT consignment_target CHECK (target <> ''),
    priority smallint NOT NULL DEFAULT 0,
    turn bigint NOT NULL DEFAULT 0,
    time_zone text,
    status text NOT NULL DEFAULT 'waiting' CONSTRAINT consignment_status CHECK (status IN
        ('waiting', 'sending', 'sent', 'done', 'failed', 'void')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    limit_at timestamptz NOT NULL,
    carrier_id uuid,
    leased_until timestamptz,
    error_code text,
    error text,
    sent_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT consignment_lease CHECK
        ((status = 'sending') = (leased_until IS NOT NULL AND carrier_id IS NOT NULL))
);
CREATE INDEX consignment_ready ON consignment (channel, priority DESC, turn)
    WHERE status = 'waiting' AND next_attempt_at IS NULL;
CREATE INDEX consignment_turn ON consignment (channel, priority, sender_id, turn) WHERE status = 'waiting';
CREATE INDEX consignment_paused ON consignment (next_attempt_at)
    WHERE status IN ('waiting', 'sent') AND next_attempt_at IS NOT NULL;
CREATE INDEX consignment_leased ON consignment (channel, target, leased_until) WHERE status = 'sending';
CREATE INDEX consignment_limit ON consignment (limit_at) WHERE status IN ('waiting', 'sending', 'sent');
CREATE INDEX consignment_open ON consignment (channel, target, id) WHERE status NOT IN ('done', 'void');
CREATE INDEX consignment_failed ON consignment (sender_id, id) WHERE status = 'failed';
CREATE INDEX consignment_document ON consignment (document_id, id);

CREATE TABLE consignment_delivery (
    consignment_id uuid NOT NULL REFERENCES consignment,
    delivery_id uuid NOT NULL REFERENCES delivery,
    outcome text CONSTRAINT consignment_delivery_outcome CHECK (outcome IN
        ('delivered', 'refused', 'passed_on', 'overtaken')),
    settled_at timestamptz,
    PRIMARY KEY (consignment_id, delivery_id),
    CONSTRAINT consignment_delivery_settled CHECK ((outcome IS NULL) = (settled_at IS NULL))
);
CREATE UNIQUE INDEX consignment_delivery_open ON consignment_delivery (delivery_id) WHERE outcome IS NULL;
CREATE INDEX consignment_delivery_of ON consignment_delivery (delivery_id);

CREATE TABLE channel_gate (
    channel text NOT NULL,
    target text NOT NULL,
    failures integer NOT NULL,
    closed_until timestamptz NOT NULL,
    error_code text NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (channel, target)
);

-- Nothing has written tries until now: one row a try of a message, not of each delivery in it.
DROP INDEX attempt_delivery;
ALTER TABLE attempt
    DROP COLUMN delivery_id, DROP COLUMN channel, DROP COLUMN message_uid,
    ADD COLUMN consignment_id uuid NOT NULL REFERENCES consignment,
    ADD COLUMN number integer NOT NULL,
    ADD COLUMN error text,
    ADD CONSTRAINT attempt_number UNIQUE (consignment_id, number);

CREATE INDEX delivery_queued ON delivery (dispatch_id, channel) WHERE status = 'queued';
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="routing", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
