"""Questions of recipients about a document, and the sender's answers."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T10:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "question"

SQL = """
CREATE TABLE question (
    id uuid PRIMARY KEY,
    delivery_id uuid NOT NULL REFERENCES delivery,
    document_id uuid NOT NULL REFERENCES document,
    asker_id uuid NOT NULL REFERENCES organization,
    sender_id uuid NOT NULL REFERENCES organization,
    text text NOT NULL CONSTRAINT question_text CHECK (length(btrim(text)) BETWEEN 3 AND 2000),
    asked_by uuid NOT NULL,
    asked_at timestamptz NOT NULL,
    answer text CONSTRAINT question_answer CHECK (length(btrim(answer)) BETWEEN 1 AND 4000),
    answered_by uuid,
    answered_at timestamptz,
    CONSTRAINT question_answered CHECK (num_nulls(answer, answered_by, answered_at) IN (0, 3))
);
CREATE INDEX question_document ON question (document_id, id);
CREATE INDEX question_delivery ON question (delivery_id, id);
CREATE INDEX question_open ON question (sender_id, id) WHERE answered_at IS NULL;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="routing", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
