"""The first form of the room's tables."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T09:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "first form"

SQL = """
CREATE TABLE evidence_export (
    id uuid PRIMARY KEY,
    kind text NOT NULL CONSTRAINT evidence_export_kind CHECK (kind IN
        ('document', 'picture', 'person', 'organization', 'period')),
    subject_id uuid,
    since date,
    until date,
    organization_id uuid NOT NULL REFERENCES organization,
    actor_kind text NOT NULL CONSTRAINT evidence_export_actor CHECK (actor_kind IN ('user', 'rule', 'integration')),
    requested_by uuid NOT NULL,
    level text NOT NULL CONSTRAINT evidence_export_level CHECK (level IN ('full', 'masked')),
    purpose text NOT NULL CONSTRAINT evidence_export_purpose CHECK (purpose <> ''),
    basis text NOT NULL CONSTRAINT evidence_export_basis CHECK (basis <> ''),
    recipient text NOT NULL CONSTRAINT evidence_export_recipient CHECK (recipient <> ''),
    status text NOT NULL CONSTRAINT evidence_export_status CHECK (status IN
        ('queued', 'packing', 'ready', 'failed', 'expired')),
    items integer NOT NULL DEFAULT 0,
    items_done integer NOT NULL DEFAULT 0,
    members bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    log_size bigint,
    statement_sha256 bytea,
    error_code text,
    error text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    ready_at timestamptz,
    expires_at timestamptz,
    CONSTRAINT evidence_export_subject CHECK ((kind = 'period') = (subject_id IS NULL)),
    CONSTRAINT evidence_export_days CHECK ((kind = 'period') = (since IS NOT NULL AND until IS NOT NULL) AND since <= until),
    CONSTRAINT evidence_export_done CHECK (items_done <= items),
    CONSTRAINT evidence_export_ready CHECK (status <> 'ready' OR (ready_at IS NOT NULL AND expires_at IS NOT NULL AND statement_sha256 IS NOT NULL))
);
CREATE INDEX evidence_export_organization ON evidence_export (organization_id, id DESC);
CREATE INDEX evidence_export_open ON evidence_export (updated_at) WHERE status IN ('queued', 'packing');
CREATE INDEX evidence_export_expiry ON evidence_export (expires_at) WHERE status = 'ready';

CREATE TABLE evidence_item (
    export_id uuid NOT NULL REFERENCES evidence_export,
    position integer NOT NULL CONSTRAINT evidence_item_position CHECK (position > 0),
    kind text NOT NULL,
    subject_id uuid,
    number integer,
    line jsonb,
    lacks text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (export_id, position)
);

CREATE TABLE evidence_member (
    export_id uuid NOT NULL REFERENCES evidence_export,
    start bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    size bigint NOT NULL,
    crc bigint NOT NULL,
    sha256 bytea NOT NULL CONSTRAINT evidence_member_sha256 CHECK (length(sha256) = 32),
    streebog256 bytea NOT NULL CONSTRAINT evidence_member_streebog256 CHECK (length(streebog256) = 32),
    PRIMARY KEY (export_id, start),
    CONSTRAINT evidence_member_once UNIQUE (export_id, name)
);

CREATE TABLE evidence_part (
    export_id uuid NOT NULL REFERENCES evidence_export,
    start bigint NOT NULL,
    size bigint NOT NULL CONSTRAINT evidence_part_size CHECK (size > 0),
    blob_id uuid NOT NULL REFERENCES blob,
    PRIMARY KEY (export_id, start)
);
CREATE INDEX evidence_part_blob ON evidence_part (blob_id);

CREATE TABLE evidence_key (
    id uuid PRIMARY KEY,
    certificate bytea NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    retired_at timestamptz
);
CREATE UNIQUE INDEX evidence_key_only ON evidence_key ((true)) WHERE retired_at IS NULL;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="evidence", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
