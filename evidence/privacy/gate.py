"""The gate of a restored service: it opens once every act of the register is carried out here.

A backup from before an erasure brings the person back. Processes open nothing before `pass_`
has returned; a job looks again every ten minutes, for a database restored under a service.
"""

import logging

import asyncpg

from core import clock, db
from core.settings import settings
from evidence.privacy import erasing, knowing, register
from evidence.privacy.register import Entry

log = logging.getLogger(__name__)

_LOCK = 0x65726173757265  # "erasure"


async def pass_() -> int:
    """Carry out again what this database has forgotten; answers how many acts.

    Raises `Unavailable` when the register cannot be read: then nobody knows, and nothing opens.
    One process works, the others wait for it.
    """
    if not await register.missing():
        return 0
    guard = await asyncpg.connect(settings().database_url)
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", _LOCK)
        waiting = await register.missing()
        for entry in waiting:
            await replay(entry)
        return len(waiting)
    finally:
        await guard.close()


async def replay(entry: Entry) -> None:
    """Carry out an act of the register whatever this database says of it.

    It was lawful when it was done; a hold that a backup brings back does not undo it.
    """
    log.warning("act of erasure %s is carried out again: the database was restored", entry.id)
    act = await db.row("SELECT * FROM erasure WHERE id = $1", entry.id)
    if act is None or act["status"] != "executing":
        act = await _enter(entry)
    await erasing.carry_out(act)


async def _enter(entry: Entry) -> db.Row:
    """Write the act as one that is being carried out."""
    known = erasing.merged(entry.known(), await knowing.known_of(entry.person_id))
    async with db.transaction():
        act = await db.row(
            """INSERT INTO erasure (id, person_id, organization_id, status, ground, basis, due_on,
                   proposed_by, sealed, is_replay, created_at, updated_at, registered_at)
               VALUES ($1, $2, $3, 'executing', $4, $5, $6, $7, $8, true, $9, $9, $10)
               ON CONFLICT (id) DO UPDATE SET status = 'executing', is_replay = true,
                   sealed = EXCLUDED.sealed, registered_at = EXCLUDED.registered_at
               RETURNING *""",
            entry.id, entry.person_id, entry.organization_id, entry.ground, entry.basis,
            entry.due_on, entry.proposed_by, register.seal(known, act_id=entry.id),
            clock.now(), entry.at,
        )  # fmt: skip
        for table in ("erasure_member", "erasure_document"):
            await db.execute(f"DELETE FROM {table} WHERE erasure_id = $1", entry.id)
        await db.execute_many(
            "INSERT INTO erasure_member (erasure_id, account_id, approved_at) VALUES ($1, $2, $3)",
            [(entry.id, one, entry.at) for one in entry.members],
        )
        await db.execute_many(
            """INSERT INTO erasure_document (erasure_id, document_id, decision, ground)
               SELECT $1, id, $3, $4 FROM document WHERE id = $2""",
            [(entry.id, *decided) for decided in entry.documents],
        )
    assert act is not None  # noqa: S101 - INSERT … RETURNING always answers
    return act
