"""The end of a package: both lists of digests, the statement, its signature, the directory.

Everything here is made from the record of the members, row by row; it is one stretch, so an
interrupted one is made anew.
"""

import hashlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from core import canonical, clock, db
from evidence.packages import keys
from evidence.packages.members import Digester
from evidence.packages.packing import LARGEST
from evidence.verifier import archive as form
from signatures import seals
from storage import blobs

_PAGE = 5000
_NAMED_LACKS = 50


@dataclass(frozen=True, slots=True)
class Closed:
    """What the end of a package was."""

    statement: bytes
    blob_id: uuid.UUID
    size: int


async def close(export: db.Row, *, after: tuple[int, int]) -> Closed:
    """Store the end of the package; `after` is (members, bytes) of what was packed before.

    Asks the time-stamp authorities where there are any; belongs outside a transaction.
    """
    members, start = after
    lists = [
        await _measured(export["id"], _SHA256), await _measured(export["id"], _STREEBOG256),
    ]  # fmt: skip
    statement = canonical.dumps(await _statement(export, members, start, lists))
    key = await keys.service_key()
    signature = await seals.seal_detached(key, hashlib.sha256(statement).digest())
    tail = _Tail(start)
    blob = await blobs.store(_bytes(export["id"], members, tail, lists, statement, signature),
                             limit=LARGEST)  # fmt: skip
    return Closed(statement, blob.id, tail.size)


@dataclass(frozen=True, slots=True)
class _List:
    name: str
    column: str


_SHA256 = _List(form.SHA256_LIST, "sha256")
_STREEBOG256 = _List(form.STREEBOG_LIST, "streebog256")


@dataclass(frozen=True, slots=True)
class _Measured:
    """A list that was written once to know its digests, and will be again."""

    which: _List
    made: Digester


class _Tail:
    """The commitment over the end of the package while it is written."""

    def __init__(self, start: int) -> None:
        self.start, self.size = start, 0
        self._hashed = hashlib.sha256()

    def over(self, piece: bytes) -> bytes:
        """Count the piece in."""
        self.size += len(piece)
        self._hashed.update(piece)
        return piece

    def last(self) -> bytes:
        """The commitment itself."""
        self.size += 64
        return self._hashed.hexdigest().encode()


async def _measured(export_id: uuid.UUID, which: _List) -> _Measured:
    made = Digester()
    async for piece in _listed(export_id, which):
        made.update(piece)
    return _Measured(which, made)


async def _listed(export_id: uuid.UUID, which: _List) -> AsyncIterator[bytes]:
    """The list as `sha256sum` writes it."""
    async for page in _pages(export_id):
        yield b"".join(
            f"{bytes(row[which.column]).hex()}  {row['name']}\n".encode() for row in page
        )


async def _pages(export_id: uuid.UUID) -> AsyncIterator[list[db.Row]]:
    """The record of the members, in their order."""
    after = -1
    while page := await db.rows(
        """SELECT start, name, size, crc, sha256, streebog256 FROM evidence_member
           WHERE export_id = $1 AND start > $2 ORDER BY start LIMIT $3""",
        export_id, after, _PAGE,
    ):  # fmt: skip
        yield page
        after = page[-1]["start"]


async def _statement(
    export: db.Row, members: int, size: int, lists: list[_Measured]
) -> dict[str, Any]:
    """What the service states and signs."""
    lacks = await db.rows(
        """SELECT unnest(lacks) AS lack FROM evidence_item WHERE export_id = $1 AND lacks <> '{}'
           ORDER BY position LIMIT $2""",
        export["id"], _NAMED_LACKS,
    )  # fmt: skip
    name = await db.value("SELECT name FROM organization WHERE id = $1", export["organization_id"])
    return {
        "form": form.FORM,
        "id": str(export["id"]),
        "kind": export["kind"],
        "subject": None if export["subject_id"] is None else str(export["subject_id"]),
        "period": None
        if export["since"] is None
        else [export["since"].isoformat(), export["until"].isoformat()],
        "organization": {"id": str(export["organization_id"]), "name": name},
        "purpose": export["purpose"],
        "basis": export["basis"],
        "recipient": export["recipient"],
        "personal_data": export["level"],
        "requested_at": export["created_at"].isoformat(),
        "made_at": clock.now().isoformat(),
        "members": members,
        "bytes": size,
        "log_size": export["log_size"],
        "lacks": [row["lack"] for row in lacks],
        "manifest": {one.which.column: one.made.sha256.hex() for one in lists},
    }


async def _bytes(
    export_id: uuid.UUID,
    members: int,
    tail: _Tail,
    lists: list[_Measured],
    statement: bytes,
    signature: bytes,
) -> AsyncIterator[bytes]:
    closing: list[tuple[str, int, int, int]] = []

    def begun(name: str, made: Digester) -> bytes:
        closing.append((name, made.size, made.crc, tail.start + tail.size))
        return tail.over(form.local_header(name, made.size, made.crc))

    for one in lists:
        yield begun(one.which.name, one.made)
        async for piece in _listed(export_id, one.which):
            yield tail.over(piece)
    for name, content in ((form.STATEMENT, statement), (form.SIGNATURE, signature)):
        made = Digester()
        made.update(content)
        yield begun(name, made) + tail.over(content)
    directory, size = tail.start + tail.size, tail.size
    async for page in _pages(export_id):
        yield tail.over(b"".join(
            form.central_header(row["name"], row["size"], row["crc"], row["start"]) for row in page
        ))  # fmt: skip
    yield tail.over(b"".join(form.central_header(*one) for one in closing))
    count = members + len(closing)
    yield tail.over(form.ending(count, tail.size - size, directory)) + tail.last()


def digest_of(statement: bytes) -> bytes:
    """By which a package is found in the register of exports."""
    return hashlib.sha256(statement).digest()
