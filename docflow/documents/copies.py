"""Copies for paper and for reading: the stored original is never touched."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput, NotFound
from core.sandbox import pool
from docflow.documents import files
from docflow.documents.kinds import PDF
from docflow.documents.marks.drawing import MarkFacts
from storage import blobs

MOST_BYTES = 48 * 1024 * 1024
"""A copy is made in memory and handed back whole."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A PDF that says it is a copy."""

    data: bytes
    file_name: str


async def marked_copy(actor: Actor, document_id: uuid.UUID, file_id: uuid.UUID) -> Copy:
    """A copy of a signed PDF with the marks of its valid signatures (ГОСТ Р 7.0.97).

    Shown is the revision that was signed, with the marks after the edition in force today. Only
    signatures whose check said «valid» are marked: a mark vouches for them. Raises
    `no_valid_signature`, `copy_needs_pdf`, `copy_too_large`, `broken_pdf`.
    """
    found = await files.visible_file(actor, file_id)
    if found["document_id"] != document_id:
        raise NotFound(file_id=str(file_id))
    if found["media_type"] != PDF:
        raise InvalidInput(
            "Копия с отметкой о подписи делается только для файлов PDF.",
            "A copy with the mark of the signature is made of PDF files only.",
            code="copy_needs_pdf",
            media_type=found["media_type"],
        )
    if found["size"] > MOST_BYTES:
        raise InvalidInput(
            "Файл слишком велик для копии с отметкой. Скачайте подлинник.",
            "The file is too large for a marked copy. Download the original.",
            code="copy_too_large",
            limit=MOST_BYTES,
        )
    good = await db.rows(
        """SELECT form, signer, report FROM signature
           WHERE file_id = $1 AND verdict = 'valid' ORDER BY signed_at NULLS LAST, id""",
        file_id,
    )
    marks = [one for row in good if (one := _facts(row)) is not None]
    if not marks:
        raise NotFound(
            "У файла нет действительной подписи, отметку ставить не о чем. "
            "Подпишите документ или проверьте подписи.",
            "The file has no valid signature, so there is nothing to mark. "
            "Sign the document or check its signatures.",
            code="no_valid_signature",
        )
    content = await blobs.read(found["blob_id"], limit=MOST_BYTES)
    made = await pool().run(
        "docflow.documents.marks.marking:marked_bytes",
        content[: _signed_length(good, len(content))], marks=marks, day=clock.today().isoformat(),
        timeout=40.0,
    )  # fmt: skip
    return Copy(bytes(made), f"Копия {found['file_name']}")


def _facts(row: db.Row) -> MarkFacts | None:
    """What the mark tells; None for a report that lacks it."""
    report: dict[str, Any] = row["report"]
    serial, since, until = (
        report.get(name) for name in ("certificate_serial", "not_before", "not_after")
    )
    if not (serial and since and until):
        return None
    subject = report.get("subject") or {}
    named = (subject.get("surname"), subject.get("given_name"))
    return MarkFacts(
        certificate=serial,
        owner=" ".join(part for part in named if part) if all(named) else row["signer"],
        since=_day(since),
        until=_day(until),
    )


def _day(moment: str) -> date:
    """The Moscow date, as people read it in their certificate."""
    return datetime.fromisoformat(moment).astimezone(clock.MOSCOW).date()


def _signed_length(rows: list[db.Row], whole: int) -> int:
    """How much of the file was signed; all of it where a detached signature covers it."""
    lengths = [
        row["report"].get("signed_bytes") if row["form"] == "pades" else whole for row in rows
    ]
    return max(length or whole for length in lengths)
