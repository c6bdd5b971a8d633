"""Bring the database to the schema this code expects, and give the application its rights.

Migrations are plain SQL carried by Piccolo's migration files, run by the owner role. The
application's role gets rows, never tables; on append-only tables it may only add and read.
"""

import contextlib
import io
import os
from urllib.parse import urlsplit

import asyncpg
from piccolo.apps.migrations.commands.forwards import run_forwards

from core.db import DB

APPEND_ONLY = (
    "event", "event_payload", "read_log", "power_of_attorney_check", "power_of_attorney_status",
    "signature_authority", "revocation_list", "ocsp_answer", "signature_check", "register_change",
    "picture_check", "log_leaf", "log_checkpoint", "log_stamp", "log_cosignature", "log_check",
    "node_receipt",
)  # fmt: skip
"""Tables whose rows the application can neither change nor delete (architecture rule 9)."""

_GRANTS = """
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role};
REVOKE ALL ON migration FROM {role};
"""

_LOCK = 0x646F63666C6F77  # "docflow": two processes that start together migrate one after the other


async def run_sql(sql: str) -> None:
    """Run a script of several statements inside the running migration."""
    holder = DB.current_transaction.get()
    if holder is None:
        raise RuntimeError("run_sql belongs inside a migration")
    await holder.connection.execute(sql)


async def migrate(*, owner_url: str, app_url: str) -> None:
    """Apply what is missing and grant the application's role; safe to call at each start."""
    role = urlsplit(app_url).username or ""
    if not role.replace("_", "").isalnum():
        raise ValueError(f"unusual database role name: {role!r}")
    os.environ.setdefault("PICCOLO_CONF", "piccolo_conf")
    guard = await asyncpg.connect(owner_url)
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await _forwards(owner_url)
        await guard.execute(_GRANTS.format(role=role))
        for table in APPEND_ONLY:
            await guard.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}")
    finally:
        await guard.close()


async def _forwards(owner_url: str) -> None:
    previous = DB.config
    DB.config = {"dsn": owner_url}
    report = io.StringIO()
    try:
        with contextlib.redirect_stdout(report):
            result = await run_forwards("all")
    finally:
        DB.config = previous
    if not result.success:
        raise RuntimeError(f"migration failed: {result.message}\n{report.getvalue()}")
