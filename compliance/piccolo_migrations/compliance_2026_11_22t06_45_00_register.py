"""The register of pictures, licences and claimants; checks, reviews, uses."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T06:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "register, checks, reviews, uses"

SQL = """
CREATE TABLE picture (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    kind text NOT NULL CONSTRAINT picture_kind CHECK (kind IN ('register', 'claimant', 'own')),
    status text NOT NULL CONSTRAINT picture_status CHECK (status IN ('active', 'retired')),
    blob_id uuid NOT NULL REFERENCES blob,
    sha256 bytea NOT NULL CONSTRAINT picture_sha256 CHECK (length(sha256) = 32),
    media_type text NOT NULL,
    size bigint NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    title text NOT NULL DEFAULT '',
    author text NOT NULL DEFAULT '',
    source text NOT NULL DEFAULT '',
    snapshot_blob_id uuid REFERENCES blob,
    carries_rights boolean NOT NULL DEFAULT false,
    evidence jsonb NOT NULL DEFAULT '{}',
    found_by uuid NOT NULL,
    found_at timestamptz NOT NULL,
    approved_by uuid,
    approved_at timestamptz,
    retired_reason text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT picture_approval CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CONSTRAINT picture_second_person CHECK (approved_by <> found_by),
    CONSTRAINT picture_retired CHECK (status <> 'retired' OR retired_reason <> '')
);
CREATE UNIQUE INDEX picture_once ON picture (organization_id, sha256) WHERE status = 'active' AND kind <> 'claimant';
CREATE UNIQUE INDEX picture_claimant_once ON picture (sha256) WHERE status = 'active' AND kind = 'claimant';
CREATE INDEX picture_sha256_active ON picture (sha256) WHERE status = 'active';
CREATE INDEX picture_organization ON picture (organization_id, id);

CREATE TABLE picture_hash (
    picture_id uuid NOT NULL REFERENCES picture ON DELETE CASCADE,
    canon text NOT NULL,
    pdq bytea NOT NULL CONSTRAINT picture_hash_pdq CHECK (length(pdq) = 32),
    quality integer NOT NULL CONSTRAINT picture_hash_quality CHECK (quality BETWEEN 0 AND 100),
    phash text NOT NULL,
    dhash text NOT NULL,
    PRIMARY KEY (picture_id, canon)
);

CREATE TABLE picture_features (
    picture_id uuid NOT NULL REFERENCES picture ON DELETE CASCADE,
    canon text NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (picture_id, canon)
);
ALTER TABLE picture_features ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE TABLE licence (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    picture_id uuid NOT NULL REFERENCES picture,
    status text NOT NULL CONSTRAINT licence_status CHECK (status IN ('active', 'retired')),
    kind text NOT NULL CONSTRAINT licence_kind CHECK (kind IN ('contract', 'stock', 'public')),
    holder text NOT NULL DEFAULT '',
    number text NOT NULL DEFAULT '',
    public text,
    grantee_id uuid REFERENCES organization,
    reach text NOT NULL CONSTRAINT licence_reach CHECK (reach IN ('organization', 'subtree', 'line')),
    line text CONSTRAINT licence_line CHECK (line IN ('branch', 'territorial')),
    channels text[] NOT NULL DEFAULT '{}',
    territories text[] NOT NULL DEFAULT '{}',
    since date,
    until date,
    attribution text NOT NULL DEFAULT '',
    max_seats integer CONSTRAINT licence_max_seats CHECK (max_seats > 0),
    allows_changes boolean NOT NULL DEFAULT true,
    allows_commercial boolean NOT NULL DEFAULT true,
    revoked_on date,
    revoked_reason text,
    document_blob_id uuid REFERENCES blob,
    proposals jsonb NOT NULL DEFAULT '[]',
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    confirmed_by uuid,
    confirmed_at timestamptz,
    updated_at timestamptz NOT NULL,
    CONSTRAINT licence_public CHECK ((kind = 'public') = (public IS NOT NULL)),
    CONSTRAINT licence_grantee CHECK ((kind = 'public') = (grantee_id IS NULL)),
    CONSTRAINT licence_by_line CHECK ((reach = 'line') = (line IS NOT NULL)),
    CONSTRAINT licence_days CHECK (since IS NULL OR until IS NULL OR since <= until),
    CONSTRAINT licence_confirmation CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL)),
    CONSTRAINT licence_second_person CHECK (confirmed_by <> created_by),
    CONSTRAINT licence_revoked CHECK ((revoked_on IS NULL) = (revoked_reason IS NULL))
);
CREATE INDEX licence_picture ON licence (picture_id) WHERE status = 'active';
CREATE INDEX licence_organization ON licence (organization_id, id);
CREATE INDEX licence_grantee_active ON licence (grantee_id) WHERE status = 'active';

CREATE TABLE licence_seat (
    id uuid PRIMARY KEY,
    licence_id uuid NOT NULL REFERENCES licence,
    seat text NOT NULL CONSTRAINT licence_seat_name CHECK (seat <> ''),
    taken_by uuid NOT NULL,
    taken_at timestamptz NOT NULL,
    released_at timestamptz
);
CREATE UNIQUE INDEX licence_seat_once ON licence_seat (licence_id, seat) WHERE released_at IS NULL;

CREATE TABLE own_work (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    picture_id uuid NOT NULL REFERENCES picture,
    author text NOT NULL CONSTRAINT own_work_author CHECK (author <> ''),
    person_id uuid REFERENCES person,
    consent_blob_id uuid NOT NULL REFERENCES blob,
    reach text NOT NULL CONSTRAINT own_work_reach CHECK (reach IN ('organization', 'subtree')),
    channels text[] NOT NULL DEFAULT '{}',
    since date,
    until date,
    withdrawn_on date,
    attribution text NOT NULL DEFAULT '',
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    confirmed_by uuid,
    confirmed_at timestamptz,
    updated_at timestamptz NOT NULL,
    CONSTRAINT own_work_days CHECK (since IS NULL OR until IS NULL OR since <= until),
    CONSTRAINT own_work_confirmation CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL)),
    CONSTRAINT own_work_second_person CHECK (confirmed_by <> created_by)
);
CREATE INDEX own_work_picture ON own_work (picture_id);
CREATE INDEX own_work_organization ON own_work (organization_id, id);

CREATE TABLE claimant (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    status text NOT NULL CONSTRAINT claimant_status CHECK (status IN ('proposed', 'active', 'retired')),
    name text NOT NULL CONSTRAINT claimant_name CHECK (name <> ''),
    aliases text[] NOT NULL DEFAULT '{}',
    note text NOT NULL DEFAULT '',
    since date,
    until date,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    approved_by uuid,
    approved_at timestamptz,
    updated_at timestamptz NOT NULL,
    CONSTRAINT claimant_days CHECK (since IS NULL OR until IS NULL OR since <= until),
    CONSTRAINT claimant_approved CHECK (status <> 'active' OR approved_by IS NOT NULL),
    CONSTRAINT claimant_second_person CHECK (approved_by <> created_by)
);
CREATE UNIQUE INDEX claimant_once ON claimant (lower(name)) WHERE status <> 'retired';

CREATE TABLE claimant_work (
    id uuid PRIMARY KEY,
    claimant_id uuid NOT NULL REFERENCES claimant,
    picture_id uuid NOT NULL REFERENCES picture,
    since date,
    until date,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT claimant_work_once UNIQUE (claimant_id, picture_id),
    CONSTRAINT claimant_work_days CHECK (since IS NULL OR until IS NULL OR since <= until)
);
CREATE INDEX claimant_work_picture ON claimant_work (picture_id);

CREATE TABLE register_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    change text NOT NULL,
    subject_kind text NOT NULL CONSTRAINT register_change_subject CHECK (subject_kind IN
        ('picture', 'licence', 'licence_seat', 'own_work', 'claimant', 'claimant_work')),
    subject_id uuid NOT NULL,
    picture_id uuid,
    content bytea NOT NULL CONSTRAINT register_change_content CHECK (length(content) = 32),
    digest bytea NOT NULL CONSTRAINT register_change_digest CHECK (length(digest) = 32)
);
CREATE INDEX register_change_picture ON register_change (picture_id, id);

CREATE TABLE picture_print (
    blob_id uuid PRIMARY KEY REFERENCES blob,
    sha256 bytea NOT NULL CONSTRAINT picture_print_sha256 CHECK (length(sha256) = 32),
    canon text NOT NULL,
    hashes bytea NOT NULL CONSTRAINT picture_print_hashes CHECK (length(hashes) % 32 = 0),
    created_at timestamptz NOT NULL
);

CREATE TABLE picture_check (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    account_id uuid NOT NULL,
    blob_id uuid NOT NULL REFERENCES blob,
    sha256 bytea NOT NULL CONSTRAINT picture_check_sha256 CHECK (length(sha256) = 32),
    file_name text NOT NULL DEFAULT '',
    origin text NOT NULL CONSTRAINT picture_check_origin CHECK (origin IN ('request', 'lookback')),
    previous_id uuid REFERENCES picture_check,
    channel text NOT NULL,
    used_on date NOT NULL,
    outcome text NOT NULL CONSTRAINT picture_check_outcome CHECK (outcome IN ('clear', 'needs_licence', 'needs_review', 'blocked')),
    turns_on date,
    pictures uuid[] NOT NULL,
    case_json bytea NOT NULL,
    verdict_json bytea NOT NULL,
    rules text NOT NULL,
    register_change_id bigint NOT NULL,
    register_digest bytea NOT NULL,
    evidence jsonb NOT NULL,
    matches jsonb NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX picture_check_organization ON picture_check (organization_id, id);
CREATE INDEX picture_check_file ON picture_check (sha256, organization_id, id);

CREATE TABLE picture_review (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    check_id uuid NOT NULL REFERENCES picture_check,
    status text NOT NULL CONSTRAINT picture_review_status CHECK (status IN ('open', 'cleared', 'refused', 'expired')),
    sha256 bytea NOT NULL CONSTRAINT picture_review_sha256 CHECK (length(sha256) = 32),
    channel text NOT NULL,
    outcome text NOT NULL CONSTRAINT picture_review_outcome CHECK (outcome IN ('needs_licence', 'needs_review', 'blocked')),
    question text NOT NULL DEFAULT '',
    asked_by uuid NOT NULL,
    asked_at timestamptz NOT NULL,
    due_on date NOT NULL,
    escalated_at timestamptz,
    decided_by uuid,
    decided_at timestamptz,
    reason text,
    document_blob_id uuid REFERENCES blob,
    until date,
    updated_at timestamptz NOT NULL,
    CONSTRAINT picture_review_decided CHECK ((status IN ('cleared', 'refused')) = (decided_by IS NOT NULL)),
    CONSTRAINT picture_review_reason CHECK (decided_by IS NULL OR length(btrim(reason)) >= 3),
    CONSTRAINT picture_review_second_person CHECK (decided_by <> asked_by),
    CONSTRAINT picture_review_until CHECK ((status = 'cleared') = (until IS NOT NULL)),
    CONSTRAINT picture_review_block CHECK (status <> 'cleared' OR outcome <> 'blocked' OR document_blob_id IS NOT NULL)
);
CREATE UNIQUE INDEX picture_review_open ON picture_review (organization_id, sha256, channel) WHERE status = 'open';
CREATE INDEX picture_review_due ON picture_review (due_on) WHERE status = 'open';
CREATE INDEX picture_review_decision ON picture_review (sha256, organization_id, channel, decided_at) WHERE decided_at IS NOT NULL;

CREATE TABLE picture_use (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    channel text NOT NULL,
    place text NOT NULL CONSTRAINT picture_use_place CHECK (place <> ''),
    published_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    blob_id uuid NOT NULL REFERENCES blob,
    check_id uuid NOT NULL REFERENCES picture_check,
    last_check_id uuid NOT NULL REFERENCES picture_check,
    outcome text NOT NULL CONSTRAINT picture_use_outcome CHECK (outcome IN ('clear', 'needs_licence', 'needs_review', 'blocked')),
    turns_on date,
    pictures uuid[] NOT NULL DEFAULT '{}',
    judged_at timestamptz NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT picture_use_days CHECK (withdrawn_at IS NULL OR withdrawn_at >= published_at)
);
CREATE INDEX picture_use_organization ON picture_use (organization_id, id);
CREATE INDEX picture_use_pictures ON picture_use USING gin (pictures) WHERE withdrawn_at IS NULL;
CREATE INDEX picture_use_blob ON picture_use (blob_id) WHERE withdrawn_at IS NULL;
CREATE INDEX picture_use_turns ON picture_use (turns_on) WHERE withdrawn_at IS NULL;
CREATE INDEX picture_use_judged ON picture_use (judged_at) WHERE withdrawn_at IS NULL;
CREATE INDEX picture_use_bad ON picture_use (organization_id, id) WHERE withdrawn_at IS NULL AND outcome <> 'clear';
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="compliance", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
