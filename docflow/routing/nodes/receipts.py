"""Raw receipts: every signed answer and report as it came, and totals made from them alone."""

import base64
import uuid
from typing import Any

from core import clock, db
from core.actor import Actor
from docflow.documents import visibility
from docflow.gateways.node import keys, signing
from docflow.gateways.node.messages import Receipt, Report, decode
from docflow.gateways.node.signing import Proof
from docflow.routing.states import DeliveryStatus

D = DeliveryStatus
_RANK = {
    D.AWAITING_RELAY: 0, D.QUEUED: 1, D.DELIVERED: 2, D.OPENED: 3, D.ACKNOWLEDGED: 4,
    D.EXECUTED: 5, D.REFUSED: 5, D.VOID: 5,
}  # fmt: skip
"""How far along a delivery is; what is told later but lies behind changes nothing."""

SHOWN = 100


async def keep(
    node_id: uuid.UUID, proof: Proof, *, uid: uuid.UUID, kind: str,
    document_id: uuid.UUID | None,
) -> None:  # fmt: skip
    """Write down a receipt or report as it came; nobody changes it afterwards."""
    await db.execute(
        """INSERT INTO node_receipt (id, node_id, uid, kind, document_id, base, signature, kid,
                                     body, received_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        clock.new_id(), node_id, uid, kind, document_id, proof.base, proof.signature, proof.kid,
        base64.b64decode(proof.body), clock.now(),
    )  # fmt: skip


async def recount(actor: Actor, document_id: uuid.UUID) -> dict[str, Any]:
    """Count a document's recipients by state anew, from signed receipts and events alone.

    Every receipt's signature is checked again first; what does not hold is left out and counted as
    `unsound`. Recipients of other channels, and what ended here, are counted from events. `agree`
    says whether that gives what the control list shows; `differences` names who differs.
    """
    await visibility.own_document(actor, document_id, lock=False)
    deliveries = await db.rows(
        """SELECT v.id, v.status, (SELECT e.to_status FROM event AS e
               WHERE e.subject_id = v.id AND e.subject_kind = 'delivery' AND e.to_status IS NOT NULL
               ORDER BY e.at DESC, e.id DESC LIMIT 1) AS told
           FROM delivery AS v WHERE v.document_id = $1""",
        document_id,
    )
    carried = await db.rows(
        "SELECT delivery_id, node_id FROM node_carried WHERE document_id = $1", document_id
    )
    whose: dict[uuid.UUID, set[uuid.UUID]] = {}
    for row in carried:
        whose.setdefault(row["delivery_id"], set()).add(row["node_id"])
    states, raw, unsound = await _from_receipts(document_id, whose)
    counted: dict[str, int] = {}
    shown: dict[str, int] = {}
    differing: list[uuid.UUID] = []
    for row in deliveries:
        own_end = row["told"] in (D.RECALLED, D.VOID)
        state = states.get(row["id"]) if row["id"] in whose and not own_end else None
        state = state or row["told"]
        counted[state] = counted.get(state, 0) + 1
        shown[row["status"]] = shown.get(row["status"], 0) + 1
        if state != row["status"]:
            differing.append(row["id"])
    return {
        "recipients": len(deliveries), "receipts": raw, "unsound": unsound,
        "from_receipts": counted, "from_deliveries": shown, "agree": not differing,
        "differences": differing[:SHOWN],
    }  # fmt: skip


async def _from_receipts(
    document_id: uuid.UUID, whose: dict[uuid.UUID, set[uuid.UUID]]
) -> tuple[dict[uuid.UUID, str], int, int]:
    rows = await db.rows(
        """SELECT r.*, k.public FROM node_receipt AS r JOIN node_key AS k ON k.kid = r.kid
           AND k.node_id = r.node_id WHERE r.document_id = $1 AND r.kind <> 'note'
           ORDER BY r.received_at, r.id""",
        document_id,
    )
    states: dict[uuid.UUID, str] = {}
    unsound = 0
    for row in rows:
        proof = Proof(
            base=row["base"], signature=row["signature"], kid=row["kid"],
            body=base64.b64encode(bytes(row["body"])).decode(),
        )  # fmt: skip
        if not signing.is_sound(proof, keys.public_key(bytes(row["public"]))):
            unsound += 1
            continue
        for delivery_id, status in _told(row["kind"], bytes(row["body"])):
            before = states.get(delivery_id)
            mine = row["node_id"] in whose.get(delivery_id, ())
            if mine and (before is None or _RANK[D(status)] > _RANK[D(before)]):
                states[delivery_id] = status
    return states, len(rows), unsound


def _told(kind: str, body: bytes) -> list[tuple[uuid.UUID, str]]:
    if kind == "receipt":
        receipt = decode(body, Receipt)
        good = receipt.delivered if receipt.status != "refused" else ()
        return [(one, D.DELIVERED.value) for one in good]
    return [(one.delivery, one.status) for one in decode(body, Report).states
            if one.status != "recalled"]  # fmt: skip
