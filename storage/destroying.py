"""Bytes destroyed by an act: the object goes, the row stays and says that it once was there.

A row keeps its digest, so that what was destroyed can be named for ever; nothing can be read by it.
The same bytes sent in anew heal the row as they heal one whose object was lost: they are stored
again, because whoever sends them has them lawfully.
"""

from collections.abc import Sequence
from uuid import UUID

from core import db
from core.errors import NotFound
from storage import s3

GONE = "gone/"
"""Keys of destroyed bytes begin so; no object has such a key."""


class ContentDestroyed(NotFound):
    """The bytes were destroyed by an act; that is how it should be (404)."""

    code = "content_destroyed"
    ru = "Содержимое уничтожено по акту. Осталась запись о том, что оно было."
    en = "The content was destroyed by an act. Only the note that it was there is left."


async def condemn(blob_ids: Sequence[UUID]) -> list[str]:
    """Cut these rows from their objects; answers the keys to `remove` after the commit.

    Belongs in the transaction of the act. Whether anything else still needs the bytes is the
    caller's to know. What a crash leaves between commit and removal is swept as an orphan.
    """
    found = await db.rows(
        f"""WITH before AS (SELECT id, key FROM blob WHERE id = ANY($1::uuid[])
                            AND key NOT LIKE '{GONE}%' ORDER BY id FOR UPDATE),
                 cut AS (UPDATE blob AS b SET key = '{GONE}' || b.id FROM before
                         WHERE b.id = before.id),
                 damage AS (DELETE FROM blob_damage WHERE blob_id IN (SELECT id FROM before))
            SELECT key FROM before""",
        list(blob_ids),
    )
    return [row["key"] for row in found]


async def remove(keys: Sequence[str]) -> None:
    """Delete the objects of condemned rows; outside a transaction. Raises `Unavailable`."""
    if keys:
        await s3.call(s3.remove, sorted(keys))
