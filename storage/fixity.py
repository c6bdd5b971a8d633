"""Are the stored bytes still those that were stored: read anew, the longest unread first."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from core import clock, db
from core.errors import NotFound
from storage import blobs, s3
from storage.blobs import StoredBlob
from storage.destroying import GONE

Damage = Literal["lost", "changed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome for one blob; `damage` is None where every byte is as it was."""

    blob_id: UUID
    size: int
    damage: Damage | None
    is_new: bool = False
    """Does it differ from what was known?"""


async def check(*, budget: int) -> AsyncIterator[Finding]:
    """Read blobs, oldest check first, until `budget` bytes are spent; at least one is read.

    Each is answered before anything is written of it: the caller enters it by `enter`. Raises
    `Unavailable` when the store does not answer, which says nothing of the bytes.
    """
    spent, before = 0, clock.now()
    while spent < budget:
        found = await db.row(
            f"""SELECT id, size FROM blob
                WHERE (fixity_tried_at IS NULL OR fixity_tried_at < $1)
                AND key NOT LIKE '{GONE}%' ORDER BY fixity_tried_at NULLS FIRST, id LIMIT 1""",
            before,
        )
        if found is None:
            return
        spent += found["size"]
        yield Finding(found["id"], found["size"], await examine(found["id"]))


async def examine(blob_id: UUID) -> Damage | None:
    """Read one blob whole and compare; damage is only said after a second look."""
    return await _look(blob_id) and await _look(blob_id)


async def enter(finding: Finding) -> Finding:
    """Write the outcome; answers it with `is_new` set. Joins the caller's transaction."""
    moment = clock.now()
    async with db.transaction():
        await db.execute(
            "UPDATE blob SET fixity_tried_at = $2 WHERE id = $1", finding.blob_id, moment
        )
        if finding.damage is None:
            healed = await db.execute("DELETE FROM blob_damage WHERE blob_id = $1", finding.blob_id)
            await db.execute(
                "UPDATE blob SET fixity_checked_at = greatest($2, created_at) WHERE id = $1",
                finding.blob_id, moment,
            )  # fmt: skip
            return Finding(finding.blob_id, finding.size, None, bool(healed))
        is_new = await db.value(
            """INSERT INTO blob_damage (blob_id, kind, found_at, seen_at) VALUES ($1, $2, $3, $3)
               ON CONFLICT (blob_id) DO UPDATE SET kind = excluded.kind, seen_at = excluded.seen_at
               RETURNING found_at = seen_at""",
            finding.blob_id, finding.damage, moment,
        )  # fmt: skip
        return Finding(finding.blob_id, finding.size, finding.damage, bool(is_new))


async def _look(blob_id: UUID) -> Damage | None:
    try:
        blob = await blobs.stat(blob_id)
        damage = await _seen(blob)
        # destroyed by an act while we looked, or healed: then we looked at what is of no account
        if damage is not None and (await blobs.stat(blob_id)).key != blob.key:
            return None
    except NotFound:
        return None
    return damage


async def _seen(blob: StoredBlob) -> Damage | None:
    try:
        if await s3.call(s3.size_of, blob.key) != blob.size:
            return "changed"
        async for _ in await blobs.open_blob(blob.id):
            pass
    except s3.NoSuchObject:
        return "lost"
    except blobs.BlobMissing:
        return "changed"
    return None
