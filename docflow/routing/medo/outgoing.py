"""What goes: each queued delivery gets a message with a uid for ever, checked, built, moved whole.

Claim (a row with its uid) → write the folder → record. Killed after the folder was moved and before
it was recorded, the same message is written again under the same uid, which its receiver knows for
a repeat.
"""

import asyncio
import logging
import os
import shutil
import uuid
from pathlib import Path

from audit import transitions
from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, ServiceError, Unavailable
from core.settings import settings
from docflow.gateways.medo.messages import Message
from docflow.gateways.medo.writing import Source, write_folder
from docflow.routing import announcing
from docflow.routing.medo import checks, composing, contents, folders, journal, partners
from docflow.routing.medo.partners import Partner
from docflow.routing.medo.states import CHANNEL, TRANSITIONS, MessageStatus
from docflow.routing.states import TRANSITIONS as DELIVERY_GRAPH
from docflow.routing.states import DeliveryStatus
from notify import notices

log = logging.getLogger(__name__)
S = MessageStatus
AT_ONCE = 1000


async def send_waiting() -> dict[str, int]:
    """Queue and write everything that waits; answers how many ended in which state.

    Without an outgoing folder nothing happens, and what waits goes on waiting.
    """
    counts: dict[str, int] = {}
    home = settings().medo_out
    if home is None:
        return counts
    await queue()
    waiting = await db.rows(
        """SELECT id FROM medo_message WHERE direction = 'out' AND status = 'waiting'
           ORDER BY id LIMIT $1""",
        AT_ONCE,
    )
    for row in waiting:
        outcome = await send(row["id"])
        counts[outcome] = counts.get(outcome, 0) + 1
    return counts


async def queue() -> int:
    """Give every queued delivery by МЭДО its message; its uid stays through every try."""
    found = await db.rows(
        """SELECT v.id, v.document_id, v.recipient_id, s.organization_id, p.id AS partner_id,
                  coalesce(p.version, '2.7.1') AS version
           FROM delivery AS v JOIN dispatch AS s ON s.id = v.dispatch_id
           LEFT JOIN medo_partner AS p ON p.organization_id = v.recipient_id
           WHERE v.channel = $1 AND v.status = 'queued' AND NOT EXISTS (
               SELECT 1 FROM medo_message AS m WHERE m.delivery_id = v.id AND m.direction = 'out')
           ORDER BY v.id LIMIT $2""",
        CHANNEL, AT_ONCE,
    )  # fmt: skip
    for row in found:
        async with db.transaction():
            locked = await db.value(
                """SELECT NOT EXISTS (SELECT 1 FROM medo_message WHERE delivery_id = $1
                   AND direction = 'out') FROM delivery WHERE id = $1 AND status = 'queued'
                   FOR UPDATE""",
                row["id"],
            )
            if locked:
                is_new = row["version"].startswith("2.7")
                await journal.write_out(
                    clock.new_id(), kind="container" if is_new else "document", facts={},
                    version=row["version"], document_uid=str(uuid.uuid4()),
                    partner_id=row["partner_id"], organization_id=row["organization_id"],
                    document_id=row["document_id"], delivery_id=row["id"],
                )  # fmt: skip
    return len(found)


async def send(message_id: uuid.UUID) -> str:
    """Check, build and hand over one waiting message; answers its status.

    What a person must mend ends as `blocked`, with its delivery `failed` and the reason on both.
    """
    row = await db.row("SELECT * FROM medo_message WHERE id = $1", message_id)
    if row is None or row["status"] != S.WAITING:
        return str(row["status"]) if row else "gone"
    try:
        made = await _composed(row)
        if made is None:
            return S.CANCELLED.value
        parts = await _handed_over(row, *made)
    except checks.Blocked as stop:
        await _block(row, stop)
        return S.BLOCKED.value
    except Unavailable:
        raise
    except ServiceError as problem:
        await _block(row, checks.Blocked("write_refused", problem.message_ru))
        return S.BLOCKED.value
    await _record(row, parts)
    return S.SENT.value


async def _composed(row: db.Row) -> tuple[Message, dict[str, bytes]] | None:
    sender = await partners.of_organization(row["organization_id"])
    if sender is None or not sender.is_own:
        raise checks.Blocked("not_a_participant")
    if row["delivery_id"] is None:
        return composing.of_reply(row, sender=sender), {}
    delivery = await db.row("SELECT * FROM delivery WHERE id = $1", row["delivery_id"])
    if delivery is None or delivery["status"] != DeliveryStatus.QUEUED:
        await _move(row, S.CANCELLED, "medo.cancelled")
        return None
    partner = await partners.of_organization(delivery["recipient_id"])
    if partner is None or not partner.is_active or partner.is_own:
        raise checks.Blocked("no_partner")
    await _follow_partner(row, partner)
    document = await db.row("SELECT * FROM document WHERE id = $1", row["document_id"])
    if document is None:
        raise RuntimeError("a delivery without a document")
    if document["mark"] == "dsp":
        raise checks.Blocked("restricted")
    return await composing.of_document(row, document, sender=sender, partner=partner)


async def _follow_partner(row: db.Row, partner: Partner) -> None:
    """A participant entered or corrected since: the message follows, its uids stay."""
    kind = "container" if partner.version.startswith("2.7") else "document"
    if (row["partner_id"], row["version"]) != (partner.id, partner.version):
        await db.execute(
            """UPDATE medo_message SET partner_id = $2, version = $3, kind = $4, updated_at = $5
               WHERE id = $1""",
            row["id"], partner.id, partner.version, kind, clock.now(),
        )  # fmt: skip


async def _handed_over(
    row: db.Row, message: Message, sources: dict[str, bytes]
) -> list[folders.Row]:
    """Build the folder aside, keep its files, move it whole; answers them for the journal."""
    home = settings().medo_out
    if home is None:
        raise Unavailable(code="medo_folder_unavailable")
    making = home.with_name(f"{home.name}.making") / row["folder"]
    try:
        await asyncio.to_thread(_build, message, making, sources)
        parts = await folders.parts_of(making)
        kept = await contents.keep(parts, limit=1 << 40)
        await asyncio.to_thread(_move_whole, making, home / row["folder"])
    except OSError as problem:
        raise Unavailable(
            "Исходящая папка МЭДО недоступна. Проверьте MEDO_OUT, права и свободное место.",
            "The outgoing МЭДО folder cannot be written. Check MEDO_OUT, rights and free space.",
            code="medo_folder_unavailable",
        ) from problem
    return kept.rows(parts)


def _build(message: Message, making: Path, sources: dict[str, bytes]) -> None:
    shutil.rmtree(making, ignore_errors=True)  # a try that was killed
    making.parent.mkdir(parents=True, exist_ok=True)
    given: dict[str, Source] = dict(sources)
    write_folder(message, making, sources=given)


def _move_whole(making: Path, target: Path) -> None:
    if target.exists():  # handed over before, and not recorded: the transport has it
        shutil.rmtree(making)
        return
    making.rename(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)  # what is recorded as sent survives a power cut
    finally:
        os.close(handle)


async def _record(row: db.Row, parts: list[folders.Row]) -> None:
    verb = "medo.sent" if row["delivery_id"] else f"medo.{row['kind']}_sent"
    async with db.transaction():
        await _move(
            row, S.SENT, verb, assign={"sent_at": clock.now(), "attempts": row["attempts"] + 1},
            data={"version": row["version"]},
        )  # fmt: skip
        await folders.write_parts(row["id"], parts)


async def _block(row: db.Row, stop: checks.Blocked) -> None:
    words = f"{stop.code}: {stop.words}" if stop.words else stop.code
    async with db.transaction():
        await _move(row, S.BLOCKED, "medo.blocked", assign={"reason": words[:1000]},
                    data={"reason": stop.code})  # fmt: skip
        if row["delivery_id"]:
            await _move_delivery(row, DeliveryStatus.QUEUED, DeliveryStatus.FAILED, words[:1000])
        await notices.post(
            row["organization_id"], "medo_blocked", ("medo_message", row["id"]), clock.today(),
            {"reason": checks.REASONS[stop.code][0], "reason_en": checks.REASONS[stop.code][1]},
        )  # fmt: skip


async def retry(actor: Actor, message_id: uuid.UUID) -> None:
    """Let a message that was stopped or not delivered go again, under the same uid.

    Raises Conflict `illegal_transition` for one that stands elsewhere.
    """
    actor.require("clerk", "administrator")
    async with db.transaction():
        row = await journal.own_message(actor, message_id, lock=True)
        if row["direction"] != "out" or row["status"] not in (S.BLOCKED, S.FAILED):
            raise Conflict(code="illegal_transition", status=row["status"])
        if row["delivery_id"]:
            status = await db.value(
                "SELECT status FROM delivery WHERE id = $1 FOR UPDATE", row["delivery_id"]
            )
            if status != DeliveryStatus.FAILED:
                raise Conflict(code="illegal_transition", status=status)
            await _move_delivery(row, DeliveryStatus.FAILED, DeliveryStatus.QUEUED, None,
                                 actor=actor)  # fmt: skip
        await _move(row, S.WAITING, "medo.queued_again", actor=actor,
                    assign={"reason": None, "alarmed_at": None})  # fmt: skip


async def _move_delivery(
    row: db.Row,
    source: DeliveryStatus,
    target: DeliveryStatus,
    reason: str | None,
    *,
    actor: Actor | None = None,
) -> None:
    status = await db.value("SELECT status FROM delivery WHERE id = $1", row["delivery_id"])
    if status != source:  # recalled meanwhile
        return
    verb = f"delivery.{target.value}"
    await transitions.move(
        actor or RULE.acting_for(row["organization_id"]), "delivery", row["delivery_id"],
        graph=DELIVERY_GRAPH, source=source, target=target, verb=verb,
        document_id=row["document_id"], assign={"reason": reason},
    )  # fmt: skip
    await announcing.to_sender(row["delivery_id"], verb)


async def _move(
    row: db.Row,
    target: MessageStatus,
    verb: str,
    *,
    actor: Actor | None = None,
    assign: dict[str, object] | None = None,
    data: dict[str, object] | None = None,
) -> None:
    document_id = row["document_id"] or await db.value(
        "SELECT document_id FROM medo_message WHERE id = $1", row["answers_id"]
    )
    await transitions.move(
        actor or RULE.acting_for(row["organization_id"]), "medo_message", row["id"],
        graph=TRANSITIONS, source=S(row["status"]), target=target, verb=verb,
        document_id=document_id, assign=assign, data=data,
    )  # fmt: skip
