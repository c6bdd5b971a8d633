"""Reports: where another node's deliveries stand here goes back there, and theirs comes here.

Made by comparing each delivery with what was told of it last, so nothing depends on every change
being announced; a change in between is not told, the state it led to is.
"""

import uuid
from collections.abc import Iterable

import msgspec

from audit import events, transitions
from core import clock, db
from core.actor import RULE, Actor
from docflow.gateways.node.messages import Hop, Report, State, Who, encode
from docflow.gateways.node.signing import Proof
from docflow.routing import announcing, bulk, settling
from docflow.routing.carriage import delivered
from docflow.routing.nodes import composing, entering, notes, receipts
from docflow.routing.nodes.intake import Call
from docflow.routing.states import TRANSITIONS, DeliveryStatus

D = DeliveryStatus
AT_ONCE = 5000
"""States in one report."""

_TOLD = ("delivered", "opened", "acknowledged", "executed", "refused", "recalled", "void")

_CHANGED = """SELECT n.delivery_id, n.origin_id, n.node_id, v.status, v.delivered_at, v.opened_at,
           v.acknowledged_at, v.acknowledged_by, v.executed_at, v.ended_at, v.reason,
           h.id IS NOT NULL AND NOT n.told_hop AS is_passed_on, p.last_name, p.first_name,
           p.middle_name, (SELECT t.title FROM post AS t WHERE t.person_id = p.id
               AND t.organization_id = v.recipient_id ORDER BY t.valid_from DESC LIMIT 1) AS post
    FROM node_delivery AS n JOIN delivery AS v ON v.id = n.delivery_id
    LEFT JOIN hop AS h ON h.delivery_id = v.id
    LEFT JOIN person AS p ON p.id = v.acknowledged_by
    WHERE n.document_id = $1 AND ((v.status <> n.told_status AND v.status = ANY($2))
                                  OR (h.id IS NOT NULL AND NOT n.told_hop))
    ORDER BY n.delivery_id LIMIT $3 FOR UPDATE OF n"""


async def report(document_id: uuid.UUID) -> int:
    """Tell the node a document came from what has changed here; answers how many states."""
    number = 0
    while True:
        async with db.transaction():
            rows = await db.rows(_CHANGED, document_id, list(_TOLD), AT_ONCE)
            if not rows:
                return number
            await _queue(document_id, rows)
        number += len(rows)


async def _queue(document_id: uuid.UUID, rows: list[db.Row]) -> None:
    origin = await db.row("SELECT * FROM node_document WHERE document_id = $1", document_id)
    if origin is None:
        raise RuntimeError("a delivery of a node without its document")
    states = tuple([await _state(document_id, row) for row in rows])
    told = Report(uid=clock.new_id(), document=origin["origin_id"], states=states)
    await notes.queue(origin["node_id"], told.uid, "report", encode(told), document_id=document_id)
    await db.execute(
        """UPDATE node_delivery AS n SET told_hop = n.told_hop OR w.hop,
               told_status = CASE WHEN w.status = ANY($4) THEN w.status ELSE n.told_status END
           FROM unnest($1::uuid[], $2::text[], $3::boolean[]) AS w (id, status, hop)
           WHERE n.delivery_id = w.id""",
        [row["delivery_id"] for row in rows], [row["status"] for row in rows],
        [row["is_passed_on"] for row in rows], list(_TOLD),
    )  # fmt: skip


async def _state(document_id: uuid.UUID, row: db.Row) -> State:
    who = None
    if row["acknowledged_by"] is not None:
        who = Who(
            id=row["acknowledged_by"], last_name=row["last_name"] or "",
            first_name=row["first_name"] or "", middle_name=row["middle_name"] or "",
            post=row["post"] or "",
        )  # fmt: skip
    hop = None
    if row["is_passed_on"]:
        (hop,) = await composing.hops_of(document_id, delivery_ids=[row["delivery_id"]])
    is_told = row["status"] in _TOLD
    return State(
        delivery=row["origin_id"], status=row["status"] if is_told else "awaiting_relay",
        delivered_at=row["delivered_at"], opened_at=row["opened_at"],
        acknowledged_at=row["acknowledged_at"], acknowledged_by=who,
        executed_at=row["executed_at"], ended_at=row["ended_at"], reason=row["reason"], hop=hop,
    )  # fmt: skip


async def sweep() -> int:
    """Documents of which something was not told, whoever forgot to ask; answers how many."""
    rows = await db.rows(
        """SELECT DISTINCT n.document_id FROM node_delivery AS n
           JOIN delivery AS v ON v.id = n.delivery_id
           WHERE v.status <> n.told_status AND v.status = ANY($1) LIMIT 10000""",
        list(_TOLD),
    )
    for row in rows:
        await report(row["document_id"])
    return len(rows)


async def take(call: Call, told: Report) -> tuple[str | None, uuid.UUID | None]:
    """Carry a report over to our deliveries, in the caller's transaction.

    Answers the reason of a refusal and the document. Only what went to that node is reported by
    it; what is behind the state we have (an older report, a faster channel) changes nothing.
    """
    rows = await db.rows(
        """SELECT v.*, s.organization_id FROM delivery AS v
           JOIN node_carried AS c ON c.delivery_id = v.id AND c.node_id = $2
           JOIN dispatch AS s ON s.id = v.dispatch_id
           WHERE v.id = ANY($1) AND v.document_id = $3 ORDER BY v.id FOR UPDATE OF v""",
        [one.delivery for one in told.states], call.peer.id, told.document,
    )  # fmt: skip
    if not rows:
        return "delivery_unknown", None
    known = {row["id"]: row for row in rows}
    proof = call.signed.proof(call.body)
    await receipts.keep(
        call.peer.id, proof, uid=told.uid, kind="report", document_id=told.document
    )  # fmt: skip
    sender = RULE.acting_for(rows[0]["organization_id"])
    states = [one for one in told.states if one.delivery in known]
    await _arrived(sender, states, known)
    for one in states:
        await _follow(sender, one)
    for one in states:
        if one.hop is not None:
            await _passed_on(sender, known[one.delivery], one.hop, proof)
    return None, told.document


async def _arrived(actor: Actor, states: Iterable[State], known: dict[uuid.UUID, db.Row]) -> None:
    """Whatever else they say: those that came there are delivered, all in a few statements."""
    ids = [
        one.delivery for one in states
        if one.status not in ("awaiting_relay", "void", "recalled")
        and known[one.delivery]["status"] in (D.QUEUED, D.FAILED, D.AWAITING_RELAY)
    ]  # fmt: skip
    hooked = await db.rows(
        """SELECT consignment_id, array_agg(delivery_id) AS ids FROM consignment_delivery
           WHERE delivery_id = ANY($1) AND outcome IS NULL GROUP BY 1 ORDER BY 1""",
        ids,
    )
    for row in hooked:
        await settling.settle(row["consignment_id"], delivered(), delivery_ids=row["ids"])
    await bulk.settle(
        actor, ids, target=D.DELIVERED, sources=(D.QUEUED, D.FAILED, D.AWAITING_RELAY)
    )  # fmt: skip


async def _follow(actor: Actor, told: State) -> None:
    """The steps from where our delivery stands to where theirs does; none for what is behind."""
    steps: list[tuple[D, dict[str, object]]] = []
    if told.acknowledged_by is not None and told.acknowledged_at is not None:
        await _know(told.acknowledged_by)
        steps.append((D.ACKNOWLEDGED, {"acknowledged_at": told.acknowledged_at,
                                       "acknowledged_by": told.acknowledged_by.id}))  # fmt: skip
    elif told.status == "opened":
        steps.append((D.OPENED, {"opened_at": told.opened_at or clock.now()}))
    if told.status == "executed":
        steps.append((D.EXECUTED, {"executed_at": told.executed_at or clock.now()}))
    elif told.status in ("refused", "void"):
        steps.append((D(told.status), {"reason": (told.reason or "")[:1000],
                                       "ended_at": told.ended_at or clock.now()}))  # fmt: skip
    for target, assign in steps:
        row = await db.row(
            "SELECT id, status, document_id FROM delivery WHERE id = $1", told.delivery
        )  # fmt: skip
        if row is None or target not in TRANSITIONS[D(row["status"])]:
            continue
        await transitions.move(
            actor, "delivery", row["id"], graph=TRANSITIONS, source=D(row["status"]),
            target=target, verb=f"delivery.{target.value}", document_id=row["document_id"],
            assign=assign, data={"by_node": True},
        )  # fmt: skip
        await announcing.to_sender(row["id"], f"delivery.{target.value}")


async def _know(who: Who) -> None:
    """A person of another installation, by the id they have there, so that lists can name them."""
    await db.execute(
        """INSERT INTO person (id, last_name, first_name, middle_name, created_at)
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING""",
        who.id, who.last_name[:200], who.first_name[:200], who.middle_name[:200], clock.now(),
    )  # fmt: skip


async def _passed_on(actor: Actor, row: db.Row, hop: Hop, proof: Proof) -> None:
    """A chancery there has passed it on: who waits behind it elsewhere waits no longer."""
    with_proof = msgspec.structs.replace(hop, proof=proof)
    if not await entering.enter_hop(row["document_id"], with_proof, delivery_id=row["id"]):
        return
    passed = await bulk.set_free(actor, row["id"])
    await events.record(
        actor, "delivery.passed_on", subject=("hop", hop.id), document_id=row["document_id"],
        data={"number": hop.number, "passed": passed, "verdict": hop.verdict,
              "delivery_id": str(row["id"])},
    )  # fmt: skip
    await announcing.to_sender(row["id"], "delivery.passed_on")
