"""The one way a status changes (architecture rule 1)."""

import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import IllegalTransition


async def move(
    actor: Actor,
    table: str,
    row_id: uuid.UUID,
    *,
    graph: Mapping[Any, frozenset[Any]],
    source: StrEnum,
    target: StrEnum,
    verb: str,
    document_id: uuid.UUID | None = None,
    assign: Mapping[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    detail: dict[str, Any] | None = None,
) -> db.Row:
    """Move a row from `source` to `target`, set the columns of `assign`, write the event.

    Raises `IllegalTransition` when `graph` does not know the step or when the row is not, or no
    longer, in `source`: of two who try at once, one wins. `table` and the keys of `assign` are
    constants of our own code, never input.
    """
    if target not in graph.get(source, frozenset()):
        raise IllegalTransition(from_status=source, to_status=target)
    columns = dict(assign or {}) | {"updated_at": clock.now()}
    setters = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, start=4))
    async with db.transaction():
        moved = await db.row(
            f"UPDATE {table} SET status = $3, {setters} WHERE id = $1 AND status = $2 RETURNING *",
            row_id, source, target, *columns.values(),
        )  # fmt: skip
        if moved is None:
            raise IllegalTransition(from_status=source, to_status=target)
        await events.record(
            actor, verb, subject=(table, row_id), document_id=document_id,
            change=(source, target), data=data, detail=detail,
        )  # fmt: skip
    return moved
