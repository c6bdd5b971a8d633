"""A note came: carried out once, in one transaction with the receipt it gets."""

import hashlib
import uuid

from core import clock, db
from docflow.gateways.node.messages import Recall, Receipt, Report, Statement, decode_note
from docflow.routing.nodes import journal, points, recalls, reports, residence
from docflow.routing.nodes.intake import Call

KINDS: dict[type, str] = {Report: "report", Recall: "recall", Statement: "statement"}


async def take(call: Call) -> Receipt:
    """Do what a report, recall or statement says; answers the receipt of what is committed."""
    note = decode_note(call.body)
    identity = hashlib.sha256(call.body).digest()
    sha256 = identity.hex()
    async with db.transaction():
        await journal.lock(call.peer.id, note.uid)
        if isinstance(note, Recall):
            # a message about the same document waits for us, or finds the recall
            await journal.lock(call.peer.id, note.document)
        known = await journal.known(call.peer.id, note.uid)
        if known is not None and (
            again := await journal.again(call, known, sha256=sha256, identity=identity)
        ):
            return again
        reason, document_id = await _carried_out(call, note)
        moment = clock.now()
        receipt = Receipt(
            uid=note.uid, sha256=sha256, status="refused" if reason else "accepted", time=moment,
            committed_at=None if reason else moment, reason=reason,
        )  # fmt: skip
        await journal.enter(
            call, call.body, uid=note.uid, kind=KINDS[type(note)], receipt=receipt,
            identity=identity, row=known,
            document_id=document_id,
            origin_id=note.document if isinstance(note, Recall) else None,
        )  # fmt: skip
        points.reach("note_before_commit")
    points.reach("note_after_commit")
    return receipt


async def _carried_out(
    call: Call, note: Report | Recall | Statement
) -> tuple[str | None, uuid.UUID | None]:
    if isinstance(note, Report):
        return await reports.take(call, note)
    if isinstance(note, Recall):
        return await recalls.take(call, note)
    return await residence.take_statement(call.peer, note, call.body), None
