"""Escalation (доклад вышестоящему): who stays silent long after the day is told to those above.

Not while a prolongation is pending, and for each delivery, deadline and superior once.
"""

from core import clock, db
from core.actor import RULE
from notify import notices

STEPS = ((3, 1, "escalated"), (7, 2, "escalated_further"))
"""Days after the deadline, levels up (the superior first, then the one above it), the notice."""

CATCH_UP = 30
"""Days after which a watch that slept does not tell of the past any more."""

NO_PROLONGATION = """NOT EXISTS (SELECT 1 FROM prolongation AS p
    WHERE p.delivery_id = v.id AND p.status = 'pending')"""
"""SQL: nothing is asked for about the delivery `v`; the stop condition."""

_ESCALATE = f"""WITH RECURSIVE late AS (
        SELECT v.id, v.document_id, v.recipient_id, v.due_on FROM delivery AS v
        WHERE v.due_on <= $1::date - $2::integer AND v.due_on > $1::date - $4::integer
        AND v.status IN ('queued', 'delivered', 'opened') AND {NO_PROLONGATION}),
    above AS (
        SELECT DISTINCT recipient_id AS organization_id, recipient_id AS superior_id, 0 AS level
        FROM late
        UNION
        SELECT a.organization_id, l.parent_id, a.level + 1
        FROM above AS a JOIN organization_link AS l ON l.child_id = a.superior_id
             AND l.valid_from <= $1 AND (l.valid_to IS NULL OR l.valid_to > $1)
        WHERE a.level < $3),
    told AS (
        INSERT INTO escalation (delivery_id, due_on, step, superior_id, at)
        SELECT late.id, late.due_on, $3, a.superior_id, $5
        FROM late JOIN above AS a ON a.organization_id = late.recipient_id AND a.level = $3
        ON CONFLICT DO NOTHING RETURNING delivery_id, due_on, superior_id),
    written AS (
        INSERT INTO event (at, actor_kind, actor_id, organization_id, verb, subject_kind,
                           subject_id, document_id, data)
        SELECT $5, $6, $7, t.superior_id, 'delivery.escalated', 'delivery', t.delivery_id,
               late.document_id, jsonb_build_object('step', $3)
        FROM told AS t JOIN late ON late.id = t.delivery_id)
    SELECT t.superior_id, late.document_id, t.due_on, count(*) AS number
    FROM told AS t JOIN late ON late.id = t.delivery_id GROUP BY 1, 2, 3"""


async def escalate() -> int:
    """Tell those above of deliveries that stay silent; answers how many notices are new."""
    today, now, written = clock.today(), clock.now(), 0
    for days, levels, kind in STEPS:
        async with db.transaction():
            found = await db.rows(_ESCALATE, today, days, levels, CATCH_UP, now, RULE.kind, RULE.id)
            written += await notices.post_many(
                [
                    notices.Post(
                        row["superior_id"], kind, ("document", row["document_id"]), today,
                        {"count": row["number"], "due_on": row["due_on"].isoformat()},
                    )
                    for row in found
                ]
            )  # fmt: skip
    return written
