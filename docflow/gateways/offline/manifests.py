"""What an offline package says of itself (опись пакета); pure.

A package is a ZIP whose members are stored, not compressed: ``index.html`` for people,
``manifest.json`` that names every other member with its SHA-256, ``seal.json`` over the bytes of
the manifest, and the files. Documents go one way, answers the other; both may lie in one package.
"""

import uuid
from datetime import datetime
from typing import Literal

import msgspec

from core.sandbox.errors import HostileInput

FORMAT = "docflow-offline"
VERSION = 1
MANIFEST, SEAL, INDEX = "manifest.json", "seal.json", "index.html"
MOST_TEXT = 4000

AnswerKind = Literal["delivered", "opened", "acknowledged", "executed", "refused"]


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An organization; every installation has the same registry."""

    id: uuid.UUID
    code: str
    name: str


class SignatureEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A detached signature that lies beside its file."""

    path: str
    role: str
    size: int
    sha256: str


class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a document, byte for byte as it was signed."""

    path: str
    file_name: str
    title: str
    role: Literal["main", "annex"]
    position: int
    media_type: str
    size: int
    sha256: str
    signatures: tuple[SignatureEntry, ...] = ()


class DocumentEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document with its card; `uid` is the consignment's, the same in every package."""

    uid: uuid.UUID
    delivery_id: uuid.UUID
    document_id: uuid.UUID
    code: str
    """What is told by telephone or written on paper to acknowledge it."""
    author: Party
    kind: str
    title: str
    number: str
    date: str
    addressee: str = ""
    mark: str = "none"
    due_on: str = ""
    files: tuple[FileEntry, ...] = ()


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The person who answers."""

    last_name: str
    first_name: str = ""
    middle_name: str = ""
    post: str = ""


class AnswerEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of one delivery over there."""

    uid: uuid.UUID
    delivery_id: uuid.UUID
    kind: AnswerKind
    at: datetime
    """By the clock over there; information, not proof."""
    person: Named | None = None
    reason: str = ""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole package in words; `sequence` grows with every package of one sender for one
    recipient, and a package holds all that is unanswered, so that a later one replaces an earlier.
    """

    format: Literal["docflow-offline"] = "docflow-offline"
    version: int = VERSION
    id: uuid.UUID
    sequence: int
    made_at: datetime
    sender: Party
    recipient: Party
    documents: tuple[DocumentEntry, ...] = ()
    answers: tuple[AnswerEntry, ...] = ()
    reply_key: str = ""
    """Hexadecimal secret for answers made where there is no installation."""
    index_sha256: str = ""

    @property
    def members(self) -> dict[str, tuple[int, str]]:
        """Every file by its path with size and digest; index.html has no size here."""
        named: dict[str, tuple[int, str]] = {}
        for document in self.documents:
            for one in document.files:
                named[one.path] = (one.size, one.sha256)
                named |= {mark.path: (mark.size, mark.sha256) for mark in one.signatures}
        return named


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who vouches for the manifest's bytes.

    ``ed25519``: an installation, by its key. ``reply``: somebody who holds the package that is
    answered, by the secret inside it; good for answers only.
    """

    form: Literal["ed25519", "reply"]
    key: str
    """The public key (hexadecimal), or the id of the package that is answered."""
    value: str


def encoded(manifest: Manifest) -> bytes:
    """The bytes that are sealed."""
    return msgspec.json.encode(manifest, order="sorted")


def decoded(data: bytes) -> Manifest:
    """The manifest; raises HostileInput `package_manifest`, `package_version`."""
    try:
        head = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        version = msgspec.json.decode(head.get("version", msgspec.Raw(b"null")))
        form = msgspec.json.decode(head.get("format", msgspec.Raw(b"null")))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise _unreadable() from problem
    if form == FORMAT and isinstance(version, int) and version > VERSION:
        raise HostileInput(
            "Пакет создан более новой версией программы. Обновите программу.",
            "The package was made by a newer version of the program. Update yours.",
            code="package_version", version=version,
        )  # fmt: skip
    try:
        found = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise _unreadable() from problem
    return found


def decoded_seal(data: bytes) -> Seal:
    """The seal; raises HostileInput `package_manifest`."""
    try:
        return msgspec.json.decode(data, type=Seal)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise _unreadable() from problem


def _unreadable() -> HostileInput:
    return HostileInput(
        "Опись пакета не читается. Возьмите у отправителя новый пакет.",
        "The package's manifest cannot be read. Get a new package from its sender.",
        code="package_manifest",
    )
