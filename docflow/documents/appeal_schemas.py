"""What the clock of an appeal looks like on the wire."""

import uuid
from datetime import date as Day

import msgspec


class AppealView(msgspec.Struct, frozen=True):
    """The clock of an appeal; `overdue_on` is the first day on which it is late."""

    id: uuid.UUID
    document_id: uuid.UUID
    status: str
    registered_on: Day
    overdue_on: Day
    is_overdue: bool
    extended_days: int
    extension_notice: str | None
    portal_number: str | None
    portal_date: Day | None
    answered_on: Day | None


class AppealExtension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By how many days, and the notice that was sent to the applicant."""

    days: int
    notice: str


class PortalNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number and day the state portal gave."""

    number: str
    on: Day
