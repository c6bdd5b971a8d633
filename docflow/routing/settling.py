"""Settling: what a try or a later receipt says becomes the state of deliveries, once.

Idempotent: the same outcome again changes nothing, and neither does one that comes too late (the
recipient has acknowledged, another channel was faster, the document was recalled).
"""

import uuid
from collections.abc import Collection, Mapping
from datetime import timedelta

from audit import transitions
from core import clock, db
from core.actor import RULE, Actor
from core.errors import NotFound
from docflow.routing import bulk, onward
from docflow.routing.carriage import PATIENT, Kind, Outcome
from docflow.routing.channels import CHANNELS
from docflow.routing.states import CONSIGNMENT_TRANSITIONS, DeliveryStatus
from docflow.routing.states import ConsignmentStatus as C

D = DeliveryStatus
OPEN = (C.WAITING, C.SENDING, C.SENT, C.FAILED)


async def settle(
    consignment_id: uuid.UUID,
    outcome: Outcome,
    *,
    delivery_ids: Collection[uuid.UUID] | None = None,
) -> None:
    """Take what came back about a message, for all its deliveries or for those named.

    `delivered` and `refused` end them; `broken` passes them on to their next channel; `accepted`
    says that it is there and the answer will follow; `retry` sends the same message again later.
    In one transaction, joining the caller's: commit it with the row that keeps the receipt.
    """
    async with db.transaction():
        row = await db.row("SELECT * FROM consignment WHERE id = $1 FOR UPDATE", consignment_id)
        if row is None:
            raise NotFound(consignment_id=str(consignment_id))
        await apply(row, outcome, delivery_ids=delivery_ids)


async def apply(
    row: db.Row, outcome: Outcome, *, delivery_ids: Collection[uuid.UUID] | None = None
) -> None:
    """As `settle`, for a row that the caller has locked in its transaction."""
    actor = RULE.acting_for(row["sender_id"])
    named = await _covered(row["id"], delivery_ids)
    apart = {one: how for one, how in outcome.apart.items() if one in named}
    rest = [one for one in named if one not in apart]
    stranded: list[uuid.UUID] = []
    for how, ids in [(outcome, rest), *((how, [one]) for one, how in apart.items())]:
        stranded += await _settled(actor, row["id"], how, ids)
    await _close(actor, row, outcome, stranded=bool(stranded))


async def _settled(
    actor: Actor, consignment_id: uuid.UUID, outcome: Outcome, ids: list[uuid.UUID]
) -> list[uuid.UUID]:
    """Move the deliveries; answers those that are left to a person."""
    if outcome.kind is Kind.DELIVERED:
        await bulk.settle(actor, ids, target=D.DELIVERED, sources=(D.QUEUED, D.FAILED))
        await _unhook(consignment_id, ids, "delivered")
    elif outcome.kind is Kind.REFUSED:
        await bulk.settle(
            actor, ids, target=D.REFUSED, sources=(D.QUEUED, D.FAILED), reason=words(outcome)
        )
        await _unhook(consignment_id, ids, "refused")
    elif outcome.kind is Kind.BROKEN:
        here = await db.rows(
            """SELECT l.delivery_id AS id FROM consignment_delivery AS l
               JOIN delivery AS v ON v.id = l.delivery_id
               WHERE l.consignment_id = $1 AND l.delivery_id = ANY($2) AND l.outcome IS NULL
               AND v.status = 'queued'""",
            consignment_id, ids,
        )  # fmt: skip
        waiting = [row["id"] for row in here]
        stranded = await onward.pass_on(
            actor, waiting, code=outcome.code or "broken", text=outcome.text
        )
        await _unhook(consignment_id, [one for one in waiting if one not in stranded], "passed_on")
        return stranded
    return []


async def _covered(
    consignment_id: uuid.UUID, delivery_ids: Collection[uuid.UUID] | None
) -> set[uuid.UUID]:
    """The deliveries of the message that are meant; others than its own are left out."""
    rows = await db.rows(
        """SELECT delivery_id AS id FROM consignment_delivery WHERE consignment_id = $1
           AND ($2::uuid[] IS NULL OR delivery_id = ANY($2))""",
        consignment_id, None if delivery_ids is None else list(delivery_ids),
    )  # fmt: skip
    return {row["id"] for row in rows}


async def _unhook(consignment_id: uuid.UUID, ids: Collection[uuid.UUID], outcome: str) -> None:
    """These hang on no message any more: here with this outcome, elsewhere overtaken by it."""
    await db.execute(
        """UPDATE consignment_delivery SET settled_at = $3,
               outcome = CASE consignment_id WHEN $1 THEN $4 ELSE 'overtaken' END
           WHERE delivery_id = ANY($2) AND outcome IS NULL
           AND (consignment_id = $1 OR $4 <> 'passed_on')""",
        consignment_id, list(ids), clock.now(), outcome,
    )  # fmt: skip


async def _close(actor: Actor, row: db.Row, outcome: Outcome, *, stranded: bool) -> None:
    source = C(row["status"])
    if source not in OPEN:
        return
    left = await db.row(
        """SELECT count(*) FILTER (WHERE outcome IS NULL) AS open,
                  count(*) FILTER (WHERE outcome IN ('delivered', 'refused')) AS answered
           FROM consignment_delivery WHERE consignment_id = $1""",
        row["id"],
    ) or {"open": 0, "answered": 0}  # fmt: skip
    if left["open"] == 0:
        target = C.DONE if left["answered"] else C.VOID
    elif stranded:
        target = C.FAILED
    elif outcome.kind in (Kind.ACCEPTED, Kind.DELIVERED, Kind.REFUSED):
        target = C.SENT
    elif outcome.kind is Kind.RETRY:
        target = C.WAITING
    else:
        return
    if target is C.WAITING and outcome.kind is Kind.RETRY:
        await postpone(actor, row, outcome)
    elif target is not source and target in CONSIGNMENT_TRANSITIONS[source]:
        await move(actor, row, target, outcome=outcome)


async def postpone(actor: Actor, row: db.Row, outcome: Outcome) -> None:
    """Send it again later, under the same id; beyond its limit the next channel is taken."""
    moment = clock.now() + pause_after(row, outcome)
    if moment >= row["limit_at"]:
        lost = Outcome(Kind.BROKEN, outcome.code or "no_receipt", outcome.text)
        await apply(row, lost)
    elif row["status"] in (C.WAITING, C.FAILED):
        return
    else:
        await move(actor, row, C.WAITING, outcome=outcome, assign={"next_attempt_at": moment})


def pause_after(row: db.Row, outcome: Outcome) -> timedelta:
    """How long a message rests after its last try, jitter included."""
    if outcome.after is not None:
        return outcome.after
    channel = CHANNELS.get(row["channel"])
    policy = channel.retry if channel else PATIENT
    return policy.wait_with_jitter(max(row["attempts"], 1))


async def move(
    actor: Actor,
    row: db.Row,
    target: C,
    *,
    outcome: Outcome | None = None,
    assign: Mapping[str, object] | None = None,
) -> None:
    """Move a message, its lease ended; the error of the outcome stays on it."""
    columns: dict[str, object] = {
        "carrier_id": None, "leased_until": None, "next_attempt_at": None,
        "error_code": outcome.code if outcome else None,
        "error": outcome.text if outcome else None,
    }  # fmt: skip
    if target is C.SENT:
        columns["sent_at"] = clock.now()
    await transitions.move(
        actor, "consignment", row["id"], graph=CONSIGNMENT_TRANSITIONS, source=C(row["status"]),
        target=target, verb=f"consignment.{target.value}", document_id=row["document_id"],
        assign=columns | dict(assign or {}),
    )  # fmt: skip


def words(outcome: Outcome) -> str:
    """Code and text of an outcome in one line, as it stands on a delivery."""
    return f"{outcome.code}: {outcome.text}" if outcome.text else outcome.code or ""


async def drop(row: db.Row) -> None:
    """A message that no delivery needs any more turns void; for a locked row."""
    await db.execute(
        """UPDATE consignment_delivery SET outcome = 'overtaken', settled_at = $2
           WHERE consignment_id = $1 AND outcome IS NULL""",
        row["id"], clock.now(),
    )  # fmt: skip
    await move(RULE.acting_for(row["sender_id"]), row, C.VOID)
