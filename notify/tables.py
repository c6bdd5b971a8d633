"""The room's tables as Piccolo sees them; keys, checks and indexes stand in the migrations."""

from piccolo.columns import JSONB, UUID, Array, Bytea, Date, Integer, Text, Timestamptz
from piccolo.table import Table


class Webhook(Table, tablename="webhook"):
    """Вебхук: адрес программы, которой сообщают о событиях (an address told of events)."""

    id = UUID(primary_key=True, default=None)
    organization_id = UUID(default=None)
    url = Text()
    secret = Bytea(secret=True)
    """Sealed for the purpose `webhook`, bound to the row's id."""
    event_types = Array(base_column=Text())
    status = Text()
    disabled_reason = Text(null=True, default=None)
    failing_since = Timestamptz(null=True, default=None)
    """The first failure since the last success."""
    created_at = Timestamptz(default=None)


class WebhookMessage(Table, tablename="webhook_message"):
    """Сообщение вебхуку: тело хранится байт в байт (a message; its body is kept as bytes)."""

    id = UUID(primary_key=True, default=None)
    """Sent as `webhook-id`, the same on every attempt."""
    webhook_id = UUID(default=None)
    event_type = Text()
    body = Bytea()
    status = Text()
    attempts = Integer()
    next_attempt_at = Timestamptz(null=True, default=None)
    last_error = Text(null=True, default=None)
    created_at = Timestamptz(default=None)
    sent_at = Timestamptz(null=True, default=None)


class Notice(Table, tablename="notice"):
    """Уведомление организации (a notice in an organization's inbox of notices)."""

    id = UUID(primary_key=True, default=None)
    organization_id = UUID(default=None)
    kind = Text()
    subject_kind = Text()
    subject_id = UUID(default=None)
    about = Date(null=True, default=None)
    data = JSONB()
    created_at = Timestamptz(default=None)
    read_at = Timestamptz(null=True, default=None)
    email_status = Text()
    email_attempts = Integer()
    email_next_at = Timestamptz(null=True, default=None)
    email_error = Text(null=True, default=None)
