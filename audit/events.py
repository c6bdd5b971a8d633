"""What happened: one event row in the transaction of the change it tells of."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
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
    told = values_of(actor, verb, subject, document_id, change, data)
    statement = _INSERT
    if detail:
        salt, promise = commitments.of_detail(detail)
        statement, told = _WITH_DETAIL, [*told, promise, salt, detail]
    gathered = _gathered.get()
    if gathered is None:
        await db.execute(statement, *told)
    else:
        gathered.setdefault(statement, []).append(told)
    event_id: uuid.UUID = told[0]
    return event_id


@asynccontextmanager
async def together() -> AsyncIterator[None]:
    """Write the events of the block at its end and at once, for a change that tells many things.

    Inside the transaction of that change; whoever reads events in the block does not see its own.
    """
    if not db.in_transaction():
        raise RuntimeError("events are written in the transaction of their change")
    if _gathered.get() is not None:
        yield
        return
    gathered: dict[str, list[list[Any]]] = {}
    token = _gathered.set(gathered)
    try:
        yield
    finally:
        _gathered.reset(token)
    for statement, told in gathered.items():
        await db.execute_many(statement, told)


_gathered: ContextVar[dict[str, list[list[Any]]] | None] = ContextVar("gathered", default=None)
"""Statement → the values of the events that wait for the end of their block."""


def values_of(
    actor: Actor,
    verb: str,
    subject: tuple[str, uuid.UUID],
    document_id: uuid.UUID | None,
    change: tuple[str | None, str] | None,
    data: dict[str, Any] | None,
) -> list[Any]:
    """A fresh event as the values of `COLUMNS`, its id first."""
    return [
        clock.new_id(), clock.now(), actor.kind, actor.id, actor.organization_id, verb, *subject,
        document_id, *(change or (None, None)), actor.request_id, data,
    ]  # fmt: skip


COLUMNS = """id, at, actor_kind, actor_id, organization_id, verb, subject_kind, subject_id,
               document_id, from_status, to_status, request_id, data"""
PLACES = ", ".join(f"${place}" for place in range(1, len(COLUMNS.split(",")) + 1))

_INSERT = f"INSERT INTO event ({COLUMNS}) VALUES ({PLACES})"

_WITH_DETAIL = f"""WITH told AS (INSERT INTO event ({COLUMNS}, detail_sha256)
               VALUES ({PLACES}, $14))
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
