"""Refused reads: noted for good, although the refusal undoes the transaction it happened in."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from audit import events
from core import db
from core.actor import Actor

_Refusal = tuple[Actor, str, tuple[str, uuid.UUID], uuid.UUID | None]

_waiting: ContextVar[list[_Refusal] | None] = ContextVar("refusals", default=None)


async def note(
    actor: Actor, verb: str, *, subject: tuple[str, uuid.UUID], document_id: uuid.UUID | None = None
) -> None:
    """Record the event now, or, inside a transaction that will be undone, when the request ends.

    A request's refusals are kept by `collected`; without it, inside a transaction, nothing stays.
    """
    waiting = _waiting.get()
    if not db.in_transaction():
        await events.record(actor, verb, subject=subject, document_id=document_id)
    elif waiting is not None:
        waiting.append((actor, verb, subject, document_id))


@asynccontextmanager
async def collected() -> AsyncIterator[None]:
    """Around a request: what was refused in it is recorded after it, whatever became of it."""
    waiting: list[_Refusal] = []
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
        for actor, verb, subject, document_id in waiting:
            await events.record(actor, verb, subject=subject, document_id=document_id)
