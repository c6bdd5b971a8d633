"""Signed notes (C2SP signed-note) and cosignatures (C2SP tlog-cosignature), with Ed25519.

Pure. A note is text that ends in a newline, an empty line, and signature lines.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PLAIN: Literal[1] = 0x01
COSIGNED: Literal[4] = 0x04
MAX_NOTE = 64 * 1024
MAX_SIGNATURES = 64
_DASH = "\u2014"


class NoteError(ValueError):
    """The note has another form than the specification wants."""


class SignatureError(NoteError):
    """A signature of a known key does not hold, or there is none."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name and kind of signature it is for."""

    name: str
    public: bytes
    kind: Literal[1, 4] = PLAIN

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        stem = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(stem).digest()[:4]

    def __str__(self) -> str:
        """The usual spelling: name, id, and key joined by plus signs (vkey)."""
        told = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{told}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One line of a note; `blob` is what follows the key's id."""

    name: str
    key_id: bytes
    blob: bytes

    def line(self) -> str:
        """The line, with its newline."""
        told = base64.b64encode(self.key_id + self.blob).decode()
        return f"{_DASH} {self.name} {told}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note; nothing of it is true before a signature was checked."""

    text: str
    signatures: tuple[Signature, ...]

    def encoded(self) -> str:
        """The note as it is sent."""
        return self.text + "\n" + "".join(one.line() for one in self.signatures)


def parsed_key(text: str) -> VerifierKey:
    """A key from its spelling; raises `NoteError`."""
    name, _, rest = text.strip().partition("+")
    key_id, _, told = rest.partition("+")
    data = _decoded(told)
    if not is_name(name) or len(data) != 33 or data[0] not in (PLAIN, COSIGNED):
        raise NoteError("not a key of a kind known here")
    found = VerifierKey(name, data[1:], COSIGNED if data[0] == COSIGNED else PLAIN)
    if found.id.hex() != key_id:
        raise NoteError("the key's id does not fit the key")
    return found


def is_name(name: str) -> bool:
    """May a key be called so?"""
    return bool(name) and "+" not in name and not any(one.isspace() for one in name)


def parse(data: bytes) -> Note:
    """Read a note; raises `NoteError`."""
    if len(data) > MAX_NOTE:
        raise NoteError("too long")
    try:
        whole = data.decode()
    except UnicodeDecodeError as problem:
        raise NoteError("not UTF-8") from problem
    if any(one < " " and one != "\n" for one in whole):
        raise NoteError("control characters")
    text, gap, tail = whole.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise NoteError("no signatures")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError("too many signatures")
    return Note(text + "\n", tuple(map(parsed_line, lines)))


def parsed_line(line: str) -> Signature:
    """One signature line without its newline; raises `NoteError`."""
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != _DASH or not is_name(parts[1]):
        raise NoteError("not a signature line")
    data = _decoded(parts[2])
    if len(data) < 5:
        raise NoteError("a signature is too short")
    return Signature(parts[1], data[:4], data[4:])


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise NoteError("not base64") from problem
    if base64.b64encode(data).decode() != text:
        raise NoteError("not base64 as it is written")
    return data


def sign(text: str, *, name: str, key: Ed25519PrivateKey) -> Signature:
    """The plain signature of the note's author."""
    return Signature(name, key_of(name, key).id, key.sign(text.encode()))


def cosign(text: str, *, name: str, key: Ed25519PrivateKey, timestamp: int) -> Signature:
    """A witness's word that this is the largest consistent head it knew at that POSIX second."""
    signed = key.sign(_cosigned(text, timestamp))
    return Signature(name, key_of(name, key, COSIGNED).id, timestamp.to_bytes(8, "big") + signed)


def key_of(name: str, key: Ed25519PrivateKey, kind: Literal[1, 4] = PLAIN) -> VerifierKey:
    """The public half."""
    return VerifierKey(name, key.public_key().public_bytes_raw(), kind)


def _cosigned(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def holds(signature: Signature, text: str, key: VerifierKey) -> bool:
    """Is this the key's signature over the text?"""
    if (signature.name, signature.key_id) != (key.name, key.id):
        return False
    signed, told = signature.blob, text.encode()
    if key.kind == COSIGNED:
        if len(signature.blob) != 72 or signature.blob[0] & 0x80:
            return False
        signed, told = signature.blob[8:], _cosigned(text, timestamp_of(signature))
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signed, told)
    except (InvalidSignature, ValueError):
        return False
    return True


def timestamp_of(cosignature: Signature) -> int:
    """When the witness signed, as a POSIX second."""
    return int.from_bytes(cosignature.blob[:8], "big")


def require_signed(note: Note, keys: Iterable[VerifierKey]) -> None:
    """Raise `SignatureError` unless one known key signed, and no known key's signature is wrong."""
    known = {(key.name, key.id): key for key in keys}
    signed = 0
    for one in note.signatures:
        key = known.get((one.name, one.key_id))
        if key is None:
            continue
        if not holds(one, note.text, key):
            raise SignatureError("a signature of a known key does not hold")
        signed += 1
    if not signed:
        raise SignatureError("no known key signed")
