"""Every use of a picture, found by the copy a claimant sends.

The same bytes, near hashes and shared local features name the candidates among what was published;
the pixels decide. Both ways round: the copy may be the original of a crop of ours, or a
screenshot of our page.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from audit import events
from compliance.prints import Looked, Reference
from compliance.registers.register import MAX_PICTURE
from compliance.searching import searching
from compliance.visibility import may_see
from core import db, sandbox
from core.actor import Actor
from storage import blobs

_SECONDS = 30.0
MOST = 200
"""Published files that are compared pixel by pixel for one question."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A published file that shows the copy."""

    level: str
    match: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Uses:
    """What was found, and how much was looked at."""

    rows: list[dict[str, Any]]
    compared: int
    published: int


async def find(actor: Actor, *, data: bytes) -> Uses:
    """All uses that show this picture, withdrawn ones too, newest first, with their matches.

    An editor sees the uses of the own organization, a lawyer also those of the ones below. Raises
    as the parsers do. The picture itself is not kept; the question is, by its digest.
    """
    from compliance.searching import published  # noqa: PLC0415 - the web process stays light until asked

    actor.require("editor", "lawyer")
    pool = sandbox.pool()
    looked: Looked = await pool.run(
        "compliance.searching.references:looked", data, timeout=_SECONDS, into=Looked
    )
    asked: Reference = await pool.run(
        "compliance.searching.references:reference", data, timeout=_SECONDS, into=Reference
    )
    near = (await published.candidates(looked, with_withdrawn=True))[:MOST]
    hits: dict[uuid.UUID, Hit] = {}
    for blob_id in near:
        hit = await _compared(blob_id, data, asked)
        if hit is not None:
            hits[blob_id] = hit
    rows = [
        {**row, "level": hits[row["blob_id"]].level, "match": hits[row["blob_id"]].match}
        for row in await _uses_of(actor, list(hits))
    ]
    await events.record(
        actor, "picture_use.searched", subject=("organization", actor.home_id),
        data={"sha256": looked.sha256, "found": len(rows)},
    )  # fmt: skip
    count = await db.value("SELECT count(DISTINCT blob_id) FROM picture_use")
    return Uses(rows, compared=len(near), published=int(count))


async def _compared(blob_id: uuid.UUID, data: bytes, asked: Reference) -> Hit | None:
    blob = await blobs.stat(blob_id)
    if blob.sha256 == asked.sha256:
        return Hit("exact", {})
    ours = await blobs.read(blob_id, limit=MAX_PICTURE)
    (match,) = await searching.verify(ours, [asked.content])
    if match is not None:
        return Hit("verified", {**match, "shown_in": "use"})
    kept: Reference = await sandbox.pool().run(
        "compliance.searching.references:reference", ours, timeout=_SECONDS, into=Reference
    )
    (match,) = await searching.verify(data, [kept.content])
    return None if match is None else Hit("verified", {**match, "shown_in": "copy"})


async def _uses_of(actor: Actor, blob_ids: list[uuid.UUID]) -> list[db.Row]:
    rows = await db.rows(
        """SELECT u.id AS use_id, u.organization_id, o.name AS organization, u.channel, u.place,
                  u.published_at, u.withdrawn_at, u.outcome, u.blob_id, u.check_id,
                  encode(b.sha256, 'hex') AS sha256
           FROM picture_use AS u JOIN blob AS b ON b.id = u.blob_id
           JOIN organization AS o ON o.id = u.organization_id
           WHERE u.blob_id = ANY ($1) ORDER BY u.id DESC""",
        blob_ids,
    )
    owners = {row["organization_id"] for row in rows}
    seen = {owner: await may_see(actor, owner) for owner in owners}
    return [row for row in rows if seen[row["organization_id"]]]
