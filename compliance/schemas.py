"""What the registers, checks and reviews look like on the wire."""

import uuid
from datetime import date as Day
from datetime import datetime
from typing import Any, Literal

import msgspec

from compliance.registers.licences import Terms
from compliance.registers.own_works import Consent
from compliance.verdicts.case import Attribution, Reason, Turn


class Made(msgspec.Struct, frozen=True):
    """The id of what was made."""

    id: uuid.UUID


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reason in words, 3 characters at least."""

    reason: str


class PictureLine(msgspec.Struct, frozen=True):
    """An entry of the register."""

    id: uuid.UUID
    organization_id: uuid.UUID
    kind: str
    status: str
    sha256: str
    media_type: str
    size: int
    width: int
    height: int
    title: str
    author: str
    source: str
    carries_rights: bool
    has_snapshot: bool
    found_by: uuid.UUID
    found_at: datetime
    approved_by: uuid.UUID | None
    approved_at: datetime | None
    retired_reason: str | None


class LicenceInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Terms and, in base64, the document they stand in."""

    terms: Terms
    document: bytes | None = None


class LicenceView(msgspec.Struct, frozen=True):
    """A licence as the register has it; `proposals` is what was read from its scan."""

    id: uuid.UUID
    organization_id: uuid.UUID
    picture_id: uuid.UUID
    status: str
    kind: str
    holder: str
    number: str
    public: str | None
    grantee_id: uuid.UUID | None
    reach: str
    line: str | None
    channels: list[str]
    territories: list[str]
    since: Day | None
    until: Day | None
    attribution: str
    max_seats: int | None
    seats: list[str]
    allows_changes: bool
    allows_commercial: bool
    revoked_on: Day | None
    has_document: bool
    proposals: list[dict[str, Any]]
    created_by: uuid.UUID
    created_at: datetime
    confirmed_by: uuid.UUID | None
    confirmed_at: datetime | None


class ConfirmInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The terms as the second person reads them in the document."""

    terms: Terms


class RevokeInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which day on the holder took it back, and why."""

    on: Day
    reason: str


class SeatInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose seat."""

    seat: str


class OwnWorkInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the author agreed to and, in base64, the consent itself."""

    consent: Consent
    document: bytes


class OwnWorkView(msgspec.Struct, frozen=True):
    """An author's consent."""

    id: uuid.UUID
    organization_id: uuid.UUID
    picture_id: uuid.UUID
    author: str
    reach: str
    channels: list[str]
    since: Day | None
    until: Day | None
    withdrawn_on: Day | None
    attribution: str
    created_by: uuid.UUID
    confirmed_by: uuid.UUID | None
    confirmed_at: datetime | None


class WithdrawInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which day on the author does not agree any more."""

    on: Day


class WorkInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture of kind `claimant` that is theirs, and from when to when they sue for it."""

    picture_id: uuid.UUID
    since: Day | None = None
    until: Day | None = None


class ClaimantView(msgspec.Struct, frozen=True):
    """A claimant; checks count them while the status is `active`."""

    id: uuid.UUID
    organization_id: uuid.UUID
    status: str
    name: str
    aliases: list[str]
    note: str
    since: Day | None
    until: Day | None
    works: int
    waiting_works: int
    """Of these, the ones no second lawyer has approved yet; they count for nothing."""
    created_at: datetime
    approved_at: datetime | None


class CheckLine(msgspec.Struct, frozen=True):
    """A check in a list, without a lawyer's decision."""

    id: uuid.UUID
    file_name: str
    sha256: str
    origin: str
    channel: str
    used_on: Day
    outcome: str
    turns_on: Day | None
    created_at: datetime


class CheckView(msgspec.Struct, frozen=True):
    """The answer: outcome, reasons with what to do, the line due under the picture.

    `outcome` counts a lawyer's decision in; `verdict` is what the rules alone say. `turns` names
    the day on which the verdict changes although nobody does anything.
    """

    id: uuid.UUID
    sha256: str
    outcome: str
    verdict: str
    reasons: list[Reason]
    attribution: list[Attribution]
    turns: Turn | None
    decision_until: Day | None
    licences: list[uuid.UUID]
    matches: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    channel: str
    used_on: Day
    rules: str
    register: str
    """Digest of the registers as they were."""
    previous_id: uuid.UUID | None
    created_at: datetime


class ReplayView(msgspec.Struct, frozen=True):
    """The verdict made again from the stored case."""

    is_same: bool
    rules_then: str
    rules_now: str
    outcome: str


class AskInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the lawyer should look at, and by when (three days if left out)."""

    question: str = ""
    due_on: Day | None = None


class DecideInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The decision; `document` in base64, due where a block is lifted."""

    verdict: Literal["cleared", "refused"]
    reason: str
    until: Day | None = None
    document: bytes | None = None


class ReviewView(msgspec.Struct, frozen=True):
    """A review: what was asked, by when, and what was decided."""

    id: uuid.UUID
    organization_id: uuid.UUID
    check_id: uuid.UUID
    status: str
    sha256_hex: str
    file_name: str
    channel: str
    outcome: str
    question: str
    asked_by: uuid.UUID
    asked_at: datetime
    due_on: Day
    escalated_at: datetime | None
    decided_by: uuid.UUID | None
    decided_at: datetime | None
    reason: str | None
    until: Day | None


class UseRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a checked picture was published, now unless said otherwise."""

    check_id: uuid.UUID
    place: str
    published_at: datetime | None = None


class UseView(msgspec.Struct, frozen=True):
    """A publication of a picture and how it stands today."""

    id: uuid.UUID
    organization_id: uuid.UUID
    channel: str
    place: str
    published_at: datetime
    withdrawn_at: datetime | None
    check_id: uuid.UUID
    last_check_id: uuid.UUID
    outcome: str
    turns_on: Day | None
    judged_at: datetime


class ImportRow(msgspec.Struct, frozen=True):
    """What became of one row of the table, and what the file's metadata says of its rights."""

    row: int
    file: str
    status: str
    code: str
    reason: str
    picture_id: uuid.UUID | None
    licence_id: uuid.UUID | None
    proposals: list[dict[str, Any]]


class ImportReport(msgspec.Struct, frozen=True):
    """An import row by row; `unused` names files that no row does."""

    rows: list[ImportRow]
    created: int
    known: int
    refused: int
    dry_run: bool
    unused: list[str]


class ClaimantRow(msgspec.Struct, frozen=True):
    """What became of one row of a list of claimants."""

    row: int
    name: str
    status: str
    code: str
    reason: str
    claimant_id: uuid.UUID | None


class ClaimantReport(msgspec.Struct, frozen=True):
    """A list of claimants, row by row."""

    rows: list[ClaimantRow]
    created: int
    known: int
    refused: int
    dry_run: bool


class Scanned(msgspec.Struct, frozen=True):
    """The licence entered from a scan, and each term with its page and box on it."""

    id: uuid.UUID
    proposals: list[dict[str, Any]]
