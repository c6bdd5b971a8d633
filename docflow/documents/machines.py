"""What is said of the states of documents, signing and appeals."""

from datetime import timedelta

from core.machines import Machine, Watch
from docflow.documents.records import machines as records

_OF_DOCUMENT = """SELECT id, organization_id, id AS document_id, updated_at AS since,
    status AS code, NULL::text AS note, NULL::timestamptz AS next_at FROM document
    WHERE status = '{}' AND updated_at < $1::timestamptz - $2::interval"""

MACHINES = (
    *records.MACHINES,
    Machine(
        "document",
        ends=frozenset({"discarded", "destroyed"}),
        rests={
            "closed": "kept in its case",
            "recalled": "number and trace stay",
            "draft": "the author's own, in the list of drafts",
            "sent": "its deliveries are watched one by one, until it is filed",
        },
        watches=(
            Watch(
                "document_unsigned", ("signing",),
                "Документ ждёт подписи дольше трёх дней", "A document waits for a signature",
                "signatory", timedelta(days=3), "documents.expire_sessions",
                _OF_DOCUMENT.format("signing"),
            ),
            Watch(
                "document_unregistered", ("signed",),
                "Подписанный документ не зарегистрирован", "A signed document has no number",
                "author", timedelta(days=1), "documents.recheck_unclear",
                _OF_DOCUMENT.format("signed"),
            ),
            Watch(
                "document_unsent", ("registered",),
                "Зарегистрированный документ не разослан и не подшит в дело",
                "A registered document was neither dispatched nor filed",
                "author", timedelta(days=3), "documents.recheck_unclear",
                """SELECT d.id, d.organization_id, d.id AS document_id, d.updated_at AS since,
                   d.status AS code, NULL::text AS note, NULL::timestamptz AS next_at
                   FROM document AS d WHERE d.status = 'registered'
                   AND d.updated_at < $1::timestamptz - $2::interval
                   AND NOT EXISTS (SELECT 1 FROM delivery AS v WHERE v.document_id = d.id)""",
            ),
        ),
    ),
    Machine(
        "signing_session",
        ends=frozenset({"finished", "cancelled", "expired"}),
        watches=(
            Watch(
                "session_open", ("open",),
                "Сеанс подписания не закрыт после срока", "A signing session outlived its term",
                "service", timedelta(minutes=30), "documents.expire_sessions",
                """SELECT s.id, d.organization_id, s.document_id, s.expires_at AS since,
                   s.role AS code, NULL::text AS note, NULL::timestamptz AS next_at
                   FROM signing_session AS s JOIN document AS d ON d.id = s.document_id
                   WHERE s.status = 'open' AND s.expires_at < $1::timestamptz - $2::interval""",
            ),
        ),
    ),
    Machine(
        "signing_step",
        ends=frozenset({"skipped"}),
        rests={
            "waiting": "until its turn; the one before it is watched",
            "signed": "done; asked for anew only when the document is taken back",
        },
        watches=(
            Watch(
                "step_due", ("due",),
                "Очередная подпись ожидается дольше трёх дней", "A signature is awaited for long",
                "signatory", timedelta(days=3), "documents.expire_sessions",
                """SELECT id, organization_id, document_id, updated_at AS since, role AS code,
                   NULL::text AS note, NULL::timestamptz AS next_at FROM signing_step
                   WHERE status = 'due' AND updated_at < $1::timestamptz - $2::interval""",
            ),
        ),
    ),
    Machine(
        "appeal",
        ends=frozenset({"answered"}),
        watches=(
            Watch(
                "appeal_overdue", ("open",),
                "Срок рассмотрения обращения по 59-ФЗ истёк", "An appeal under 59-FZ is overdue",
                "author", "overdue_on", "documents.watch_appeals",
                """SELECT id, organization_id, document_id, overdue_on::timestamptz AS since,
                   'overdue' AS code, NULL::text AS note, NULL::timestamptz AS next_at FROM appeal
                   WHERE status = 'open'
                   AND overdue_on <= ($1::timestamptz + coalesce($2::interval, '0'))::date""",
            ),
        ),
    ),
    Machine(
        "power_of_attorney_status",
        ends=frozenset({"revoked", "in_force"}),
    ),
    Machine(
        "signature",
        ends=frozenset({"stamped"}),
        column="",
        watches=(
            Watch(
                "longevity_due", (),
                "Долговременное хранение: ждёт отметки времени дольше часа",
                "Long life: waits for a time stamp for more than an hour",
                "service", timedelta(hours=1), "longevity.stamp_received",
                """SELECT s.id, d.organization_id, s.document_id, s.checked_at AS since,
                   'unstamped' AS code, NULL::text AS note, NULL::timestamptz AS next_at
                   FROM signature AS s JOIN document AS d ON d.id = s.document_id
                   WHERE s.evidenced_at IS NULL
                   AND s.checked_at < $1::timestamptz - $2::interval""",
            ),
            Watch(
                "longevity_overdue", (),
                "Долговременное хранение: отметка времени не продлена",
                "Long life: a time stamp was not renewed",
                "administrator", "ends_at", "longevity.renew_stamps",
                """SELECT id, NULL::uuid AS organization_id, NULL::uuid AS document_id,
                   ends_at AS since, kind AS code, NULL::text AS note,
                   NULL::timestamptz AS next_at FROM archive_stamp
                   WHERE renewed_by IS NULL AND retired_at IS NULL
                   AND ends_at <= $1::timestamptz + coalesce($2::interval, '0')""",
            ),
        ),
    ),
)  # fmt: skip
