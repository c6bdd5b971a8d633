"""Signing: the way to the signature and back, and the organization's own key.

Sessions for keys that stay with their owner stand in `signing_sessions`, signatures made elsewhere
in `signing_uploads`; what was made is entered by `signing_entry`. PDF is only ever parsed in the
sandbox: the key signs attributes, never a file it has not prepared there.
"""

import uuid

from audit import transitions
from core import db
from core.actor import Actor
from core.errors import InvalidInput
from docflow.documents import cards, checking, signing_entry, signing_steps, visibility
from docflow.documents.kinds import kind_of
from docflow.documents.signing_entry import SignatureRole
from docflow.documents.signing_sessions import (
    Challenge,
    begin,
    cancel,
    expire_sessions,
    finish,
    show,
)
from docflow.documents.signing_uploads import bring, bring_all
from docflow.documents.states import TRANSITIONS, DocumentStatus
from signatures import seals, vault
from storage import blobs

__all__ = [
    "Challenge",
    "SignatureRole",
    "begin",
    "bring",
    "bring_all",
    "cancel",
    "decline",
    "expire_sessions",
    "finish",
    "seal",
    "show",
    "submit",
    "waiting",
]


async def submit(actor: Actor, document_id: uuid.UUID) -> None:
    """Send a complete draft for signature; its card and files are fixed from here on.

    Where a signing order is set, those who sign first are told.
    """
    actor.require("clerk", "signatory")
    async with db.transaction():
        found = await visibility.own_document(actor, document_id)
        cards.require_complete(found, kind_of(found["kind"]))
        await signing_entry.current_file(document_id, None)
        await transitions.move(
            actor, "document", document_id, graph=TRANSITIONS, source=DocumentStatus.DRAFT,
            target=DocumentStatus.SIGNING, verb="document.submitted", document_id=document_id,
        )  # fmt: skip
        await signing_steps.open_next(actor, found)


async def decline(actor: Actor, document_id: uuid.UUID, *, reason: str) -> None:
    """The signatory does not sign: the document goes back to its author with the reason.

    Signatures of a signing order have to be given anew afterwards.
    """
    actor.require("signatory")
    cards.require_text(reason, most=10_000, field="reason")
    if not 3 <= len(reason.strip()) <= 1000:
        raise InvalidInput(
            "Укажите, что исправить, от 3 до 1000 знаков.",
            "Say what to correct, 3 to 1000 characters.",
            code="reason_length",
            field="reason",
        )
    async with db.transaction():
        await visibility.own_document(actor, document_id)
        await transitions.move(
            actor, "document", document_id, graph=TRANSITIONS, source=DocumentStatus.SIGNING,
            target=DocumentStatus.DRAFT, verb="document.declined", document_id=document_id,
            detail={"reason": reason.strip()},
        )  # fmt: skip
        await signing_steps.begin_again(actor, document_id)


async def seal(
    actor: Actor,
    document_id: uuid.UUID,
    *,
    file_id: uuid.UUID | None = None,
    role: SignatureRole = "approving",
) -> uuid.UUID:
    """Sign with the organization's own key; answers the id of the signature.

    An approving seal is the signatory's act; a clerk may add a `sealing` one, which does not
    count as the signature a kind asks for. Raises `no_signing_key`, `not_your_turn`,
    `not_a_signer`.
    """
    if role == "sealing":
        actor.require("clerk", "signatory")
    else:
        signing_entry.may_sign(actor)
    document = await visibility.own_document(actor, document_id, lock=False)
    signing_entry.require_signable(document)
    key = await vault.key_of(actor.home_id)
    file = await signing_entry.current_file(document_id, file_id)
    step = None
    if role != "sealing" and file["role"] == "main":
        step = await signing_steps.turn_of(actor, document, role=role)
    step_id = step["id"] if step else None
    if await signing_entry.form_of(file, None) == "pades":
        content = await blobs.read(file["blob_id"], limit=checking.READ_UP_TO)
        sealed = await seals.seal_pdf(actor.home_id, content, role=role)
        return await signing_entry.enter_pdf(
            actor, file, sealed.data, role=role, step_id=step_id, lacks=sealed.lacks
        )
    made = await seals.seal_detached(key, bytes(file["sha256"]), role=role)
    entered = await signing_entry.enter_detached(actor, file, made, role=role, step_id=step_id)
    return entered[-1]


async def waiting(actor: Actor) -> int:
    """How many documents of the actor's organization wait for a signature; up to 1,000."""
    found: int = await db.value(
        f"""SELECT count(*) FROM (SELECT 1 FROM document AS d WHERE d.organization_id = $1
            AND d.status = 'signing' AND {visibility.readable("d", "$1", "$2")}
            LIMIT 1000) AS waits""",
        visibility.reader(actor),
        actor.id,
    )
    return found
