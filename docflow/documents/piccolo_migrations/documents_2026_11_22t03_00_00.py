"""The first form of the room's tables."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T03:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "first form"

SQL = """
CREATE TABLE document (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    organization_id uuid NOT NULL REFERENCES organization,
    status text NOT NULL CONSTRAINT document_status CHECK (status IN
        ('draft', 'signing', 'signed', 'registered', 'sent', 'closed', 'recalled', 'discarded')),
    title text NOT NULL CONSTRAINT document_title CHECK (title <> ''),
    addressee text NOT NULL DEFAULT '',
    number text,
    date date,
    received_number text,
    received_date date,
    mark text NOT NULL DEFAULT 'none' CONSTRAINT document_mark CHECK (mark IN ('none', 'dsp')),
    origin text NOT NULL DEFAULT 'electronic' CONSTRAINT document_origin CHECK (origin IN ('electronic', 'paper_copy')),
    fields jsonb NOT NULL DEFAULT '{}',
    author_id uuid NOT NULL,
    signatory_id uuid,
    executor_id uuid,
    due_on date,
    file_index text,
    retention_code text,
    retention_until date,
    legal_hold boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT document_numbered CHECK (number IS NOT NULL OR status NOT IN ('registered', 'sent', 'closed'))
);
CREATE INDEX document_organization ON document (organization_id, id);
CREATE INDEX document_open ON document (status, updated_at) WHERE status IN ('draft', 'signing', 'signed');
CREATE INDEX document_number ON document (lower(number)) WHERE number IS NOT NULL;

CREATE TABLE document_text (
    document_id uuid PRIMARY KEY REFERENCES document ON DELETE CASCADE,
    card text NOT NULL,
    body text NOT NULL DEFAULT '',
    tsv tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('russian', left(card, 100000)), 'A') || to_tsvector('russian', left(body, 500000))) STORED
);
CREATE INDEX document_text_tsv ON document_text USING gin (tsv) WITH (fastupdate = off);

CREATE TABLE document_file (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES document,
    role text NOT NULL CONSTRAINT document_file_role CHECK (role IN ('main', 'annex', 'scan')),
    position integer NOT NULL DEFAULT 0,
    revision integer NOT NULL DEFAULT 1,
    title text NOT NULL,
    file_name text NOT NULL,
    blob_id uuid NOT NULL REFERENCES blob,
    media_type text NOT NULL,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    pages integer,
    is_current boolean NOT NULL DEFAULT true,
    problems text[] NOT NULL DEFAULT '{}',
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT document_file_revision UNIQUE (document_id, role, position, revision)
);
CREATE UNIQUE INDEX document_file_current ON document_file (document_id, role, position) WHERE is_current;
CREATE INDEX document_file_blob ON document_file (blob_id);

CREATE TABLE quarantine (
    id uuid PRIMARY KEY,
    blob_id uuid NOT NULL REFERENCES blob,
    organization_id uuid NOT NULL REFERENCES organization,
    document_id uuid REFERENCES document,
    file_name text NOT NULL,
    reason text NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX quarantine_organization ON quarantine (organization_id, id);

CREATE TABLE signature (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES document,
    file_id uuid NOT NULL REFERENCES document_file,
    form text NOT NULL CONSTRAINT signature_form CHECK (form IN ('pades', 'cades')),
    role text NOT NULL CONSTRAINT signature_role CHECK (role IN ('approving', 'certifying', 'endorsing', 'sealing')),
    blob_id uuid REFERENCES blob,
    account_id uuid,
    signer text NOT NULL,
    certificate_sha256 bytea NOT NULL,
    signed_at timestamptz,
    verdict text NOT NULL CONSTRAINT signature_verdict CHECK (verdict IN ('valid', 'invalid', 'indeterminate')),
    report jsonb NOT NULL,
    checked_at timestamptz NOT NULL
);
CREATE INDEX signature_document ON signature (document_id);
CREATE INDEX signature_file ON signature (file_id);

CREATE TABLE signing_session (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES document,
    file_id uuid NOT NULL REFERENCES document_file,
    account_id uuid NOT NULL,
    role text NOT NULL,
    status text NOT NULL CONSTRAINT signing_session_status CHECK (status IN ('open', 'finished', 'cancelled', 'expired')),
    form text NOT NULL CONSTRAINT signing_session_form CHECK (form IN ('pades', 'cades')),
    base_sha256 bytea NOT NULL,
    prepared bytea NOT NULL,
    prepared_blob_id uuid REFERENCES blob,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX signing_session_open ON signing_session (expires_at) WHERE status = 'open';

CREATE TABLE journal (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    code text NOT NULL,
    title text NOT NULL,
    direction text NOT NULL CONSTRAINT journal_direction CHECK (direction IN ('in', 'out', 'internal')),
    kinds text[] NOT NULL,
    template text NOT NULL,
    scope text[] NOT NULL DEFAULT '{year}',
    is_open boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    CONSTRAINT journal_code UNIQUE (organization_id, code)
);

CREATE TABLE journal_counter (
    journal_id uuid NOT NULL REFERENCES journal,
    period text NOT NULL,
    last_ordinal integer NOT NULL CONSTRAINT journal_counter_positive CHECK (last_ordinal > 0),
    PRIMARY KEY (journal_id, period)
);

CREATE TABLE registration (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES document,
    organization_id uuid NOT NULL REFERENCES organization,
    journal_id uuid NOT NULL REFERENCES journal,
    period text NOT NULL,
    ordinal integer NOT NULL,
    number text NOT NULL,
    date date NOT NULL,
    registered_by uuid NOT NULL,
    registered_at timestamptz NOT NULL,
    CONSTRAINT registration_once UNIQUE (document_id, organization_id),
    CONSTRAINT registration_ordinal UNIQUE (journal_id, period, ordinal),
    CONSTRAINT registration_number UNIQUE (journal_id, period, number)
);
CREATE INDEX registration_organization ON registration (organization_id, registered_at);

CREATE TABLE document_link (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    from_id uuid NOT NULL REFERENCES document,
    to_id uuid NOT NULL REFERENCES document,
    kind text NOT NULL CONSTRAINT document_link_kind CHECK (kind IN
        ('reply_to', 'instead_of', 'corrects', 'executes', 'extract_of', 'relates_to')),
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT document_link_once UNIQUE (from_id, to_id, kind),
    CONSTRAINT document_link_itself CHECK (from_id <> to_id)
);
CREATE INDEX document_link_to ON document_link (to_id);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="documents", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
