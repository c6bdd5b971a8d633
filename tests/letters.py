"""Real letters for proofs that read their bytes: written, sealed, numbered, sent."""

import uuid
from datetime import date

from core.actor import Actor
from docflow.documents import cards, files, registration, signing
from docflow.routing import dispatch, lines
from tests import people


async def a_draft(actor: Actor, *, title: str = "О совещании", kind: str = "circular") -> uuid.UUID:
    """A draft with its PDF."""
    card = cards.CardInput(kind=kind, title=title, addressee="Председателям организаций")
    document_id = await cards.create(actor, card=card)
    await files.attach(
        actor, document_id, stream=people.stream(await people.a_letter(title)),
        file_name=f"{title}.pdf",
    )  # fmt: skip
    return document_id


async def a_numbered(actor: Actor, *, title: str = "О совещании") -> uuid.UUID:
    """A letter that its organization's key has sealed, with its number; the journals are open."""
    document_id = await a_draft(actor, title=title)
    await signing.submit(actor, document_id)
    await signing.seal(actor, document_id)
    await registration.register(actor, document_id)
    return document_id


async def a_sent(
    actor: Actor, *to: uuid.UUID, title: str = "О совещании", due_on: date | None = None,
    **more: object,
) -> uuid.UUID:  # fmt: skip
    """Such a letter, on its way to these organizations."""
    document_id = await a_numbered(actor, title=title)
    deadlines = dict.fromkeys(dispatch.LEVELS, due_on) if due_on else {}
    wanted = dispatch.DispatchInput(selector=lines.only(to), deadlines=deadlines, **more)
    await dispatch.send(actor, document_id, wanted=wanted)
    return document_id
