"""What e-mail, offline packages and paper keep; keys, checks, indexes stand in the migrations."""

from piccolo.columns import UUID, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table


class AnswerCode(Table, tablename="answer_code"):
    """What is told by telephone or written on paper to answer a delivery (код ответа)."""

    delivery_id = UUID(primary_key=True)
    code = Text()
    created_at = Timestamptz()


class AnswerLink(Table, tablename="answer_link"):
    """A way to read and acknowledge once without an account (ссылка для ознакомления)."""

    id = UUID(primary_key=True)
    delivery_id = UUID(default=None)
    consignment_id = UUID(default=None)
    expires_at = Timestamptz()
    opened_at = Timestamptz(null=True)
    used_at = Timestamptz(null=True)
    asked = Integer()
    asked_since = Timestamptz()
    created_at = Timestamptz()


class MailReport(Table, tablename="mail_report"):
    """One message of the mailbox, as it was understood (отчёт о доставке почты)."""

    id = UUID(primary_key=True)
    sha256 = Bytea()
    kind = Text()
    consignment_id = UUID(null=True)
    action = Text(null=True)
    code = Text()
    said = Text()
    effect = Text()
    received_at = Timestamptz()


class MailFault(Table, tablename="mail_fault"):
    """An address that takes no mail until it is changed (неисправный адрес)."""

    organization_id = UUID(primary_key=True)
    address = Text()
    code = Text()
    said = Text()
    since = Timestamptz()


class OfflinePackage(Table, tablename="offline_package"):
    """A package on a stick, handed out or brought in (пакет на носителе)."""

    id = UUID(primary_key=True)
    direction = Text()
    sender_id = UUID(default=None)
    recipient_id = UUID(default=None)
    sequence = Integer()
    sha256 = Bytea()
    seal_key = Text()
    documents = Integer()
    answers = Integer()
    actor_id = UUID(null=True)
    created_at = Timestamptz()


class OfflineItem(Table, tablename="offline_item"):
    """A document in a package (состав пакета)."""

    package_id = UUID(primary_key=True)
    uid = UUID(default=None)
    delivery_id = UUID(default=None)


class OfflineArrival(Table, tablename="offline_arrival"):
    """A delivery here that came on a stick, and is answered on one (отправка с носителя)."""

    delivery_id = UUID(primary_key=True)
    uid = UUID(default=None)
    origin_id = UUID(default=None)
    sender_id = UUID(default=None)


class OfflineKey(Table, tablename="offline_key"):
    """A key whose packages an organization and those below it may send (ключ пакетов)."""

    public = Text(primary_key=True)
    for_id = UUID(default=None)
    organization_id = UUID(default=None)
    added_by = UUID(default=None)
    added_at = Timestamptz()
    revoked_at = Timestamptz(null=True)


class PaperSheet(Table, tablename="paper_sheet"):
    """A sheet that was printed for a delivery (лист с кодом)."""

    delivery_id = UUID(primary_key=True)
    printed_at = Timestamptz()
    printed_by = UUID(default=None)
    times = Integer()
