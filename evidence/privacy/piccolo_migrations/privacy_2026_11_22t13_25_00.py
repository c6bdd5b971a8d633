"""Erasure of personal data by an act: acts, their commission, what they found and did."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T13:25:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "first form"

SQL = """
CREATE TABLE erasure (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    status text NOT NULL CONSTRAINT erasure_status CHECK (status IN
        ('proposed', 'approved', 'executing', 'done', 'cancelled')),
    ground text NOT NULL CONSTRAINT erasure_ground CHECK (ground <> ''),
    basis text NOT NULL,
    due_on date NOT NULL,
    proposed_by uuid NOT NULL,
    sealed bytea NOT NULL,
    is_replay boolean NOT NULL DEFAULT false,
    stopped_by text,
    remains jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    registered_at timestamptz,
    done_at timestamptz
);
CREATE INDEX erasure_organization ON erasure (organization_id, id);
CREATE UNIQUE INDEX erasure_open ON erasure (person_id) WHERE status IN ('proposed', 'approved', 'executing');

CREATE TABLE erasure_member (
    erasure_id uuid NOT NULL REFERENCES erasure,
    account_id uuid NOT NULL,
    approved_at timestamptz,
    PRIMARY KEY (erasure_id, account_id)
);

CREATE TABLE erasure_document (
    erasure_id uuid NOT NULL REFERENCES erasure,
    document_id uuid NOT NULL REFERENCES document,
    decision text NOT NULL CONSTRAINT erasure_document_decision CHECK (decision IN ('destroy', 'keep')),
    ground text NOT NULL DEFAULT '',
    PRIMARY KEY (erasure_id, document_id),
    CONSTRAINT erasure_document_ground CHECK (decision = 'destroy' OR ground <> '')
);

CREATE TABLE erasure_step (
    erasure_id uuid NOT NULL REFERENCES erasure,
    step text NOT NULL,
    number bigint NOT NULL,
    done_at timestamptz NOT NULL,
    PRIMARY KEY (erasure_id, step)
);

CREATE TABLE erasure_object (
    erasure_id uuid NOT NULL REFERENCES erasure,
    key text NOT NULL,
    PRIMARY KEY (erasure_id, key)
);

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'signature_check'
       AND current_setting('docflow.erasing', true) = 'yes' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION erase_cell(act uuid, named text, place tid, field text, content text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    kind text;
BEGIN
    IF named NOT IN ('signature_check', 'power_of_attorney_check', 'power_of_attorney_status',
                     'signature_authority', 'picture_check', 'node_receipt') THEN
        RAISE EXCEPTION 'nothing is erased in %', named USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT EXISTS (SELECT FROM public.erasure WHERE id = act AND status = 'executing') THEN
        RAISE EXCEPTION 'no act is being executed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT format_type(atttypid, atttypmod) INTO STRICT kind FROM pg_attribute
    WHERE attrelid = format('public.%I', named)::regclass AND attname = field AND attnum > 0;
    PERFORM set_config('docflow.erasing', 'yes', true);
    EXECUTE format('UPDATE public.%I SET %I = $1::%s WHERE ctid = $2', named, field, kind)
        USING content, place;
    PERFORM set_config('docflow.erasing', 'no', true);
END $$;
REVOKE ALL ON FUNCTION erase_cell(uuid, text, tid, text, text) FROM PUBLIC;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="privacy", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
