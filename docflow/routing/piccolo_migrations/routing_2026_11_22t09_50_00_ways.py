"""E-mail, offline packages and paper: codes and links to answer by, reports, packages, sheets."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T09:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "ways"

SQL = """
CREATE TABLE answer_code (
    delivery_id uuid PRIMARY KEY REFERENCES delivery,
    code text NOT NULL CONSTRAINT answer_code_once UNIQUE
        CONSTRAINT answer_code_form CHECK (code ~ '^[0-9]{11}$'),
    created_at timestamptz NOT NULL
);

CREATE TABLE answer_link (
    id uuid PRIMARY KEY,
    delivery_id uuid NOT NULL REFERENCES delivery,
    consignment_id uuid NOT NULL REFERENCES consignment,
    expires_at timestamptz NOT NULL,
    opened_at timestamptz,
    used_at timestamptz,
    asked integer NOT NULL DEFAULT 0,
    asked_since timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT answer_link_once UNIQUE (consignment_id, delivery_id)
);
CREATE INDEX answer_link_delivery ON answer_link (delivery_id);

CREATE TABLE mail_report (
    id uuid PRIMARY KEY,
    sha256 bytea NOT NULL CONSTRAINT mail_report_once UNIQUE,
    kind text NOT NULL CONSTRAINT mail_report_kind CHECK (kind IN
        ('report', 'auto_reply', 'letter', 'unreadable')),
    consignment_id uuid,
    action text CONSTRAINT mail_report_action CHECK (action IN
        ('delivered', 'failed', 'delayed', 'relayed', 'expanded')),
    code text NOT NULL DEFAULT '',
    said text NOT NULL DEFAULT '',
    effect text NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX mail_report_consignment ON mail_report (consignment_id) WHERE consignment_id IS NOT NULL;

CREATE TABLE mail_fault (
    organization_id uuid PRIMARY KEY REFERENCES organization,
    address text NOT NULL,
    code text NOT NULL,
    said text NOT NULL DEFAULT '',
    since timestamptz NOT NULL
);

CREATE TABLE offline_package (
    id uuid PRIMARY KEY,
    direction text NOT NULL CONSTRAINT offline_package_direction CHECK (direction IN ('in', 'out')),
    sender_id uuid NOT NULL REFERENCES organization,
    recipient_id uuid NOT NULL REFERENCES organization,
    sequence integer NOT NULL,
    sha256 bytea NOT NULL,
    seal_key text NOT NULL,
    documents integer NOT NULL,
    answers integer NOT NULL,
    actor_id uuid,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX offline_package_sequence ON offline_package (sender_id, recipient_id, sequence) WHERE direction = 'out';
CREATE INDEX offline_package_in ON offline_package (sender_id, recipient_id, sequence) WHERE direction = 'in';
CREATE INDEX offline_package_journal ON offline_package (sender_id, id DESC);

CREATE TABLE offline_item (
    package_id uuid NOT NULL REFERENCES offline_package,
    uid uuid NOT NULL,
    delivery_id uuid NOT NULL REFERENCES delivery,
    PRIMARY KEY (package_id, delivery_id)
);
CREATE INDEX offline_item_delivery ON offline_item (delivery_id);

CREATE TABLE offline_arrival (
    delivery_id uuid PRIMARY KEY REFERENCES delivery,
    uid uuid NOT NULL CONSTRAINT offline_arrival_uid UNIQUE,
    origin_id uuid NOT NULL,
    sender_id uuid NOT NULL REFERENCES organization
);
CREATE INDEX offline_arrival_sender ON offline_arrival (sender_id);

CREATE TABLE offline_key (
    public text NOT NULL CONSTRAINT offline_key_form CHECK (public ~ '^[0-9a-f]{64}$'),
    for_id uuid NOT NULL REFERENCES organization,
    organization_id uuid NOT NULL REFERENCES organization,
    added_by uuid NOT NULL,
    added_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (public, for_id)
);

CREATE TABLE paper_sheet (
    delivery_id uuid PRIMARY KEY REFERENCES delivery,
    printed_at timestamptz NOT NULL,
    printed_by uuid NOT NULL,
    times integer NOT NULL DEFAULT 1
);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="routing", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
