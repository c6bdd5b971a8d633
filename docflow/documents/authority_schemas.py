"""What authority to sign looks like on the wire."""

import uuid
from datetime import date as Day
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec


class Word(msgspec.Struct, frozen=True):
    """One reason: a stable code and its words."""

    code: str
    ru: str
    en: str


class AuthorityView(msgspec.Struct, frozen=True):
    """May the signer bind the organization: on what basis, as of when, and why not.

    `revocation` speaks of the power of attorney: `not_checked` where no registry was asked.
    """

    basis: str
    state: str
    reasons: list[Word]
    mchd_id: uuid.UUID | None
    mchd_number: str | None
    revocation: str | None
    at: datetime | None
    checked_at: datetime | None
    ru: str
    en: str


class AuthorityInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The power of attorney to go by; without one, any that names the signer is tried."""

    mchd_id: uuid.UUID | None = None


class MchdInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A power of attorney (XML) with its detached signature; base64 of the files as they are."""

    xml: bytes
    signature: bytes


class RevocationInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when it is revoked, and on what ground; entered by hand, it cannot be taken back."""

    effective_at: Annotated[datetime, msgspec.Meta(tz=True)]
    ground: str


class MchdLine(msgspec.Struct, frozen=True):
    """A power of attorney in a list."""

    id: uuid.UUID
    number: str
    version: str
    is_parsed: bool
    issued_on: Day | None
    expires_on: Day | None
    principals: list[str]
    representatives: list[str]
    is_delegated: bool
    delegation: str
    is_irrevocable: bool
    verdict: str
    reasons: list[Word]
    revocation: str
    revoked_at: datetime | None
    warnings: list[str]
    sha256: str
    uploaded_at: datetime
    checked_at: datetime


class StatusView(msgspec.Struct, frozen=True):
    """What somebody said of its being in force."""

    status: str
    source: str
    effective_at: datetime
    ground: str
    recorded_at: datetime


class MchdView(MchdLine, frozen=True):
    """A power of attorney with all its content, its own check, and what was said of it."""

    content: dict[str, Any]
    report: dict[str, Any]
    statuses: list[StatusView]


class RuleInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which kinds a power lets one sign: by its code, or by beginnings of words in its text.

    Among `kinds`, `*` is every kind.
    """

    matched_by: Literal["code", "text"]
    pattern: str
    kinds: list[str]


class RuleView(msgspec.Struct, frozen=True):
    """A rule; without an organization it holds for the whole installation."""

    id: uuid.UUID
    organization_id: uuid.UUID | None
    matched_by: str
    pattern: str
    kinds: list[str]
    added_at: datetime


class PersonCertificateInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose certificate (DER, base64) it is; the organization is one's own unless named."""

    person_id: uuid.UUID
    certificate: bytes
    organization_id: uuid.UUID | None = None


class PersonCertificateView(msgspec.Struct, frozen=True):
    """A binding of a certificate to a person and an organization."""

    id: uuid.UUID
    person_id: uuid.UUID
    organization_id: uuid.UUID
    sha256: str
    source: str
    registered_at: datetime
    withdrawn_at: datetime | None
