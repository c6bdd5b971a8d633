"""What we answer: receipts of the transport, notifications of our office; queued, then written."""

import uuid
from typing import Any

from core import clock, db
from docflow.gateways.medo import lists
from docflow.gateways.medo.messages import Event, Kind, Message
from docflow.routing.medo import journal, partners
from docflow.routing.medo.arrival import Arrival
from docflow.routing.medo.partners import Partner
from docflow.routing.medo.states import CHANNEL

WRITTEN = ("2.6", "2.7", "2.7.1")


def version_for(received: str, partner: Partner | None) -> str:
    """In which version to answer: the one they wrote in, where we write it, else the partner's."""
    if received in WRITTEN:
        return received
    if received.startswith("2.7"):
        return "2.7"
    return partner.version if partner and not received else "2.6"


def is_acknowledged(message: Message) -> bool:
    """Letters are, receipts never; notifications where the lists say so of their version."""
    if message.kind is Kind.NOTIFICATION:
        return message.version in lists.load().receipts.for_notifications
    return message.kind in (Kind.DOCUMENT, Kind.CONTAINER)


async def receipt(arrival: Arrival, *, accepted: bool) -> uuid.UUID | None:
    """Queue a receipt for a message; in its transaction. None where nobody can be answered.

    Without a uid there is nothing to acknowledge, without an address nobody to send it to.
    """
    message = arrival.message
    uid = message.header_uid or (message.document.uid if message.document else "")
    address = arrival.partner.address if arrival.partner else ""
    if not address and message.envelope and message.envelope.addresses:
        address = message.envelope.addresses[0]
    own = arrival.ours or await partners.own()
    if not uid or not address or not own:
        return None
    words = "; ".join(one.ru for one in message.errors[:3])
    made = clock.new_id()
    await journal.write_out(
        made, kind="receipt", version=version_for(message.version, arrival.partner),
        partner_id=arrival.partner.id if arrival.partner else None,
        organization_id=own[0].organization_id, answers_id=arrival.id,
        facts={
            "uid": journal.clean(uid), "accepted": accepted,
            "comment": "" if accepted else journal.clean(words)[:1000],
            **_to(arrival, address),
        },
    )  # fmt: skip
    return made


def _to(arrival: Arrival, address: str) -> dict[str, str]:
    source = arrival.message.source
    return {
        "to_uid": journal.clean(source.uid),
        "to_address": journal.clean(address)[:255],
        "to_name": journal.clean(source.organization)[:500],
    }


async def notify() -> int:
    """Queue the notifications our office owes: registered under our number, or refused.

    A document that came is owed one when our clerk has entered it into our journal or refused it.
    Answers how many are new.
    """
    owed = await db.rows(
        """SELECT m.id, m.version, m.partner_id, m.facts, m.header_uid, m.document_uid,
                  v.recipient_id, v.status, v.reason, r.number, r.date, d.number AS their_number,
                  d.date AS their_date
           FROM medo_message AS m JOIN delivery AS v ON v.document_id = m.document_id
                AND v.channel = $1
           JOIN document AS d ON d.id = m.document_id
           LEFT JOIN registration AS r ON r.document_id = m.document_id
                AND r.organization_id = v.recipient_id
           WHERE m.direction = 'in' AND m.status = 'taken' AND m.document_id IS NOT NULL
           AND (r.id IS NOT NULL OR v.status = 'refused')
           AND NOT EXISTS (SELECT 1 FROM medo_message AS n WHERE n.answers_id = m.id
                AND n.direction = 'out' AND n.kind = 'notification'
                AND n.organization_id = v.recipient_id)
           ORDER BY m.id LIMIT 1000""",
        CHANNEL,
    )
    number = 0
    for row in owed:
        async with db.transaction():
            number += await _queue(row)
    return number


async def _queue(row: db.Row) -> int:
    await db.execute("SELECT 1 FROM medo_message WHERE id = $1 FOR UPDATE", row["id"])
    if await db.value(
        """SELECT true FROM medo_message WHERE answers_id = $1 AND direction = 'out'
           AND kind = 'notification' AND organization_id = $2""",
        row["id"], row["recipient_id"],
    ):  # fmt: skip
        return 0
    partner = await db.row("SELECT * FROM medo_partner WHERE id = $1", row["partner_id"])
    if partner is None:
        return 0
    is_refused = row["number"] is None
    await journal.write_out(
        clock.new_id(), kind="notification",
        event=Event.REFUSED if is_refused else Event.ACCEPTED,
        version=version_for(row["version"], None), partner_id=partner["id"],
        organization_id=row["recipient_id"], answers_id=row["id"],
        facts={
            "uid": _answered_uid(row), "id": row["facts"].get("sender_id", ""),
            "their_number": row["their_number"],
            "their_date": row["their_date"] and row["their_date"].isoformat(),
            "to_uid": str(partner["participant_uid"]), "to_address": partner["address"],
            **(_refusal(row["reason"] or "") if is_refused else
               {"number": row["number"], "date": row["date"].isoformat()}),
        },
    )  # fmt: skip
    return 1


def _answered_uid(row: db.Row) -> str:
    """Up to 2.6 a notification names the document, from 2.7 the message (medo.md section 5)."""
    by_message = str(row["header_uid"] or "")
    by_document = row["document_uid"] or ""
    is_new = row["version"].startswith("2.7")
    return (by_message or by_document) if is_new else (by_document or by_message)


def _refusal(text: str) -> dict[str, Any]:
    """The reason out of the closed list, and our own words beside it."""
    known = refusal_reasons()
    for reason in known:
        if text.strip().lower().startswith(reason.lower()):
            return {"reason": reason, "comment": text.strip()[len(reason) :].lstrip(" .:")}
    return {"reason": known[0], "comment": text.strip()}


def refusal_reasons() -> list[str]:
    """The reasons a document may be refused for, as the list in force has them."""
    return list(lists.load().refusals.reasons)
