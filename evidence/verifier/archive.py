"""The archive: a ZIP file in which nothing is left to choice.

Members are stored, not compressed, one behind the other; their headers follow from name, size and
CRC-32, and the comment at the end holds the SHA-256 of the closing part. So whatever byte is
changed, something stops to fit.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from evidence.verifier.findings import Bad, Unknown

FORM = "docflow-evidence-1"
SHA256_LIST = "manifest/sha256.txt"
STREEBOG_LIST = "manifest/streebog256.txt"
STATEMENT = "package.json"
SIGNATURE = "package.p7s"
CLOSING = (SHA256_LIST, STREEBOG_LIST, STATEMENT, SIGNATURE)
"""The last four members: two lists of digests, the statement on them, its signature."""

NAME = re.compile(rb"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
"""Every name: no backslash, no `..`, no leading slash, nothing a file system could stumble over."""
MOST_MEMBERS = 5_000_000
LARGEST_READ = 256 << 20
"""Bytes of a member that is read whole, for its text or its signature."""
PIECE = 1 << 20


@dataclass(frozen=True)
class Member:
    """One file of the package; `start` is where its header begins, `data` where its bytes do."""

    name: str
    size: int
    crc: int
    start: int

    @property
    def data(self) -> int:
        """The offset of its first byte."""
        return self.start + len(local_header(self.name, self.size, self.crc))


def local_header(name: str, size: int, crc: int) -> bytes:
    """What stands before the bytes of a member (APPNOTE 4.3.7, sizes in the ZIP64 field)."""
    extra = struct.pack("<HHQQ", 1, 16, size, size)
    fixed = (b"PK\3\4", 45, 0, 0, 0, 0x21, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(extra))
    return struct.pack("<4s5H3I2H", *fixed) + name.encode() + extra


def central_header(name: str, size: int, crc: int, start: int) -> bytes:
    """The entry of a member in the directory (4.3.12)."""
    extra = struct.pack("<HHQQQ", 1, 24, size, size, start)
    fixed = (b"PK\1\2", 45, 45, 0, 0, 0, 0x21, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(extra),
             0, 0, 0, 0, 0xFFFFFFFF)  # fmt: skip
    return struct.pack("<4s6H3I5H2I", *fixed) + name.encode() + extra


def ending(count: int, size: int, start: int) -> bytes:
    """The end of the archive (4.3.14 to 4.3.16), without the 64 digits of the commitment."""
    return (
        struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
        + struct.pack("<4sIQI", b"PK\6\7", 0, start + size, 1)
        + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF,
                      len(FORM) + 1 + 64)
        + FORM.encode() + b" "
    )  # fmt: skip


_ENDING = len(ending(0, 0, 0))


def read_archive(stream: BinaryIO) -> list[Member]:
    """The members, after every byte that is not theirs was compared with what it must be.

    Raises Bad: `not_a_package`, `archive_form`, `commitment`.
    """
    length = stream.seek(0, os.SEEK_END)
    if length < _ENDING + 64:
        raise Bad("not_a_package")
    stream.seek(length - _ENDING - 64)
    end = stream.read(_ENDING)
    commitment = stream.read(64)
    if not end.startswith(b"PK\6\6") or not end.endswith(FORM.encode() + b" "):
        raise Bad("not_a_package")
    count, size, start = struct.unpack("<3Q", end[32:56])
    if end != ending(count, size, start) or start + size + _ENDING + 64 != length:
        raise Bad("archive_form")
    if count > MOST_MEMBERS or len(CLOSING) > count:
        raise Bad("archive_form")
    stream.seek(start)
    members = list(_directory(stream, count, start + size))
    if stream.tell() != start + size or [one.name for one in members[-4:]] != list(CLOSING):
        raise Bad("archive_form")
    _require_gapless(stream, members, start)
    if _digest(stream, members[-4].start, length - 64).hex().encode() != commitment:
        raise Bad("commitment")
    return members


def _require_gapless(stream: BinaryIO, members: list[Member], end: int) -> None:
    """Each member begins where the one before ended, with the one header it can have."""
    at = 0
    for one in members:
        header = local_header(one.name, one.size, one.crc)
        stream.seek(at)
        if one.start != at or stream.read(len(header)) != header:
            raise Bad("archive_form", one.name)
        at += len(header) + one.size
    if at != end or len({one.name for one in members}) != len(members):
        raise Bad("archive_form")


def _directory(stream: BinaryIO, count: int, end: int) -> Iterator[Member]:
    for _ in range(count):
        fixed = stream.read(46)
        if len(fixed) < 46 or stream.tell() > end:
            raise Bad("archive_form")
        name = stream.read(min(struct.unpack("<H", fixed[28:30])[0], 255))
        extra = stream.read(28)
        if not NAME.fullmatch(name) or len(extra) < 28:
            raise Bad("archive_form", name.decode("latin-1")[:100])
        (crc,) = struct.unpack("<I", fixed[16:20])
        size, again, start = struct.unpack("<3Q", extra[4:])
        if fixed + name + extra != central_header(name.decode(), size, crc, start):
            raise Bad("archive_form", name.decode())
        if size > end or again != size:
            raise Bad("archive_form", name.decode())
        yield Member(name.decode(), size, crc, start)


def pieces(stream: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """The bytes between two offsets."""
    stream.seek(start)
    while start < end:
        piece = stream.read(min(PIECE, end - start))
        if not piece:
            raise Bad("not_a_package")
        start += len(piece)
        yield piece


def _digest(stream: BinaryIO, start: int, end: int) -> bytes:
    hashed = hashlib.sha256()
    for piece in pieces(stream, start, end):
        hashed.update(piece)
    return hashed.digest()


def reader(stream: BinaryIO, members: list[Member]) -> Callable[[str], bytes]:
    """A function that reads a member by its name."""
    places = {one.name: one for one in members}

    def read(name: str) -> bytes:
        one = places[name]
        if one.size > LARGEST_READ:
            raise Unknown("too large to be read whole")
        return b"".join(pieces(stream, one.data, one.data + one.size))

    return read
