"""The wire of publications, permits and uses."""

import uuid
from datetime import date, datetime
from typing import Any

import msgspec


class Made(msgspec.Struct, frozen=True):
    """The id of what was made."""

    id: uuid.UUID


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, in words."""

    reason: str


class PictureView(msgspec.Struct, frozen=True):
    """A picture of a publication and what its newest check said.

    `places`: pages (from 1), boxes in points from the top left, percent shown. `outcome` is null
    until it was judged; `problem` says why it cannot be.
    """

    id: uuid.UUID
    sha256: str
    file_name: str
    position: int
    caption: str
    is_changed: bool
    seat: str | None
    places: list[dict[str, Any]]
    check_id: uuid.UUID | None
    outcome: str | None
    by_lawyer: bool
    """Whether it is clear by a lawyer's decision only."""
    reasons: list[dict[str, Any]]
    attribution: list[str]
    problem: dict[str, str] | None
    use_id: uuid.UUID | None


class PublicationLine(msgspec.Struct, frozen=True):
    """A publication in a list."""

    id: uuid.UUID
    kind: str
    status: str
    channel: str
    place: str
    title: str
    planned_on: date
    pictures: int
    unchecked: int
    created_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None


class PublicationView(msgspec.Struct, frozen=True):
    """A publication with its pictures; `version` goes back with a correction."""

    id: uuid.UUID
    kind: str
    status: str
    channel: str
    place: str
    title: str
    planned_on: date
    is_commercial: bool | None
    territory: str
    version: int
    file_name: str | None
    report: dict[str, Any]
    """Of an issue's file: pages, what each holds, what was left out and why."""
    created_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    pictures: list[PictureView]


class FileReport(msgspec.Struct, frozen=True):
    """What was taken out of an issue's file, page by page."""

    media_type: str
    pages: int | None
    pictures: int
    page_report: list[dict[str, Any]]
    ignored: list[dict[str, Any]]
    problems: list[str]


class Published(msgspec.Struct, frozen=True):
    """How many uses of pictures were written down."""

    uses: int


class PermitView(msgspec.Struct, frozen=True):
    """A permit; `token` is a compact JWS that holds without this service."""

    id: uuid.UUID
    token: str
    check_id: uuid.UUID
    use_id: uuid.UUID
    valid_from: datetime
    valid_until: datetime
    attribution: list[str]


class KeyChanged(msgspec.Struct, frozen=True):
    """The id (RFC 7638 thumbprint) of the key that signs from now on."""

    kid: str


class FoundUse(msgspec.Struct, frozen=True):
    """A published picture that shows the one that was asked about."""

    use_id: uuid.UUID
    organization_id: uuid.UUID
    organization: str
    channel: str
    place: str
    published_at: datetime
    withdrawn_at: datetime | None
    outcome: str
    sha256: str
    level: str
    """`exact` for the same bytes, `verified` by pixels, `register` through a known picture."""
    match: dict[str, Any]
    """Corners, crop, mirror, turn, inliers and hash distance of the match."""


class FoundUses(msgspec.Struct, frozen=True):
    """All uses, newest first, and how many published pictures were looked at."""

    uses: list[FoundUse]
    compared: int
    published: int
