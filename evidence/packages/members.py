"""What goes into a package, as it is gathered: members to be, and what is lacking."""

import hashlib
import uuid
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from signatures import digests

LACKS = {
    "blob_missing": ("содержимое файла утрачено хранилищем", "the store has lost the bytes"),
    "content_destroyed": ("содержимое уничтожено по акту", "the content was destroyed by an act"),
    "input_missing": ("нет данных, на которых основан вердикт", "an input of a verdict is gone"),
    "not_in_log": ("событие позже контрольной точки", "an event is later than the checkpoint"),
    "no_log": ("журнал событий ещё не ведётся", "there is no log of events yet"),
    "not_visible": ("документ больше не виден организации", "the document is not visible any more"),
    "not_stamped": ("архивной отметки времени ещё нет", "there is no archive time stamp yet"),
}
"""What can be lacking; the package says so itself."""


@dataclass(frozen=True, slots=True)
class Source:
    """A member to be: its name, and its bytes, or where they lie, or how they are made."""

    name: str
    content: bytes | None = field(default=None, repr=False)
    blob_id: uuid.UUID | None = None
    size: int = 0
    """Bytes, of a blob."""
    produce: Callable[[], Awaitable[bytes]] | None = None


@dataclass(slots=True)
class Gathered:
    """All of one item: members, its line in the register, what is lacking."""

    sources: list[Source] = field(default_factory=list)
    line: dict[str, Any] | None = None
    lacks: list[str] = field(default_factory=list)
    people: int = 0
    """How many people's data was read for it."""

    def lack(self, code: str, what: object) -> None:
        """Note what cannot be had."""
        self.lacks.append(f"{code}: {what}")


class Digester:
    """CRC-32, SHA-256 and Streebog-256 of bytes that come in pieces."""

    def __init__(self) -> None:
        self.size = self.crc = 0
        self._sha256 = hashlib.sha256()
        self._streebog256 = digests.start("streebog256")

    def update(self, piece: bytes) -> None:
        """Add bytes."""
        self.size += len(piece)
        self.crc = zlib.crc32(piece, self.crc)
        self._sha256.update(piece)
        self._streebog256.update(piece)

    @property
    def sha256(self) -> bytes:
        """Of what came so far."""
        return self._sha256.digest()

    @property
    def streebog256(self) -> bytes:
        """Of what came so far (GOST R 34.11-2012)."""
        return self._streebog256.digest()


def digested(content: bytes) -> Digester:
    """All three of bytes at hand."""
    made = Digester()
    made.update(content)
    return made


SUFFIXES: Mapping[str, str] = {
    "application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp",
    "image/tiff": "tif", "text/plain": "txt", "text/html": "html", "text/xml": "xml",
    "application/xml": "xml", "application/zip": "zip", "message/rfc822": "eml",
}  # fmt: skip


def original(sha256: str, media_type: str) -> str:
    """The name of a file as it was received: by its content, so that equal ones lie there once."""
    return f"files/{sha256}.{SUFFIXES.get(media_type, 'bin')}"


def as_json(value: Any) -> bytes:
    """Facts as JSON that people can read, names in order."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=1) + b"\n"


def as_line(value: Any) -> bytes:
    """The same on one line."""
    return msgspec.json.encode(value, order="sorted") + b"\n"
