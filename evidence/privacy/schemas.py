"""Personal data on the wire."""

import uuid
from datetime import date, datetime
from typing import Any, Literal

import msgspec


class Created(msgspec.Struct, frozen=True):
    """The id of what was made."""

    id: uuid.UUID


class Version(msgspec.Struct, frozen=True):
    """The number of the version that was made."""

    version: int


class PurposeView(msgspec.Struct, frozen=True):
    """A line of the register of processing, in one of its versions."""

    code: str
    version: int
    title: str
    title_en: str
    basis: str
    law: str
    subjects: str
    categories: str
    actions: str
    recipients: str
    kept: str
    is_open: bool
    changed_at: datetime


class TextInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words of a consent."""

    text: str


class TextView(msgspec.Struct, frozen=True):
    """A version of a consent's words."""

    purpose: str
    version: int
    text: str
    published_at: datetime


class ConsentInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To what, and to which words; `at` for a consent on paper."""

    purpose: str
    version: int
    at: datetime | None = None


class WithdrawalInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which consent is taken back."""

    purpose: str


class ConsentView(msgspec.Struct, frozen=True):
    """One consent of a person."""

    id: uuid.UUID
    purpose: str
    text_version: str
    given_at: datetime
    withdrawn_at: datetime | None


class ReadView(msgspec.Struct, frozen=True):
    """One look at a person's data."""

    at: datetime
    actor_id: uuid.UUID | None
    organization_id: uuid.UUID | None
    purpose: str
    count: int


class RequestInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked; `reference`: number and date of the paper."""

    person_id: uuid.UUID
    kind: Literal["access", "correct", "erase", "stop", "withdraw"]
    reference: str = ""
    received_on: date | None = None


class RequestView(msgspec.Struct, frozen=True):
    """A request with its clock."""

    id: uuid.UUID
    person_id: uuid.UUID
    organization_id: uuid.UUID
    kind: str
    status: str
    reference: str
    received_on: date
    due_on: date
    extended_on: date | None
    answer: str | None
    export_id: uuid.UUID | None
    erasure_id: uuid.UUID | None
    created_at: datetime
    answered_at: datetime | None


class NoticeInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The notice by which a term was prolonged, or why something is done."""

    text: str


class CorrectionInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The right values, and the answer that is given."""

    answer: str
    values: dict[Literal["last_name", "first_name", "middle_name", "email", "phone"], str]


class Decided(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of a document that names the person; what is kept needs its legal ground."""

    document_id: uuid.UUID
    decision: Literal["destroy", "keep"]
    ground: str = ""


class ErasureInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An act of erasure."""

    person_id: uuid.UUID
    ground: Literal["unlawful", "purpose_reached", "consent_withdrawn", "not_needed", "ceased"]
    basis: str
    since: date
    members: list[uuid.UUID]
    documents: list[Decided]
    request_id: uuid.UUID | None = None
    extra: list[str] = []


class Naming(msgspec.Struct, frozen=True):
    """A document that names the person."""

    id: uuid.UUID
    kind: str
    number: str | None
    date: date | None
    organization_id: uuid.UUID
    status: str


class LookView(msgspec.Struct, frozen=True):
    """What names a person, and the holds that forbid erasing."""

    documents: list[Naming]
    holds: list[uuid.UUID]


class MemberView(msgspec.Struct, frozen=True):
    """A member of the commission."""

    account_id: uuid.UUID
    approved_at: datetime | None


class StepView(msgspec.Struct, frozen=True):
    """A step that is done, and how much it touched."""

    step: str
    number: int
    done_at: datetime


class ErasureLine(msgspec.Struct, frozen=True):
    """An act in the list."""

    id: uuid.UUID
    person_id: uuid.UUID
    status: str
    ground: str
    basis: str
    due_on: date
    stopped_by: str | None
    is_replay: bool
    created_at: datetime
    done_at: datetime | None


class ErasureView(ErasureLine, frozen=True, kw_only=True):
    """An act with its commission, decisions, steps and what remains."""

    members: list[MemberView]
    documents: list[Decided]
    steps: list[StepView]
    remains: list[dict[str, Any]]
