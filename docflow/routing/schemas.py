"""What dispatches and deliveries look like on the wire."""

import uuid
from datetime import date as Day
from datetime import datetime

import msgspec

from docflow.documents.schemas import Page


class WayView(msgspec.Struct, frozen=True):
    """A channel of the recipient's, in its order, and what stands in its way (null: nothing)."""

    channel: str
    reason: str | None


class RecipientLine(msgspec.Struct, frozen=True):
    """Somebody a dispatch would reach, by which channel and why by that one."""

    id: uuid.UUID
    code: str
    kind: str
    name: str
    channel: str
    via_recipient_id: uuid.UUID | None
    ways: list[WayView]
    why_ru: str
    """Why no earlier channel of its order was taken; empty when it is the first."""
    why_en: str


class PlanView(msgspec.Struct, frozen=True):
    """What a dispatch would do; nothing has been written."""

    total: int
    by_kind: dict[str, int]
    by_channel: dict[str, int]
    by_level: dict[str, dict[str, int]]
    at_once: int
    known: int
    recipients: list[RecipientLine]


class TotalsView(msgspec.Struct, frozen=True):
    """The control list in numbers; `by_status` sums to `total`."""

    total: int
    by_status: dict[str, int]
    by_kind: dict[str, dict[str, int]]


class ControlLine(msgspec.Struct, frozen=True):
    """One recipient on the control list."""

    id: uuid.UUID
    recipient_id: uuid.UUID
    code: str
    name: str
    recipient_kind: str
    channel: str
    status: str
    due_on: Day | None
    delivered_at: datetime | None
    opened_at: datetime | None
    acknowledged_at: datetime | None
    executed_at: datetime | None
    reason: str | None
    last_name: str | None
    first_name: str | None
    middle_name: str | None
    via_id: uuid.UUID | None


class ControlList(msgspec.Struct, frozen=True):
    """One page of the control list."""

    items: list[ControlLine]
    page: Page


class SilentLine(msgspec.Struct, frozen=True):
    """Somebody whose day has passed, and how to reach them."""

    id: uuid.UUID
    recipient_id: uuid.UUID
    code: str
    name: str
    phone: str
    email: str
    recipient_kind: str
    channel: str
    status: str
    due_on: Day


class SilentList(msgspec.Struct, frozen=True):
    """One page of the silent."""

    items: list[SilentLine]
    page: Page


class RollUpLine(msgspec.Struct, frozen=True):
    """How many under one direct subordinate stand in one state."""

    id: uuid.UUID
    code: str
    name: str
    kind: str
    status: str
    number: int


class InboxLine(msgspec.Struct, frozen=True):
    """A document that came to the organization."""

    id: uuid.UUID
    document_id: uuid.UUID
    status: str
    due_on: Day | None
    delivered_at: datetime | None
    kind: str
    title: str
    number: str | None
    date: Day | None
    mark: str
    sender_id: uuid.UUID
    sender: str
    own_number: str | None
    passed_on: bool


class InboxList(msgspec.Struct, frozen=True):
    """One page of the inbox, newest first."""

    items: list[InboxLine]
    page: Page


class CountsView(msgspec.Struct, frozen=True):
    """What waits; each number stops at 1,000."""

    new: int
    due: int
    overdue: int


class AcknowledgeFor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who took note, by phone or on paper."""

    person_id: uuid.UUID


class RelayInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The relay's resolution and, where needed, journal and number variables.

    `executor_id` is a person with a post in one's own organization; he and `due_on` stay there.
    """

    resolution: str = ""
    executor_id: uuid.UUID | None = None
    due_on: Day | None = None
    journal_id: uuid.UUID | None = None
    variables: dict[str, str] = {}


class HopMade(msgspec.Struct, frozen=True):
    """What a relay did."""

    id: uuid.UUID
    number: str
    passed: int
    verdict: str


class HopView(msgspec.Struct, frozen=True):
    """Who passed the document on, when and under which number."""

    id: uuid.UUID
    delivery_id: uuid.UUID
    organization_id: uuid.UUID
    organization: str
    number: str
    date: Day
    resolution: str
    verdict: str
    passed: int
    passed_at: datetime


class AnswerInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The registered document of one's own that answers."""

    document_id: uuid.UUID


class Ended(msgspec.Struct, frozen=True):
    """How many deliveries it touched."""

    deliveries: int


class CoverageView(msgspec.Struct, frozen=True):
    """Who is reached first by what; `by_way` sums to `total`, ``nobody`` has no way of its own."""

    total: int
    reachable: int
    no_account: int
    by_way: dict[str, int]
    by_kind: dict[str, dict[str, int]]
    by_region: dict[str, dict[str, int]]


class CoverageLine(msgspec.Struct, frozen=True):
    """One organization, its ways in order, and what stands in them."""

    id: uuid.UUID
    code: str
    kind: str
    name: str
    region_code: str | None
    way: str
    ways: list[WayView]
    has_account: bool


class WayChange(msgspec.Struct, frozen=True):
    """How an organization's channels and addresses were changed."""

    at: datetime
    actor_id: uuid.UUID | None
    before: dict[str, str | list[str]]
    after: dict[str, str | list[str]]


class RuleView(msgspec.Struct, frozen=True):
    """Channels a document's mark forbids, and why."""

    mark: str
    channels: list[str]
    source: str


class Reminded(msgspec.Struct, frozen=True):
    """How many recipients were reminded now."""

    recipients: int
