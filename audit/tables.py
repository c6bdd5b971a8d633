"""The room's tables as Piccolo sees them; keys, checks, indexes stand in the migrations."""

from piccolo.columns import JSONB, UUID, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table


class Event(Table, tablename="event"):
    """One thing that happened (событие)."""

    id = UUID(primary_key=True)
    at = Timestamptz()
    actor_kind = Text()
    actor_id = UUID(null=True)
    organization_id = UUID(null=True)
    verb = Text()
    subject_kind = Text()
    subject_id = UUID(default=None)
    document_id = UUID(null=True)
    from_status = Text(null=True)
    to_status = Text(null=True)
    request_id = UUID(null=True)
    data = JSONB(null=True)
    detail_sha256 = Bytea(null=True)


class EventPayload(Table, tablename="event_payload"):
    """The personal detail of an event, with its salt (сведения события)."""

    event_id = UUID(primary_key=True)
    salt = Bytea()
    detail = JSONB()


class ReadLog(Table, tablename="read_log"):
    """One look at personal data (журнал обращений к персональным данным)."""

    id = UUID(primary_key=True)
    at = Timestamptz()
    actor_id = UUID(null=True)
    organization_id = UUID(null=True)
    subject_kind = Text()
    subject_id = UUID(default=None)
    purpose = Text()
    count = Integer()  # type: ignore[assignment]  # reason: the column hides Table.count()
    request_id = UUID(null=True)
