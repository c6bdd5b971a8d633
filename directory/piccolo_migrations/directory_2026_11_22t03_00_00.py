"""The first form of the room's tables."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T03:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "first form"

SQL = """
CREATE TABLE organization (
    id uuid PRIMARY KEY,
    code text NOT NULL CONSTRAINT organization_code UNIQUE,
    kind text NOT NULL CONSTRAINT organization_kind CHECK (kind IN
        ('center', 'district', 'territorial', 'union', 'regional', 'local', 'primary', 'council', 'outside')),
    name text NOT NULL CONSTRAINT organization_name CHECK (name <> ''),
    short_name text NOT NULL DEFAULT '',
    branch_code text,
    region_code text,
    district_code text,
    inn text CONSTRAINT organization_inn_form CHECK (inn ~ '^[0-9]{10}$'),
    ogrn text CONSTRAINT organization_ogrn_form CHECK (ogrn ~ '^[0-9]{13}$'),
    kpp text,
    address text NOT NULL DEFAULT '',
    phone text NOT NULL DEFAULT '',
    email text NOT NULL DEFAULT '',
    time_zone text NOT NULL DEFAULT 'Europe/Moscow',
    channels text[] NOT NULL DEFAULT '{internal}',
    status text NOT NULL DEFAULT 'active' CONSTRAINT organization_status CHECK (status IN ('active', 'closed', 'merged')),
    opened_on date NOT NULL,
    closed_on date,
    merged_into_id uuid CONSTRAINT organization_merged_into REFERENCES organization,
    is_archive_source boolean NOT NULL DEFAULT false,
    demo boolean NOT NULL DEFAULT false,
    confirmed_at timestamptz,
    external_ids jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT organization_closed CHECK ((status = 'active') = (closed_on IS NULL)),
    CONSTRAINT organization_merged CHECK ((status = 'merged') = (merged_into_id IS NOT NULL))
);
CREATE UNIQUE INDEX organization_inn ON organization (inn) WHERE inn IS NOT NULL AND status = 'active';
CREATE INDEX organization_place ON organization (kind, district_code, region_code, branch_code);
CREATE INDEX organization_by_name ON organization (name, id);
CREATE INDEX organization_names ON organization USING gin ((lower(name || ' ' || short_name || ' ' || code)) gin_trgm_ops);

CREATE TABLE organization_link (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    parent_id uuid NOT NULL REFERENCES organization,
    child_id uuid NOT NULL REFERENCES organization,
    line text NOT NULL CONSTRAINT organization_link_line CHECK (line IN ('branch', 'territorial')),
    valid_from date NOT NULL,
    valid_to date,
    CONSTRAINT organization_link_itself CHECK (parent_id <> child_id),
    CONSTRAINT organization_link_period CHECK (valid_to IS NULL OR valid_to > valid_from),
    CONSTRAINT organization_link_one_superior EXCLUDE USING gist
        (child_id WITH =, line WITH =, daterange(valid_from, valid_to) WITH &&)
);
CREATE INDEX organization_link_up ON organization_link (child_id, line) INCLUDE (parent_id, valid_from, valid_to);
CREATE INDEX organization_link_down ON organization_link (parent_id, line) INCLUDE (child_id, valid_from, valid_to);

CREATE TABLE person (
    id uuid PRIMARY KEY,
    last_name text NOT NULL,
    first_name text NOT NULL DEFAULT '',
    middle_name text NOT NULL DEFAULT '',
    email text NOT NULL DEFAULT '',
    phone text NOT NULL DEFAULT '',
    demo boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL
);
CREATE INDEX person_name ON person (lower(last_name), lower(first_name));

CREATE TABLE post (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    person_id uuid NOT NULL REFERENCES person,
    organization_id uuid NOT NULL REFERENCES organization,
    kind text NOT NULL CONSTRAINT post_kind CHECK (kind IN
        ('chairman', 'deputy', 'secretary', 'accountant', 'information', 'youth', 'legal', 'inspector', 'clerk', 'editor', 'member')),
    title text NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    CONSTRAINT post_period CHECK (valid_to IS NULL OR valid_to > valid_from)
);
CREATE INDEX post_organization ON post (organization_id, kind);
CREATE INDEX post_person ON post (person_id);
CREATE UNIQUE INDEX post_one_chairman ON post (organization_id) WHERE kind = 'chairman' AND valid_to IS NULL;

CREATE TABLE consent (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    person_id uuid NOT NULL REFERENCES person,
    purpose text NOT NULL,
    text_version text NOT NULL,
    given_at timestamptz NOT NULL,
    withdrawn_at timestamptz
);
CREATE INDEX consent_person ON consent (person_id, purpose);

CREATE TABLE account (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES person,
    login text NOT NULL CONSTRAINT account_login UNIQUE,
    password_hash text NOT NULL,
    totp_secret bytea,
    totp_confirmed_at timestamptz,
    totp_last_step bigint NOT NULL DEFAULT 0,
    failed_count integer NOT NULL DEFAULT 0,
    locked_until timestamptz,
    status text NOT NULL DEFAULT 'active' CONSTRAINT account_status CHECK (status IN ('active', 'disabled')),
    language text NOT NULL DEFAULT 'ru',
    created_at timestamptz NOT NULL,
    CONSTRAINT account_login_form CHECK (login = lower(login) AND login <> '')
);
CREATE INDEX account_person ON account (person_id);

CREATE TABLE role_grant (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    account_id uuid NOT NULL REFERENCES account,
    organization_id uuid NOT NULL REFERENCES organization,
    role text NOT NULL CONSTRAINT role_grant_role CHECK (role IN ('clerk', 'signatory', 'editor', 'lawyer', 'administrator')),
    granted_by uuid,
    granted_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE UNIQUE INDEX role_grant_once ON role_grant (account_id, organization_id, role) WHERE revoked_at IS NULL;
CREATE INDEX role_grant_organization ON role_grant (organization_id) WHERE revoked_at IS NULL;

CREATE TABLE session (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL CONSTRAINT session_token UNIQUE,
    account_id uuid NOT NULL REFERENCES account,
    organization_id uuid REFERENCES organization,
    csrf_hash bytea NOT NULL,
    second_factor boolean NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX session_account ON session (account_id) WHERE ended_at IS NULL;

CREATE TABLE api_token (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL CONSTRAINT api_token_token UNIQUE,
    name text NOT NULL,
    account_id uuid NOT NULL REFERENCES account,
    organization_id uuid NOT NULL REFERENCES organization,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz
);

CREATE TABLE invitation (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL CONSTRAINT invitation_token UNIQUE,
    organization_id uuid NOT NULL REFERENCES organization,
    role text NOT NULL,
    email text NOT NULL,
    person_id uuid REFERENCES person,
    invited_by uuid NOT NULL REFERENCES account,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz
);
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="directory", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
