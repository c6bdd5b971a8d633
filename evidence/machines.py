"""What is said of the states of exports and of the log's witnesses."""

from datetime import timedelta

from core.machines import Machine, Watch
from evidence.packages import exports
from evidence.privacy import acts

_OF_ERASURE = """SELECT id, organization_id, NULL::uuid AS document_id, updated_at AS since,
    coalesce(stopped_by, status) AS code, NULL::text AS note, NULL::timestamptz AS next_at
    FROM erasure WHERE status IN {} AND updated_at < $1::timestamptz - $2::interval"""

MACHINES = (
    Machine(
        "evidence_export",
        ends=frozenset({"expired"}),
        rests={"ready": "until its bytes expire (evidence.expire)"},
        watches=(
            Watch(
                "export_late", ("queued", "packing"),
                "Сборка пакета доказательств не идёт", "An evidence package is not being built",
                "service", timedelta(minutes=30), "evidence.resume",
                """SELECT id, organization_id, NULL::uuid AS document_id, updated_at AS since,
                   status AS code, error AS note, NULL::timestamptz AS next_at
                   FROM evidence_export WHERE status IN ('queued', 'packing')
                   AND updated_at < $1::timestamptz - $2::interval""",
            ),
            Watch(
                "export_failed", ("failed",),
                "Пакет доказательств не собран", "An evidence package could not be built",
                "administrator", timedelta(0), "evidence.resume",
                """SELECT id, organization_id, NULL::uuid AS document_id, updated_at AS since,
                   coalesce(error_code, status) AS code, error AS note,
                   NULL::timestamptz AS next_at
                   FROM evidence_export WHERE status = 'failed'
                   AND updated_at <= $1::timestamptz - $2::interval""",
                retry=exports.retry,
            ),
        ),
    ),
    Machine(
        "erasure",
        ends=frozenset({"done", "cancelled"}),
        watches=(
            Watch(
                "erasure_undecided", ("proposed",),
                "Акт об уничтожении персональных данных ждёт комиссию дольше трёх дней",
                "An act of erasure waits for its commission",
                "lawyer", timedelta(days=3), "privacy.resume",
                _OF_ERASURE.format("('proposed')"),
            ),
            Watch(
                "erasure_late", ("approved", "executing"),
                "Утверждённый акт об уничтожении персональных данных не исполнен",
                "An approved act of erasure is not carried out",
                "lawyer", timedelta(hours=1), "privacy.resume",
                _OF_ERASURE.format("('approved', 'executing')"),
                retry=acts.go_on, may_retry=acts.ROLES,
            ),
        ),
    ),
    Machine(
        "subject_request",
        ends=frozenset({"answered", "refused"}),
        watches=(
            Watch(
                "subject_request_late", ("open",),
                "На запрос субъекта персональных данных не ответили в срок",
                "A person's request about their data was not answered in time",
                "lawyer", "due_on", "privacy.resume",
                """SELECT id, organization_id, NULL::uuid AS document_id,
                   due_on::timestamptz AS since, kind AS code, NULL::text AS note,
                   NULL::timestamptz AS next_at FROM subject_request
                   WHERE status = 'open' AND due_on < ($1::timestamptz + coalesce($2::interval,
                   '0'))::date""",
            ),
        ),
    ),
    Machine(
        "log_witness",
        ends=frozenset(),
        rests={"active": "it is asked", "disabled": "until an administrator enables it"},
    ),
)  # fmt: skip
