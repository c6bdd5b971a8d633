"""The first form of the room's tables."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T09:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "first form"

SQL = """
CREATE TABLE log_key (
    id uuid PRIMARY KEY,
    origin text NOT NULL CONSTRAINT log_key_origin CHECK (origin <> '' AND origin !~ '[[:space:]+]'),
    public_key bytea NOT NULL CONSTRAINT log_key_public CHECK (length(public_key) = 32),
    sealed_key bytea NOT NULL,
    sealed_salt bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX log_key_only ON log_key ((true));

CREATE TABLE log_state (
    id smallint PRIMARY KEY CONSTRAINT log_state_only CHECK (id = 1),
    size bigint NOT NULL CONSTRAINT log_state_size CHECK (size >= 0),
    taken_below bigint NOT NULL,
    open_xacts bigint[] NOT NULL,
    checked bigint NOT NULL
);
INSERT INTO log_state VALUES (1, 0, 0, '{}', 0);

CREATE TABLE log_leaf (
    leaf bigint PRIMARY KEY CONSTRAINT log_leaf_number CHECK (leaf >= 0),
    event_id uuid NOT NULL CONSTRAINT log_leaf_event UNIQUE
);

CREATE TABLE log_tile (
    level smallint NOT NULL CONSTRAINT log_tile_level CHECK (level BETWEEN -1 AND 63),
    number bigint NOT NULL CONSTRAINT log_tile_number CHECK (number >= 0),
    data bytea NOT NULL,
    PRIMARY KEY (level, number)
);
ALTER TABLE log_tile ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE log_checkpoint (
    size bigint PRIMARY KEY CONSTRAINT log_checkpoint_size CHECK (size > 0),
    root bytea NOT NULL CONSTRAINT log_checkpoint_root CHECK (length(root) = 32),
    note text NOT NULL,
    is_adopted boolean NOT NULL,
    at timestamptz NOT NULL
);

CREATE TABLE log_stamp (
    size bigint PRIMARY KEY REFERENCES log_checkpoint,
    token bytea NOT NULL,
    at timestamptz NOT NULL
);

CREATE TABLE log_witness (
    id uuid PRIMARY KEY,
    name text NOT NULL CONSTRAINT log_witness_name CHECK (name <> '' AND name !~ '[[:space:]+]'),
    url text NOT NULL UNIQUE,
    public_key bytea NOT NULL CONSTRAINT log_witness_public CHECK (length(public_key) = 32),
    status text NOT NULL CONSTRAINT log_witness_status CHECK (status IN ('active', 'disabled')),
    seen_size bigint NOT NULL DEFAULT 0,
    asked_at timestamptz,
    last_success_at timestamptz,
    last_error text,
    last_error_at timestamptz,
    is_refused boolean NOT NULL DEFAULT false,
    added_by uuid,
    added_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX log_witness_key ON log_witness (public_key);

CREATE TABLE log_cosignature (
    size bigint NOT NULL REFERENCES log_checkpoint,
    witness_id uuid NOT NULL REFERENCES log_witness,
    line text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (size, witness_id)
);

CREATE TABLE log_check (
    id uuid PRIMARY KEY,
    kind text NOT NULL CONSTRAINT log_check_kind CHECK (kind IN ('full', 'slice')),
    size bigint NOT NULL,
    leaves bigint NOT NULL,
    erased bigint NOT NULL,
    findings integer NOT NULL,
    examples jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL
);
CREATE INDEX log_check_found ON log_check (id) WHERE findings > 0;

CREATE TRIGGER log_leaf_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_stamp_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_stamp
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="log", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
