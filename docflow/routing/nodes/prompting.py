"""Asking, in the open transaction, that other nodes are told what has changed here.

Whatever is asked for is found by looking at the rows as they stand, so nothing is lost when
nobody asks: the sweep looks as well, only later.
"""

import uuid
from collections.abc import Collection

from core import db, jobs

QUEUE = "nodes"
REPORT = "nodes.report"
RECALL = "nodes.recall"
TELL = "nodes.tell"
AGAIN = "nodes.send_again"
for _name in (REPORT, RECALL, AGAIN):
    jobs.allow(_name)
jobs.allow(TELL, queue=QUEUE)


async def changed(delivery_ids: Collection[uuid.UUID]) -> None:
    """Deliveries have changed: the nodes their documents came from wait to hear of it."""
    found = await db.rows(
        "SELECT DISTINCT document_id FROM node_delivery WHERE delivery_id = ANY($1)",
        list(delivery_ids),
    )
    for row in found:
        await jobs.defer(REPORT, key=str(row["document_id"]), document_id=row["document_id"])


async def recalled(document_id: uuid.UUID) -> None:
    """A document was taken back: the nodes it went to have to know."""
    if await db.value("SELECT true FROM node_outgoing WHERE document_id = $1 LIMIT 1", document_id):
        await jobs.defer(RECALL, key=str(document_id), document_id=document_id)


async def tell(node_id: uuid.UUID) -> None:
    """Notes wait for this node."""
    await jobs.defer(TELL, key=str(node_id), node_id=node_id)
