"""What is said of the states of the trust store."""

from datetime import timedelta

from core.machines import Machine, Watch

_SWITCH = {"active": "it is asked", "disabled": "until an administrator enables it"}

MACHINES = (
    Machine(
        "trust_anchor",
        ends=frozenset(),
        rests={"trusted": "in force until retired", "retired": "until it is proposed anew"},
        watches=(
            Watch(
                "anchor_proposed", ("proposed",),
                "Корневой сертификат ждёт подтверждения второго администратора",
                "A root certificate waits for a second administrator",
                "administrator", timedelta(days=3), "signatures.stale_lists",
                """SELECT id, NULL::uuid AS organization_id, NULL::uuid AS document_id,
                   added_at AS since, 'proposed' AS code, note, NULL::timestamptz AS next_at
                   FROM trust_anchor WHERE status = 'proposed'
                   AND added_at < $1::timestamptz - $2::interval""",
            ),
        ),
    ),
    Machine("revocation_source", ends=frozenset(), rests=_SWITCH),
    Machine("stamp_service", ends=frozenset(), rests=_SWITCH),
)  # fmt: skip
