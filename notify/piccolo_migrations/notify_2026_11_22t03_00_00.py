"""The first form of the room's tables."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T03:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "first form"

SQL = """
CREATE TABLE webhook (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    url text NOT NULL,
    secret bytea NOT NULL,
    event_types text[] NOT NULL,
    status text NOT NULL DEFAULT 'active' CONSTRAINT webhook_status CHECK (status IN ('active', 'disabled')),
    failing_since timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX webhook_organization ON webhook (organization_id) WHERE status = 'active';

CREATE TABLE webhook_message (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    webhook_id uuid NOT NULL REFERENCES webhook,
    event_type text NOT NULL,
    body bytea NOT NULL,
    status text NOT NULL DEFAULT 'waiting' CONSTRAINT webhook_message_status CHECK (status IN ('waiting', 'sent', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    last_error text,
    created_at timestamptz NOT NULL,
    sent_at timestamptz
);
CREATE INDEX webhook_message_due ON webhook_message (next_attempt_at) WHERE status = 'waiting';
CREATE INDEX webhook_message_webhook ON webhook_message (webhook_id, id);

CREATE TABLE notice (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    organization_id uuid NOT NULL,
    kind text NOT NULL,
    subject_kind text NOT NULL,
    subject_id uuid NOT NULL,
    about date,
    data jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    read_at timestamptz,
    email_status text NOT NULL DEFAULT 'none' CONSTRAINT notice_email_status CHECK (email_status IN ('none', 'waiting', 'sent', 'failed')),
    CONSTRAINT notice_once UNIQUE NULLS NOT DISTINCT (organization_id, kind, subject_id, about)
);
CREATE INDEX notice_unread ON notice (organization_id, id) WHERE read_at IS NULL;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="notify", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
