"""What МЭДО participants, messages and conversations look like on the wire."""

import uuid
from datetime import date as Day
from datetime import datetime
from typing import Any

import msgspec

from docflow.documents.schemas import Page


class PartnerView(msgspec.Struct, frozen=True):
    """A participant: uid in messages, transport address, demands."""

    id: uuid.UUID
    organization_id: uuid.UUID
    name: str
    participant_uid: uuid.UUID
    address: str
    is_own: bool
    version: str
    signatures: str
    signs_annexes: bool
    pdfa: str
    max_bytes: int
    receipt_hours: int
    is_active: bool


class MessageView(msgspec.Struct, frozen=True):
    """One message of the journal; `subject` and `number` are what it says itself."""

    id: uuid.UUID
    direction: str
    kind: str
    event: str | None
    version: str
    header_uid: uuid.UUID | None
    partner: str | None
    document_id: uuid.UUID | None
    delivery_id: uuid.UUID | None
    answers_id: uuid.UUID | None
    status: str
    reason: str | None
    what_to_do: str
    number: str | None
    date: str | None
    subject: str | None
    comment: str | None
    executor: str | None
    their_number: str | None
    their_date: Day | None
    overdue_on: Day | None
    extended_days: int
    extension_notice: str | None
    sent_at: datetime | None
    delivered_at: datetime | None
    registered_at: datetime | None
    findings: list[dict[str, Any]]
    created_at: datetime


class MessageList(msgspec.Struct, frozen=True):
    """One page of the journal, newest first."""

    items: list[MessageView]
    page: Page


class LookAgain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With a reason the clerk vouches for the message although a signature does not hold."""

    reason: str = ""


class ReturnInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is not taken: a reason out of the list, and a comment in one's own words."""

    reason: str
    comment: str = ""


class ExtensionInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By how many days, and by what notice."""

    days: int
    notice: str


class TheirNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Number and day under which the addressee registered our letter, told another way."""

    number: str
    on: Day


class StatusView(msgspec.Struct, frozen=True):
    """Where the message stands now."""

    status: str
