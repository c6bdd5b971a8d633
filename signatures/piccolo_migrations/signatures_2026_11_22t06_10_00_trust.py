"""Trust as data: anchors with two administrators, lists, answers, sources, accreditation."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T06:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "trust"

SQL = """
ALTER TABLE trust_anchor
    ADD COLUMN status text NOT NULL DEFAULT 'trusted'
        CONSTRAINT trust_anchor_status CHECK (status IN ('proposed', 'trusted', 'retired')),
    ADD COLUMN note text NOT NULL DEFAULT '',
    ADD COLUMN proposer_person_id uuid,
    ADD COLUMN confirmed_by uuid,
    ADD COLUMN confirmer_person_id uuid,
    ADD COLUMN confirmed_at timestamptz,
    ADD COLUMN retired_by uuid,
    ADD COLUMN retired_at timestamptz,
    ADD COLUMN reason text NOT NULL DEFAULT '',
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
-- A real root that one person put in waits for the second one now.
UPDATE trust_anchor SET status = 'proposed' WHERE kind = 'root' AND NOT is_test;
ALTER TABLE trust_anchor
    ADD CONSTRAINT trust_anchor_two_people CHECK (
        kind <> 'root' OR is_test OR status <> 'trusted' OR (
            added_by IS NOT NULL AND confirmed_by IS NOT NULL AND confirmed_at IS NOT NULL
            AND confirmed_by <> added_by
            AND (proposer_person_id IS NULL OR confirmer_person_id IS NULL
                 OR proposer_person_id <> confirmer_person_id))),
    ADD CONSTRAINT trust_anchor_retired CHECK ((status = 'retired') = (retired_at IS NOT NULL)),
    ADD CONSTRAINT trust_anchor_not_mixed
        EXCLUDE USING gist ((is_test::int) WITH <>) WHERE (status <> 'retired');

CREATE FUNCTION forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% keeps what it has: old verdicts are made from it again', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION trust_anchor_keeps_bytes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.der <> OLD.der OR NEW.sha256 <> OLD.sha256
        OR NEW.is_test <> OLD.is_test OR NEW.kind <> OLD.kind THEN
        RAISE EXCEPTION 'a trust anchor is retired, never deleted or changed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER trust_anchor_keeps_bytes BEFORE UPDATE OR DELETE ON trust_anchor
    FOR EACH ROW EXECUTE FUNCTION trust_anchor_keeps_bytes();

CREATE TABLE revocation_source (
    id uuid PRIMARY KEY,
    url text NOT NULL CONSTRAINT revocation_source_once UNIQUE,
    name text NOT NULL,
    origin text NOT NULL
        CONSTRAINT revocation_source_origin CHECK (origin IN ('administrator', 'certificate')),
    anchor_id uuid REFERENCES trust_anchor,
    status text NOT NULL
        CONSTRAINT revocation_source_status CHECK (status IN ('active', 'disabled')),
    next_attempt_at timestamptz NOT NULL,
    last_attempt_at timestamptz,
    last_success_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    last_error text,
    etag text,
    added_by uuid,
    added_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT revocation_source_anchor CHECK ((origin = 'certificate') = (anchor_id IS NOT NULL))
);
CREATE INDEX revocation_source_due ON revocation_source (next_attempt_at) WHERE status = 'active';

CREATE TABLE revocation_list (
    id uuid PRIMARY KEY,
    sha256 bytea NOT NULL CONSTRAINT revocation_list_once UNIQUE,
    blob_id uuid NOT NULL REFERENCES blob,
    size bigint NOT NULL,
    issuer text NOT NULL,
    issuer_key text NOT NULL,
    issuer_sha256 bytea NOT NULL,
    key_sha256 bytea NOT NULL,
    scope text NOT NULL,
    number numeric,
    this_update timestamptz NOT NULL,
    next_update timestamptz NOT NULL,
    entries integer NOT NULL,
    source_id uuid REFERENCES revocation_source,
    imported_by uuid,
    imported_at timestamptz NOT NULL
);
CREATE INDEX revocation_list_line ON revocation_list (key_sha256, scope, this_update DESC);
CREATE TRIGGER revocation_list_stays BEFORE UPDATE OR DELETE ON revocation_list
    FOR EACH ROW EXECUTE FUNCTION forbid_change();

CREATE TABLE revocation_state (
    key_sha256 bytea NOT NULL,
    scope text NOT NULL,
    list_id uuid NOT NULL REFERENCES revocation_list,
    next_update timestamptz NOT NULL,
    alarmed_at timestamptz,
    PRIMARY KEY (key_sha256, scope)
);

CREATE TABLE revoked_certificate (
    key_sha256 bytea NOT NULL,
    scope text NOT NULL,
    serial bytea NOT NULL,
    revoked_at timestamptz NOT NULL,
    reason text,
    list_id uuid NOT NULL REFERENCES revocation_list,
    gone_list_id uuid REFERENCES revocation_list,
    PRIMARY KEY (key_sha256, scope, serial)
);

CREATE TABLE ocsp_answer (
    id uuid PRIMARY KEY,
    sha256 bytea NOT NULL CONSTRAINT ocsp_answer_once UNIQUE,
    der bytea NOT NULL,
    serial bytea NOT NULL,
    status text NOT NULL,
    this_update timestamptz NOT NULL,
    next_update timestamptz NOT NULL,
    imported_by uuid,
    imported_at timestamptz NOT NULL
);
CREATE INDEX ocsp_answer_fresh ON ocsp_answer (next_update);
CREATE TRIGGER ocsp_answer_stays BEFORE UPDATE OR DELETE ON ocsp_answer
    FOR EACH ROW EXECUTE FUNCTION forbid_change();

CREATE TABLE accredited_authority (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    inn text,
    ogrn text,
    known_by text NOT NULL
        CONSTRAINT accredited_authority_known_by CHECK (known_by IN ('certificate', 'key')),
    value bytea NOT NULL,
    accredited_from date NOT NULL,
    suspended_on date,
    revoked_on date,
    source text NOT NULL,
    imported_by uuid,
    imported_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT accredited_authority_once UNIQUE (known_by, value, accredited_from),
    CONSTRAINT accredited_authority_period CHECK (
        (suspended_on IS NULL OR suspended_on >= accredited_from)
        AND (revoked_on IS NULL OR revoked_on >= accredited_from))
);

CREATE TABLE stamp_service (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    url text NOT NULL CONSTRAINT stamp_service_once UNIQUE,
    position integer NOT NULL,
    status text NOT NULL CONSTRAINT stamp_service_status CHECK (status IN ('active', 'disabled')),
    last_success_at timestamptz,
    last_error text,
    last_error_at timestamptz,
    added_by uuid,
    added_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Whoever keeps the store in memory looks here whether it is still the one.
CREATE SEQUENCE trust_version;
CREATE FUNCTION trust_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE trust_state SET version = nextval('trust_version');
    RETURN NULL;
END $$;
CREATE TABLE trust_state (
    id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    version bigint NOT NULL
);
INSERT INTO trust_state (id, version) VALUES (1, nextval('trust_version'));
CREATE TRIGGER trust_changed AFTER INSERT OR UPDATE OR DELETE ON trust_anchor
    FOR EACH STATEMENT EXECUTE FUNCTION trust_changed();
CREATE TRIGGER trust_changed AFTER INSERT OR UPDATE OR DELETE ON revocation_state
    FOR EACH STATEMENT EXECUTE FUNCTION trust_changed();
CREATE TRIGGER trust_changed AFTER INSERT ON ocsp_answer
    FOR EACH STATEMENT EXECUTE FUNCTION trust_changed();
CREATE TRIGGER trust_changed AFTER INSERT OR UPDATE OR DELETE ON accredited_authority
    FOR EACH STATEMENT EXECUTE FUNCTION trust_changed();
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="signatures", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
