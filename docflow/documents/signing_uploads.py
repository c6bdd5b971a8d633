"""Signatures made elsewhere: taken in many wrappings, kept byte for byte as they came."""

import uuid
from typing import Any

from core import db
from core.actor import Actor
from core.errors import InvalidInput, TooLarge
from core.sandbox import pool
from docflow.documents import checking, signed, signing_entry, visibility
from docflow.documents.signing_entry import MAX_CMS, SignatureRole


async def bring_all(
    actor: Actor,
    document_id: uuid.UUID,
    *,
    file_id: uuid.UUID | None,
    signature: bytes,
    role: SignatureRole = "approving",
) -> list[db.Row]:
    """Enter every signer of a detached CMS over one file (the main one unless named).

    DER, BER, PEM, bare base64, in UTF-8 or UTF-16, with or without BOM. One signer that does not
    hold refuses the whole file, and `details` says of each what was found. The same file again
    answers the same signatures. Raises `signature_unreadable`, `signature_too_large`,
    `signature_attached`, `signature_invalid`, `file_missing`.
    """
    actor.require("clerk", "signatory")
    document = await visibility.own_document(actor, document_id, lock=False)
    signing_entry.require_signable(document)
    file = await signing_entry.current_file(document_id, file_id)
    if len(signature) > checking.MAX_SIGNATURE:
        raise TooLarge(
            "Файл подписи слишком велик. Нужна отсоединённая подпись, без самого документа внутри.",
            "The signature is too large. Send a detached one, without the document in it.",
            code="signature_too_large",
            limit=MAX_CMS,
        )
    if not signature:
        raise InvalidInput(
            "Файл подписи пуст. Выберите файл .sig, .p7s, .sgn или .p7m.",
            "The signature file is empty. Choose a .sig, .p7s, .sgn or .p7m file.",
            code="signature_unreadable",
        )
    found: dict[str, Any] = await pool().run("signatures.answers:normalized", signature)
    made = await signing_entry.enter_detached(
        actor, file, signature, role=role, digests=tuple(found["digests"])
    )
    return [one for one in await signed.signatures_of(document_id) if one["id"] in made]


async def bring(
    actor: Actor,
    document_id: uuid.UUID,
    *,
    file_id: uuid.UUID,
    signature: bytes,
    role: SignatureRole = "approving",
) -> uuid.UUID:
    """`bring_all`, answering the id of the last signer's signature."""
    entered = await bring_all(actor, document_id, file_id=file_id, signature=signature, role=role)
    return uuid.UUID(str(entered[-1]["id"]))
