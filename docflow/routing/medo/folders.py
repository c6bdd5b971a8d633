"""The transport's folders: what waits there, its bytes, and moving it away once it is entered."""

import asyncio
import hashlib
import os
import stat
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core import clock, db
from core.errors import ServiceError, Unavailable
from core.sandbox import pool
from core.sandbox.errors import HostileInput
from core.settings import settings
from docflow.gateways.medo.messages import Finding, Kind, Message
from storage import blobs
from storage.blobs import StoredBlob

QUIET = 600.0
"""Seconds without a change after which an incomplete folder is taken as it is."""
MAX_PARTS = 20_000
SMALL = 16 << 10
"""Bytes up to which a part is kept in its row: an object in the store for each receipt of a
kilobyte costs more than all the rest of its way."""
FEW = 32
"""With more parts than these all go into the store: nobody's thousand files fill the rows."""
CHUNK = 1 << 18
READING_SECONDS = 60.0


class Vanished(Exception):
    """The folder went away while it was read; what comes back is looked at again."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a message folder."""

    name: str
    path: Path
    size: int
    sha256: bytes
    content: bytes | None = None
    """The bytes themselves where they are few."""


Row = tuple[str, int, bytes, uuid.UUID | None, bytes | None]
"""A part as `write_parts` takes it: name, size, digest, its blob or else its bytes."""


async def waiting() -> list[Path]:
    """Message folders that wait, the oldest first; Unavailable when their home is not there."""
    home = settings().medo_in
    if home is None:
        return []
    return await asyncio.to_thread(_folders, home)


def _folders(home: Path) -> list[Path]:
    try:
        with os.scandir(home) as found:
            aged = sorted(
                (one.stat(follow_symlinks=False).st_mtime_ns, one.path) for one in found
                if one.is_dir(follow_symlinks=False) and not one.name.startswith(".")
            )  # fmt: skip
            return [Path(path) for _, path in aged]
    except OSError as problem:
        raise Unavailable(
            "Входящая папка МЭДО недоступна. Проверьте MEDO_IN и права на неё.",
            "The incoming МЭДО folder cannot be read. Check MEDO_IN and its rights.",
            code="medo_folder_unavailable",
        ) from problem


async def look(folder: Path) -> Message:
    """What the folder says, read at arm's length; a reader that fails makes it unreadable.

    Raises Vanished and Unavailable.
    """
    if not await asyncio.to_thread(folder.is_dir):
        raise Vanished(folder.name)
    try:
        found: Message = await pool().run(
            "docflow.routing.medo.members:read_at", os.fsencode(folder),
            os.fsencode(settings().medo_schemas or ""), into=Message, timeout=READING_SECONDS,
        )  # fmt: skip
    except HostileInput as problem:
        if not await asyncio.to_thread(folder.is_dir):
            raise Vanished(folder.name) from problem
        finding = Finding(
            code=problem.error_code, ru=problem.message_ru, en=problem.message_en,
            where=folder.name,
        )  # fmt: skip
        return Message(kind=Kind.UNKNOWN, version="", errors=(finding,))
    return found


def is_settled(message: Message) -> bool:
    """Is the folder whole, or has nothing come for so long that nothing more is expected?"""
    return message.is_complete or (message.quiet_seconds or 0) >= QUIET


async def parts_of(folder: Path) -> list[Part]:
    """Every regular file of the folder with its digest, by name; links and folders are left out."""
    return await asyncio.to_thread(_parts, folder)


def _parts(folder: Path) -> list[Part]:
    try:
        with os.scandir(folder) as found:
            names = sorted(one.name for one in found if one.is_file(follow_symlinks=False))
        small = SMALL if len(names) <= FEW else -1
        return [_part(folder / name, small) for name in names[:MAX_PARTS]]
    except FileNotFoundError as problem:
        raise Vanished(folder.name) from problem


def _part(path: Path, small: int) -> Part:
    digest, size, first = hashlib.sha256(), 0, b""
    # a name that became a link meanwhile is not followed
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise Vanished(path.name)
        while chunk := opened.read(CHUNK):
            digest.update(chunk)
            first = first or chunk
            size += len(chunk)
    return Part(path.name, path, size, digest.digest(), first if size <= small else None)


def payload_of(parts: list[Part], message: Message) -> bytes:
    """A digest of the message without its envelope, which the transport writes anew each time."""
    envelope = message.envelope.name.lower() if message.envelope else ""
    digest = hashlib.sha256()
    for part in parts:
        is_envelope = part.name.lower() == envelope or part.name.lower() in _ENVELOPES
        if not is_envelope:
            digest.update(part.name.encode("utf-8", "surrogateescape") + b"\0" + part.sha256)
    return digest.digest()


_ENVELOPES = frozenset({"envelope.ini", "envelope.ltr"})


async def store(path: Path, *, limit: int) -> StoredBlob | None:
    """Keep a file as it came; None for an empty one, which has nothing to keep."""
    try:
        return await blobs.store(_stream(path), limit=limit)
    except FileNotFoundError as problem:
        raise Vanished(path.name) from problem
    except ServiceError as problem:
        if problem.error_code == "empty_file":
            return None
        raise


async def _stream(path: Path) -> AsyncIterator[bytes]:
    handle = await asyncio.to_thread(os.open, path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as opened:
        while chunk := await asyncio.to_thread(opened.read, CHUNK):
            yield chunk


async def write_parts(message_id: uuid.UUID, parts: list[Row]) -> None:
    """Note the files of a message; in the caller's transaction."""
    names, sizes, digests, blob_ids, contents = zip(*parts, strict=True) if parts else ((),) * 5
    await db.execute(
        """INSERT INTO medo_part (id, message_id, name, size, sha256, blob_id, content)
           SELECT uuidv7(), $1, t.name, t.size, t.sha256, t.blob_id, t.content
           FROM unnest($2::text[], $3::bigint[], $4::bytea[], $5::uuid[], $6::bytea[])
                AS t (name, size, sha256, blob_id, content)
           ON CONFLICT ON CONSTRAINT medo_part_name DO NOTHING""",
        message_id, [safe_name(name) for name in names], sizes, digests, blob_ids, contents,
    )  # fmt: skip


def safe_name(name: str) -> str:
    """A file name as text that can be stored, whatever bytes it has on disk."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\x00", "?")


async def put_away(folder: Path, *, place: str) -> None:
    """Move a folder that is entered out of the transport's sight, beside the incoming folder.

    `place` is ``taken``, ``restricted`` or ``quarantine``. Gone already is no error; a name that is
    there already gets an id behind it.
    """
    await asyncio.to_thread(_put_away, folder, place)


def _put_away(folder: Path, place: str) -> None:
    home = folder.parent
    target = home.with_name(f"{home.name}.{place}") / clock.today().isoformat()
    target.mkdir(parents=True, exist_ok=True)
    wanted = target / folder.name
    if wanted.exists():
        wanted = target / f"{folder.name}.{clock.new_id()}"
    with suppress(FileNotFoundError):
        folder.rename(wanted)
