"""Events commit to their details, and are found by the transaction that wrote them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from audit.commitments import canonical_of_text, commitment
from core import db
from core.migrations import run_sql

ID = "2026-11-22T09:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "commitments"

SQL = """
ALTER TABLE event ADD COLUMN detail_sha256 bytea
    CONSTRAINT event_detail_sha256 CHECK (length(detail_sha256) = 32);
CREATE INDEX event_xact ON event (xact);

CREATE FUNCTION erase_event_payload(ids uuid[]) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    WITH gone AS (DELETE FROM public.event_payload WHERE event_id = ANY (ids) RETURNING 1)
    SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION erase_event_payload(uuid[]) FROM PUBLIC;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="audit", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)
        await _commit_to_earlier_details()

    manager.add_raw(run)
    return manager


async def _commit_to_earlier_details() -> None:
    """Details written before this version get their commitment with the salt they have."""
    await run_sql("ALTER TABLE event DISABLE TRIGGER event_append_only")
    last = None
    while True:
        rows = await db.rows(
            """SELECT event_id, salt, detail::text AS text FROM event_payload
               WHERE $1::uuid IS NULL OR event_id > $1 ORDER BY event_id LIMIT 5000""",
            last,
        )
        if not rows:
            break
        await db.execute(
            """UPDATE event SET detail_sha256 = new.promise
               FROM unnest($1::uuid[], $2::bytea[]) AS new (id, promise) WHERE event.id = new.id""",
            [row["event_id"] for row in rows],
            [commitment(row["salt"], canonical_of_text(row["text"])) for row in rows],
        )
        last = rows[-1]["event_id"]
    await run_sql("ALTER TABLE event ENABLE TRIGGER event_append_only")
