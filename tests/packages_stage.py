"""Signed letters that were sent, and packages of them, for the proofs about evidence."""

import uuid
from pathlib import Path

from core.actor import RULE, Actor
from docflow.documents import cards, files, registration, signing
from docflow.documents.cards import CardInput
from docflow.routing import dispatch, lines
from evidence.packages import exports
from tests import people


async def a_letter_sent(clerk: Actor, *to: uuid.UUID, title: str = "О совещании") -> uuid.UUID:
    """A letter with a real PDF, sealed with the organization's key, registered and sent."""
    card = CardInput(kind="circular", title=title, addressee="Председателям")
    document_id = await cards.create(clerk, card=card)
    content = await people.a_letter(f"{title} {document_id}")
    await files.attach(clerk, document_id, stream=people.stream(content), file_name="письмо.pdf")
    await signing.submit(clerk, document_id)
    await signing.seal(clerk, document_id)
    await registration.register(clerk, document_id)
    if to:
        wanted = dispatch.DispatchInput(selector=lines.only(to))
        await dispatch.send(clerk, document_id, wanted=wanted)
    return document_id


async def a_package(home: uuid.UUID, folder: Path, **wanted: object) -> Path:
    """A finished package in a file, asked for by the operator."""
    known = {
        "purpose": "Проверка комиссии", "basis": "Запрос № 17", "recipient": "Комиссия",
    }  # fmt: skip
    made = exports.Wanted(**{**known, **wanted})  # type: ignore[arg-type]  # reason: a test's shorthand
    export_id = await exports.begin(RULE.acting_for(home), made)
    await exports.build(export_id)
    row = await exports.row_of(export_id)
    assert row["status"] == "ready", (row["error_code"], row["error"])
    path = folder / f"{export_id}.zip"
    with path.open("wb") as file:
        async for piece in exports.content(export_id):
            file.write(piece)
    assert path.stat().st_size == row["bytes"]
    return path
