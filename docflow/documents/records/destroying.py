"""An approved act carried out: content goes, a note of each document stays.

The organization's copy ends first: what an organization has destroyed it can no longer see. The
bytes, texts and the card's words go when nobody in this installation holds the document any more:
neither its author, who registered it here, nor anybody it was delivered to here. Each document is a
transaction of its own, so that an act of thousands goes on where a stopped process left it.
"""

import uuid
from dataclasses import dataclass

from audit import transitions
from core import clock, db
from core.actor import RULE, Actor
from docflow.documents import emptying, holds
from docflow.documents.records import acts
from docflow.documents.records.states import (
    ACT,
    CASE,
    FILING,
    LINE,
    ActStatus,
    CaseStatus,
    FilingStatus,
    LineStatus,
)
from docflow.documents.states import TRANSITIONS, DocumentStatus
from notify import notices
from storage import destroying

_HOLDERS = """
    SELECT count(*) FROM (
        SELECT d.organization_id AS id FROM document AS d JOIN registration AS r
            ON r.document_id = d.id AND r.organization_id = d.organization_id WHERE d.id = $1
        UNION SELECT recipient_id FROM delivery WHERE document_id = $1 AND channel = 'internal'
            AND status NOT IN ('refused', 'failed', 'recalled', 'void')
        UNION SELECT organization_id FROM case_filing WHERE document_id = $1) AS holder
    WHERE NOT EXISTS (SELECT 1 FROM case_filing AS f WHERE f.document_id = $1
                      AND f.organization_id = holder.id AND f.status = 'destroyed')"""
"""How many organizations of this installation still hold a document. The table of deliveries
belongs to routing, as in the rule on who may see a document."""


@dataclass(frozen=True, slots=True)
class Done:
    """What carrying out an act came to."""

    cases: int
    dropped: int
    documents: int
    kept_for_others: int


async def carry_out(act_id: uuid.UUID) -> Done | None:
    """Destroy what an act lists; None when it is not being carried out. Safe to repeat."""
    act = await db.row("SELECT * FROM destruction_act WHERE id = $1", act_id)
    if act is None or act["status"] != ActStatus.EXECUTING:
        return None
    actor = RULE.acting_for(act["organization_id"])
    for line in await acts.lines(act_id):
        if line["status"] == LineStatus.LISTED:
            await _line(actor, act, line)
    done = await _counted(act_id)
    async with db.transaction():
        await transitions.move(
            actor, "destruction_act", act_id, graph=ACT, source=ActStatus.EXECUTING,
            target=ActStatus.EXECUTED, verb="destruction_act.executed",
            assign={"executed_at": clock.now()},
            data={"cases": done.cases, "dropped": done.dropped, "documents": done.documents,
                  "kept_for_others": done.kept_for_others},
        )  # fmt: skip
        told = {"number": act["number"], "documents": done.documents, "dropped": done.dropped}
        about = ("destruction_act", act_id)
        await notices.post(act["organization_id"], "act_executed", about, data=told)
    return done


async def _line(actor: Actor, act: db.Row, line: db.Row) -> None:
    """One case; when a hold lies on anything in it, it drops out with all that is still there."""
    async with db.transaction():
        filed = await _filed(line["case_id"])
        if await holds.on([row["document_id"] for row in filed]):
            await transitions.move(
                actor, "destruction_line", line["id"], graph=LINE, source=LineStatus.LISTED,
                target=LineStatus.DROPPED, verb="destruction_line.dropped",
                assign={"reason": "legal_hold"}, data={"case_id": str(line["case_id"])},
            )  # fmt: skip
            return None
    for filing in filed:
        if not await _document(actor, act, line, filing):
            return await _line(actor, act, line)
    async with db.transaction():
        await transitions.move(
            actor, "destruction_line", line["id"], graph=LINE, source=LineStatus.LISTED,
            target=LineStatus.DESTROYED, verb="destruction_line.destroyed",
        )  # fmt: skip
        await transitions.move(
            actor, "record_case", line["case_id"], graph=CASE, source=CaseStatus.CLOSED,
            target=CaseStatus.DESTROYED, verb="record_case.destroyed",
            data={"act_id": str(act["id"])},
        )  # fmt: skip
    return None


async def _filed(case_id: uuid.UUID) -> list[db.Row]:
    return await db.rows(
        "SELECT * FROM case_filing WHERE case_id = $1 AND status = 'filed' ORDER BY id", case_id
    )


async def _document(actor: Actor, act: db.Row, line: db.Row, filing: db.Row) -> bool:
    """Destroy one organization's copy; False when a hold came in between."""
    document_id = filing["document_id"]
    keys: list[str] = []
    async with db.transaction():
        found = await db.row("SELECT * FROM document WHERE id = $1 FOR UPDATE", document_id)
        if found is None or await holds.on([document_id]):
            return False
        moved = await transitions.move(
            actor, "case_filing", filing["id"], graph=FILING, source=FilingStatus.FILED,
            target=FilingStatus.DESTROYED, verb="document.destroyed", document_id=document_id,
            assign={"act_id": act["id"], "destroyed_at": clock.now()},
            data={"act_id": str(act["id"]), "act": act["number"], "year": act["year"]},
        )  # fmt: skip
        is_last = not await db.value(_HOLDERS, document_id)
        if is_last:
            keys = await _erase(actor, act, found)
            await db.execute(
                "UPDATE case_filing SET is_erased = true WHERE document_id = $1", document_id
            )
        await db.execute(
            """UPDATE destruction_line SET destroyed = destroyed + 1,
                   kept_for_others = kept_for_others + $2, updated_at = $3 WHERE id = $1""",
            line["id"], int(not is_last), moved["updated_at"],
        )  # fmt: skip
    await destroying.remove(keys)
    return True


async def _erase(actor: Actor, act: db.Row, found: db.Row) -> list[str]:
    """Take everything but the stub out of the database; answers the objects to remove."""
    document_id = found["id"]
    gone = await emptying.free_bytes([document_id])
    stub = f"Уничтожен по акту № {act['number']} от {act['date']:%d.%m.%Y}"
    await transitions.move(
        actor, "document", document_id, graph=TRANSITIONS,
        source=DocumentStatus(found["status"]), target=DocumentStatus.DESTROYED,
        verb="document.erased", document_id=document_id, assign={"received_number": None},
        data={"act_id": str(act["id"]), "objects": len(gone)},
    )  # fmt: skip
    await emptying.empty([document_id], stub=stub, gone=gone)
    return await destroying.condemn(gone)


async def _counted(act_id: uuid.UUID) -> Done:
    found = await acts.lines(act_id)
    return Done(
        cases=sum(row["status"] == LineStatus.DESTROYED for row in found),
        dropped=sum(row["status"] == LineStatus.DROPPED for row in found),
        documents=sum(row["destroyed"] for row in found),
        kept_for_others=sum(row["kept_for_others"] for row in found),
    )
