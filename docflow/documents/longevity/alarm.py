"""Who is told when the archive does not keep what it promises."""

from datetime import timedelta

from core import clock, db
from docflow.documents.longevity import due
from notify import notices

PATIENCE = timedelta(days=1)
"""So long may something wait for its stamp before anybody is told."""


async def tell() -> int:
    """Tell the federal center, once a day while it lasts; answers how many were told.

    Of damaged files, stamps that were not renewed in time, and files long without a stamp.
    """
    found = {one.reason: one for one in await due.counts()}
    waiting = found.get("unstamped")
    numbers = {name: found[name].number if name in found else 0 for name in ("damaged", "overdue")}
    is_late = waiting is not None and waiting.since < clock.now() - PATIENCE
    numbers["unstamped"] = waiting.number if waiting is not None and is_late else 0
    if not any(numbers.values()):
        return 0
    centers = await db.rows("SELECT id FROM organization WHERE kind = 'center'")
    async with db.transaction():
        return await notices.post_many(
            [
                notices.Post(
                    row["id"], "archive_alarm", ("organization", row["id"]), clock.today(), numbers
                )
                for row in centers
            ]
        )
