"""Readers of a restricted document on the wire."""

import uuid
from datetime import datetime

import msgspec


class ReaderInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person of one's organization, or a post; and whether the original may be taken."""

    person_id: uuid.UUID | None = None
    post: str | None = None
    may_take_original: bool = False


class ReaderView(msgspec.Struct, frozen=True):
    """Who was named, by which organization, since when."""

    id: uuid.UUID
    organization_id: uuid.UUID
    person_id: uuid.UUID | None
    post: str | None
    may_take_original: bool
    named_at: datetime
    last_name: str | None
    first_name: str | None
    middle_name: str | None
