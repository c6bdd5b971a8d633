"""What happened: one event row in the transaction of the change it tells of."""

import uuid
from typing import Any

from audit import commitments
from core import clock, db
from core.actor import Actor


async def record(
    actor: Actor,
    verb: str,
    *,
    subject: tuple[str, uuid.UUID],
    document_id: uuid.UUID | None = None,
    change: tuple[str | None, str] | None = None,
    data: dict[str, Any] | None = None,
    detail: dict[str, Any] | None = None,
) -> uuid.UUID:
    """Write the event of a change; belongs inside the transaction of that change.

    `data` holds ids, codes and counts, never anything about a person; what is personal goes into
    `detail`, which lies apart with a salt of its own, so that it can be forgotten while the proof
    of everything else stands (architecture rule 9). The event keeps a commitment to its detail.
    """
    event_id = clock.new_id()
    kind, subject_id = subject
    before, after = change or (None, None)
    told = [
        event_id, clock.now(), actor.kind, actor.id, actor.organization_id, verb, kind,
        subject_id, document_id, before, after, actor.request_id, data,
    ]  # fmt: skip
    if detail:
        salt, promise = commitments.of_detail(detail)
        await db.execute(_WITH_DETAIL, *told, promise, salt, detail)
    else:
        await db.execute(_INSERT, *told)
    return event_id


_INTO = """INSERT INTO event (id, at, actor_kind, actor_id, organization_id, verb, subject_kind,
               subject_id, document_id, from_status, to_status, request_id, data, detail_sha256)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, """

_INSERT = f"{_INTO}NULL)"

_WITH_DETAIL = f"""WITH told AS ({_INTO}$14))
           INSERT INTO event_payload (event_id, salt, detail) VALUES ($1, $15, $16)"""


async def of_document(document_id: uuid.UUID, *, limit: int = 200) -> list[db.Row]:
    """The time line of a document, oldest first, without the events of single deliveries."""
    return await db.rows(
        """SELECT id, at, actor_kind, actor_id, organization_id, verb, subject_kind, subject_id,
                  from_status, to_status, data
           FROM event WHERE document_id = $1 AND subject_kind <> 'delivery' ORDER BY id LIMIT $2""",
        document_id, limit,
    )  # fmt: skip


async def of_subject(subject_id: uuid.UUID, *, limit: int = 200) -> list[db.Row]:
    """Everything that happened to one thing, oldest first."""
    return await db.rows(
        """SELECT id, at, actor_kind, actor_id, organization_id, verb, subject_kind, from_status,
                  to_status, data
           FROM event WHERE subject_id = $1 ORDER BY id LIMIT $2""",
        subject_id, limit,
    )  # fmt: skip
