"""Exports of evidence on the wire."""

import uuid
from datetime import date, datetime
from typing import Any, Literal

import msgspec


class ExportInput(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What to hand out, why, on what legal ground, to whom."""

    kind: Literal["document", "picture", "person", "organization", "period"]
    purpose: str
    basis: str
    recipient: str
    subject_id: uuid.UUID | None = None
    since: date | None = None
    until: date | None = None
    level: Literal["full", "masked"] = "full"


class ExportView(msgspec.Struct):
    """One export; `items_done` of `items` are packed."""

    id: uuid.UUID
    kind: str
    subject_id: uuid.UUID | None
    since: date | None
    until: date | None
    requested_by: uuid.UUID
    level: str
    purpose: str
    basis: str
    recipient: str
    status: str
    items: int
    items_done: int
    members: int
    bytes: int
    log_size: int | None
    statement_sha256: str | None
    error_code: str | None
    error: str | None
    created_at: datetime
    updated_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None


class ExportList(msgspec.Struct):
    """A page of the register, newest first; go on with `after`."""

    items: list[ExportView]
    next: uuid.UUID | None


class Created(msgspec.Struct):
    """The id of what was made."""

    id: uuid.UUID


class SignerView(msgspec.Struct):
    """The key by which this service signs packages."""

    sha256: str
    """Of the certificate: what a checker compares."""
    certificate: bytes


def view(row: dict[str, Any]) -> ExportView:
    """A row of the register."""
    digest = row["statement_sha256"]
    told = {**row, "statement_sha256": None if digest is None else bytes(digest).hex()}
    return ExportView(**{name: told[name] for name in ExportView.__struct_fields__})
