"""A witness's judgement (C2SP tlog-witness): does this log go on from what was seen of it?

Pure: who keeps the memory, a file or a database, calls `judged` and then keeps the new head in
the same exclusive step, before the answer leaves.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evidence.log import heads, merkle, notes
from evidence.log.heads import Head
from evidence.log.notes import Note, NoteError, VerifierKey

MAX_REQUEST = 128 * 1024
MAX_PROOF = 63
SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to answer: 200 means that `note` is to be kept and cosigned."""

    status: int
    reason: str = ""
    seen_size: int | None = None
    """For 409: what the answer tells."""
    note: Note | None = None
    head: Head | None = None

    @property
    def suspicion(self) -> str:
        """``conflict``: the log signed two roots for one size, which needs no other proof.
        ``doubt``: the proof of consistency does not hold; whoever sent it may be to blame."""
        if self.note is None:
            return ""
        return {409: "conflict", 422: "doubt"}.get(self.status, "")


class _Malformed(ValueError):
    """The request has another form than the specification wants."""


def judged(
    body: bytes,
    *,
    logs: Mapping[str, Sequence[VerifierKey]],
    latest: Callable[[str], Head | None],
) -> Verdict:
    """Judge a request to cosign; `latest` tells the last head cosigned for an origin."""
    try:
        old, path, note = _parsed(body)
        head = heads.parsed(note.text)
    except (_Malformed, NoteError) as problem:
        return Verdict(400, str(problem))
    if head.origin not in logs:
        return Verdict(404, "unknown log")
    try:
        notes.require_signed(note, logs[head.origin])
    except NoteError as problem:
        return Verdict(403, str(problem))
    if old > head.size:
        return Verdict(400, "the old size is larger than the checkpoint's")
    return _against(latest(head.origin), old, path, note, head)


def _against(seen: Head | None, old: int, path: Sequence[bytes], note: Note, head: Head) -> Verdict:
    seen_size, seen_root = (seen.size, seen.root) if seen else (0, merkle.EMPTY_ROOT)
    if old != seen_size:
        return Verdict(409, "another size was seen last", seen_size)
    if head.size == seen_size and head.root != seen_root:
        return Verdict(409, "another root was seen at this size", seen_size, note, head)
    try:
        merkle.require_consistency(old, seen_root, head.size, head.root, path)
    except merkle.ProofError as problem:
        return Verdict(422, str(problem), None, note, head)
    return Verdict(200, "", None, note, head)


def _parsed(body: bytes) -> tuple[int, list[bytes], Note]:
    if len(body) > MAX_REQUEST:
        raise _Malformed("too long")
    front, gap, rest = body.partition(b"\n\n")
    try:
        lines = front.decode("ascii").split("\n")
    except UnicodeDecodeError as problem:
        raise _Malformed("not ASCII before the checkpoint") from problem
    if not gap or not lines[0].startswith("old ") or len(lines) > MAX_PROOF + 1:
        raise _Malformed("old size, proof, empty line, checkpoint")
    try:
        path = [base64.b64decode(line, validate=True) for line in lines[1:]]
    except (binascii.Error, ValueError) as problem:
        raise _Malformed("not base64") from problem
    if any(len(step) != merkle.HASH_BYTES for step in path):
        raise _Malformed("a hash has 32 bytes")
    return heads.parsed_size(lines[0].removeprefix("old ")), path, notes.parse(rest)


def request(old: int, path: Sequence[bytes], note: str) -> bytes:
    """The body of a request to cosign."""
    lines = [f"old {old}", *(base64.b64encode(step).decode() for step in path), "", note]
    return "\n".join(lines).encode()
