"""Recalls between nodes: what its sender takes back is taken back everywhere it went."""

import uuid

from audit import transitions
from core import db
from core.actor import RULE
from docflow.documents.states import TRANSITIONS, DocumentStatus
from docflow.gateways.node.messages import Recall, encode
from docflow.routing import bulk
from docflow.routing.nodes import notes
from docflow.routing.nodes.intake import Call
from docflow.routing.states import OPEN, DeliveryStatus

_SPACE = uuid.UUID("6f0a4e1c-6c1f-5d0e-9d5b-2c1d3b0f7a11")
"""For the uid of a recall: one for each document and node, however often it is asked for."""


async def tell(document_id: uuid.UUID) -> int:
    """Queue the recall of a document for every node it went to; answers how many are told."""
    async with db.transaction():
        row = await db.row(
            """SELECT e.at, p.detail ->> 'reason' AS reason FROM document AS d
               JOIN event AS e ON e.subject_id = d.id AND e.verb = 'document.recalled'
               LEFT JOIN event_payload AS p ON p.event_id = e.id
               WHERE d.id = $1 AND d.status = 'recalled' ORDER BY e.id DESC LIMIT 1""",
            document_id,
        )
        nodes = await db.rows(
            "SELECT DISTINCT node_id FROM node_outgoing WHERE document_id = $1", document_id
        )
        for each in nodes if row else ():
            uid = uuid.uuid5(_SPACE, f"{each['node_id']}/{document_id}")
            told = Recall(
                uid=uid, document=document_id, reason=(row or {}).get("reason") or "отозвано",
                recalled_at=(row or {})["at"],
            )  # fmt: skip
            await notes.queue(
                each["node_id"], uid, "recall", encode(told), document_id=document_id
            )  # fmt: skip
    return len(nodes) if row else 0


async def sweep() -> int:
    """Recalled documents of which a node was not told; answers how many."""
    rows = await db.rows(
        """SELECT DISTINCT g.document_id FROM node_outgoing AS g
           JOIN document AS d ON d.id = g.document_id
           WHERE d.status = 'recalled' AND NOT EXISTS (SELECT 1 FROM node_note AS t
               WHERE t.document_id = g.document_id AND t.node_id = g.node_id
               AND t.kind = 'recall') LIMIT 1000"""
    )
    for row in rows:
        await tell(row["document_id"])
    return len(rows)


async def take(call: Call, told: Recall) -> tuple[str | None, uuid.UUID | None]:
    """Take the document back from everybody here, in the caller's transaction.

    A recall that overtakes its message is remembered: the message is refused when it comes.
    """
    row = await db.row(
        """SELECT d.id, d.status, d.organization_id FROM node_document AS n
           JOIN document AS d ON d.id = n.document_id
           WHERE n.node_id = $1 AND n.origin_id = $2 FOR UPDATE OF d""",
        call.peer.id, told.document,
    )  # fmt: skip
    if row is None:
        return None, None
    actor, reason = RULE.acting_for(row["organization_id"]), told.reason.strip()[:1000]
    if row["status"] in (DocumentStatus.REGISTERED, DocumentStatus.SENT):
        await transitions.move(
            actor, "document", row["id"], graph=TRANSITIONS, source=DocumentStatus(row["status"]),
            target=DocumentStatus.RECALLED, verb="document.recalled", document_id=row["id"],
            detail={"reason": reason}, data={"recalled_at": told.recalled_at.isoformat()},
        )  # fmt: skip
        await bulk.end(
            actor, "document_id", row["id"], target=DeliveryStatus.RECALLED, reason=reason,
            sources=OPEN,
        )  # fmt: skip
        await db.execute(
            """UPDATE node_delivery AS n SET told_status = v.status FROM delivery AS v
               WHERE v.id = n.delivery_id AND n.document_id = $1
               AND v.status IN ('recalled', 'void')""",
            row["id"],
        )
    return None, uuid.UUID(str(row["id"]))
