"""Pieces of what is still on its way: kept beside the blobs until the whole has come.

A piece lies under a key its owner names, outside the prefix that the sweep of orphans looks at, and
is written again at will: the same piece twice is one piece.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence

from core.errors import NotFound
from storage import s3

PREFIX = "pieces/"


async def put(key: str, body: bytes) -> None:
    """Keep a piece; raises `Unavailable`. Outside a transaction."""
    await s3.call(s3.put, PREFIX + key, body)


async def joined(keys: Sequence[str], *, size: int) -> AsyncIterator[bytes]:
    """The pieces one after the other, each in memory at a time; NotFound when one is gone.

    `size` is the most a piece can have.
    """
    for key in keys:
        try:
            length = await s3.call(s3.size_of, PREFIX + key)
            yield await s3.call(_whole, PREFIX + key, min(length, size))
        except s3.NoSuchObject as problem:
            raise NotFound(piece=key) from problem


def _whole(key: str, length: int) -> bytes:
    answer = s3.get(key, 0, length)
    try:
        return bytes(answer.read(length))
    finally:
        answer.release_conn()


async def remove(keys: Sequence[str]) -> None:
    """Forget pieces; what is gone already is no error."""
    with contextlib.suppress(s3.NoSuchObject):
        await s3.call(s3.remove, [PREFIX + key for key in keys])
