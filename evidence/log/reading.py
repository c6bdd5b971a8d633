"""Whose proof may one ask for: of one's own acts, and of what one may see of a document."""

import uuid

from core import db
from core.actor import Actor
from core.errors import Forbidden, NotFound
from docflow.documents import timeline, visibility
from evidence.log import proofs
from evidence.log.proofs import Inclusion
from signatures import anchors


async def proof_for(actor: Actor, event_id: uuid.UUID, *, size: int | None = None) -> Inclusion:
    """The inclusion proof of an event the actor may know of; raises `not_found`, `not_logged`."""
    row = await db.row(
        "SELECT organization_id, document_id, verb FROM event WHERE id = $1", event_id
    )
    if row is None or not await _may_see(actor, row):
        raise NotFound(id=str(event_id))
    return await proofs.inclusion(event_id, size=size)


async def _may_see(actor: Actor, row: db.Row) -> bool:
    if row["organization_id"] is not None and row["organization_id"] == actor.organization_id:
        return True
    if await _keeps_the_log(actor):
        return True
    if row["document_id"] is None:
        return False
    try:
        document = await visibility.visible_document(actor, row["document_id"])
    except NotFound:
        return False
    is_author = document["organization_id"] == actor.home_id
    by_author = row["organization_id"] == document["organization_id"]
    return is_author or (by_author and row["verb"] in timeline.SHOWN_TO_RECIPIENTS)


async def _keeps_the_log(actor: Actor) -> bool:
    try:
        await anchors.require_keeper(actor)
    except Forbidden:
        return False
    return True
