"""What packages look like on the wire."""

import uuid
from datetime import date as Day
from datetime import datetime

import msgspec

from docflow.documents.schemas import Page


class PackInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For which organization."""

    organization_id: uuid.UUID


class PackageLine(msgspec.Struct, frozen=True):
    """A package that was handed out or taken in."""

    id: uuid.UUID
    direction: str
    sender_id: uuid.UUID
    sender: str
    recipient_id: uuid.UUID
    recipient: str
    sequence: int
    documents: int
    answers: int
    created_at: datetime


class PackageList(msgspec.Struct, frozen=True):
    """One page of packages, newest first."""

    items: list[PackageLine]
    page: Page


class WaitingLine(msgspec.Struct, frozen=True):
    """Somebody for whom documents lie ready."""

    id: uuid.UUID
    code: str
    name: str
    region_code: str | None
    documents: int
    due_on: Day | None


class TakenView(msgspec.Struct, frozen=True):
    """What a package changed."""

    package_id: uuid.UUID
    sequence: int
    sender: str
    is_repeat: bool
    documents: int
    answers: dict[str, int]


class KeyView(msgspec.Struct, frozen=True):
    """The key this installation seals packages with, to be told over another way."""

    public: str


class TrustInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key of another installation, compared digit by digit, and for whom it speaks."""

    public: str
    organization_id: uuid.UUID
