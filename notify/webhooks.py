"""Webhooks: who listens, what is waiting to be told, and the telling of it to the queue.

After the Standard Webhooks specification: signed, an id that stays, a body that stays byte for
byte, and a published table of retries. The sending itself is in ``webhook_delivery``.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from audit import events
from core import clock, db, jobs, sealing
from core.actor import Actor
from core.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from core.idempotency import once, request_hash
from notify import webhook_address
from notify.webhook_signature import key_of, new_secret, verify

__all__ = [
    "ALLOW_PRIVATE", "EVENT_TYPES", "RETRIES", "Message", "Registered", "Webhook", "announce",
    "announce_many", "disable", "enable", "list_of", "messages_of", "register", "resend", "verify",
]  # fmt: skip

ALLOW_PRIVATE = False
"""Setting WEBHOOK_ALLOW_PRIVATE: http:// and addresses inside the network; demo and tests only."""

EVENT_TYPES: dict[str, tuple[str, str]] = {
    "document.created": ("Документ создан", "A document was created"),
    "document.signed": ("Документ подписан", "A document was signed"),
    "document.registered": ("Документ зарегистрирован", "A document was registered"),
    "document.sent": ("Документ разослан", "A document was dispatched"),
    "document.recalled": ("Документ отозван", "A document was recalled"),
    "document.received": ("Получен документ", "A document was received"),
    "delivery.opened": ("Получатель открыл документ", "The recipient opened the document"),
    "delivery.acknowledged": (
        "Получатель подтвердил ознакомление",
        "A named person acknowledged the document",
    ),
    "delivery.delivered": (
        "Доставлено по внешнему каналу",
        "An outside channel has delivered the document",
    ),
    "delivery.failed": ("Не доставлено", "The document could not be delivered"),
    "delivery.queued": ("Отправляется ещё раз", "The document is sent once more"),
    "delivery.refused": ("Получатель отказал", "The recipient refused the document"),
    "delivery.executed": ("Получатель исполнил документ", "The recipient executed the document"),
    "delivery.passed_on": ("Документ передан ниже", "The relay passed the document on"),
    "publication.ready": ("Публикация готова к выходу", "A publication is ready to come out"),
    "publication.blocked": ("Публикация остановлена", "A publication was held back"),
    "publication.published": ("Публикация вышла", "A publication came out"),
    "publication.withdrawn": ("Публикация снята", "A publication was withdrawn"),
    "permit.given": ("Выдано разрешение на изображение", "A permit for a picture was given"),
    "review.decided": ("Юрист принял решение об изображении", "A lawyer decided on a picture"),
}
"""What can be subscribed to, in Russian and English; ``*`` subscribes to everything."""
EVERYTHING = "*"

RETRIES = (
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2),
    timedelta(hours=5), timedelta(hours=10), timedelta(hours=14), timedelta(hours=20),
    timedelta(hours=24),
)  # fmt: skip
"""The pause after each failed attempt, published; after the last one the message has failed."""

JOB = "notify.send_webhook"
QUEUE = "webhooks"
SEAL = "webhook"
MOST_PER_ORGANIZATION = 20
WHOLE_TABLE_FROM = 1000
"""From so many organizations on, all listeners are fetched instead of asking by organization."""

jobs.allow(JOB, queue=QUEUE)


class Registered(NamedTuple):
    """A new webhook; the secret is shown once and is None when an Idempotency-Key came again."""

    id: uuid.UUID
    secret: str | None


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as its organization sees it."""

    id: uuid.UUID
    url: str
    event_types: list[str]
    status: str
    disabled_reason: str | None
    """by_administrator, gone (the receiver answered 410), failing (no success for days)."""
    failing_since: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One message and how its sending went."""

    id: uuid.UUID
    event_type: str
    status: str
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    created_at: datetime
    sent_at: datetime | None
    body: bytes = field(repr=False)


async def register(
    actor: Actor, url: str, event_types: Sequence[str], *, idempotency_key: str | None = None
) -> Registered:
    """Subscribe an address to events of the actor's organization; for administrators.

    Resolves the host's name before its transaction, so call it outside one. Raises `InvalidInput`
    with `webhook_url_forbidden`, `webhook_host_unknown` or `webhook_event_unknown`, `Conflict`
    with `webhook_limit`.
    """
    actor.require("administrator")
    organization_id, wanted = actor.home_id, _known_types(event_types)
    await webhook_address.resolve(url, allow_private=ALLOW_PRIVATE)
    shown = new_secret()

    async def create() -> uuid.UUID:
        webhook_id = clock.new_id()
        await _room_for_one(organization_id)
        await db.execute(
            """INSERT INTO webhook (id, organization_id, url, secret, event_types, created_at)
               VALUES ($1, $2, $3, $4, $5, $6)""",
            webhook_id, organization_id, url,
            sealing.seal(key_of(shown), purpose=SEAL, bound_to=webhook_id.bytes),
            wanted, clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "webhook.registered", subject=("webhook", webhook_id),
            change=(None, "active"), data={"event_types": wanted},
        )  # fmt: skip
        return webhook_id

    webhook_id, is_new = await once(
        scope=organization_id,
        key=idempotency_key,
        request=request_hash("webhook", url, *wanted),
        create=create,
    )
    return Registered(webhook_id, shown if is_new else None)


def _known_types(event_types: Sequence[str]) -> list[str]:
    wanted = sorted(set(event_types))
    unknown = [name for name in wanted if name != EVERYTHING and name not in EVENT_TYPES]
    if unknown or not wanted:
        raise InvalidInput(
            "Укажите виды событий из списка или «*» для всех.",
            "Name event types of the list, or “*” for all.",
            code="webhook_event_unknown",
            unknown=unknown[:20],
            known=list(EVENT_TYPES),
        )
    return wanted


async def _room_for_one(organization_id: uuid.UUID) -> None:
    number = await db.value(
        "SELECT count(*) FROM webhook WHERE organization_id = $1 AND status = 'active'",
        organization_id,
    )
    if number >= MOST_PER_ORGANIZATION:
        raise Conflict(
            f"У организации уже {number} вебхуков. Отключите лишние.",
            f"The organization has {number} webhooks already. Disable some.",
            code="webhook_limit",
            limit=MOST_PER_ORGANIZATION,
        )


async def list_of(actor: Actor) -> list[Webhook]:
    """The webhooks of the actor's organization, oldest first, without their secrets."""
    actor.require("administrator")
    found = await db.rows(
        """SELECT id, url, event_types, status, disabled_reason, failing_since, created_at
           FROM webhook WHERE organization_id = $1 ORDER BY id""",
        actor.home_id,
    )
    return [Webhook(**row) for row in found]


async def disable(actor: Actor, webhook_id: uuid.UUID) -> None:
    """Stop telling this address anything; what was waiting for it has failed."""
    await _require_own(actor, webhook_id)
    async with db.transaction():
        if not await end(actor, webhook_id, reason="by_administrator"):
            raise IllegalTransition(webhook_id=str(webhook_id), status="disabled")


async def end(actor: Actor, webhook_id: uuid.UUID, *, reason: str) -> bool:
    """Disable inside the caller's transaction; False when it was disabled already."""
    ended = await db.execute(
        """UPDATE webhook SET status = 'disabled', disabled_reason = $2
           WHERE id = $1 AND status = 'active'""",
        webhook_id, reason,
    )  # fmt: skip
    if not ended:
        return False
    failed = await db.execute(
        """UPDATE webhook_message SET status = 'failed', next_attempt_at = NULL,
               last_error = 'webhook_disabled'
           WHERE webhook_id = $1 AND status = 'waiting'""",
        webhook_id,
    )
    await events.record(
        actor, "webhook.disabled", subject=("webhook", webhook_id),
        change=("active", "disabled"), data={"reason": reason, "failed": failed},
    )  # fmt: skip
    return True


async def enable(actor: Actor, webhook_id: uuid.UUID) -> None:
    """Tell this address again of what happens from now on; missed messages can be resent."""
    await _require_own(actor, webhook_id)
    async with db.transaction():
        await _room_for_one(actor.home_id)
        done = await db.execute(
            """UPDATE webhook SET status = 'active', disabled_reason = NULL, failing_since = NULL
               WHERE id = $1 AND status = 'disabled'""",
            webhook_id,
        )
        if not done:
            raise IllegalTransition(webhook_id=str(webhook_id), status="active")
        await events.record(
            actor, "webhook.enabled", subject=("webhook", webhook_id),
            change=("disabled", "active"),
        )  # fmt: skip


async def messages_of(
    actor: Actor, webhook_id: uuid.UUID, *, after: uuid.UUID | None = None, limit: int = 50
) -> list[Message]:
    """The messages of a webhook, newest first; `after`: the last id of the page before."""
    await _require_own(actor, webhook_id)
    found = await db.rows(
        """SELECT id, event_type, status, attempts, next_attempt_at, last_error, created_at,
                  sent_at, body
           FROM webhook_message WHERE webhook_id = $1 AND ($2::uuid IS NULL OR id < $2)
           ORDER BY id DESC LIMIT $3""",
        webhook_id, after, limit,
    )  # fmt: skip
    return [Message(**row) for row in found]


async def resend(actor: Actor, message_id: uuid.UUID) -> None:
    """Send a message again now, with the same id and body and a fresh row of retries."""
    actor.require("administrator")
    async with db.transaction():
        found = await db.row(
            """SELECT m.webhook_id, m.status, w.status AS webhook_status FROM webhook_message AS m
               JOIN webhook AS w ON w.id = m.webhook_id
               WHERE m.id = $1 AND w.organization_id = $2 FOR UPDATE OF m""",
            message_id, actor.home_id,
        )  # fmt: skip
        if found is None:
            raise NotFound(message_id=str(message_id))
        if found["webhook_status"] != "active":
            raise Conflict(
                "Вебхук отключён. Включите его и повторите.",
                "The webhook is disabled. Enable it and try again.",
                code="webhook_disabled",
            )
        await db.execute(
            """UPDATE webhook_message SET status = 'waiting', attempts = 0, next_attempt_at = $2,
                   sent_at = NULL WHERE id = $1""",
            message_id, clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "webhook.resent", subject=("webhook_message", message_id),
            change=(found["status"], "waiting"),
        )  # fmt: skip
        await queue(found["webhook_id"], [message_id])


async def _require_own(actor: Actor, webhook_id: uuid.UUID) -> None:
    actor.require("administrator")
    own = await db.value(
        "SELECT true FROM webhook WHERE id = $1 AND organization_id = $2", webhook_id, actor.home_id
    )
    if not own:
        raise NotFound(webhook_id=str(webhook_id))


async def announce(organization_id: uuid.UUID, event_type: str, data: dict[str, Any]) -> None:
    """Tell the organization's programs, inside the transaction of the change.

    A rollback leaves no message. `data`: ids, codes and numbers, nothing about a person. One
    query when nobody listens. A type that is not in EVENT_TYPES is a defect (LookupError).
    """
    await announce_many(event_type, {organization_id: data})


async def announce_many(event_type: str, data_of: Mapping[uuid.UUID, dict[str, Any]]) -> int:
    """Tell many organizations of one type of event, each with its own data; answers how many
    messages were written. One query when nobody listens; otherwise as `announce`.
    """
    if event_type not in EVENT_TYPES:
        raise LookupError(f"no such type of event: {event_type!r}")
    if not data_of:
        return 0
    asked = list(data_of) if len(data_of) < WHOLE_TABLE_FROM else None
    listeners = await db.rows(
        """SELECT id, organization_id FROM webhook WHERE status = 'active'
           AND ($1::uuid[] IS NULL OR organization_id = ANY($1)) AND event_types && $2::text[]""",
        asked, [event_type, EVERYTHING],
    )  # fmt: skip
    at = clock.now()
    written = [
        (clock.new_id(), one["id"], event_type, _body(event_type, at, found), at)
        for one in listeners
        if (found := data_of.get(one["organization_id"])) is not None
    ]
    if not written:
        return 0
    async with db.transaction():
        await db.execute_many(
            """INSERT INTO webhook_message
                   (id, webhook_id, event_type, body, created_at, next_attempt_at)
               VALUES ($1, $2, $3, $4, $5, $5)""",
            written,
        )
        for message_id, webhook_id, *_ in written:
            await queue(webhook_id, [message_id])
    return len(written)


def _body(event_type: str, at: datetime, data: dict[str, Any]) -> bytes:
    """The bytes that are stored, signed and sent on every attempt."""
    return msgspec.json.encode({"type": event_type, "timestamp": at, "data": data})


async def queue(
    webhook_id: uuid.UUID, message_ids: Sequence[uuid.UUID], *, at: datetime | None = None
) -> None:
    """Queue the sending; one message of a webhook at a time, so that a slow address keeps
    only one hand busy.
    """
    await jobs.defer_many(
        JOB,
        [{"message_id": message_id} for message_id in message_ids],
        keys=[str(message_id) for message_id in message_ids],
        lock=f"webhook:{webhook_id}",
        at=at,
    )
