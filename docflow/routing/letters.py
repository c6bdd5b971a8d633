"""What a message on an outside channel carries: the card in words and the files as they are."""

import uuid
from dataclasses import dataclass
from datetime import date

from core import db


@dataclass(frozen=True, slots=True)
class Contents:
    """A document as it leaves (содержимое отправления)."""

    document_id: uuid.UUID
    organization_id: uuid.UUID
    organization: str
    organization_code: str
    kind: str
    title: str
    number: str
    day: date | None
    addressee: str
    mark: str
    status: str
    files: tuple[db.Row, ...]
    """Current files in order, each with its detached `signatures`."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one["size"] for one in self.files)


async def contents_of(document_id: uuid.UUID) -> Contents:
    """Everything a channel needs of a registered document; no question of who may see it."""
    row = await db.row(
        """SELECT d.*, o.name AS organization, o.code AS organization_code
           FROM document AS d JOIN organization AS o ON o.id = d.organization_id
           WHERE d.id = $1""",
        document_id,
    )
    if row is None:
        raise LookupError(f"no document {document_id}")
    files = await db.rows(
        """SELECT id, role, position, title, file_name, blob_id, media_type, size,
                  encode(sha256, 'hex') AS sha256
           FROM document_file WHERE document_id = $1 AND is_current AND role IN ('main', 'annex')
           ORDER BY role DESC, position""",
        document_id,
    )
    signatures = await db.rows(
        """SELECT DISTINCT ON (s.file_id, s.blob_id) s.file_id, s.role, s.blob_id, b.size,
                  encode(b.sha256, 'hex') AS sha256
           FROM signature AS s JOIN blob AS b ON b.id = s.blob_id
           WHERE s.document_id = $1 AND s.blob_id IS NOT NULL
           ORDER BY s.file_id, s.blob_id, s.id""",
        document_id,
    )
    for one in files:
        one["signatures"] = [each for each in signatures if each["file_id"] == one["id"]]
    return Contents(
        document_id=row["id"], organization_id=row["organization_id"],
        organization=row["organization"], organization_code=row["organization_code"],
        kind=row["kind"], title=row["title"], number=row["number"] or "б/н", day=row["date"],
        addressee=row["addressee"], mark=row["mark"], status=row["status"], files=tuple(files),
    )  # fmt: skip


def in_words(day: date | None) -> str:
    """A date as letters have it."""
    return "" if day is None else f"{day:%d.%m.%Y}"
