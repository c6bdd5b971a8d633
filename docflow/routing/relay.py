"""Relays: a chancery enters a letter into its own journal and passes it down (W1)."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import Conflict
from docflow.documents import checking, registration, visibility
from docflow.routing import announcing, bulk, deliveries, resolutions
from docflow.routing.resolutions import Resolution


@dataclass(frozen=True, slots=True)
class Hop:
    """One relay's work on one letter (этап прохождения)."""

    hop_id: uuid.UUID
    number: str
    passed: int
    """Deliveries set free by it."""
    verdict: str
    """What this relay found when it checked the signatures itself."""


async def pass_on(
    actor: Actor,
    delivery_id: uuid.UUID,
    *,
    resolution: str | Resolution = "",
    journal_id: uuid.UUID | None = None,
    variables: Mapping[str, str] | None = None,
) -> Hop:
    """Register the letter under the relay's own number and pass it down, the original unchanged.

    The relay checks the signed bytes itself before it takes them on (outside the transaction);
    a letter whose signature does not hold goes no further (`signature_invalid`). Done again, it
    answers the same hop. Deliveries behind a further relay keep waiting for that one. Raises what
    `resolutions.checked` does.
    """
    actor.require("clerk")
    wanted = await resolutions.checked(
        actor, Resolution(resolution) if isinstance(resolution, str) else resolution
    )
    found = await deliveries.own_delivery(actor, delivery_id)
    if known := await _known(delivery_id):
        return known
    _require_arrived(found)
    report = await checking.check_document(found["document_id"])
    checking.require_not_invalid(report)
    async with db.transaction():
        # What happened while the signatures were checked counts: another clerk, or a recall.
        await db.execute("SELECT 1 FROM delivery WHERE id = $1 FOR UPDATE", delivery_id)
        if known := await _known(delivery_id):
            return known
        _require_arrived(await deliveries.own_delivery(actor, delivery_id))
        entered = await registration.register_incoming(
            actor, found["document_id"], journal_id=journal_id, variables=variables
        )
        passed = await bulk.set_free(actor, delivery_id)
        hop_id = await _enter(actor, found, entered, report, passed, wanted)
        await announcing.to_sender(delivery_id, "delivery.passed_on")
        await announcing.received(via_id=delivery_id)
    return Hop(hop_id, entered.number, passed, report.verdict)


async def hops_of(document_id: uuid.UUID) -> list[db.Row]:
    """Who passed the document on, under which number, with which signature result."""
    return await db.rows(
        """SELECT h.id, h.delivery_id, h.organization_id, o.name AS organization, r.number,
                  r.date, h.resolution, h.verdict, h.passed, h.passed_at
           FROM hop AS h JOIN organization AS o ON o.id = h.organization_id
           JOIN registration AS r ON r.id = h.registration_id
           WHERE h.document_id = $1
           UNION ALL
           SELECT h.id, h.delivery_id, h.organization_id, o.name, h.number, h.date, h.resolution,
                  h.verdict, h.passed, h.passed_at
           FROM node_hop AS h JOIN organization AS o ON o.id = h.organization_id
           WHERE h.document_id = $1 ORDER BY passed_at, id""",
        document_id,
    )  # fmt: skip


async def hops_seen(actor: Actor, document_id: uuid.UUID) -> list[db.Row]:
    """The hops an organization may see: all for the author, else those on its own way.

    That is: those the letter came through, and those behind it. Raises NotFound for a document
    that is not visible.
    """
    found = await visibility.visible_document(actor, document_id)
    hops = await hops_of(document_id)
    if found["organization_id"] == actor.home_id:
        return hops
    way = await db.rows(
        """WITH RECURSIVE up AS (
               SELECT id, via_id FROM delivery WHERE document_id = $2 AND recipient_id = $1
               UNION
               SELECT v.id, v.via_id FROM up JOIN delivery AS v ON v.id = up.via_id),
           down AS (
               SELECT id FROM delivery WHERE document_id = $2 AND recipient_id = $1
               UNION
               SELECT v.id FROM down JOIN delivery AS v ON v.via_id = down.id)
           SELECT id FROM up UNION SELECT id FROM down""",
        actor.home_id, document_id,
    )  # fmt: skip
    known = {row["id"] for row in way}
    # a chancery of another node whose own delivery we do not have: it came through it all the same
    return [hop for hop in hops if hop["delivery_id"] in known or hop["delivery_id"] is None]


def _require_arrived(found: db.Row) -> None:
    if not deliveries.has_arrived(found):
        raise Conflict(
            "Документ отозван или отклонён; передать его нельзя.",
            "The document was recalled or refused; it cannot be passed on.",
            code="illegal_transition",
            status=found["status"],
        )


async def _known(delivery_id: uuid.UUID) -> Hop | None:
    found = await db.row(
        """SELECT h.id, r.number, h.passed, h.verdict FROM hop AS h
           JOIN registration AS r ON r.id = h.registration_id WHERE h.delivery_id = $1""",
        delivery_id,
    )  # fmt: skip
    if found is None:
        return None
    return Hop(found["id"], found["number"], found["passed"], found["verdict"])


async def _enter(
    actor: Actor,
    found: db.Row,
    entered: registration.Registered,
    report: checking.Check,
    passed: int,
    wanted: Resolution,
) -> uuid.UUID:
    hop_id = clock.new_id()
    await db.execute(
        """INSERT INTO hop (id, delivery_id, document_id, organization_id, registration_id,
                            actor_id, resolution, verdict, report, passed, passed_at,
                            executor_id, due_on)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)""",
        hop_id, found["id"], found["document_id"], actor.home_id, entered.registration_id,
        actor.account_id, wanted.text, report.verdict, report.facts, passed, clock.now(),
        wanted.executor_id, wanted.due_on,
    )  # fmt: skip
    await events.record(
        actor, "delivery.passed_on", subject=("hop", hop_id),
        document_id=found["document_id"],
        data={"number": entered.number, "passed": passed, "verdict": report.verdict,
              "delivery_id": str(found["id"])},
    )  # fmt: skip
    return hop_id
