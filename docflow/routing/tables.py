"""The room's tables as Piccolo sees them; keys, checks, indexes stand in the migrations."""

from piccolo.columns import JSONB, UUID, Date, Integer, SmallInt, Text, Timestamptz
from piccolo.table import Table


class Dispatch(Table, tablename="dispatch"):
    """One mailing of a document (рассылка)."""

    id = UUID(primary_key=True)
    document_id = UUID(default=None)
    organization_id = UUID(default=None)
    actor_id = UUID(default=None)
    mode = Text()
    selector = JSONB()
    as_of = Date()
    deadlines = JSONB()
    priority = SmallInt()
    recipients = Integer()
    created_at = Timestamptz()


class Delivery(Table, tablename="delivery"):
    """A document on its way to one final recipient (отправка)."""

    id = UUID(primary_key=True)
    dispatch_id = UUID(default=None)
    document_id = UUID(default=None)
    recipient_id = UUID(default=None)
    recipient_kind = Text()
    via_id = UUID(null=True)
    channel = Text()
    status = Text()
    due_on = Date(null=True)
    delivered_at = Timestamptz(null=True)
    opened_at = Timestamptz(null=True)
    acknowledged_at = Timestamptz(null=True)
    acknowledged_by = UUID(null=True)
    executed_at = Timestamptz(null=True)
    ended_at = Timestamptz(null=True)
    reason = Text(null=True)
    updated_at = Timestamptz()


class Hop(Table, tablename="hop"):
    """A relay's passing on (этап прохождения)."""

    id = UUID(primary_key=True)
    delivery_id = UUID(default=None)
    document_id = UUID(default=None)
    organization_id = UUID(default=None)
    registration_id = UUID(default=None)
    actor_id = UUID(default=None)
    resolution = Text()
    verdict = Text()
    report = JSONB()
    passed = Integer()
    passed_at = Timestamptz()


class Attempt(Table, tablename="attempt"):
    """One try to hand a delivery to its channel (попытка доставки)."""

    id = UUID(primary_key=True)
    delivery_id = UUID(default=None)
    channel = Text()
    message_uid = UUID(default=None)
    status = Text()
    started_at = Timestamptz()
    finished_at = Timestamptz(null=True)
    next_attempt_at = Timestamptz(null=True)
    error_code = Text(null=True)
    receipt = JSONB(null=True)


class Answer(Table, tablename="answer"):
    """A document that answers a delivery (ответ)."""

    id = UUID(primary_key=True)
    delivery_id = UUID(default=None)
    document_id = UUID(default=None)
    actor_id = UUID(default=None)
    created_at = Timestamptz()
