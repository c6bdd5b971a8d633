"""Intake in one call: card, signed file, check, number; for programs that send many."""

import hashlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from audit import events
from core import db, idempotency
from core.actor import Actor
from core.errors import IdempotencyMismatch, InvalidInput
from docflow.documents import cards, files, registration
from docflow.documents.states import DocumentStatus

MAX_KEY = idempotency.MAX_KEY - len("/file")


@dataclass(frozen=True, slots=True)
class Taken:
    """What stands after the call."""

    document_id: uuid.UUID
    file_id: uuid.UUID
    status: str
    number: str | None
    verdict: str | None


async def take_in(
    actor: Actor,
    *,
    card: cards.CardInput,
    stream: AsyncIterator[bytes],
    file_name: str,
    key: str | None = None,
) -> Taken:
    """Create the document, attach its file and, if it came signed well enough, register it.

    One transaction for a file that is good: a document, its file and its number, or nothing. When
    the file is refused the draft stays, without a file, and the same `key` sent again with a good
    file goes on from there. The same `key` with another file
    than the one that was taken raises `idempotency_mismatch`.
    """
    if key is not None and len(key) > MAX_KEY:
        raise InvalidInput(
            f"Idempotency-Key: не длиннее {MAX_KEY} знаков.",
            f"Idempotency-Key: at most {MAX_KEY} characters.",
            code="idempotency_key_length",
        )
    if await idempotency.is_used(scope=actor.home_id, key=key):
        return await _go_on(actor, card=card, stream=stream, file_name=file_name, key=key)
    actor.require("clerk", "signatory")
    cards.check(card)

    async def draft() -> uuid.UUID:
        return await cards.create(actor, card=card, key=key)

    received = await files.receive(
        actor, stream=stream, kind=card.kind, draft=draft, file_name=file_name
    )
    async with db.transaction(), events.together():
        document_id = await draft()
        await files.enter(actor, document_id, received, key=key and f"{key}/file")
        return await _registered(actor, document_id)


async def _go_on(
    actor: Actor, *, card: cards.CardInput, stream: AsyncIterator[bytes], file_name: str,
    key: str | None,
) -> Taken:  # fmt: skip
    """With a key that was used before: answer what stands, or do what is still to do."""
    document_id = await cards.create(actor, card=card, key=key)
    known = await _standing(document_id)
    if known is not None and known["status"] != DocumentStatus.DRAFT:
        await _require_same(document_id, stream, key)
    else:
        await files.attach(
            actor, document_id, stream=stream, file_name=file_name, key=key and f"{key}/file"
        )
    return await _registered(actor, document_id)


async def _registered(actor: Actor, document_id: uuid.UUID) -> Taken:
    """What stands, with a number if the file came signed well enough."""
    known = await _standing(document_id)
    if known is None:
        raise RuntimeError("a document without a file after attach")
    status, number = known["status"], known["number"]
    if status == DocumentStatus.SIGNED:
        number = (await registration.register(actor, document_id)).number
        status = DocumentStatus.REGISTERED.value
    return Taken(document_id, known["file_id"], status, number, known["verdict"])


async def _standing(document_id: uuid.UUID) -> db.Row | None:
    return await db.row(
        """SELECT d.status, d.number, f.id AS file_id,
                  (SELECT s.verdict FROM signature AS s WHERE s.file_id = f.id
                   ORDER BY s.verdict <> 'valid' LIMIT 1) AS verdict
           FROM document AS d JOIN document_file AS f ON f.document_id = d.id
                AND f.is_current AND f.role = 'main'
           WHERE d.id = $1""",
        document_id,
    )


async def _require_same(
    document_id: uuid.UUID, stream: AsyncIterator[bytes], key: str | None
) -> None:
    digest = hashlib.sha256()
    async for chunk in stream:
        digest.update(chunk)
    if not await db.value(
        "SELECT true FROM document_file WHERE document_id = $1 AND sha256 = $2 LIMIT 1",
        document_id, digest.digest(),
    ):  # fmt: skip
        raise IdempotencyMismatch(key=key)


def card_from_json(text: str | bytes) -> cards.CardInput:
    """The card out of the JSON a program sends beside the file; raises `malformed_request`."""
    try:
        return msgspec.json.decode(text, type=cards.CardInput)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as problem:
        raise InvalidInput(
            f"Карточка в заголовке X-Card записана неверно: {problem}.",
            f"The card in the header X-Card is not valid: {problem}.",
            code="malformed_request",
            field="X-Card",
        ) from problem
