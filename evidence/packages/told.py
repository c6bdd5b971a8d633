"""The events of something, each with its proof of inclusion in the log; the log's papers."""

import asyncio
import json
import uuid
from collections.abc import Sequence
from functools import partial

from core import db
from core.errors import ServiceError
from evidence.log import identity, proofs, sequencing
from evidence.log.proofs import Inclusion
from evidence.packages import masking
from evidence.packages.members import Gathered, Source, as_line

AT_ONCE = 5000
"""Events in one member, and in memory."""
_PATIENCE = 10
"""Seconds an export waits until what it is about lies under a checkpoint."""


async def pin(event_id: uuid.UUID | None) -> int | None:
    """The size of the checkpoint that an export proves under; it covers `event_id` if it can.

    None where the log has not begun.
    """
    for _ in range(_PATIENCE * 2):
        while await sequencing.take() == sequencing.LIMIT:
            pass
        if event_id is None or await db.value(
            "SELECT true FROM log_leaf WHERE event_id = $1", event_id
        ):
            break
        await asyncio.sleep(0.5)
    try:
        return (await proofs.checkpoint()).head.size
    except ServiceError:
        return None


def members(
    gathered: Gathered, place: str, ids: Sequence[uuid.UUID], *, size: int | None, level: str
) -> None:
    """Add `<place>/events-001.jsonl` and so on: each event with salt, number and path."""
    for number, start in enumerate(range(0, len(ids), AT_ONCE), start=1):
        produce = partial(_lines, gathered, ids[start : start + AT_ONCE], size, level)
        gathered.sources.append(Source(f"{place}/events-{number:03}.jsonl", produce=produce))


async def _lines(
    gathered: Gathered, ids: Sequence[uuid.UUID], size: int | None, level: str
) -> bytes:
    return joined(gathered, list((await lines(ids, size=size, level=level)).values()))


Line = tuple[bool, bytes]
"""Is it under the checkpoint, and the line itself."""


async def lines(ids: Sequence[uuid.UUID], *, size: int | None, level: str) -> dict[uuid.UUID, Line]:
    """The line of each event with its proof, in the order of events."""
    rows = await db.rows(
        """SELECT e.id, l.leaf < $2 AS is_logged,
               CASE WHEN l.leaf < $2 THEN NULL ELSE to_jsonb(e) - 'xact' END AS event
           FROM event AS e LEFT JOIN log_leaf AS l ON l.event_id = e.id
           WHERE e.id = ANY($1::uuid[]) ORDER BY e.id""",
        list(ids), size or 0,
    )  # fmt: skip
    proved = [row["id"] for row in rows if row["is_logged"]]
    found = await proofs.inclusions(proved, size=size) if proved else []
    closed = await _of_closed_people(proved) if masking.shows_details(level) else set()
    made: dict[uuid.UUID, Line] = {
        one.event_id: (True, as_line(_told(one, "masked" if one.event_id in closed else level)))
        for one in found
    }
    for row in rows:
        if not row["is_logged"]:
            made[row["id"]] = (False, as_line({"index": None, "event": row["event"]}))
    return made


async def _of_closed_people(ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Events about people whose data is closed: their details stay behind."""
    found = await db.rows(
        """SELECT e.id FROM event AS e JOIN person AS p ON p.blocked_at IS NOT NULL
               AND (e.subject_id = p.id OR e.subject_id IN (
                   SELECT a.id FROM account AS a WHERE a.person_id = p.id))
           WHERE e.id = ANY($1::uuid[])""",
        list(ids),
    )
    return {row["id"] for row in found}


def joined(gathered: Gathered, some: list[Line]) -> bytes:
    """The lines as a member; those not under the checkpoint are noted."""
    if later := sum(1 for is_logged, _ in some if not is_logged):
        gathered.lack("not_in_log", later)
    return b"".join(line for _, line in some)


def _told(one: Inclusion, level: str) -> dict[str, object]:
    """One line; the event stands as an object, and as text where that would not come out alike."""
    event = json.loads(one.event)
    again = json.dumps(event, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    line: dict[str, object] = {
        "index": one.leaf, "salt": one.salt.hex(), "path": [step.hex() for step in one.path],
        "event": event if again.encode() == one.event else one.event.decode(),
    }  # fmt: skip
    if masking.shows_details(level) and one.detail is not None and one.detail_salt is not None:
        line["detail"] = one.detail.decode()
        line["detail_salt"] = bytes(one.detail_salt).hex()
    return line


async def log_members(size: int) -> list[Source]:
    """The checkpoint, its time stamp and cosignatures, and the key it is signed with."""
    found = await proofs.checkpoint(size)
    made = [
        Source("log/checkpoint", found.note.encode()),
        Source("log/key", f"{await identity.verifier()}\n".encode()),
    ]
    if found.cosigned != found.note:
        made.append(Source("log/cosigned", found.cosigned.encode()))
    if found.token is not None:
        made.append(Source("log/checkpoint.tst", bytes(found.token)))
    return made
