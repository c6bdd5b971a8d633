"""What is said of the states of webhooks and notices."""

from datetime import timedelta

from core.machines import Machine, Watch
from notify import webhooks

MACHINES = (
    Machine(
        "webhook",
        ends=frozenset(),
        rests={"active": "it listens", "disabled": "told as webhook_disabled when it happened"},
    ),
    Machine(
        "webhook_message",
        ends=frozenset({"sent"}),
        watches=(
            Watch(
                "webhook_late", ("waiting",),
                "Сообщение вебхука давно должно было уйти", "A webhook message is overdue",
                "service", timedelta(minutes=15), "notify.sweep",
                """SELECT m.id, w.organization_id, NULL::uuid AS document_id, m.next_attempt_at
                   AS since, 'late' AS code, m.last_error AS note, m.next_attempt_at AS next_at
                   FROM webhook_message AS m JOIN webhook AS w ON w.id = m.webhook_id
                   WHERE m.status = 'waiting' AND m.next_attempt_at < $1::timestamptz - $2::interval
                   AND w.status = 'active'""",
                retry=webhooks.resend, may_retry=("administrator",),
            ),
            Watch(
                "webhook_failed", ("failed",),
                "Сообщение вебхука не принято после всех попыток; проверьте получателя и отправьте"
                " ещё раз",
                "A webhook message was not taken after all attempts; check the receiver and resend",
                "administrator", timedelta(0), "notify.sweep",
                """SELECT m.id, w.organization_id, NULL::uuid AS document_id, m.created_at AS since,
                   'failed' AS code, m.last_error AS note, NULL::timestamptz AS next_at
                   FROM webhook_message AS m JOIN webhook AS w ON w.id = m.webhook_id
                   WHERE m.status = 'failed' AND m.created_at <= $1::timestamptz - $2::interval""",
                retry=webhooks.resend, may_retry=("administrator",),
            ),
        ),
    ),
    Machine(
        "notice",
        ends=frozenset({"none", "sent"}),
        column="email_status",
        rests={"failed": "the notice itself stands in the organization's list of notices"},
        watches=(
            Watch(
                "mail_late", ("waiting",),
                "Письмо с уведомлением не уходит; проверьте почтовый узел (SMTP_HOST)",
                "A notice's letter does not go out; check the mail relay (SMTP_HOST)",
                "administrator", timedelta(hours=14), "notify.sweep",
                """SELECT id, organization_id, NULL::uuid AS document_id, created_at AS since,
                   kind AS code, NULL::text AS note, email_next_at AS next_at FROM notice
                   WHERE email_status = 'waiting'
                   AND created_at < $1::timestamptz - $2::interval""",
            ),
        ),
    ),
)  # fmt: skip
