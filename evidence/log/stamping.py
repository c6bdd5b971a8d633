"""One RFC 3161 token per checkpoint, from an authority that may be away for a while.

The newest checkpoint is stamped; it covers every earlier one, which the consistency of the tree
shows. Nothing is dropped while the authority is down: what has no token, or none after it, is due.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core import clock, db
from core.errors import Unavailable

EVERY = timedelta(seconds=30)
"""So long at least between two tokens, that no authority is asked each second."""
COUNTED = 1000
LATE = timedelta(minutes=15)
"""A checkpoint that waits longer for its token is told of loudly."""


class StampClient(Protocol):
    """Asks a time-stamp authority; answers the token in DER or raises `Unavailable`."""

    async def __call__(self, digest: bytes, *, algorithm: str) -> bytes:
        """The token over a digest."""
        ...


@dataclass(frozen=True, slots=True)
class Due:
    """Checkpoints without a token on or after them."""

    number: int
    """Counted up to `COUNTED`."""
    since: datetime | None
    last_at: datetime | None
    """When the last token was written."""

    @property
    def is_late(self) -> bool:
        """Is it time to be loud?"""
        return self.since is not None and clock.now() - self.since > LATE


async def due() -> Due:
    """What waits for a token, and since when."""
    row = await db.row(
        """SELECT count(*) AS number, min(c.at) AS since,
                  (SELECT at FROM log_stamp ORDER BY size DESC LIMIT 1) AS last_at
           FROM (SELECT at FROM log_checkpoint
                 WHERE size > coalesce((SELECT max(size) FROM log_stamp), 0)
                 ORDER BY size LIMIT $1) AS c""",
        COUNTED,
    )
    return Due(**(row or {}))


async def stamp_newest(*, stamp: StampClient) -> int | None:
    """Get a token over the newest checkpoint, if one is due by now; answers its size.

    Raises `Unavailable` when the authority does not answer. Belongs outside a transaction.
    """
    waiting = await due()
    if waiting.number == 0:
        return None
    if waiting.last_at is not None and clock.now() - waiting.last_at < EVERY:
        return None
    newest = await db.row("SELECT size, note FROM log_checkpoint ORDER BY size DESC LIMIT 1")
    if newest is None:
        return None
    digest = digest_of(newest["note"])
    token = await stamp(digest, algorithm="sha256")
    if digest not in token:
        raise Unavailable(
            "Отметка времени выдана не на контрольную точку. Проверьте службу отметок.",
            "The time stamp is not over the checkpoint. Check the time-stamp authority.",
            code="timestamp_unusable",
        )
    await db.execute(
        "INSERT INTO log_stamp (size, token, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        newest["size"], token, clock.now(),
    )  # fmt: skip
    return int(newest["size"])


def digest_of(note: str) -> bytes:
    """What a token is over: the note with the log's signature, without the witnesses'."""
    return hashlib.sha256(note.encode()).digest()
