"""What a package changes here: documents with their deliveries, answers to ours."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from audit import events
from core import clock, db
from core.actor import RULE, Actor
from core.errors import InvalidInput
from directory import links
from docflow.documents import external
from docflow.gateways.offline.manifests import (
    AnswerEntry,
    DocumentEntry,
    Manifest,
    Named,
    Party,
    Seal,
)
from docflow.routing import announcing, arrivals, deliveries, lines, queueing, settling
from docflow.routing.carriage import refused
from docflow.routing.offline.keys import Trust

MARKS = ("none", "dsp")
CHANNEL = "offline"


def foreign(what: str) -> InvalidInput:
    """The error for a package that is not for us, or answers what we never sent."""
    return InvalidInput(
        "Пакет не для этой организации или отвечает не на её документы.",
        "The package is not for this organization, or answers documents it never sent.",
        code="package_foreign", what=what,
    )  # fmt: skip


async def parties(
    manifest: Manifest, *, trusts: Sequence[Trust] | None
) -> tuple[uuid.UUID, uuid.UUID]:
    """Sender and recipient here, by their codes, which are the same in every installation.

    Raises `package_foreign` when one is not known, the recipient lives elsewhere, or whoever
    sealed the package does not speak for its sender. `trusts`: None for a seal that only answers.
    """
    rows = await db.rows(
        """SELECT o.id, o.code, r.node_id, n.status FROM organization AS o
           LEFT JOIN node_residence AS r ON r.organization_id = o.id
           LEFT JOIN node AS n ON n.id = r.node_id WHERE o.code = ANY($1)""",
        [manifest.sender.code, manifest.recipient.code],
    )
    known = {row["code"]: row for row in rows}
    sender, recipient = known.get(manifest.sender.code), known.get(manifest.recipient.code)
    if sender is None or recipient is None:
        raise foreign("sender" if sender is None else "recipient")
    if recipient["node_id"] is not None and recipient["status"] != "own":
        raise foreign("recipient")
    if trusts is not None:
        odd = [await _not_spoken_for(one, sender, recipient["id"]) for one in trusts]
        if all(odd):
            raise foreign(odd[0])
    return uuid.UUID(str(sender["id"])), uuid.UUID(str(recipient["id"]))


async def _not_spoken_for(trust: Trust, sender: db.Row, recipient_id: uuid.UUID) -> str:
    """Which of the two the key does not speak for; empty: it is good.

    A node speaks for those who live with it. Another key speaks for its organization and those
    below, and only to those whose administrator has vouched for it, and below them.
    """
    if trust.node_id is not None:
        return "" if sender["node_id"] == trust.node_id else "sender"
    for upper_id, lower_id, what in (
        (trust.organization_id, sender["id"], "sender"),
        (trust.for_id, recipient_id, "recipient"),
    ):
        if upper_id is None or not (
            upper_id == lower_id
            or await links.is_above(upper_id=upper_id, lower_id=lower_id, on=clock.today())
        ):
            return what
    return ""


async def unknown_documents(manifest: Manifest) -> list[DocumentEntry]:
    """The documents of the package that no earlier package has brought."""
    rows = await db.rows(
        "SELECT uid FROM offline_arrival WHERE uid = ANY($1)",
        [one.uid for one in manifest.documents],
    )
    known = {row["uid"] for row in rows}
    return [one for one in manifest.documents if one.uid not in known]


async def document(
    entry: DocumentEntry,
    looked: tuple[external.OutsideFile, ...],
    *,
    sender: Party,
    sender_id: uuid.UUID,
    recipient_id: uuid.UUID,
) -> int:
    """Enter one document with a delivery that has arrived; 0 when another package just did.

    Nobody sends letters of others: its author is the package's sender (`package_foreign`).
    """
    if entry.author.code != sender.code or not looked:
        raise foreign(f"document {entry.uid}")
    if await db.value("SELECT 1 FROM offline_arrival WHERE uid = $1", entry.uid):
        return 0
    author = RULE.acting_for(sender_id)
    document_id = await external.enter(
        author,
        card=external.OutsideCard(
            kind=entry.kind, title=entry.title, number=entry.number, day=day_in(entry.date),
            addressee=entry.addressee,
        ),
        outside_files=looked,
    )  # fmt: skip
    if entry.mark in MARKS:
        await db.execute("UPDATE document SET mark = $2 WHERE id = $1", document_id, entry.mark)
    delivery_id = await _deliver(author, document_id, recipient_id, due_on=day_in(entry.due_on))
    await db.execute(
        """INSERT INTO offline_arrival (delivery_id, uid, origin_id, sender_id)
           VALUES ($1, $2, $3, $4)""",
        delivery_id, entry.uid, entry.delivery_id, sender_id,
    )  # fmt: skip
    return 1


async def _deliver(
    author: Actor, document_id: uuid.UUID, recipient_id: uuid.UUID, *, due_on: date | None
) -> uuid.UUID:
    dispatch_id, delivery_id, moment = clock.new_id(), clock.new_id(), clock.now()
    await db.execute(
        """INSERT INTO dispatch (id, document_id, organization_id, actor_id, mode, selector, as_of,
                                 deadlines, priority, recipients, created_at)
           VALUES ($1, $2, $3, $4, 'direct', $5, $6, '{}', 0, 1, $7)""",
        dispatch_id, document_id, author.home_id, author.account_id,
        msgspec.to_builtins(lines.only([recipient_id])), clock.today(), moment,
    )  # fmt: skip
    await db.execute(
        """INSERT INTO delivery (id, dispatch_id, document_id, recipient_id, recipient_kind,
                                 channel, status, due_on, delivered_at, updated_at)
           SELECT $1, $2, $3, id, kind, $5, 'delivered', $6, $7, $7
           FROM organization WHERE id = $4""",
        delivery_id, dispatch_id, document_id, recipient_id, CHANNEL, due_on, moment,
    )  # fmt: skip
    await events.record(
        author, "delivery.made", subject=("delivery", delivery_id), document_id=document_id,
        change=(None, "delivered"),
    )  # fmt: skip
    await queueing.after_queueing(dispatch_id)
    await announcing.received(dispatch_id=dispatch_id)
    return delivery_id


def day_in(text: str) -> date | None:
    """A date as packages have it, 31.12.2026; None for anything else."""
    try:
        return datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007 - a date without a clock
    except ValueError:
        return None


async def answers(
    manifest: Manifest, seal: Seal, *, sender_id: uuid.UUID, recipient_id: uuid.UUID
) -> dict[str, int]:
    """Carry every answer over to its delivery; answers how many did what.

    All of them, or none: one that answers no document of ours raises `package_foreign`.
    """
    counts: dict[str, int] = {}
    package_id = uuid.UUID(seal.key) if seal.form == "reply" else None
    for one in manifest.answers:
        row = await _answered(one, sender_id, recipient_id, package_id)
        effect = await _apply(one, row, sender_id, manifest.id)
        counts[effect] = counts.get(effect, 0) + 1
    return counts


async def _answered(
    one: AnswerEntry, sender_id: uuid.UUID, recipient_id: uuid.UUID, package_id: uuid.UUID | None
) -> db.Row:
    """The delivery of ours that is answered, by its own recipient; from one package, by that."""
    row = await db.row(
        """SELECT v.id, v.status, v.recipient_id, l.consignment_id FROM consignment_delivery AS l
           JOIN delivery AS v ON v.id = l.delivery_id
           JOIN consignment AS m ON m.id = l.consignment_id AND m.sender_id = $5
           WHERE l.consignment_id = $1 AND l.delivery_id = $2 AND v.recipient_id = $3
           AND ($4::uuid IS NULL OR EXISTS (
               SELECT 1 FROM offline_item AS i WHERE i.package_id = $4 AND i.delivery_id = v.id))
           FOR UPDATE OF v""",
        one.uid, one.delivery_id, sender_id, package_id, recipient_id,
    )  # fmt: skip
    if row is None:
        raise foreign(f"answer {one.uid}")
    return row


async def _apply(one: AnswerEntry, row: db.Row, sender_id: uuid.UUID, package_id: uuid.UUID) -> str:
    actor = RULE.acting_for(sender_id)
    told: dict[str, object] = {"by": "offline", "package_id": str(package_id)}
    if one.kind == "refused":
        words = one.reason.strip()[:1000] or "без объяснения причин"
        await settling.settle(
            row["consignment_id"], refused("refused_by_package", words), delivery_ids=[row["id"]]
        )
        return await _effect(row)
    await arrivals.arrived(row["id"], {"offline_package": str(package_id)})
    if one.kind != "delivered":
        await deliveries.opened_outside(actor, row["id"], data=told)
    is_open = await db.value(
        "SELECT status IN ('delivered', 'opened') FROM delivery WHERE id = $1", row["id"]
    )
    if is_open and one.person is not None and one.kind in ("acknowledged", "executed"):
        person_id, is_known = await _person(actor, row["recipient_id"], one.person)
        await deliveries.acknowledged_outside(
            actor, row["id"], person_id=person_id, data={**told, "is_known_person": is_known}
        )
    return await _effect(row)


async def _effect(row: db.Row) -> str:
    """What the answer changed: the state it led to, or ``known``."""
    status = await db.value("SELECT status FROM delivery WHERE id = $1", row["id"])
    return "known" if status == row["status"] else str(status)


async def _person(actor: Actor, organization_id: uuid.UUID, named: Named) -> tuple[uuid.UUID, bool]:
    """Who of those with a post there it is; somebody else is entered by the name given."""
    fits = [
        one for one in await deliveries.holders(organization_id)
        if one["last_name"].casefold() == named.last_name.strip().casefold()
        and (one["first_name"] or "")[:1].casefold() in ("", named.first_name[:1].casefold())
    ]  # fmt: skip
    if len(fits) == 1:
        return uuid.UUID(str(fits[0]["id"])), True
    person_id = clock.new_id()
    await db.execute(
        """INSERT INTO person (id, last_name, first_name, middle_name, created_at)
           VALUES ($1, $2, $3, $4, $5)""",
        person_id, named.last_name.strip()[:200] or "—", named.first_name.strip()[:200],
        named.middle_name.strip()[:200], clock.now(),
    )  # fmt: skip
    await events.record(
        actor, "person.create", subject=("person", person_id),
        detail={"last_name": named.last_name[:200], "first_name": named.first_name[:200],
                "middle_name": named.middle_name[:200], "post": named.post[:200]},
    )  # fmt: skip
    return person_id, False
