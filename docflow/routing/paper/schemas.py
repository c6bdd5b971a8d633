"""What sheets, calls and answer codes look like on the wire."""

import uuid
from datetime import date as Day

import msgspec


class WaitingLine(msgspec.Struct, frozen=True):
    """How many sheets or calls wait in a region."""

    region: str
    channel: str
    number: int
    printed: int
    due_on: Day | None


class HolderView(msgspec.Struct, frozen=True):
    """Somebody who holds a post there today."""

    id: uuid.UUID
    last_name: str
    first_name: str
    middle_name: str
    title: str


class AskedView(msgspec.Struct, frozen=True):
    """What a code stands for."""

    delivery_id: uuid.UUID
    document_id: uuid.UUID
    code: str
    status: str
    recipient_id: uuid.UUID
    recipient: str
    recipient_code: str
    title: str
    number: str
    people: list[HolderView]


class AnswerByCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who took note."""

    person_id: uuid.UUID
