"""The wire of webhooks and notices."""

import uuid
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from notify.notices import Notice
from notify.webhooks import Message, Registered, Webhook

Url = Annotated[
    str,
    Meta(
        max_length=2000,
        description="Public https:// address",
        examples=["https://hooks.example.org/docflow"],
    ),
]
EventType = Annotated[str, Meta(max_length=60, examples=["document.received"])]


class NewWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address and the events it is to be told of; ``*`` for all."""

    url: Url
    event_types: Annotated[list[EventType], Meta(min_length=1, max_length=50)]


class RegisteredWebhook(msgspec.Struct, frozen=True):
    """The new webhook; `secret` is shown this once, null when an Idempotency-Key came again."""

    id: uuid.UUID
    secret: str | None

    @classmethod
    def of(cls, made: Registered) -> "RegisteredWebhook":
        """From what the verb answered."""
        return cls(id=made.id, secret=made.secret)


class WebhookOut(msgspec.Struct, frozen=True):
    """A webhook; `disabled_reason`: by_administrator, gone (HTTP 410) or failing."""

    id: uuid.UUID
    url: str
    event_types: list[str]
    status: str
    disabled_reason: str | None
    failing_since: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, found: Webhook) -> "WebhookOut":
        """From what the verb answered."""
        return msgspec.convert(found, cls, from_attributes=True)


class EventTypeOut(msgspec.Struct, frozen=True):
    """A type of event that can be subscribed to."""

    name: str
    ru: str
    en: str


class EventTypes(msgspec.Struct, frozen=True):
    """What can be subscribed to, and the pauses between attempts in seconds."""

    event_types: list[EventTypeOut]
    retries_seconds: list[int]


class MessageOut(msgspec.Struct, frozen=True):
    """A message: how often it was tried, when it is tried next, what went wrong last."""

    id: uuid.UUID
    event_type: str
    status: str
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    created_at: datetime
    sent_at: datetime | None
    body: msgspec.Raw

    @classmethod
    def of(cls, found: Message) -> "MessageOut":
        """From what the verb answered; the body is shown as the JSON that it is."""
        return cls(
            id=found.id, event_type=found.event_type, status=found.status,
            attempts=found.attempts, next_attempt_at=found.next_attempt_at,
            last_error=found.last_error, created_at=found.created_at, sent_at=found.sent_at,
            body=msgspec.Raw(found.body),
        )  # fmt: skip


class NoticeOut(msgspec.Struct, frozen=True):
    """A notice with its text in both languages."""

    id: uuid.UUID
    kind: str
    subject_kind: str
    subject_id: uuid.UUID
    about: date | None
    data: dict[str, Any]
    heading_ru: str
    heading_en: str
    text_ru: str
    text_en: str
    email_status: str
    created_at: datetime

    @classmethod
    def of(cls, found: Notice) -> "NoticeOut":
        """From what the verb answered."""
        return msgspec.convert(found, cls, from_attributes=True)


class ReadNotices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Notices that somebody has read."""

    ids: Annotated[list[uuid.UUID], Meta(min_length=1, max_length=500)]


class Marked(msgspec.Struct, frozen=True):
    """How many of them were unread until now."""

    marked: int
