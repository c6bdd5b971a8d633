"""Publications with their pictures; permits for outside sites and the keys they are signed with."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T07:05:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "publications and permits"

SQL = """
CREATE TABLE publication (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    kind text NOT NULL CONSTRAINT publication_kind CHECK (kind IN ('page', 'post', 'issue')),
    status text NOT NULL CONSTRAINT publication_status CHECK (status IN ('draft', 'ready', 'published', 'withdrawn')),
    channel text NOT NULL,
    place text NOT NULL CONSTRAINT publication_place CHECK (btrim(place) <> ''),
    title text NOT NULL CONSTRAINT publication_title CHECK (btrim(title) <> ''),
    planned_on date NOT NULL,
    is_commercial boolean,
    territory text NOT NULL,
    file_blob_id uuid REFERENCES blob,
    file_name text,
    report jsonb NOT NULL DEFAULT '{}',
    version integer NOT NULL DEFAULT 1,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    published_by uuid,
    published_at timestamptz,
    withdrawn_by uuid,
    withdrawn_at timestamptz,
    withdrawn_reason text,
    CONSTRAINT publication_file CHECK ((kind = 'issue') OR (file_blob_id IS NULL)),
    CONSTRAINT publication_published CHECK ((published_at IS NULL) = (published_by IS NULL)),
    CONSTRAINT publication_published_at CHECK ((status = 'published') <= (published_at IS NOT NULL)),
    CONSTRAINT publication_unpublished CHECK ((status IN ('draft', 'ready')) <= (published_at IS NULL)),
    CONSTRAINT publication_withdrawn CHECK ((status = 'withdrawn') = (withdrawn_at IS NOT NULL)),
    CONSTRAINT publication_reason CHECK (withdrawn_at IS NULL OR length(btrim(withdrawn_reason)) >= 3)
);
CREATE INDEX publication_organization ON publication (organization_id, id);

CREATE TABLE publication_picture (
    id uuid PRIMARY KEY,
    publication_id uuid NOT NULL REFERENCES publication,
    blob_id uuid NOT NULL REFERENCES blob,
    sha256 bytea NOT NULL CONSTRAINT publication_picture_sha256 CHECK (length(sha256) = 32),
    file_name text NOT NULL DEFAULT '',
    position integer NOT NULL,
    places jsonb NOT NULL DEFAULT '[]',
    caption text NOT NULL DEFAULT '',
    is_changed boolean NOT NULL DEFAULT false,
    seat text,
    check_id uuid REFERENCES picture_check,
    problem jsonb,
    use_id uuid REFERENCES picture_use,
    created_at timestamptz NOT NULL,
    CONSTRAINT publication_picture_once UNIQUE (publication_id, sha256)
);
CREATE UNIQUE INDEX publication_picture_use ON publication_picture (use_id) WHERE use_id IS NOT NULL;

CREATE TABLE permit_key (
    id uuid PRIMARY KEY,
    kid text NOT NULL CONSTRAINT permit_key_kid UNIQUE,
    status text NOT NULL CONSTRAINT permit_key_status CHECK (status IN ('next', 'active', 'retired')),
    public_key bytea NOT NULL CONSTRAINT permit_key_public CHECK (length(public_key) = 32),
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    active_since timestamptz,
    retired_at timestamptz,
    CONSTRAINT permit_key_retired CHECK ((status = 'retired') = (retired_at IS NOT NULL))
);
CREATE UNIQUE INDEX permit_key_active ON permit_key (status) WHERE status = 'active';
CREATE UNIQUE INDEX permit_key_next ON permit_key (status) WHERE status = 'next';

CREATE TABLE permit (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    account_id uuid NOT NULL,
    check_id uuid NOT NULL REFERENCES picture_check,
    use_id uuid NOT NULL REFERENCES picture_use,
    key_id uuid NOT NULL REFERENCES permit_key,
    valid_from timestamptz NOT NULL,
    valid_until timestamptz NOT NULL,
    token text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT permit_times CHECK (valid_from < valid_until)
);
CREATE INDEX permit_organization ON permit (organization_id, id);
CREATE INDEX permit_of_use ON permit (use_id);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="compliance", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
