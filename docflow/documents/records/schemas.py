"""What the records schedule says over HTTP."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

Day: TypeAlias = date
"""For structs that have a field of the name `date`."""

Protocol = Annotated[str, msgspec.Meta(max_length=1000)]


class Made(msgspec.Struct, frozen=True):
    """The id of what was made or is there."""

    id: uuid.UUID


class RetentionListView(msgspec.Struct, frozen=True):
    """A loaded edition; `usable`: rows that may be attached to a case."""

    id: uuid.UUID
    code: str
    edition: str
    title: str
    source: str
    valid_from: date
    valid_to: date | None
    loaded_at: datetime
    sha256: str
    articles: int
    usable: int


class RetentionArticleView(msgspec.Struct, frozen=True):
    """An article; `mark`: read, seen, unverified or confirmed."""

    id: uuid.UUID
    list_id: uuid.UUID
    edition: str
    article: str
    item: str
    title: str
    term_kind: str
    years: int | None
    needs_decision: bool
    other_kind: str | None
    """For organizations that feed no state archive; null: the same term."""
    other_years: int | None
    other_needs_decision: bool | None
    note: str
    mark: str


class ConfirmArticle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With what the article was compared: publication, page, date."""

    source: Annotated[str, msgspec.Meta(max_length=2000)]


class PlanInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The year of a plan."""

    year: Annotated[int, msgspec.Meta(ge=1900, le=2200)]


class CopyInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which year to which."""

    from_year: Annotated[int, msgspec.Meta(ge=1900, le=2200)]
    to_year: Annotated[int, msgspec.Meta(ge=1900, le=2200)]


class CopyFailure(msgspec.Struct, frozen=True):
    """A case that was not copied."""

    index: str
    code: str
    ru: str
    en: str


class CopyView(msgspec.Struct, frozen=True):
    """`total` is the sum of the other three counts."""

    plan_id: uuid.UUID
    total: int
    copied: int
    failed: int
    already: int
    failures: list[CopyFailure]


class ApprovePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The protocol by which the commission agreed."""

    agreement: Protocol


class GroupCount(msgspec.Struct, frozen=True):
    """Cases of a group; of them carried on, of them to be decided when the term is over."""

    cases: int
    carried: int
    decision: int


class SummaryView(msgspec.Struct, frozen=True):
    """The final note of a year (итоговая запись)."""

    permanent: GroupCount
    long: GroupCount
    short: GroupCount
    total: GroupCount


class PlanLine(msgspec.Struct, frozen=True):
    """A plan in the list."""

    id: uuid.UUID
    year: int
    status: str
    cases: int
    agreement: str
    approved_on: date | None


class CaseView(msgspec.Struct, frozen=True):
    """A case with its term and what it rests on."""

    id: uuid.UUID
    plan_id: uuid.UUID
    year: int
    index: str
    section: str
    title: str
    status: str
    article_id: uuid.UUID | None
    article: str | None
    item: str | None
    edition: str | None
    protocol: str
    term_kind: str
    years: int | None
    needs_decision: bool
    is_personnel: bool
    is_electronic: bool
    is_carried: bool
    note: str
    documents: int
    appraisal: str
    opened_on: date | None
    closed_on: date | None
    expires_on: date | None


class PlanView(msgspec.Struct, frozen=True):
    """A plan with its cases; `summary` as it would be, or is once the year is closed."""

    id: uuid.UUID
    year: int
    status: str
    agreement: str
    approved_on: date | None
    summary: SummaryView
    cases: list[CaseView]


class CloseCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The day on which it ended in office work; today without it."""

    on: date | None = None


class ClosedCase(msgspec.Struct, frozen=True):
    """The first day on which it may be destroyed; null where no day can be told."""

    expires_on: date | None


class Appraisal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the commission decided; `on`: when a term that hangs on an event ended."""

    protocol: Protocol
    keep: bool
    on: date | None = None


class FileInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document to put into the case."""

    document_id: uuid.UUID


class FilingView(msgspec.Struct, frozen=True):
    """A document in a case; without a title when only the note of it is left."""

    id: uuid.UUID
    document_id: uuid.UUID
    number: str
    date: date
    kind: str
    status: str
    title: str | None
    filed_at: datetime
    destroyed_at: datetime | None
    act_id: uuid.UUID | None
    act_number: int | None
    act_year: int | None


class TombstoneView(msgspec.Struct, frozen=True):
    """The note of a destroyed document; `is_erased`: nobody here holds it any more."""

    id: uuid.UUID
    document_id: uuid.UUID
    number: str
    date: date
    kind: str
    index: str
    year: int
    case_title: str
    act_id: uuid.UUID
    act_number: int
    act_year: int
    act_date: Day
    destroyed_at: datetime
    is_erased: bool


class InventoryInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of cases of a year, and the number of the inventory."""

    year: Annotated[int, msgspec.Meta(ge=1900, le=2200)]
    kind: Literal["permanent", "long", "personnel"]
    number: Annotated[str, msgspec.Meta(max_length=50)]


class ApproveInventory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The protocol by which it was approved."""

    protocol: Protocol


class InventoryView(msgspec.Struct, frozen=True):
    """An inventory in the list."""

    id: uuid.UUID
    year: int
    kind: str
    number: str
    status: str
    protocol: str
    approved_on: date | None
    cases: int


class CommissionInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The members' accounts, the chair among them, and the order that sets it up."""

    members: Annotated[list[uuid.UUID], msgspec.Meta(max_length=100)]
    chair_id: uuid.UUID
    basis: Protocol


class MemberView(msgspec.Struct, frozen=True):
    """A member of the expert commission."""

    account_id: uuid.UUID
    name: str
    is_chair: bool
    basis: str
    since: datetime


class ExpiredCase(CaseView, frozen=True):
    """A case whose term is over; `waits` for a decision, or `is_held`."""

    waits: bool
    is_held: bool


class ActInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which cases, by which list they were judged, how and until when backups have them."""

    case_ids: Annotated[list[uuid.UUID], msgspec.Meta(max_length=500)]
    basis: Annotated[str, msgspec.Meta(max_length=2000)]
    method: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    backups_until: date | None = None


class VoteInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For or against, with a remark."""

    is_for: bool
    remark: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class ApproveAct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The commission's protocol; for sources of a state archive also the archive's."""

    protocol: Protocol
    archive_protocol: Protocol = ""


class CancelAct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an act is given up."""

    reason: Annotated[str, msgspec.Meta(max_length=2000)]


class ActStatusView(msgspec.Struct, frozen=True):
    """Where the act stands after a vote."""

    status: str


class ActLine(msgspec.Struct, frozen=True):
    """An act in the list."""

    id: uuid.UUID
    number: int
    year: int
    date: date
    status: str
    cases: int


class ActCase(msgspec.Struct, frozen=True):
    """A case in an act; `reason`: why it dropped out."""

    case_id: uuid.UUID
    position: int
    index: str
    year: int
    title: str
    status: str
    documents: int
    destroyed: int
    kept_for_others: int
    reason: str


class VoteView(msgspec.Struct, frozen=True):
    """How a member voted; null: not yet."""

    account_id: uuid.UUID
    name: str
    is_for: bool | None
    remark: str | None
    voted_at: datetime | None


class ActView(msgspec.Struct, frozen=True):
    """An act whole."""

    id: uuid.UUID
    number: int
    year: int
    date: date
    status: str
    basis: str
    method: str
    backups_until: Day
    protocol: str
    archive_protocol: str
    approved_on: Day | None
    executed_at: datetime | None
    reason: str
    lines: list[ActCase]
    votes: list[VoteView]
