"""What is said of the states of exports and of the log's witnesses."""

from datetime import timedelta

from core.machines import Machine, Watch
from evidence.packages import exports

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
        "log_witness",
        ends=frozenset(),
        rests={"active": "it is asked", "disabled": "until an administrator enables it"},
    ),
)  # fmt: skip
