"""Entering a signature that was made: checked against the stored bytes, then written, at once.

The signed PDF becomes the next revision of the same place; the bytes before it stay. A detached
signature is kept as it was received and belongs to the revision it signs.
"""

import uuid
from collections.abc import AsyncIterator
from typing import Any, Literal

from audit import transitions
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput
from docflow.documents import authority, checking, files, signed, signing_steps, visibility
from docflow.documents.kinds import PDF
from docflow.documents.states import SESSION_TRANSITIONS, DocumentStatus, SessionStatus
from storage import blobs

SignatureRole = Literal["approving", "certifying", "endorsing", "sealing"]
Form = Literal["pades", "cades"]
SIGNABLE = (DocumentStatus.DRAFT, DocumentStatus.SIGNING)
MAX_CMS = 1 << 20


def may_sign(actor: Actor) -> None:
    """Raise unless the actor is a signatory who came in with a second factor."""
    actor.require("signatory")
    if not actor.second_factor:
        raise Forbidden(
            "Подписание требует входа с одноразовым кодом. Подключите его и войдите снова.",
            "Signing needs a one-time code at sign-in. Set it up and sign in again.",
            code="second_factor_required",
        )


def require_signable(document: db.Row) -> None:
    """Raise `illegal_transition` once the document is signed or registered."""
    if document["status"] not in SIGNABLE:
        raise Conflict(
            "Документ уже подписан или зарегистрирован; новые подписи не добавляются.",
            "The document is signed or registered already; no signature is added any more.",
            code="illegal_transition",
            status=document["status"],
        )


async def current_file(document_id: uuid.UUID, file_id: uuid.UUID | None) -> db.Row:
    """A current file of the document, the main one when none is named; else `file_missing`."""
    found = await db.row(
        """SELECT * FROM document_file WHERE document_id = $1 AND is_current
           AND (id = $2 OR ($2::uuid IS NULL AND role = 'main'))""",
        document_id, file_id,
    )  # fmt: skip
    if found is None:
        raise InvalidInput(
            "Приложите файл документа: подписывать пока нечего.",
            "Attach the document's file: there is nothing to sign yet.",
            code="file_missing",
        )
    return found


async def form_of(file: db.Row, wanted: Form | None) -> Form:
    """Inside the PDF or beside the file: as wanted, where the file allows it.

    A revision that has detached signatures gets no embedded one any more: that would make a new
    revision and leave them behind. Raises `form_not_possible`.
    """
    is_embeddable = (
        file["media_type"] == PDF
        and file["role"] == "main"
        and file["size"] <= files.PARSED_UP_TO
        and not await _has_detached(file["id"])
    )
    if wanted == "pades" and not is_embeddable:
        raise InvalidInput(
            "Встроить подпись в этот файл нельзя: это не основной PDF, он больше 64 МБ или уже"
            " подписан отдельным файлом подписи. Выберите отсоединённую подпись.",
            "No signature can be put into this file: it is not the main PDF, is over 64 MB, or"
            " has a detached signature already. Choose a detached one.",
            code="form_not_possible",
        )
    return wanted or ("pades" if is_embeddable else "cades")


async def _has_detached(file_id: uuid.UUID) -> bool:
    return bool(
        await db.value(
            "SELECT EXISTS (SELECT 1 FROM signature WHERE file_id = $1 AND form = 'cades')", file_id
        )
    )


async def enter_pdf(
    actor: Actor,
    file: db.Row,
    made: bytes,
    *,
    role: str,
    session: db.Row | None = None,
    step_id: uuid.UUID | None = None,
    lacks: tuple[str, ...] = (),
) -> uuid.UUID:
    """Check a PDF with its new signature and make it the next revision; answers the signature's id.

    `lacks` says what kept the signature from its best level (`seals.Sealed`).
    Raises `signature_invalid`, `file_changed`, `not_your_turn`, `illegal_transition`.
    """
    check = await checking.validate(made)
    checking.require_readable(check)
    blob = await blobs.store(once(made), limit=checking.READ_UP_TO * 2)
    async with db.transaction():
        document = await _locked(actor, file)
        if await _has_detached(file["id"]):
            raise file_changed()
        if session:
            await _close(actor, session)
        file_id = await files.enter_revision(
            actor, document["id"], blob, role=file["role"], position=file["position"],
            file_name=file["file_name"], title=file["title"], pages=file["pages"],
            problems=file["problems"],
        )  # fmt: skip
        roles = await _earlier_roles(file["id"])
        moments = await authority.moments_of(file["id"])
        found = signed.of_people(check.raw)
        new, mine = uuid.UUID(int=0), found[-1]
        for one in found:
            is_mine = one is mine
            new = await signed.record(
                actor, document["id"], file_id, form="pades", one=one, at=check.raw["at"],
                role=role if is_mine else roles.get(one["certificate_sha256"], "approving"),
                account_id=actor.account_id if is_mine else None,
                known_at=None if is_mine else moments.get(authority.name_of(one)),
                lacks=lacks if is_mine else (),
            )  # fmt: skip
        await _take_step(actor, document, step_id, mine)
        await signed.settle(actor, document)
    return new


async def enter_detached(
    actor: Actor,
    file: db.Row,
    made: bytes,
    *,
    role: str,
    session: db.Row | None = None,
    step_id: uuid.UUID | None = None,
    digests: tuple[str, ...] = ("sha256",),
) -> list[uuid.UUID]:
    """Check a detached signature over a file and enter each of its signers; answers their ids.

    `made` is kept as it is given; `digests` are those its signers ask for. The same bytes again
    answer the same ids. Raises
    `signature_invalid`, `file_changed`, `not_your_turn`, `illegal_transition`.
    """
    check = await checking.validate_stored(file, signature=made, digests=digests)
    checking.require_readable(check)
    blob = await blobs.store(once(made), limit=checking.MAX_SIGNATURE)
    async with db.transaction():
        document = await _locked(actor, file)
        if session:
            await _close(actor, session)
        known = await db.rows(
            "SELECT id FROM signature WHERE file_id = $1 AND blob_id = $2 ORDER BY id",
            file["id"], blob.id,
        )  # fmt: skip
        if known:
            return [row["id"] for row in known]
        made_ids = []
        for one in check.raw["signatures"]:
            made_ids.append(
                await signed.record(
                    actor, document["id"], file["id"], form="cades", role=role, one=one,
                    at=check.raw["at"], account_id=actor.account_id, blob_id=blob.id,
                )
            )  # fmt: skip
            if session or step_id:
                await _take_step(actor, document, step_id, one)
            elif file["role"] == "main":
                await take_awaited_step(actor, document, made_ids[-1])
        await signed.settle(actor, document)
    return made_ids


async def _take_step(
    actor: Actor, document: db.Row, step_id: uuid.UUID | None, one: dict[str, Any]
) -> None:
    """A step is taken by a signature that holds; an unproved one leaves it open."""
    if step_id is not None and one["verdict"] == "valid":
        await signing_steps.complete(
            actor, document, step_id, certificate_sha256=one["certificate_sha256"]
        )


async def take_awaited_step(actor: Actor, document: db.Row, signature_id: uuid.UUID) -> None:
    """Let an uploaded signature take the first step that awaits its signer, and no stranger's.

    In the caller's transaction; nothing happens where no step is due for it.
    """
    one = await db.row(
        """SELECT s.role, s.verdict, encode(s.certificate_sha256, 'hex') AS certificate_sha256
           FROM signature AS s JOIN document_file AS f ON f.id = s.file_id
           WHERE s.id = $1 AND f.is_current AND f.role = 'main' AND NOT EXISTS (
               SELECT 1 FROM signing_step AS x WHERE x.document_id = s.document_id
               AND x.status = 'signed' AND x.certificate_sha256 = s.certificate_sha256)""",
        signature_id,
    )
    if one is None:
        return
    for step in await signing_steps.due_for_upload(document["id"], one["role"]):
        if await authority.may_take_step(signature_id, step):
            await _take_step(actor, document, step["id"], one)
            return


async def _earlier_roles(file_id: uuid.UUID) -> dict[str, str]:
    found = await db.rows(
        "SELECT encode(certificate_sha256, 'hex') AS name, role FROM signature WHERE file_id = $1",
        file_id,
    )
    return {row["name"]: row["role"] for row in found}


async def _locked(actor: Actor, file: db.Row) -> db.Row:
    """The document, locked, if the file is still its current revision."""
    document = await visibility.own_document(actor, file["document_id"])
    require_signable(document)
    if not await db.value("SELECT is_current FROM document_file WHERE id = $1", file["id"]):
        raise file_changed()
    return document


def file_changed() -> Conflict:
    """The error for a signature that came after its file was replaced or signed by another."""
    return Conflict(
        "Файл за это время изменился: его заменили или подписал кто-то другой. Откройте документ"
        " заново и подпишите.",
        "The file has changed meanwhile: it was replaced, or signed by another. Open the document"
        " again and sign.",
        code="file_changed",
    )


async def _close(actor: Actor, session: db.Row) -> None:
    await transitions.move(
        actor, "signing_session", session["id"], graph=SESSION_TRANSITIONS,
        source=SessionStatus.OPEN, target=SessionStatus.FINISHED, verb="signing.finished",
        document_id=session["document_id"], assign={"finished_at": clock.now()},
    )  # fmt: skip


async def once(content: bytes) -> AsyncIterator[bytes]:
    """Bytes as a stream of one piece."""
    yield content
