"""What messages, tries and prolongations look like on the wire."""

import uuid
from datetime import date as Day
from datetime import datetime, timedelta
from typing import Any

import msgspec

from docflow.routing.carriage import Channel


class ChannelView(msgspec.Struct, frozen=True):
    """An outside channel; a fifth of each pause is random, so that not all return at once."""

    name: str
    retries_seconds: list[int]
    """Pauses between tries; the last one repeats until the patience ends."""
    patience_seconds: int
    """From the making of a message until its receipt has to be there."""
    per_target: int
    """Messages under way to one target at once."""
    is_quiet_at_night: bool
    """What is not urgent waits for morning in the recipient's own zone."""

    @classmethod
    def of(cls, channel: Channel) -> "ChannelView":
        """The rules of a channel, its pauses up to the longest one."""
        pauses: list[timedelta] = []
        while len(pauses) < 32 and (not pauses or pauses[-1] < channel.retry.longest):
            pauses.append(channel.retry.wait(len(pauses) + 1))
        return cls(
            channel.name, [int(pause.total_seconds()) for pause in pauses],
            int(channel.patience.total_seconds()), channel.per_target, channel.is_quiet_at_night,
        )  # fmt: skip


class MessageView(msgspec.Struct, frozen=True):
    """One message; its id is the uid its receiver knows."""

    id: uuid.UUID
    document_id: uuid.UUID
    channel: str
    target: str
    priority: int
    status: str
    attempts: int
    next_attempt_at: datetime | None
    """Null while waiting: as soon as there is room."""
    limit_at: datetime
    error_code: str | None
    error: str | None
    sent_at: datetime | None
    created_at: datetime
    deliveries: int


class TryView(msgspec.Struct, frozen=True):
    """One try."""

    number: int
    status: str
    started_at: datetime
    finished_at: datetime | None
    error_code: str | None
    error: str | None
    receipt: dict[str, Any] | None


class Again(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Send again; by another channel where one is named."""

    channel: str | None = None


class AskProlongation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The day asked for, and why."""

    until: Day
    reason: str


class DecideProlongation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Granted until the day asked for or `until`; a refusal needs its reason."""

    is_granted: bool
    until: Day | None = None
    reason: str = ""


class ProlongationView(msgspec.Struct, frozen=True):
    """A request for a later day, and what became of it."""

    id: uuid.UUID
    delivery_id: uuid.UUID
    recipient_id: uuid.UUID
    recipient: str
    due_on: Day
    wanted_on: Day
    reason: str
    status: str
    decision: str | None
    granted_on: Day | None
    created_at: datetime
