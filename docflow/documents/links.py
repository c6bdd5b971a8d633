"""Links between documents («на №», «взамен»), navigable both ways (MET-4)."""

import uuid

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput
from docflow.documents import visibility

KINDS = {
    "reply_to": ("в ответ на", "in reply to"),
    "instead_of": ("взамен", "instead of"),
    "corrects": ("исправляет", "corrects"),
    "executes": ("во исполнение", "in execution of"),
    "extract_of": ("выписка из", "extract of"),
    "relates_to": ("связан с", "related to"),
}


async def link(actor: Actor, document_id: uuid.UUID, *, to_id: uuid.UUID, kind: str) -> None:
    """Tie the actor's document to another one the actor can see; repeating changes nothing."""
    actor.require("clerk", "signatory")
    if kind not in KINDS:
        raise InvalidInput(
            f"Вид связи: {', '.join(KINDS)}.", f"Kind of link: {', '.join(KINDS)}.",
            code="unknown_link_kind",
        )  # fmt: skip
    if to_id == document_id:
        raise InvalidInput(
            "Документ нельзя связать с самим собой.",
            "A document cannot be linked to itself.",
            code="link_to_itself",
        )
    async with db.transaction():
        await visibility.own_document(actor, document_id)
        await visibility.visible_document(actor, to_id)
        added = await db.execute(
            """INSERT INTO document_link (from_id, to_id, kind, created_by, created_at)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING""",
            document_id, to_id, kind, actor.account_id, clock.now(),
        )  # fmt: skip
        if added:
            await events.record(
                actor, "document.linked", subject=("document", document_id),
                document_id=document_id, data={"to": str(to_id), "kind": kind},
            )  # fmt: skip


async def links_of(actor: Actor, document_id: uuid.UUID) -> list[db.Row]:
    """Links from and to a document, as far as the actor may see the other end.

    `direction` is "from" (this document names the other) or "to".
    """
    return await db.rows(
        f"""SELECT l.kind, l.direction, d.id, d.kind AS document_kind, d.title, d.number, d.date
            FROM (SELECT kind, 'from' AS direction, to_id AS other FROM document_link
                  WHERE from_id = $2
                  UNION ALL
                  SELECT kind, 'to', from_id FROM document_link WHERE to_id = $2) AS l
            JOIN document AS d ON d.id = l.other
            WHERE {visibility.condition("d", "$1", "$3")} ORDER BY d.id""",
        visibility.reader(actor), document_id, actor.id,
    )  # fmt: skip
