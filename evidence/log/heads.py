"""Checkpoints (C2SP tlog-checkpoint): the head of a tree as the text of a note."""

import base64
import binascii
from dataclasses import dataclass

from evidence.log.merkle import HASH_BYTES
from evidence.log.notes import NoteError

MAX_SIZE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Head:
    """How large a log is, and the root over all of it."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parsed(text: str) -> Head:
    """The head a note's text tells of, lines of extension passed over; raises `NoteError`."""
    lines = text.removesuffix("\n").split("\n")
    if not text.endswith("\n") or len(lines) < 3 or not all(lines):
        raise NoteError("a checkpoint has three lines")
    size = parsed_size(lines[1])
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError) as problem:
        raise NoteError("root hash") from problem
    if len(root) != HASH_BYTES or base64.b64encode(root).decode() != lines[2]:
        raise NoteError("root hash")
    return Head(lines[0], size, root)


def parsed_size(digits: str) -> int:
    """A number of leaves in its one spelling; raises `NoteError`."""
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise NoteError("tree size")
    size = int(digits)
    if str(size) != digits or size > MAX_SIZE:
        raise NoteError("tree size")
    return size
