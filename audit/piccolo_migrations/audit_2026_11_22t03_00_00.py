"""The first form of the room's tables."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T03:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "first form"

SQL = """
CREATE TABLE event (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    at timestamptz NOT NULL,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    actor_kind text NOT NULL CONSTRAINT event_actor_kind CHECK (actor_kind IN ('user', 'rule', 'integration')),
    actor_id uuid,
    organization_id uuid,
    verb text NOT NULL,
    subject_kind text NOT NULL,
    subject_id uuid NOT NULL,
    document_id uuid,
    from_status text,
    to_status text,
    request_id uuid,
    data jsonb
);
CREATE INDEX event_subject ON event (subject_id, id);
CREATE INDEX event_document ON event (document_id, id) WHERE document_id IS NOT NULL;

CREATE TABLE event_payload (
    event_id uuid PRIMARY KEY REFERENCES event,
    salt bytea NOT NULL CONSTRAINT event_payload_salt CHECK (length(salt) = 32),
    detail jsonb NOT NULL
);

CREATE TABLE read_log (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    at timestamptz NOT NULL,
    actor_id uuid,
    organization_id uuid,
    subject_kind text NOT NULL,
    subject_id uuid NOT NULL,
    purpose text NOT NULL,
    count integer NOT NULL DEFAULT 1,
    request_id uuid
);
CREATE INDEX read_log_subject ON read_log (subject_id, id);
CREATE INDEX read_log_actor ON read_log (actor_id, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER read_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON read_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="audit", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
