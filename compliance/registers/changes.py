"""Changes of the registers: one at a time, each chained to the one before.

`register_change` is what the in-memory index follows and what a check names as the state of the
registers it was made from: the digest of a change stands for every change up to it.
"""

import hashlib
import uuid
from dataclasses import dataclass
from typing import Literal

from core import canonical, clock, db, jobs

LOOK_BACK_JOB = "compliance.look_back"
jobs.allow(LOOK_BACK_JOB)

_REGISTER_LOCK = 0x72656769737472  # "registr"
_FIRST = bytes(32)

Subject = Literal["picture", "licence", "licence_seat", "own_work", "claimant", "claimant_work"]

_LEFT_OUT = {"picture": "- 'evidence'", "licence": "- 'proposals'"}
"""Working notes, which are no part of the register's word."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last change there is."""

    id: int
    digest: str
    """Lower-case hexadecimal."""


async def lock() -> None:
    """Let one transaction at a time change the registers, so that ids follow commits.

    Taken before anything else that a verb locks; held until the transaction's end.
    """
    await db.execute("SELECT pg_advisory_xact_lock($1)", _REGISTER_LOCK)


async def hold() -> Head:
    """Keep the registers as they are until the transaction's end; answers their state."""
    await db.execute("SELECT pg_advisory_xact_lock_shared($1)", _REGISTER_LOCK)
    return await head()


async def head() -> Head:
    """The state of the registers."""
    found = await db.row("SELECT id, digest FROM register_change ORDER BY id DESC LIMIT 1")
    if found is None:
        return Head(0, _FIRST.hex())
    return Head(found["id"], bytes(found["digest"]).hex())


async def note(
    change: str, subject: tuple[Subject, uuid.UUID], *, picture_id: uuid.UUID | None
) -> None:
    """Write down that a row of the registers has just been changed to what it is now.

    Belongs after the change, inside a transaction that holds `lock`. Looking back over what was
    published is queued with it.
    """
    kind, subject_id = subject
    content = await db.value(
        f"SELECT to_jsonb(t) - 'updated_at' {_LEFT_OUT.get(kind, '')} FROM {kind} t WHERE id = $1",
        subject_id,
    )
    at = clock.now()
    told = hashlib.sha256(
        canonical.dumps(
            {"change": change, "kind": kind, "at": at.isoformat(), "row": _plain(content)}
        )
    ).digest()
    before = bytes.fromhex((await head()).digest)
    await db.execute(
        """INSERT INTO register_change (at, change, subject_kind, subject_id, picture_id, content,
                                        digest)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        at, change, kind, subject_id, picture_id, told, hashlib.sha256(before + told).digest(),
    )  # fmt: skip
    await jobs.defer(LOOK_BACK_JOB, key="register")


def _plain(row: dict[str, object]) -> dict[str, object]:
    """Times as text in any session's zone would differ; numbers and texts stay."""
    return {name: value for name, value in row.items() if value is not None}
