"""What is said of the states of pictures, licences, reviews and publications."""

from datetime import timedelta

from core.machines import Machine, Watch

MACHINES = (
    Machine("picture", ends=frozenset({"retired"}), rests={"active": "in the register"}),
    Machine("licence", ends=frozenset({"retired"}), rests={"active": "in the register"}),
    Machine(
        "claimant",
        ends=frozenset({"retired"}),
        rests={"active": "in the register"},
        watches=(
            Watch(
                "claimant_proposed", ("proposed",),
                "Заявитель претензий или его произведение ждёт второго юриста",
                "A claimant, or a work of theirs, waits for a second lawyer",
                "lawyer", timedelta(days=14), "compliance.sweep_uses",
                """SELECT c.id, NULL::uuid AS organization_id, NULL::uuid AS document_id,
                   CASE c.status WHEN 'proposed' THEN c.created_at ELSE w.since END AS since,
                   CASE c.status WHEN 'proposed' THEN 'proposed' ELSE 'work_waiting' END AS code,
                   c.name AS note, NULL::timestamptz AS next_at
                   FROM claimant AS c LEFT JOIN LATERAL (SELECT min(created_at) AS since
                       FROM claimant_work WHERE claimant_id = c.id AND approved_at IS NULL) AS w
                       ON true
                   WHERE (c.status = 'proposed' AND c.created_at < $1::timestamptz - $2::interval)
                   OR (c.status = 'active' AND w.since < $1::timestamptz - $2::interval)""",
            ),
        ),
    ),
    Machine(
        "picture_review",
        ends=frozenset({"cleared", "refused", "expired"}),
        watches=(
            Watch(
                "review_overdue", ("open",),
                "Изображение не рассмотрено в срок", "A picture was not reviewed in time",
                "lawyer", "due_on", "compliance.sweep_reviews",
                """SELECT id, organization_id, NULL::uuid AS document_id, due_on::timestamptz
                   AS since, outcome AS code, NULL::text AS note, NULL::timestamptz AS next_at
                   FROM picture_review
                   WHERE status = 'open' AND due_on < ($1::timestamptz + coalesce($2::interval,
                   '0'))::date""",
            ),
        ),
    ),
    Machine(
        "publication",
        ends=frozenset({"withdrawn"}),
        rests={
            "draft": "the editor's own; the planned day stands on the card",
            "published": "its pictures are looked after by compliance.sweep_uses",
        },
        watches=(
            Watch(
                "publication_ready", ("ready",),
                "Публикация готова, а день выхода прошёл", "A ready publication is past its day",
                "editor", timedelta(days=1), "compliance.sweep_uses",
                """SELECT id, organization_id, NULL::uuid AS document_id, planned_on::timestamptz
                   AS since, 'ready' AS code, title AS note, NULL::timestamptz AS next_at
                   FROM publication WHERE status = 'ready'
                   AND planned_on < $1::timestamptz - $2::interval""",
            ),
        ),
    ),
    Machine(
        "permit_key",
        ends=frozenset({"retired"}),
        rests={"next": "until the key in use is retired", "active": "in use"},
    ),
)  # fmt: skip
