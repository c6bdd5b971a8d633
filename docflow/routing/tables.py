"""The room's tables as Piccolo sees them; keys, checks, indexes stand in the migrations."""

from piccolo.columns import (
    JSONB,
    UUID,
    BigInt,
    Boolean,
    Bytea,
    Date,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
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
    executor_id = UUID(null=True)
    due_on = Date(null=True)


class Consignment(Table, tablename="consignment"):
    """One message by one channel to one target; its id is the message uid (отправление)."""

    id = UUID(primary_key=True)
    document_id = UUID(default=None)
    sender_id = UUID(default=None)
    channel = Text()
    target = Text()
    priority = SmallInt()
    turn = BigInt()
    time_zone = Text(null=True)
    status = Text()
    attempts = Integer()
    next_attempt_at = Timestamptz(null=True)
    limit_at = Timestamptz()
    carrier_id = UUID(null=True)
    leased_until = Timestamptz(null=True)
    error_code = Text(null=True)
    error = Text(null=True)
    sent_at = Timestamptz(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()


class ConsignmentDelivery(Table, tablename="consignment_delivery"):
    """A delivery that goes by a message, and how that ended for it (состав отправления)."""

    consignment_id = UUID(primary_key=True)
    delivery_id = UUID(default=None)
    outcome = Text(null=True)
    settled_at = Timestamptz(null=True)


class ChannelGate(Table, tablename="channel_gate"):
    """A target that does not answer: how long nothing is tried there (пауза канала)."""

    channel = Text(primary_key=True)
    target = Text()
    failures = Integer()
    closed_until = Timestamptz()
    error_code = Text()
    since = Timestamptz()


class Attempt(Table, tablename="attempt"):
    """One try to hand a message over (попытка доставки)."""

    id = UUID(primary_key=True)
    consignment_id = UUID(default=None)
    number = Integer()
    status = Text()
    started_at = Timestamptz()
    finished_at = Timestamptz(null=True)
    next_attempt_at = Timestamptz(null=True)
    error_code = Text(null=True)
    error = Text(null=True)
    receipt = JSONB(null=True)
    carrier_id = UUID(null=True)


class Prolongation(Table, tablename="prolongation"):
    """A later day asked for by the recipient (просьба о продлении срока)."""

    id = UUID(primary_key=True)
    delivery_id = UUID(default=None)
    document_id = UUID(default=None)
    sender_id = UUID(default=None)
    due_on = Date()
    wanted_on = Date()
    reason = Text()
    status = Text()
    asked_by = UUID(default=None)
    decided_by = UUID(null=True)
    decision = Text(null=True)
    granted_on = Date(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()


class Escalation(Table, tablename="escalation"):
    """A superior was told of a delivery that stays silent (доклад вышестоящему)."""

    delivery_id = UUID(primary_key=True)
    due_on = Date()
    step = SmallInt()
    superior_id = UUID(default=None)
    at = Timestamptz()


class Answer(Table, tablename="answer"):
    """A document that answers a delivery (ответ)."""

    id = UUID(primary_key=True)
    delivery_id = UUID(default=None)
    document_id = UUID(default=None)
    actor_id = UUID(default=None)
    created_at = Timestamptz()


class MedoPartner(Table, tablename="medo_partner"):
    """Who takes part in МЭДО: a body we write to, or one of our own (участник МЭДО)."""

    id = UUID(primary_key=True)
    organization_id = UUID(default=None)
    participant_uid = UUID(default=None)
    address = Text()
    is_own = Boolean()
    version = Text()
    signatures = Text()
    signs_annexes = Boolean()
    pdfa = Text()
    max_bytes = BigInt()
    receipt_hours = Integer()
    is_active = Boolean()
    created_at = Timestamptz()
    updated_at = Timestamptz()


class MedoMessage(Table, tablename="medo_message"):
    """One message that came or went (сообщение МЭДО)."""

    id = UUID(primary_key=True)
    direction = Text()
    kind = Text()
    event = Text(null=True)
    version = Text()
    header_uid = UUID(null=True)
    document_uid = Text(null=True)
    partner_id = UUID(null=True)
    source_uid = Text()
    organization_id = UUID(null=True)
    document_id = UUID(null=True)
    delivery_id = UUID(null=True)
    answers_id = UUID(null=True)
    status = Text()
    reason = Text(null=True)
    folder = Text()
    payload_sha256 = Bytea(null=True)
    facts = JSONB()
    attempts = Integer()
    sent_at = Timestamptz(null=True)
    delivered_at = Timestamptz(null=True)
    registered_at = Timestamptz(null=True)
    their_number = Text(null=True)
    their_date = Date(null=True)
    overdue_on = Date(null=True)
    extended_days = Integer()
    extension_notice = Text(null=True)
    alarmed_at = Timestamptz(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()


class MedoPart(Table, tablename="medo_part"):
    """One file of a message, as received or as sent (часть сообщения МЭДО)."""

    id = UUID(primary_key=True)
    message_id = UUID(default=None)
    name = Text()
    size = BigInt()
    sha256 = Bytea()
    blob_id = UUID(null=True)
    content = Bytea(null=True)


class Question(Table, tablename="question"):
    """What a recipient asks about a document, and the sender's answer (вопрос по документу)."""

    id = UUID(primary_key=True)
    delivery_id = UUID(default=None)
    document_id = UUID(default=None)
    asker_id = UUID(default=None)
    sender_id = UUID(default=None)
    text = Text()
    asked_by = UUID(default=None)
    asked_at = Timestamptz()
    answer = Text(null=True)
    answered_by = UUID(null=True)
    answered_at = Timestamptz(null=True)
