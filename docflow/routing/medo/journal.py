"""The journal of МЭДО messages: what came and went, for the clerks it concerns."""

import uuid
from typing import Any

import msgspec

from core import clock, db
from core.actor import Actor
from core.errors import NotFound
from docflow.documents import visibility
from docflow.gateways.medo.messages import Finding, Message
from docflow.routing.medo.states import MessageStatus

MAX_LIMIT = 200
_COLUMNS = """m.id, m.direction, m.kind, m.event, m.version, m.header_uid, m.document_id,
    m.delivery_id, m.answers_id, m.status, m.reason, m.their_number, m.their_date, m.sent_at,
    m.delivered_at, m.registered_at, m.overdue_on, m.extended_days, m.extension_notice,
    m.created_at, m.facts, o.name AS partner"""
_FROM = """medo_message AS m LEFT JOIN medo_partner AS p ON p.id = m.partner_id
    LEFT JOIN organization AS o ON o.id = p.organization_id"""
_MINE = """(m.organization_id = $1 OR (m.organization_id IS NULL AND EXISTS (
    SELECT 1 FROM organization AS c WHERE c.id = $1 AND c.kind = 'center')))"""
"""What is for nobody here is for the federal center to look into."""


async def listed(
    actor: Actor,
    *,
    statuses: tuple[str, ...] = (),
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> list[db.Row]:
    """Messages of the actor's organization, newest first, optionally in some states only."""
    found = await db.rows(
        f"""SELECT {_COLUMNS} FROM {_FROM} WHERE {_MINE}
            AND ($2::text[] = '{{}}' OR m.status = ANY($2)) AND ($3::uuid IS NULL OR m.id < $3)
            AND {visibility.shown("m.document_id", "$1", "$5")}
            ORDER BY m.id DESC LIMIT $4""",
        visibility.reader(actor), list(statuses), after, max(1, min(limit, MAX_LIMIT)),
        actor.id,
    )  # fmt: skip
    return [shown(row) for row in found]


async def own_message(actor: Actor, message_id: uuid.UUID, *, lock: bool = False) -> db.Row:
    """A message of the actor's organization; NotFound for everybody else's."""
    found = await db.row(
        f"""SELECT m.* FROM medo_message AS m WHERE {_MINE} AND m.id = $2
            {"FOR UPDATE" if lock else ""}""",
        visibility.reader(actor), message_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(message_id=str(message_id))
    return found


async def conversation(actor: Actor, document_id: uuid.UUID) -> list[db.Row]:
    """Every message about a document, oldest first: ours, their receipts, numbers and answers."""
    await visibility.visible_document(actor, document_id)
    found = await db.rows(
        f"""SELECT {_COLUMNS} FROM {_FROM}
            WHERE m.organization_id = $1 AND (m.document_id = $2 OR m.answers_id IN (
                SELECT id FROM medo_message WHERE document_id = $2))
            ORDER BY m.id LIMIT 500""",
        actor.home_id, document_id,
    )  # fmt: skip
    return [shown(row) for row in found]


def shown(row: db.Row) -> db.Row:
    """A row with its facts laid open: warnings, errors, executor, comment, number."""
    facts = row.pop("facts")
    return {
        **row,
        "number": facts.get("number", ""),
        "date": facts.get("date"),
        "subject": facts.get("subject", ""),
        "comment": facts.get("comment", ""),
        "executor": facts.get("executor", ""),
        "findings": facts.get("findings", []),
        "restricted": row["status"] == MessageStatus.RESTRICTED,
    }


async def write_in(
    message_id: uuid.UUID,
    message: Message,
    *,
    folder: str,
    payload: bytes,
    status: MessageStatus,
    reason: str | None,
    **columns: Any,
) -> None:
    """Enter a message that came; in the caller's transaction. `columns`: partner, document …"""
    values = {
        "id": message_id, "direction": "in", "kind": message.kind.value,
        "event": message.notification and message.notification.event,
        "version": clean(message.version)[:20], "header_uid": uuid_of(message.header_uid),
        "document_uid": clean(message.document.uid)[:100] if message.document else None,
        "source_uid": clean(message.source.uid)[:100], "status": status.value, "reason": reason,
        "folder": folder, "payload_sha256": payload, "facts": facts_of(message),
        "created_at": clock.now(), "updated_at": clock.now(), **columns,
    }  # fmt: skip
    await _insert(values)


async def write_out(message_id: uuid.UUID, *, kind: str, facts: dict[str, Any], **columns: Any) -> (
    None
):  # fmt: skip
    """Enter a message to be sent, with the uid it keeps for ever; in the caller's transaction."""
    header_uid = columns.pop("header_uid", None) or uuid.uuid4()
    values = {
        "id": message_id, "direction": "out", "kind": kind, "header_uid": header_uid,
        "status": MessageStatus.WAITING.value, "folder": str(header_uid), "facts": facts,
        "created_at": clock.now(), "updated_at": clock.now(), **columns,
    }  # fmt: skip
    await _insert(values)


async def _insert(values: dict[str, Any]) -> None:
    places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    await db.execute(
        f"INSERT INTO medo_message ({', '.join(values)}) VALUES ({places})", *values.values()
    )


def facts_of(message: Message) -> dict[str, Any]:
    """What of a message is shown later; a restricted one keeps nothing of its content."""
    document, told = message.document, message.notification
    facts: dict[str, Any] = {
        "source": message.source.organization,
        "findings": [_finding(one) for one in (*message.errors, *message.warnings)][:100],
        "address": message.envelope.addresses[0]
        if message.envelope and message.envelope.addresses
        else "",
    }
    if document and not document.is_restricted:
        facts |= {
            "number": document.number, "subject": document.annotation, "sender_id": document.id,
            "date": document.date and document.date.isoformat(),
        }  # fmt: skip
    if told:
        facts |= {
            "uid": told.uid, "number": told.number, "date": told.date and told.date.isoformat(),
            "comment": told.comment or told.course, "refusal": told.reason,
            "executor": told.executor.person or told.executor.organization if told.executor else "",
        }  # fmt: skip
    if message.receipt:
        facts |= {"uid": message.receipt.uid, "accepted": message.receipt.is_accepted,
                  "comment": message.receipt.comment}  # fmt: skip
    plain: dict[str, Any] = msgspec.json.decode(clean(msgspec.json.encode(facts).decode()))
    return plain


def _finding(one: Finding) -> dict[str, str]:
    return {"code": one.code, "ru": one.ru[:500], "en": one.en[:500], "where": one.where[:200]}


def clean(text: str) -> str:
    """Text without what PostgreSQL cannot keep, NUL also in its JSON spelling."""
    return text.replace("\x00", " ").replace("\\u0000", " ")


def uuid_of(text: str) -> uuid.UUID | None:
    """A GUID, or None for anything else and for the nil one, which names nothing."""
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return found if found.int else None
