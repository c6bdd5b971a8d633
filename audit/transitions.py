"""The one way a status changes (architecture rule 1)."""

import uuid
from collections.abc import Mapping, Sequence
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
    change = (source, target)
    if detail:
        async with db.transaction():
            moved = await _moved(table, row_id, change, columns)
            await events.record(
                actor, verb, subject=(table, row_id), document_id=document_id, change=change,
                data=data, detail=detail,
            )  # fmt: skip
        return moved
    told = events.values_of(actor, verb, (table, row_id), document_id, change, data)
    return await _moved(table, row_id, change, columns, told=told)


async def _moved(
    table: str,
    row_id: uuid.UUID,
    change: tuple[StrEnum, StrEnum],
    columns: Mapping[str, Any],
    *,
    told: Sequence[Any] = (),
) -> db.Row:
    """Change the row and write its event, if one is `told`, in one statement."""
    start = len(told) + 1
    setters = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, start=start + 3))
    update = (
        f"UPDATE {table} SET status = ${start + 2}, {setters}"
        f" WHERE id = ${start} AND status = ${start + 1} RETURNING *"
    )
    if told:
        update = (
            f"WITH moved AS ({update}), told AS (INSERT INTO event ({events.COLUMNS})"
            f" SELECT {events.PLACES} FROM moved) SELECT * FROM moved"
        )
    moved = await db.row(update, *told, row_id, *change, *columns.values())
    if moved is None:
        raise IllegalTransition(from_status=change[0], to_status=change[1])
    return moved
