"""Documents made outside (документы извне): a letter of another body, entered as it came.

The card belongs to the body that wrote it and stands under that body's number; our clerk registers
it in our own journal like any received letter (`registration.register_incoming`).
"""

import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import ServiceError, Unavailable
from core.sandbox import pool
from docflow.documents import cards, checking, files, signed
from docflow.documents.kinds import PDF
from docflow.documents.states import DocumentStatus
from storage import blobs, scanning
from storage.blobs import StoredBlob

NO_NUMBER = "б/н"
UNTITLED = "Без заголовка"


@dataclass(frozen=True, slots=True)
class FoundSignature:
    """A detached signature that came with a file, and what its check found."""

    blob: StoredBlob
    role: str
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OutsideFile:
    """A file that came, stored and read at arm's length."""

    blob: StoredBlob
    role: Literal["main", "annex"]
    position: int
    file_name: str
    title: str = ""
    text: str = ""
    pages: int | None = None
    problems: tuple[str, ...] = ()
    embedded: dict[str, Any] | None = None
    signatures: tuple[FoundSignature, ...] = ()

    @property
    def verdicts(self) -> list[str]:
        """What was found of every signer of this file."""
        found = [one.report for one in self.signatures]
        reports = [*found, *([self.embedded] if self.embedded else [])]
        return [each["verdict"] for report in reports for each in signed.of_people(report)]


@dataclass(frozen=True, slots=True)
class OutsideCard:
    """What the sender says of the document."""

    kind: str
    title: str
    number: str = ""
    day: date | None = None
    addressee: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    mark: Literal["none", "dsp"] = "none"


async def look_into(
    blob: StoredBlob,
    *,
    role: Literal["main", "annex"],
    position: int,
    file_name: str,
    title: str = "",
    signatures: tuple[tuple[StoredBlob, str], ...] = (),
    content: bytes | None = None,
) -> OutsideFile:
    """Read a stored file and check its signatures; whatever it is, it is kept, with remarks.

    `signatures`: detached ones with their roles. `content`: the bytes, where the caller has them
    still. Outside a transaction. Raises Unavailable, MalwareFound, TooLarge.
    """
    text, pages, problems, embedded = "", None, [], None
    remarks = await scanning.require_clean(blob, content=content)
    for one, _ in signatures:
        remarks += await scanning.require_clean(one)
    if blob.size <= files.PARSED_UP_TO:
        content = content or await blobs.read(blob.id, limit=files.PARSED_UP_TO)
        try:
            if blob.media_type == PDF and checking.claims_signature(content):
                read, check = await checking.read_signed(content, blob.media_type)
                embedded = check.raw if check.raw.get("signatures") else None
            else:
                read = await pool().run("core.sandbox.extract:extract_text", content,
                                        blob.media_type)  # fmt: skip
            text, pages, problems = read["text"], read["pages"], list(read["problems"])
        except Unavailable:
            raise
        except ServiceError as problem:
            problems = [problem.error_code]
    else:
        problems = ["not_parsed"]
    return OutsideFile(
        blob, role, position, file_name, title, text, pages, (*problems, *remarks), embedded,
        tuple([await _checked(blob, one, kind) for one, kind in signatures]),
    )  # fmt: skip


async def _checked(file: StoredBlob, signature: StoredBlob, role: str) -> FoundSignature:
    """One detached signature over a stored file; an unreadable one gets a report that says so."""
    made = await blobs.read(signature.id, limit=checking.MAX_SIGNATURE)
    names = tuple(await _digests(made))
    row = {"blob_id": file.id, "size": file.size, "sha256": bytes.fromhex(file.sha256)}
    check = await checking.validate_stored(row, signature=made, digests=names)
    return FoundSignature(signature, role, check.raw)


async def _digests(signature: bytes) -> list[str]:
    try:
        found: list[str] = await pool().run("signatures.validation:digests_needed", signature)
    except Unavailable:
        raise
    except ServiceError:
        return ["sha256"]
    return found


async def enter(
    actor: Actor, *, card: OutsideCard, outside_files: tuple[OutsideFile, ...]
) -> uuid.UUID:
    """Write the document of `actor`'s organization, the body outside, in the caller's transaction.

    It stands as registered under the number and date its author gave it, frozen like any other.
    """
    document_id, moment = clock.new_id(), clock.now()
    title = " ".join(card.title.split())[: cards.MAX_TITLE] or UNTITLED
    body = next((one.text for one in outside_files if one.role == "main"), "")
    await db.execute(
        """WITH made AS (
               INSERT INTO document (id, kind, organization_id, status, title, addressee, number,
                   date, origin, fields, author_id, mark, created_at, updated_at)
               VALUES ($1, $2, $3, 'registered', $4, $5, $6, $7, 'external', $8, $9, $10, $11, $11))
           INSERT INTO document_text (document_id, card, body) VALUES ($1, $12, $13)""",
        document_id, card.kind, actor.home_id, _plain(title), _plain(card.addressee),
        _plain(card.number)[: cards.MAX_INDEX] or NO_NUMBER, card.day, card.fields,
        actor.account_id, card.mark, moment, _plain(f"{title}\n{card.addressee}"), _plain(body),
    )  # fmt: skip
    await events.record(
        actor, "document.entered_outside", subject=("document", document_id),
        document_id=document_id, change=(None, DocumentStatus.REGISTERED),
        data={"kind": card.kind, "number": card.number},
    )  # fmt: skip
    taken: set[tuple[str, int]] = set()
    for one in outside_files:
        place = (one.role, one.position)
        await _enter_file(actor, document_id, one, is_first=place not in taken)
        taken.add(place)
    return document_id


async def _enter_file(
    actor: Actor, document_id: uuid.UUID, one: OutsideFile, *, is_first: bool
) -> None:
    file_id = await files.enter_revision(
        actor, document_id, one.blob, role=one.role, position=one.position,
        file_name=_plain(one.file_name)[:255], title=_plain(one.title)[: cards.MAX_TITLE],
        pages=one.pages, problems=list(one.problems), is_first=is_first,
    )  # fmt: skip
    if one.embedded:
        await _enter_report(actor, document_id, file_id, "pades", "approving", one.embedded, None)
    for found in one.signatures:
        await _enter_report(
            actor, document_id, file_id, "cades", found.role, found.report, found.blob.id
        )


async def _enter_report(
    actor: Actor,
    document_id: uuid.UUID,
    file_id: uuid.UUID,
    form: str,
    role: str,
    report: dict[str, Any],
    blob_id: uuid.UUID | None,
) -> None:
    for one in signed.of_people(report):
        await signed.record(
            actor, document_id, file_id, form=form, role=role, one=one, at=report["at"],
            blob_id=blob_id,
        )  # fmt: skip


def _plain(text: str) -> str:
    """Text PostgreSQL can keep."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()
