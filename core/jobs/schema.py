"""The queue's tables: procrastinate's own schema, and ours over it (``schema.sql``)."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from core import db

LIBRARY_SCHEMA_SHA256 = "c70ec4b400a60ad9592787653aae5ae77ae41bf801d56b5bd2712751a07f2009"
"""Of procrastinate 3.10's ``schema.sql``. Another version needs a migration of ours, and a look
at the two functions that ``schema.sql`` beside this file replaces (ADR 0003)."""

_FUNCTIONS = (
    "procrastinate_fetch_job_v2",
    "procrastinate_finish_job_v1",
    "procrastinate_retry_job_v2",
    "procrastinate_register_worker_v1",
    "procrastinate_unregister_worker_v1",
    "procrastinate_update_heartbeat_v1",
    "procrastinate_prune_stalled_workers_v1",
    "procrastinate_defer_periodic_job_v2",
    "job_wake_v1",
)
_RELATIONS = (
    "procrastinate_jobs",
    "procrastinate_workers",
    "procrastinate_events",
    "procrastinate_periodic_defers",
    "procrastinate_jobs_queueing_lock_idx_v1",
    "procrastinate_jobs_lock_idx_v1",
    "job_failure",
)


class WrongSchema(RuntimeError):
    """The queue's tables or the library are not the ones this code was tested with."""


def library_sql() -> str:
    """procrastinate's schema, refused when it is not the version that was tested."""
    spec = find_spec("procrastinate")
    if spec is None or spec.origin is None:
        raise WrongSchema("procrastinate is not installed")
    text = (Path(spec.origin).parent / "sql" / "schema.sql").read_bytes()
    if hashlib.sha256(text).hexdigest() != LIBRARY_SCHEMA_SHA256:
        raise WrongSchema("procrastinate's schema has changed: see ADR 0003 before upgrading")
    return text.decode("utf-8")


def schema_sql() -> str:
    """All statements that make the queue in an empty database, for the owner's role."""
    ours = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
    return f"{library_sql()}\n{ours}"


async def check_schema() -> None:
    """Raise `WrongSchema` unless every internal name we and the library rely on exists."""
    library_sql()
    missing = await db.rows(
        "SELECT name FROM unnest($1::text[]) AS name"
        " WHERE NOT EXISTS (SELECT FROM pg_proc WHERE proname = name)"
        " UNION ALL SELECT name FROM unnest($2::text[]) AS name WHERE to_regclass(name) IS NULL",
        list(_FUNCTIONS),
        list(_RELATIONS),
    )
    if missing:
        names = ", ".join(found["name"] for found in missing)
        raise WrongSchema(f"the database lacks {names}: run the migrations")
    patched = await db.value(
        "SELECT count(*) FROM pg_proc WHERE proname = ANY($1) AND prosrc LIKE '%docflow%'",
        ["procrastinate_fetch_job_v2", "procrastinate_retry_job_v2"],
    )
    if patched != 2:
        raise WrongSchema("the queue's fetch and retry functions are not ours: run the migrations")
