"""МЭДО: who takes part, and every message that came or went, with its parts."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T07:02:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "medo"

SQL = """
CREATE TABLE medo_partner (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT medo_partner_organization UNIQUE REFERENCES organization,
    participant_uid uuid NOT NULL CONSTRAINT medo_partner_uid UNIQUE,
    address text NOT NULL CONSTRAINT medo_partner_address CHECK (address <> ''),
    is_own boolean NOT NULL DEFAULT false,
    version text NOT NULL DEFAULT '2.7.1' CONSTRAINT medo_partner_version CHECK (version IN ('2.6', '2.7', '2.7.1')),
    signatures text NOT NULL DEFAULT 'qualified_gost' CONSTRAINT medo_partner_signatures CHECK (signatures IN
        ('any', 'qualified', 'gost', 'qualified_gost')),
    signs_annexes boolean NOT NULL DEFAULT true,
    pdfa text NOT NULL DEFAULT 'any' CONSTRAINT medo_partner_pdfa CHECK (pdfa IN ('none', 'any', '1')),
    max_bytes bigint NOT NULL DEFAULT 104857600 CONSTRAINT medo_partner_max CHECK (max_bytes > 0),
    receipt_hours integer NOT NULL DEFAULT 72 CONSTRAINT medo_partner_hours CHECK (receipt_hours > 0),
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE medo_message (
    id uuid PRIMARY KEY,
    direction text NOT NULL CONSTRAINT medo_message_direction CHECK (direction IN ('in', 'out')),
    kind text NOT NULL CONSTRAINT medo_message_kind CHECK (kind IN
        ('document', 'container', 'notification', 'receipt', 'unknown')),
    event text,
    version text NOT NULL DEFAULT '',
    header_uid uuid,
    document_uid text,
    partner_id uuid REFERENCES medo_partner,
    source_uid text NOT NULL DEFAULT '',
    organization_id uuid REFERENCES organization,
    document_id uuid REFERENCES document,
    delivery_id uuid REFERENCES delivery,
    answers_id uuid REFERENCES medo_message,
    status text NOT NULL CONSTRAINT medo_message_status CHECK (status IN
        ('waiting', 'blocked', 'cancelled', 'sent', 'delivered', 'registered', 'answered', 'refused', 'failed',
         'taken', 'quarantined', 'restricted', 'duplicate', 'matched', 'unmatched', 'returned')),
    reason text,
    folder text NOT NULL,
    payload_sha256 bytea,
    facts jsonb NOT NULL DEFAULT '{}',
    attempts integer NOT NULL DEFAULT 0,
    sent_at timestamptz,
    delivered_at timestamptz,
    registered_at timestamptz,
    their_number text,
    their_date date,
    overdue_on date,
    extended_days integer NOT NULL DEFAULT 0 CONSTRAINT medo_message_extended CHECK (extended_days BETWEEN 0 AND 30),
    extension_notice text,
    alarmed_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT medo_message_out CHECK (direction = 'in' OR header_uid IS NOT NULL),
    CONSTRAINT medo_message_in CHECK (direction = 'out' OR payload_sha256 IS NOT NULL)
);
CREATE UNIQUE INDEX medo_message_folder ON medo_message (folder, payload_sha256) WHERE direction = 'in';
CREATE UNIQUE INDEX medo_message_delivery ON medo_message (delivery_id) WHERE direction = 'out' AND delivery_id IS NOT NULL;
CREATE UNIQUE INDEX medo_message_header_in ON medo_message (header_uid, source_uid)
    WHERE direction = 'in' AND header_uid IS NOT NULL AND status <> 'duplicate' AND reason IS DISTINCT FROM 'uid_reused';
CREATE INDEX medo_message_header ON medo_message (header_uid) WHERE header_uid IS NOT NULL;
CREATE INDEX medo_message_document_uid ON medo_message (document_uid) WHERE direction = 'out' AND document_uid IS NOT NULL;
CREATE INDEX medo_message_payload ON medo_message (payload_sha256) WHERE direction = 'in';
CREATE INDEX medo_message_document ON medo_message (document_id) WHERE document_id IS NOT NULL;
CREATE INDEX medo_message_answers ON medo_message (answers_id) WHERE answers_id IS NOT NULL;
CREATE INDEX medo_message_journal ON medo_message (organization_id, id DESC);
CREATE INDEX medo_message_open ON medo_message (status, sent_at) WHERE direction = 'out' AND status IN ('waiting', 'sent', 'registered');

CREATE TABLE medo_part (
    id uuid PRIMARY KEY,
    message_id uuid NOT NULL REFERENCES medo_message,
    name text NOT NULL,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    blob_id uuid REFERENCES blob,
    CONSTRAINT medo_part_name UNIQUE (message_id, name)
);
CREATE INDEX medo_part_blob ON medo_part (blob_id) WHERE blob_id IS NOT NULL;

CREATE INDEX delivery_medo_queued ON delivery (id) WHERE channel = 'medo' AND status = 'queued';
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="routing", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
