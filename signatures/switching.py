"""Addresses that are asked, and asked no more: sources of lists, time-stamp authorities."""

import uuid
from typing import Any

from audit import transitions
from core import db
from core.actor import Actor
from core.errors import NotFound
from signatures import anchors
from signatures.states import SOURCE_TRANSITIONS, SourceStatus


async def set_status(
    actor: Actor,
    table: str,
    row_id: uuid.UUID,
    target: SourceStatus,
    *,
    verb: str,
    assign: dict[str, Any] | None = None,
) -> None:
    """Ask an address no more, or again; a keeper of the trust's act. `not_found`."""
    await anchors.require_keeper(actor)
    source = SourceStatus.ACTIVE if target is SourceStatus.DISABLED else SourceStatus.DISABLED
    if not await db.value(f"SELECT 1 FROM {table} WHERE id = $1", row_id):
        raise NotFound(id=str(row_id))
    await transitions.move(
        actor, table, row_id, graph=SOURCE_TRANSITIONS, source=source, target=target,
        verb=f"{verb}_{target}", assign=assign or {},
    )  # fmt: skip
