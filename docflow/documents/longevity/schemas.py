"""What long life says over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Any

import msgspec


class DueCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many things wait for one reason."""

    reason: str
    number: int
    since: datetime
    """The earliest date on which one of them was due."""
    ru: str
    en: str


class DueItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that waits: a signature, a stamp or a blob, as the reason says."""

    id: uuid.UUID
    due_on: datetime
    document_id: uuid.UUID | None = None
    note: str = ""


class DueView(msgspec.Struct, frozen=True, kw_only=True):
    """All that waits, by reason; `has_authority` says whether stamps can be asked for at all."""

    has_authority: bool
    counts: list[DueCount]


class AlgorithmView(msgspec.Struct, frozen=True, kw_only=True):
    """Until when an algorithm is relied on."""

    name: str
    ends_at: datetime | None
    tree_rank: int | None
    source: str
    set_at: datetime


class AlgorithmInput(msgspec.Struct, frozen=True, kw_only=True):
    """An algorithm's end, its rank among the digests of new trees, and where that comes from."""

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    ends_at: datetime | None = None
    tree_rank: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None


class EvidenceView(msgspec.Struct, frozen=True, kw_only=True):
    """A signed file or a detached signature with its evidence record, if it has one yet."""

    file_id: uuid.UUID
    part: str
    """file or signature."""
    sha256: str
    stamped_at: datetime | None
    record: bytes | None
    """RFC 4998, DER, in base64."""
    proof: dict[str, Any] | None
    """What the record proves now: verdict, reasons, proven_at, stamps."""
