"""Nodes: who they are, who lives where, what was received from them and told to them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T09:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "node"

SQL = """
CREATE TABLE node (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    base_url text NOT NULL,
    status text NOT NULL CONSTRAINT node_status CHECK (status IN ('own', 'waiting', 'active', 'suspended')),
    versions integer[] NOT NULL,
    organization_id uuid REFERENCES organization,
    allow_private boolean NOT NULL DEFAULT false,
    statement_number bigint NOT NULL DEFAULT 0,
    statement_sha256 bytea,
    statement_at timestamptz,
    heard_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX node_own ON node ((true)) WHERE status = 'own';

CREATE TABLE node_key (
    kid text PRIMARY KEY,
    node_id uuid NOT NULL REFERENCES node,
    public bytea NOT NULL CONSTRAINT node_key_size CHECK (length(public) = 32),
    sealed bytea,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL,
    confirmed_by uuid,
    confirmed_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX node_key_node ON node_key (node_id);

CREATE TABLE node_residence (
    organization_id uuid PRIMARY KEY REFERENCES organization,
    node_id uuid NOT NULL REFERENCES node,
    created_at timestamptz NOT NULL
);
CREATE INDEX node_residence_node ON node_residence (node_id);

CREATE TABLE node_conflict (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    holder_id uuid NOT NULL REFERENCES node,
    claimant_id uuid NOT NULL REFERENCES node,
    status text NOT NULL CONSTRAINT node_conflict_status CHECK (status IN ('open', 'decided', 'withdrawn')),
    decided_for uuid REFERENCES node,
    decided_by uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX node_conflict_once ON node_conflict (organization_id, claimant_id) WHERE status <> 'withdrawn';

CREATE TABLE node_message (
    id uuid PRIMARY KEY,
    node_id uuid NOT NULL REFERENCES node,
    uid uuid NOT NULL,
    kind text NOT NULL CONSTRAINT node_message_kind CHECK (kind IN ('document', 'report', 'recall', 'statement')),
    version integer NOT NULL,
    sha256 bytea NOT NULL,
    content bytea NOT NULL,
    is_inline boolean NOT NULL DEFAULT true,
    base text NOT NULL,
    signature text NOT NULL,
    kid text NOT NULL,
    status text NOT NULL CONSTRAINT node_message_status CHECK (status IN ('accepted', 'refused')),
    reason text,
    tries integer NOT NULL DEFAULT 1,
    origin_id uuid,
    document_id uuid REFERENCES document,
    dispatch_id uuid REFERENCES dispatch,
    receipt bytea NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT node_message_uid UNIQUE (node_id, uid)
);
CREATE INDEX node_message_refused ON node_message (updated_at) WHERE status = 'refused';
CREATE INDEX node_message_recall ON node_message (node_id, origin_id) WHERE kind = 'recall';
CREATE INDEX node_message_document ON node_message (document_id) WHERE document_id IS NOT NULL;

CREATE TABLE node_document (
    node_id uuid NOT NULL REFERENCES node,
    origin_id uuid NOT NULL,
    document_id uuid NOT NULL CONSTRAINT node_document_document UNIQUE REFERENCES document,
    sha256 bytea NOT NULL,
    PRIMARY KEY (node_id, origin_id)
);

CREATE TABLE node_delivery (
    delivery_id uuid PRIMARY KEY REFERENCES delivery,
    node_id uuid NOT NULL REFERENCES node,
    origin_id uuid NOT NULL,
    document_id uuid NOT NULL REFERENCES document,
    told_status text NOT NULL,
    told_hop boolean NOT NULL DEFAULT false,
    CONSTRAINT node_delivery_origin UNIQUE (node_id, origin_id)
);
CREATE INDEX node_delivery_document ON node_delivery (document_id);

CREATE TABLE node_part (
    node_id uuid NOT NULL REFERENCES node,
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    have bigint NOT NULL DEFAULT 0,
    blob_id uuid REFERENCES blob,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (node_id, sha256)
);
CREATE INDEX node_part_open ON node_part (updated_at) WHERE blob_id IS NULL;

CREATE TABLE node_outgoing (
    consignment_id uuid PRIMARY KEY REFERENCES consignment,
    node_id uuid NOT NULL REFERENCES node,
    document_id uuid NOT NULL REFERENCES document,
    version integer NOT NULL,
    manifest bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX node_outgoing_document ON node_outgoing (document_id);

CREATE TABLE node_carried (
    delivery_id uuid NOT NULL REFERENCES delivery,
    node_id uuid NOT NULL REFERENCES node,
    document_id uuid NOT NULL REFERENCES document,
    PRIMARY KEY (delivery_id, node_id)
);
CREATE INDEX node_carried_document ON node_carried (document_id, node_id);

CREATE TABLE node_note (
    id uuid PRIMARY KEY,
    node_id uuid NOT NULL REFERENCES node,
    kind text NOT NULL CONSTRAINT node_note_kind CHECK (kind IN ('report', 'recall', 'statement')),
    document_id uuid REFERENCES document,
    body bytea NOT NULL,
    status text NOT NULL CONSTRAINT node_note_status CHECK (status IN ('waiting', 'done', 'failed', 'void')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    limit_at timestamptz NOT NULL,
    error_code text,
    error text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX node_note_waiting ON node_note (next_attempt_at) WHERE status = 'waiting';
CREATE INDEX node_note_failed ON node_note (id) WHERE status = 'failed';
CREATE INDEX node_note_document ON node_note (document_id) WHERE document_id IS NOT NULL;

CREATE TABLE node_receipt (
    id uuid PRIMARY KEY,
    node_id uuid NOT NULL REFERENCES node,
    uid uuid NOT NULL,
    kind text NOT NULL CONSTRAINT node_receipt_kind CHECK (kind IN ('receipt', 'report', 'note')),
    document_id uuid REFERENCES document,
    base text NOT NULL,
    signature text NOT NULL,
    kid text NOT NULL,
    body bytea NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX node_receipt_document ON node_receipt (document_id, received_at, id) WHERE document_id IS NOT NULL;
CREATE INDEX node_receipt_uid ON node_receipt (uid);

CREATE TABLE node_hop (
    id uuid NOT NULL,
    delivery_id uuid CONSTRAINT node_hop_delivery UNIQUE REFERENCES delivery,
    document_id uuid NOT NULL REFERENCES document,
    organization_id uuid NOT NULL REFERENCES organization,
    number text NOT NULL,
    date date NOT NULL,
    resolution text NOT NULL,
    verdict text NOT NULL,
    passed integer NOT NULL,
    passed_at timestamptz NOT NULL,
    told jsonb NOT NULL,
    PRIMARY KEY (document_id, id)
);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="routing", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
