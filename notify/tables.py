"""The room's tables as Piccolo sees them; keys, checks, indexes stand in the migrations."""

from piccolo.columns import JSONB, UUID, Array, Bytea, Date, Integer, Text, Timestamptz
from piccolo.table import Table


class Webhook(Table, tablename="webhook"):
    """An address of a program to tell (подписка на события)."""

    id = UUID(primary_key=True)
    organization_id = UUID(default=None)
    url = Text()
    secret = Bytea()
    event_types = Array(base_column=Text())
    status = Text()
    failing_since = Timestamptz(null=True)
    created_at = Timestamptz()


class WebhookMessage(Table, tablename="webhook_message"):
    """One thing told to such an address (сообщение подписки)."""

    id = UUID(primary_key=True)
    webhook_id = UUID(default=None)
    event_type = Text()
    body = Bytea()
    status = Text()
    attempts = Integer()
    next_attempt_at = Timestamptz(null=True)
    last_error = Text(null=True)
    created_at = Timestamptz()
    sent_at = Timestamptz(null=True)


class Notice(Table, tablename="notice"):
    """One thing an organization should know (уведомление)."""

    id = UUID(primary_key=True)
    organization_id = UUID(default=None)
    kind = Text()
    subject_kind = Text()
    subject_id = UUID(default=None)
    about = Date(null=True)
    data = JSONB()
    created_at = Timestamptz()
    read_at = Timestamptz(null=True)
    email_status = Text()
