"""Files of a document: streamed in, parsed at arm's length, kept as received, by revision."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from audit import events
from core import clock, db, idempotency
from core.actor import Actor
from core.errors import InvalidInput, NotFound, ServiceError, UnsupportedType
from core.sandbox import pool
from docflow.documents import cards, checking, signed, visibility
from docflow.documents.kinds import PDF, FileRule, kind_of
from storage import blobs, scanning
from storage.blobs import StoredBlob

Role = Literal["main", "annex", "scan"]

PARSED_UP_TO = 64 * 1024 * 1024
"""Bytes up to which a file is read for its text and signatures at intake; a larger one is stored,
hashed and typed all the same, and must be signed by a detached signature."""

MAX_ANNEXES = 500


@dataclass(slots=True)
class _Seen:
    """What was learned of a file before it is entered."""

    text: str = ""
    pages: int | None = None
    problems: list[str] = field(default_factory=list)
    report: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A file that is stored and read and belongs to no document yet."""

    blob: StoredBlob
    seen: _Seen
    role: Role
    position: int
    file_name: str


async def attach(
    actor: Actor,
    document_id: uuid.UUID,
    *,
    stream: AsyncIterator[bytes],
    file_name: str,
    role: Role = "main",
    position: int = 0,
    title: str = "",
    key: str | None = None,
    size: int | None = None,
) -> uuid.UUID:
    """Add a file to a draft, or a new revision of the one in that place; answers the file's id.

    The bytes stream to the store at constant memory. Type and size go by the kind's rules and by
    content, never by name. Raises `empty_file`, `too_large`, `unsupported_type`, `malware_found`,
    `broken_pdf` and other codes of the parsers, `signature_invalid` for a signed file that was
    changed; a file that is not taken lies in quarantine and the document stays as it was. Repeated
    with its `key` it answers the same file, also when the document has gone on meanwhile. `size`,
    where the caller states it, spares keeping the beginning of what is too large to be parsed.
    """
    actor.require("clerk", "signatory")
    found = await visibility.own_document(actor, document_id, lock=False)
    if not await idempotency.is_used(scope=actor.home_id, key=key):
        cards.require_editable(found)
    cards.require_text(title, most=cards.MAX_TITLE, field="title")

    async def this_one() -> uuid.UUID:
        return document_id

    received = await receive(
        actor, stream=stream, kind=found["kind"], role=role, position=position,
        file_name=file_name, draft=this_one, size=size,
    )  # fmt: skip
    return await enter(actor, document_id, received, title=title, key=key)


async def receive(
    actor: Actor,
    *,
    stream: AsyncIterator[bytes],
    kind: str,
    draft: Callable[[], Awaitable[uuid.UUID]],
    file_name: str,
    role: Role = "main",
    position: int = 0,
    size: int | None = None,
) -> Received:
    """Store and read a file for a document of this kind; what cannot be taken is quarantined.

    `draft` answers the document a refused file is remembered with. Raises as `attach` does;
    belongs outside a transaction.
    """
    rule = _rule(kind, role, position)
    tee = _Tee(stream, keeps=size is None or size <= PARSED_UP_TO)
    blob = await blobs.store(tee, limit=rule.max_size)
    try:
        if blob.media_type not in rule.media_types:
            raise UnsupportedType(
                f"Файл «{file_name}» имеет тип {blob.media_type}. Здесь принимаются: "
                f"{', '.join(sorted(rule.media_types))}.",
                f"The file {file_name!r} is {blob.media_type}. Accepted here: "
                f"{', '.join(sorted(rule.media_types))}.",
                media_type=blob.media_type,
            )
        remarks = await scanning.require_clean(blob, content=tee.content)
        seen = await _inspect(tee.content, blob)
        seen.problems.extend(remarks)
        if role == "main" and "pdf_encrypted" in seen.problems:
            raise InvalidInput(
                f"Файл «{file_name}» защищён паролем. Снимите защиту и отправьте ещё раз.",
                f"The file {file_name!r} is encrypted. Remove the protection and send it again.",
                code="pdf_encrypted",
            )
    except scanning.ScanUnavailable:  # nothing is known against the file
        raise
    except ServiceError as problem:
        await _quarantine(actor, blob, await draft(), file_name, problem)
        raise
    return Received(blob, seen, role, position, file_name)


async def enter(
    actor: Actor, document_id: uuid.UUID, received: Received, *, title: str = "",
    key: str | None = None,
) -> uuid.UUID:  # fmt: skip
    """Write a received file into the draft it came for; in the caller's transaction if any."""
    request = idempotency.request_hash(
        "file", str(document_id), received.role, str(received.position), received.blob.sha256
    )
    file_id, _ = await idempotency.once(
        scope=actor.home_id, key=key, request=request,
        create=lambda: _enter(actor, document_id, received, title),
    )  # fmt: skip
    return file_id


async def current_files(document_id: uuid.UUID) -> list[db.Row]:
    """The document's files as they stand: the main one first, then annexes in order."""
    return await db.rows(
        """SELECT id, role, position, revision, title, file_name, blob_id, media_type, size,
                  encode(sha256, 'hex') AS sha256, pages, problems, created_at
           FROM document_file WHERE document_id = $1 AND is_current
           ORDER BY role DESC, position""",
        document_id,
    )


async def visible_file(actor: Actor, file_id: uuid.UUID) -> db.Row:
    """One file of a document the actor may see; NotFound otherwise."""
    found = await db.row(
        f"""SELECT f.*, d.mark, d.status AS document_status, d.organization_id
            FROM document_file AS f JOIN document AS d ON d.id = f.document_id
            WHERE f.id = $2 AND {visibility.condition("d", "$1", "$3")}""",
        visibility.reader(actor), file_id, actor.id,
    )  # fmt: skip
    if found is None:
        document_id = await db.value("SELECT document_id FROM document_file WHERE id = $1", file_id)
        raise await visibility.unseen(actor, document_id, file_id=file_id)
    if found["document_status"] == "recalled" and found["organization_id"] != actor.home_id:
        raise NotFound(
            "Документ отозван отправителем; его содержание больше не выдаётся.",
            "The sender has recalled the document; its content is not given out any more.",
            code="document_recalled",
        )
    return found


class _Tee:
    """Passes a stream on and keeps a copy of it as long as it is small enough to parse."""

    def __init__(self, stream: AsyncIterator[bytes], *, keeps: bool) -> None:
        self._stream = stream
        self._keeps = keeps
        self._chunks: list[bytes] = []
        self._size = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._stream)
        self._size += len(chunk)
        if self._keeps and self._size <= PARSED_UP_TO:
            self._chunks.append(chunk)
        else:
            self._keeps = False
            self._chunks.clear()
        return chunk

    @property
    def content(self) -> bytes | None:
        """The whole of it, or None when it was too large to keep."""
        return b"".join(self._chunks) if self._keeps else None


def _rule(kind: str, role: Role, position: int) -> FileRule:
    if role == "main" and position != 0:
        raise InvalidInput(
            "У документа один основной файл.", "A document has one main file.", code="bad_position"
        )
    if not 0 <= position <= MAX_ANNEXES:
        raise InvalidInput(
            f"Номер приложения: от 0 до {MAX_ANNEXES}.",
            f"Number of the annex: 0 to {MAX_ANNEXES}.",
            code="bad_position",
        )
    return kind_of(kind).main if role == "main" else kind_of(kind).annex


async def _inspect(content: bytes | None, blob: StoredBlob) -> _Seen:
    """Text, pages and signatures, found out in other processes."""
    if content is None:
        return _Seen(problems=["not_parsed"])
    if blob.media_type != PDF or not checking.claims_signature(content):
        read = await pool().run("core.sandbox.extract:extract_text", content, blob.media_type)
        return _Seen(read["text"], read["pages"], read["problems"])
    read, report = await checking.read_signed(content, blob.media_type)
    checking.require_readable(report)
    return _Seen(read["text"], read["pages"], read["problems"], report.raw)


async def _enter(actor: Actor, document_id: uuid.UUID, received: Received, title: str) -> uuid.UUID:
    seen = received.seen
    found = await visibility.own_document(actor, document_id)
    cards.require_editable(found)
    file_id = await enter_revision(
        actor, document_id, received.blob, role=received.role, position=received.position,
        file_name=received.file_name, title=title, pages=seen.pages, problems=seen.problems,
    )  # fmt: skip
    if received.role == "main":
        await db.execute(
            "UPDATE document_text SET body = $2 WHERE document_id = $1",
            document_id, seen.text.replace("\x00", " "),
        )  # fmt: skip
    if seen.report:
        await signed.record_found(actor, found, file_id, seen.report)
    return file_id


async def enter_revision(
    actor: Actor,
    document_id: uuid.UUID,
    blob: StoredBlob,
    *,
    role: str,
    position: int,
    file_name: str,
    title: str,
    pages: int | None,
    problems: list[str],
    is_first: bool = False,
) -> uuid.UUID:
    """Write the next revision of a place and its event; inside the caller's transaction.

    `is_first`: the caller has just made the document, so no revision is looked for.
    """
    file_id = clock.new_id()
    last = None if is_first else await db.value(
        """UPDATE document_file SET is_current = false
           WHERE document_id = $1 AND role = $2 AND position = $3 AND is_current
           RETURNING revision""",
        document_id, role, position,
    )  # fmt: skip
    await db.execute(
        """INSERT INTO document_file (id, document_id, role, position, revision, title, file_name,
               blob_id, media_type, size, sha256, pages, problems, created_by, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)""",
        file_id, document_id, role, position, (last or 0) + 1, title or file_name, file_name,
        blob.id, blob.media_type, blob.size, bytes.fromhex(blob.sha256), pages, problems,
        actor.account_id, clock.now(),
    )  # fmt: skip
    await events.record(
        actor, "document.file_added", subject=("document_file", file_id), document_id=document_id,
        data={"role": role, "position": position, "sha256": blob.sha256, "size": blob.size,
              "media_type": blob.media_type},
    )  # fmt: skip
    return file_id


async def _quarantine(
    actor: Actor, blob: StoredBlob, document_id: uuid.UUID, file_name: str, problem: ServiceError
) -> None:
    entry_id, reason = clock.new_id(), problem.error_code
    told = {"reason": reason, "sha256": blob.sha256}
    if isinstance(problem, scanning.MalwareFound):
        told["malware"] = str(problem.details["malware"])
    async with db.transaction():
        await db.execute(
            """INSERT INTO quarantine (id, blob_id, organization_id, document_id, file_name, reason,
                                       created_by, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
            entry_id, blob.id, actor.home_id, document_id, file_name[:255], reason,
            actor.account_id, clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "file.quarantined", subject=("quarantine", entry_id), document_id=document_id,
            data=told,
        )  # fmt: skip
