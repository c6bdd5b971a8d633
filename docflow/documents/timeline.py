"""The time line of a document, cut to what an organization may see of it."""

import uuid

from core import db
from core.actor import Actor
from docflow.documents import visibility

SHOWN_TO_RECIPIENTS = (
    "document.signed",
    "document.registered",
    "document.sent",
    "document.recalled",
)
"""What of the author's work a recipient sees; drafts and corrections are the author's own."""


async def timeline(actor: Actor, document_id: uuid.UUID, *, limit: int = 200) -> list[db.Row]:
    """What happened to the document, oldest first, without the events of single deliveries.

    The author sees everything, a recipient its own acts and the author's public ones. Raises
    NotFound for a document that is not visible.
    """
    found = await visibility.visible_document(actor, document_id)
    return await db.rows(
        """SELECT id, at, actor_kind, actor_id, organization_id, verb, subject_kind, subject_id,
                  from_status, to_status, data
           FROM event WHERE document_id = $1 AND subject_kind <> 'delivery'
           AND ($2 OR organization_id = $3 OR (organization_id = $4 AND verb = ANY($5)))
           ORDER BY id LIMIT $6""",
        document_id, found["organization_id"] == actor.home_id, actor.home_id,
        found["organization_id"], list(SHOWN_TO_RECIPIENTS), limit,
    )  # fmt: skip
