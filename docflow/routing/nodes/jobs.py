"""Jobs of the exchange between nodes: an id in, one verb called."""

import uuid
from datetime import timedelta

from core.jobs import job, periodic
from docflow.routing.nodes import notes, parts, prompting, recalls, reconciling, reports


@job(prompting.REPORT, lock="node_report:{document_id}")
async def report(document_id: str) -> None:
    """Deliveries of another node's document have changed here."""
    await reports.report(uuid.UUID(document_id))


@job(prompting.RECALL)
async def recall(document_id: str) -> None:
    """A document was taken back: the nodes it went to are told."""
    await recalls.tell(uuid.UUID(document_id))


@job(prompting.TELL, queue=prompting.QUEUE, lock="node:{node_id}")
async def tell(node_id: str) -> None:
    """Send a node the notes that wait for it."""
    await notes.tell(uuid.UUID(node_id))


@job(prompting.AGAIN, lock="consignment:{consignment_id}")
async def send_again(consignment_id: str) -> None:
    """A node has lost a message of ours to a restore."""
    await reconciling.send_again(uuid.UUID(consignment_id))


@periodic("nodes.tell_due", every=timedelta(seconds=5))
async def tell_due() -> None:
    """Notes whose pause is over."""
    for node_id in await notes.due():
        await prompting.tell(node_id)


@periodic("nodes.sweep", every=timedelta(minutes=5))
async def sweep() -> None:
    """Changes nobody asked to be told; parts nobody goes on with."""
    await reports.sweep()
    await recalls.sweep()
    await parts.forget_old()
