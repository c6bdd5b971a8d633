"""What is said of the states of plans, cases, inventories and acts."""

from datetime import timedelta

from core.machines import Machine, Watch

MACHINES = (
    Machine(
        "file_plan",
        ends=frozenset({"closed"}),
        rests={"draft": "drawn up during the autumn, by those who will need it"},
        watches=(
            Watch(
                "file_plan_unclosed", ("approved",),
                "Номенклатура прошлого года не закрыта итоговой записью до апреля",
                "Last year's plan of cases is not closed by April",
                "author", timedelta(days=90), "records.sweep_acts",
                """SELECT id, organization_id, NULL::uuid AS document_id,
                   make_date(year + 1, 1, 1)::timestamptz AS since, year::text AS code,
                   NULL::text AS note, NULL::timestamptz AS next_at FROM file_plan
                   WHERE status = 'approved'
                   AND make_date(year + 1, 1, 1) < $1::timestamptz - $2::interval""",
            ),
        ),
    ),
    Machine(
        "record_case",
        ends=frozenset({"carried", "destroyed"}),
        rests={
            "planned": "a row of a draft",
            "open": "documents are filed in it; its plan is watched",
            "closed": "kept until its term is over, and after it until an act lists it",
        },
    ),
    Machine("case_filing", ends=frozenset({"destroyed"}), rests={"filed": "kept in its case"}),
    Machine(
        "case_inventory",
        ends=frozenset({"approved", "cancelled"}),
        rests={"draft": "until the head approves it; no act is approved before"},
    ),
    Machine(
        "destruction_line",
        ends=frozenset({"dropped", "destroyed"}),
        rests={"listed": "its act is watched"},
    ),
    Machine(
        "destruction_act",
        ends=frozenset({"executed", "rejected", "cancelled"}),
        rests={
            "draft": "the drafter's own",
            "agreed": "nothing is lost while it waits for the head",
            "approved": "nothing is lost while it waits to be carried out",
        },
        watches=(
            Watch(
                "act_in_review", ("review",),
                "Экспертная комиссия не рассмотрела акт об уничтожении за 30 дней",
                "The expert commission has not judged an act of destruction for 30 days",
                "author", timedelta(days=30), "records.sweep_acts",
                """SELECT id, organization_id, NULL::uuid AS document_id, updated_at AS since,
                   'review' AS code, number::text AS note, NULL::timestamptz AS next_at
                   FROM destruction_act WHERE status = 'review'
                   AND updated_at < $1::timestamptz - $2::interval""",
            ),
            Watch(
                "act_executing", ("executing",),
                "Акт об уничтожении исполняется дольше двух часов",
                "An act of destruction is being carried out for more than two hours",
                "service", timedelta(hours=2), "records.sweep_acts",
                """SELECT id, organization_id, NULL::uuid AS document_id, updated_at AS since,
                   'executing' AS code, number::text AS note, NULL::timestamptz AS next_at
                   FROM destruction_act WHERE status = 'executing'
                   AND updated_at < $1::timestamptz - $2::interval""",
            ),
        ),
    ),
)  # fmt: skip
