"""A message folder on disk, looked at without following anything out of it."""

import hashlib
import os
import re
import stat
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from docflow.gateways.medo.findings import Notes
from docflow.gateways.medo.limits import Limits

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


_FORBIDDEN = re.compile(r"""[/\\:*?"<>|\x00-\x1f\x7f-\x9f\ud800-\udfff]""")


class TooManyEntries(OSError):
    """More names than anybody should look through."""


class Entry(NamedTuple):
    """One name in the folder."""

    size: int
    changed: float
    is_plain: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder and what was in it when it was opened."""

    handle: int
    entries: dict[str, Entry]
    spellings: dict[str, str]

    def find(self, name: str, notes: Notes) -> str | None:
        """The name on disk of a file the message names; None when there is no such file."""
        if not is_safe(name):
            notes.refuse("unsafe_name", name=name)
            return None
        found = name if name in self.entries else self.spellings.get(spelling(name))
        if found is None:
            return None
        if not self.entries[found].is_plain:
            notes.refuse("not_a_plain_file", name)
            return None
        if found != name:
            notes.warn("name_case", name, name=found)
        return found

    @contextmanager
    def open(self, name: str) -> Iterator[BufferedReader]:
        """The file, never a link, a pipe or a device."""
        handle = os.open(name, _FLAGS, dir_fd=self.handle)
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(f"{name}: not a plain file")
            yield stream

    def read(self, name: str, *, most: int) -> bytes:
        """The bytes, one more than `most` at most, so that the caller can tell."""
        with self.open(name) as stream:
            # Asked for all of `most`, Python would first make room for all of it.
            size = os.fstat(stream.fileno()).st_size
            return stream.read(min(size, most) + 1)

    def digest(self, name: str) -> tuple[int, str]:
        """Size and SHA-256 of what could be read."""
        with self.open(name) as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return stream.tell(), digest

    @property
    def quiet_seconds(self) -> float | None:
        """Since the last change of anything in the folder, by this machine's clock."""
        changed = max((entry.changed for entry in self.entries.values()), default=None)
        return None if changed is None else max(0.0, time.time() - changed)


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[Folder]:
    """The folder itself, which may be no link; raises OSError."""
    handle = os.open(path, _FLAGS | os.O_DIRECTORY)
    try:
        entries = scan(handle, limits)
        spellings = {spelling(name): name for name in sorted(entries, reverse=True)}
        yield Folder(handle, entries, spellings)
    finally:
        os.close(handle)


def scan(handle: int, limits: Limits) -> dict[str, Entry]:
    """All names with size and time; raises TooManyEntries."""
    entries: dict[str, Entry] = {}
    with os.scandir(handle) as found:
        for one in found:
            if len(entries) >= limits.folder_entries:
                raise TooManyEntries(limits.folder_entries)
            facts = one.stat(follow_symlinks=False)
            is_plain = stat.S_ISREG(facts.st_mode)
            entries[one.name] = Entry(facts.st_size, facts.st_mtime, is_plain)
    return entries


def is_safe(name: str) -> bool:
    """A bare file name: no path, no control character, nothing a shell or Windows minds."""
    return (
        0 < len(name.encode("utf-8", "surrogatepass")) <= 255
        and name not in (".", "..")
        and not _FORBIDDEN.search(name)
    )


def spelling(name: str) -> str:
    """What a file system that minds no letter case would take for the same name."""
    return unicodedata.normalize("NFC", name).casefold()
