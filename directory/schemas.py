"""What organizations look like on the wire."""

import uuid
from datetime import date as Day
from datetime import datetime
from typing import Any

import msgspec

from directory.states import Line, OrganizationKind, PostKind


class OrganizationLine(msgspec.Struct, frozen=True):
    """An organization in a list."""

    id: uuid.UUID
    code: str
    kind: str
    name: str
    short_name: str
    region_code: str | None
    district_code: str | None
    branch_code: str | None
    status: str


class OrganizationView(OrganizationLine, frozen=True):
    """An organization's card; people are asked for apart, and that is logged."""

    inn: str | None
    ogrn: str | None
    kpp: str | None
    address: str
    phone: str
    email: str
    time_zone: str
    channels: list[str]
    opened_on: Day
    closed_on: Day | None
    merged_into_id: uuid.UUID | None
    confirmed_at: datetime | None
    demo: bool


class OrganizationInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new organization; `parents` go by line."""

    code: str
    kind: OrganizationKind
    name: str
    short_name: str = ""
    branch_code: str | None = None
    region_code: str | None = None
    district_code: str | None = None
    inn: str | None = None
    ogrn: str | None = None
    kpp: str | None = None
    address: str = ""
    phone: str = ""
    email: str = ""
    time_zone: str = "Europe/Moscow"
    channels: tuple[str, ...] = ("internal",)
    opened_on: Day | None = None
    parents: dict[Line, uuid.UUID] = {}


class MoveInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The new superior on a line, from a day on."""

    line: Line
    parent_id: uuid.UUID
    as_of: Day


class CloseInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first day on which it exists no more."""

    as_of: Day


class MergeInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Into which organization, from which day on."""

    into_id: uuid.UUID
    as_of: Day


class NewcomerInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person who was not known before, and the post they come into; `since`: today."""

    last_name: str
    first_name: str = ""
    middle_name: str = ""
    email: str = ""
    phone: str = ""
    post: PostKind
    title: str = ""
    since: Day | None = None


class AppointedView(msgspec.Struct, frozen=True):
    """Who was entered, and in which post."""

    person_id: uuid.UUID
    post_id: uuid.UUID


class LinkLine(msgspec.Struct, frozen=True):
    """A superior on one line."""

    id: uuid.UUID
    code: str
    kind: str
    name: str
    line: str


class PersonLine(msgspec.Struct, frozen=True):
    """Who holds a post."""

    person_id: uuid.UUID
    post: str
    title: str
    last_name: str
    first_name: str
    middle_name: str
    email: str
    phone: str


class HolderLine(PersonLine, frozen=True):
    """Who holds a post where."""

    post_id: uuid.UUID
    organization_id: uuid.UUID


class ConfirmedView(msgspec.Struct, frozen=True):
    """When the organization's data was confirmed."""

    confirmed_at: datetime


class SelectionView(msgspec.Struct, frozen=True):
    """How many a selector finds, and how it reads."""

    counts: dict[str, Any]
    ru: str
    en: str


class RowProblemView(msgspec.Struct, frozen=True):
    """A row that was not taken: its number in the file, counted from 1 with the heading."""

    row: int
    field: str
    code: str
    reason: str


class ImportReport(msgspec.Struct, frozen=True):
    """What an import did, or with `dry_run` would do, row by row where it did not."""

    rows: int
    created: int
    changed: int
    unchanged: int
    dry_run: bool
    problems: list[RowProblemView]
