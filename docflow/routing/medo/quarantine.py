"""What a person decides about a message that was kept: look again, take it in, return it."""

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from audit import transitions
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from docflow.documents import cards
from docflow.gateways.medo.messages import Event, Message
from docflow.routing.medo import (
    applying,
    arriving,
    contents,
    folders,
    incoming,
    journal,
    partners,
    replies,
)
from docflow.routing.medo.arrival import Arrival
from docflow.routing.medo.states import TRANSITIONS, MessageStatus
from storage import blobs

S = MessageStatus


async def look_again(actor: Actor, message_id: uuid.UUID, *, reason: str = "") -> str:
    """Judge a message in quarantine anew from its kept parts; answers its status.

    For one whose sender has been entered since, or whose lists have come. With a `reason` the
    clerk vouches for it: signatures that do not hold then no longer keep it out, and the verdicts
    stay on the card. Reads the store; outside a transaction.
    """
    actor.require("clerk")
    cards.require_text(reason, most=1000, field="reason")
    row = await _held(actor, message_id)
    async with _rebuilt(message_id) as folder:
        message = await folders.look(folder)
        arrival = await _arrival(row, message, folder)
        await incoming.judge_content(arrival, is_forced=bool(reason.strip()))
        if arrival.status is S.QUARANTINED:
            return S.QUARANTINED.value
        async with db.transaction():
            return await _enter(actor, row, arrival, reason.strip())


async def _held(actor: Actor, message_id: uuid.UUID, *, lock: bool = False) -> db.Row:
    row = await journal.own_message(actor, message_id, lock=lock)
    if row["direction"] != "in" or row["status"] != S.QUARANTINED:
        raise Conflict(code="illegal_transition", status=row["status"])
    return row


async def _enter(actor: Actor, row: db.Row, arrival: Arrival, reason: str) -> str:
    await _held(actor, row["id"], lock=True)
    sent = None
    if applying.answers(arrival.message):
        arrival.status = S.MATCHED
        sent = await arriving.match(arrival)
        if sent is None or arrival.status is not S.MATCHED:
            return S.QUARANTINED.value
    assign = {
        "reason": reason or None, "facts": journal.facts_of(arrival.message),
        "partner_id": arrival.partner.id if arrival.partner else None,
        "organization_id": arrival.ours[0].organization_id if arrival.ours
        else row["organization_id"], "answers_id": sent["id"] if sent else None,
    }  # fmt: skip
    await transitions.move(
        actor, "medo_message", row["id"], graph=TRANSITIONS, source=S.QUARANTINED,
        target=arrival.status, verb="medo.released", assign=assign,
        data={"forced": bool(reason)}, detail={"reason": reason} if reason else None,
    )  # fmt: skip
    if arrival.status is S.MATCHED and sent is not None:
        await arriving.apply(arrival, sent)
    else:
        await arriving.take(arrival)
    return arrival.status.value


async def return_to_sender(
    actor: Actor, message_id: uuid.UUID, *, reason: str, comment: str = ""
) -> None:
    """Do not take the message in; the sender gets a refusal with a reason out of the list.

    Raises `refusal_unknown` naming the reasons there are.
    """
    actor.require("clerk")
    cards.require_text(comment, most=1000, field="comment")
    known = replies.refusal_reasons()
    if reason not in known:
        raise InvalidInput(
            f"Причина отказа выбирается из перечня: {'; '.join(known)}.",
            f"The reason is one of the list: {'; '.join(known)}.",
            code="refusal_unknown", field="reason", reasons=known,
        )  # fmt: skip
    async with db.transaction():
        row = await _held(actor, message_id, lock=True)
        await transitions.move(
            actor, "medo_message", message_id, graph=TRANSITIONS, source=S.QUARANTINED,
            target=S.RETURNED, verb="medo.returned", data={"reason": reason},
            detail={"comment": comment} if comment else None,
        )  # fmt: skip
        await _refusal(actor, row, reason, comment)


async def _refusal(actor: Actor, row: db.Row, reason: str, comment: str) -> None:
    """Queue the notification; a message that says not whence it came gets none."""
    facts = row["facts"]
    partner = await db.row("SELECT * FROM medo_partner WHERE id = $1", row["partner_id"])
    address = partner["address"] if partner else facts.get("address", "")
    uid = str(row["header_uid"] or row["document_uid"] or "")
    if not address or not uid or row["kind"] not in ("document", "container"):
        return
    await journal.write_out(
        clock.new_id(), kind="notification", event=Event.REFUSED.value,
        version=replies.version_for(row["version"], None), partner_id=row["partner_id"],
        organization_id=actor.home_id, answers_id=row["id"],
        facts={
            "uid": uid, "id": facts.get("sender_id", ""), "reason": reason, "comment": comment,
            "their_number": facts.get("number", ""), "their_date": facts.get("date"),
            "to_uid": row["source_uid"], "to_address": address, "to_name": facts.get("source", ""),
        },
    )  # fmt: skip


async def _arrival(row: db.Row, message: Message, folder: Path) -> Arrival:
    parts = await folders.parts_of(folder)
    made = Arrival(row["id"], row["folder"], message, parts, bytes(row["payload_sha256"]))
    made.partner, own = await partners.of_message(message.source.uid)
    made.ours = incoming.addressees(message, own)
    made.stored = await _stored(made)
    return made


async def _stored(arrival: Arrival) -> contents.Stored:
    """What is in the store already, and what now turns out to belong there."""
    kept = await db.rows(
        "SELECT name, blob_id FROM medo_part WHERE message_id = $1 AND blob_id IS NOT NULL",
        arrival.id,
    )
    known = {row["name"]: await blobs.stat(row["blob_id"]) for row in kept}
    rest = [one for one in arrival.parts if one.name not in known]
    more = await contents.keep(rest, limit=incoming.PART_MAX, message=arrival.message)
    return contents.Stored(known | more.blobs, more.small)


@asynccontextmanager
async def _rebuilt(message_id: uuid.UUID) -> AsyncIterator[Path]:
    """The message as a folder again, out of its kept parts."""
    kept = await db.rows(
        """SELECT name, blob_id, content FROM medo_part WHERE message_id = $1
           AND (blob_id IS NOT NULL OR content IS NOT NULL)""",
        message_id,
    )
    if not kept:
        raise NotFound(
            "Части сообщения не сохранены: оно пришло пустым или с пометкой.",
            "The parts of this message are not kept.",
            code="medo_parts_missing",
        )
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="docflow-medo-"))
    try:
        for row in kept:
            content = row["content"]
            if content is None:
                content = await blobs.read(row["blob_id"], limit=incoming.PART_MAX)
            await asyncio.to_thread((folder / row["name"]).write_bytes, content)
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
