"""What documents look like on the wire."""

import uuid
from datetime import date as Day
from datetime import datetime
from typing import Any

import msgspec

from docflow.documents.authority_schemas import AuthorityView


class Page(msgspec.Struct, frozen=True):
    """How to go on: pass `next` as `after`; null on the last page."""

    next: uuid.UUID | None
    limit: int


class DocumentLine(msgspec.Struct, frozen=True):
    """A document in a list; lists carry no bodies."""

    id: uuid.UUID
    kind: str
    title: str
    number: str | None
    date: Day | None
    status: str
    mark: str
    organization_id: uuid.UUID
    due_on: Day | None
    created_at: datetime


class DocumentList(msgspec.Struct, frozen=True):
    """One page of documents, newest first."""

    items: list[DocumentLine]
    page: Page


class FileView(msgspec.Struct, frozen=True):
    """One current file of a document."""

    id: uuid.UUID
    role: str
    position: int
    revision: int
    title: str
    file_name: str
    media_type: str
    size: int
    sha256: str
    pages: int | None
    problems: list[str]
    created_at: datetime


class SignatureView(msgspec.Struct, frozen=True):
    """One signature and what its check found.

    Four answers apart: `technically_valid`; `qualified`, null while nobody can tell;
    `certified_means`, false for this service's own check; `authority` to sign.
    """

    id: uuid.UUID
    file_id: uuid.UUID
    form: str
    role: str
    signer: str
    signed_at: datetime | None
    verdict: str
    checked_at: datetime
    certificate: str
    technically_valid: bool
    qualified: bool | None
    certified_means: bool
    authority: AuthorityView
    report: dict[str, Any]


class LinkView(msgspec.Struct, frozen=True):
    """Another document this one belongs with, and which of the two names the other."""

    kind: str
    direction: str
    id: uuid.UUID
    document_kind: str
    title: str
    number: str | None
    date: Day | None


class DocumentView(msgspec.Struct, frozen=True):
    """The whole registration card with files, signatures and links."""

    id: uuid.UUID
    kind: str
    organization_id: uuid.UUID
    status: str
    title: str
    addressee: str
    number: str | None
    date: Day | None
    received_number: str | None
    received_date: Day | None
    mark: str
    origin: str
    fields: dict[str, Any]
    signatory_id: uuid.UUID | None
    executor_id: uuid.UUID | None
    due_on: Day | None
    file_index: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    files: list[FileView]
    signatures: list[SignatureView]
    links: list[LinkView]


class EventView(msgspec.Struct, frozen=True):
    """One step on the document's time line."""

    id: uuid.UUID
    at: datetime
    actor_kind: str
    actor_id: uuid.UUID | None
    organization_id: uuid.UUID | None
    verb: str
    subject_kind: str
    subject_id: uuid.UUID
    from_status: str | None
    to_status: str | None
    data: dict[str, Any] | None


class Created(msgspec.Struct, frozen=True):
    """The id of what was made, or was made earlier under the same Idempotency-Key."""

    id: uuid.UUID


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, in words."""

    reason: str = ""


class RegisterInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which journal, and what its template needs: `sitting`, `convocation`, `index`."""

    journal_id: uuid.UUID | None = None
    variables: dict[str, str] = {}
    on: Day | None = None


class RegistrationView(msgspec.Struct, frozen=True):
    """The number a document has in the organization's journal."""

    id: uuid.UUID
    journal_id: uuid.UUID
    number: str
    date: Day


class LinkInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The other document and the kind of link."""

    to_id: uuid.UUID
    kind: str


class CloseInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The index of the file («в дело»)."""

    file_index: str


class JournalInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new journal; the template holds ``{n}`` once."""

    code: str
    title: str
    direction: str
    kinds: list[str]
    template: str
    scope: list[str] = msgspec.field(default_factory=lambda: ["year"])


class JournalView(msgspec.Struct, frozen=True):
    """A journal and how many numbers it has given."""

    id: uuid.UUID
    code: str
    title: str
    direction: str
    kinds: list[str]
    template: str
    scope: list[str]
    is_open: bool
    numbers: int


class KindView(msgspec.Struct, frozen=True):
    """A kind of document and what it must carry."""

    code: str
    ru: str
    en: str
    direction: str
    required: list[str]
    signatures: int
    route: str


class IntakeView(msgspec.Struct, frozen=True):
    """What one call of intake made: the document, its state, and its number if it has one."""

    id: uuid.UUID
    status: str
    number: str | None
    file_id: uuid.UUID
    verdict: str | None
