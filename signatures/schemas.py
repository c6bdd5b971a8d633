"""What trust looks like on the wire."""

import uuid
from datetime import date, datetime
from typing import Literal

import msgspec


class AnchorView(msgspec.Struct, frozen=True):
    """A certificate of the trust store, with what it says of itself; times in UTC."""

    id: uuid.UUID
    kind: str
    status: str
    is_test: bool
    subject: str
    issuer: str
    serial: str
    sha256: str
    sha1: str
    key_id: str | None
    not_before: datetime
    not_after: datetime
    note: str
    reason: str
    added_by: uuid.UUID | None
    added_at: datetime
    confirmed_by: uuid.UUID | None
    confirmed_at: datetime | None
    retired_by: uuid.UUID | None
    retired_at: datetime | None


class Proposed(msgspec.Struct, frozen=True):
    """Ids of the proposed certificates, in the order of the file."""

    ids: list[uuid.UUID]


class RetireInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why trust is withdrawn."""

    reason: str


class ImportedList(msgspec.Struct, frozen=True):
    """A revocation list that was taken in, or was here before (`is_new` false)."""

    id: uuid.UUID
    is_new: bool
    sha256: str
    issuer: str
    number: str | None
    entries: int
    this_update: datetime
    next_update: datetime


class ListView(msgspec.Struct, frozen=True):
    """The list of an issuer's key that counts now."""

    id: uuid.UUID
    issuer: str
    sha256: str
    number: str | None
    entries: int
    size: int
    this_update: datetime
    next_update: datetime
    is_fresh: bool
    alarmed_at: datetime | None
    source_id: uuid.UUID | None
    imported_at: datetime


class ImportedAnswer(msgspec.Struct, frozen=True):
    """An OCSP answer that was taken in."""

    sha256: str
    is_new: bool
    status: Literal["good", "revoked", "unknown"]
    this_update: datetime
    next_update: datetime


class SourceInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address to fetch a list from."""

    url: str
    name: str


class SourceView(msgspec.Struct, frozen=True):
    """An address that is asked, and how that went."""

    id: uuid.UUID
    url: str
    name: str
    origin: str
    anchor_id: uuid.UUID | None
    status: str
    next_attempt_at: datetime
    last_attempt_at: datetime | None
    last_success_at: datetime | None
    attempts: int
    last_error: str | None


class StampServiceInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time-stamp authority; the lower `position`, the earlier it is asked."""

    name: str
    url: str
    position: int = 0


class StampServiceView(msgspec.Struct, frozen=True):
    """A time-stamp authority and how asking it went."""

    id: uuid.UUID
    name: str
    url: str
    position: int
    status: str
    last_success_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None


class AuthorityView(msgspec.Struct, frozen=True):
    """A period of an authority's accreditation; `value` is what `known_by` names, in hex."""

    id: uuid.UUID
    name: str
    inn: str | None
    ogrn: str | None
    known_by: str
    value: str
    accredited_from: date
    suspended_on: date | None
    revoked_on: date | None
    source: str
    imported_at: datetime


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that was not taken, by its number from 1, with codes."""

    row: int
    problems: list[str]


class RegisterReport(msgspec.Struct, frozen=True):
    """How an import of the register went."""

    total: int
    taken: int
    refused: list[RefusedRow]
    dry_run: bool


class Made(msgspec.Struct, frozen=True):
    """The id of what was made, or was here before."""

    id: uuid.UUID


class MadeAll(msgspec.Struct, frozen=True):
    """The ids of what was made, or was here before."""

    ids: list[uuid.UUID]
