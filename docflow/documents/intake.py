"""Intake in one call: card, signed file, check, number; for programs that send many."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from core import db
from core.actor import Actor
from docflow.documents import cards, files, registration
from docflow.documents.states import DocumentStatus


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

    Three steps, each of them whole: when the file is refused the draft stays, without a file, and
    the same `key` sent again with a good file goes on from there.
    """
    document_id = await cards.create(actor, card=card, key=key)
    known = await _standing(document_id)
    if known is None or known["status"] == DocumentStatus.DRAFT:
        await files.attach(
            actor, document_id, stream=stream, file_name=file_name, key=key and f"{key}/file"
        )
        known = await _standing(document_id)
    if known is not None and known["status"] == DocumentStatus.SIGNED:
        await registration.register(actor, document_id)
        known = await _standing(document_id)
    if known is None:
        raise RuntimeError("a document without a file after attach")
    return Taken(document_id, known["file_id"], known["status"], known["number"], known["verdict"])


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


def card_from_json(text: str | bytes) -> cards.CardInput:
    """The card out of the JSON a program sends beside the file."""
    return msgspec.json.decode(text, type=cards.CardInput)
