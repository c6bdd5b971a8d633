"""Signing: sessions for keys held by the client, the organization's key, signatures brought along.

The signed file becomes the next revision of the same place; the bytes before it stay. PDF is only
ever parsed in the sandbox: the key signs attributes, never a file it has not prepared there.
"""

import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from audit import events, transitions
from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, Forbidden, IllegalTransition, InvalidInput, NotFound
from core.sandbox import pool
from docflow.documents import cards, checking, files, signed, visibility
from docflow.documents.kinds import PDF, kind_of
from docflow.documents.states import SESSION_TRANSITIONS, TRANSITIONS, DocumentStatus, SessionStatus
from signatures import cms, keys, vault
from signatures import prepared as pdf
from storage import blobs

SignatureRole = Literal["approving", "certifying", "endorsing", "sealing"]
SESSION_LIFE = timedelta(minutes=15)
SIGNABLE = (DocumentStatus.DRAFT, DocumentStatus.SIGNING)
MAX_CMS = 1 << 20


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the client signs: DER attributes for a bare signature value, or the digest for CMS."""

    session_id: uuid.UUID
    form: Literal["pades", "cades"]
    attributes: bytes
    digest: bytes
    """SHA-256 of the bytes the signature will cover."""
    file_name: str
    sha256: str
    """Of the file as it is shown to the person who signs."""


async def submit(actor: Actor, document_id: uuid.UUID) -> None:
    """Send a complete draft for signature; its card and files are fixed from here on."""
    actor.require("clerk", "signatory")
    async with db.transaction():
        found = await visibility.own_document(actor, document_id)
        cards.require_complete(found, kind_of(found["kind"]))
        await _main_file(document_id)
        await transitions.move(
            actor, "document", document_id, graph=TRANSITIONS, source=DocumentStatus.DRAFT,
            target=DocumentStatus.SIGNING, verb="document.submitted", document_id=document_id,
        )  # fmt: skip


async def decline(actor: Actor, document_id: uuid.UUID, *, reason: str) -> None:
    """The signatory does not sign: the document goes back to its author with the reason."""
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


async def begin(
    actor: Actor,
    document_id: uuid.UUID,
    *,
    certificate: bytes,
    chain: tuple[bytes, ...] = (),
    file_id: uuid.UUID | None = None,
    role: SignatureRole = "approving",
) -> Challenge:
    """First request of signing with a key the client holds; bound to person, revision and hash.

    The certificate (DER) is checked before anybody signs. A PDF gets an embedded signature, any
    other file a detached one. Raises `second_factor_required`, `certificate_unreadable`,
    `certificate_expired`, `certificate_usage`, `illegal_transition`.
    """
    _may_sign(actor)
    document = await visibility.own_document(actor, document_id, lock=False)
    _require_signable(document)
    for der in (certificate, *chain):
        keys.read_certificate(der)
    file = await _file(document_id, file_id)
    digest = bytes(file["sha256"])
    if file["media_type"] == PDF and file["role"] == "main":
        content = await blobs.read(file["blob_id"], limit=checking.READ_UP_TO)
        prepared = await _prepare(content, certificate=certificate, chain=chain)
        kept = await blobs.store(_once(prepared.document), limit=checking.READ_UP_TO * 2)
        state, attributes, digest = prepared.state(), prepared.attributes, prepared.digest
        form: Literal["pades", "cades"] = "pades"
    else:
        form, kept = "cades", None
        attributes = cms.prepare_detached(digest=digest, certificate=certificate)
        state = _detached_state(attributes, certificate, chain)
    session_id, moment = clock.new_id(), clock.now()
    async with db.transaction():
        await db.execute(
            """INSERT INTO signing_session (id, document_id, file_id, account_id, role, status,
                   form, base_sha256, prepared, prepared_blob_id, created_at, expires_at,
                   updated_at)
               VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8, $9, $10, $11, $10)""",
            session_id, document_id, file["id"], actor.account_id, role, form,
            bytes(file["sha256"]), state, kept and kept.id, moment, moment + SESSION_LIFE,
        )  # fmt: skip
        await events.record(
            actor, "signing.begun", subject=("signing_session", session_id),
            document_id=document_id, data={"role": role, "form": form},
        )  # fmt: skip
    return Challenge(
        session_id, form, attributes, digest, file["file_name"], bytes(file["sha256"]).hex()
    )


def _detached_state(attributes: bytes, certificate: bytes, chain: tuple[bytes, ...]) -> bytes:
    return json.dumps(
        {
            "attributes": attributes.hex(),
            "certificate": certificate.hex(),
            "chain": [der.hex() for der in chain],
        }
    ).encode()


async def finish(actor: Actor, session_id: uuid.UUID, *, answer: bytes) -> uuid.UUID:
    """Second request: `answer` is the raw signature over the attributes, or a whole CMS.

    What was made is checked against the stored bytes before it is entered. A session serves once
    and ends after 15 minutes. Answers the id of the signature.
    """
    _may_sign(actor)
    if not 0 < len(answer) <= MAX_CMS:
        raise InvalidInput(
            "Подпись пуста или слишком велика. Подпишите ещё раз.",
            "The signature is empty or too large. Sign again.",
            code="signature_unreadable",
        )
    session = await _open_session(actor, session_id)
    file = await _file(session["document_id"], session["file_id"])
    if bytes(file["sha256"]) != bytes(session["base_sha256"]):
        raise Conflict(code="illegal_transition")
    state = bytes(session["prepared"])
    if session["form"] == "pades":
        document = await blobs.read(session["prepared_blob_id"], limit=checking.READ_UP_TO * 2)
        prepared = pdf.Prepared.restore(state=state, document=document)
        made = pdf.finish(prepared, answer)
        return await _enter_pdf(actor, file, made, role=session["role"], session=session)
    kept = json.loads(state)
    made = cms.finish_detached(
        digest=bytes(file["sha256"]), attributes=bytes.fromhex(kept["attributes"]),
        certificate=bytes.fromhex(kept["certificate"]), answer=answer,
        chain=tuple(bytes.fromhex(der) for der in kept["chain"]),
    )  # fmt: skip
    return await _enter_detached(actor, file, made, role=session["role"], session=session)


async def seal(
    actor: Actor,
    document_id: uuid.UUID,
    *,
    file_id: uuid.UUID | None = None,
    role: SignatureRole = "approving",
) -> uuid.UUID:
    """Sign with the organization's own key; answers the id of the signature.

    An approving seal is the signatory's act; a clerk may add a `sealing` one, which does not
    count as the signature a kind asks for. Raises `no_signing_key`.
    """
    if role == "sealing":
        actor.require("clerk", "signatory")
    else:
        _may_sign(actor)
    document = await visibility.own_document(actor, document_id, lock=False)
    _require_signable(document)
    key = await vault.key_of(actor.home_id)
    file = await _file(document_id, file_id)
    if file["media_type"] == PDF and file["role"] == "main":
        content = await blobs.read(file["blob_id"], limit=checking.READ_UP_TO)
        prepared = await _prepare(
            content, certificate=key.certificate.dump(),
            chain=tuple(one.dump() for one in key.chain),
        )  # fmt: skip
        made = pdf.finish(prepared, key.sign(prepared.attributes, "sha256"))
        return await _enter_pdf(actor, file, made, role=role)
    made = cms.sign_detached(digest=bytes(file["sha256"]), key=key)
    return await _enter_detached(actor, file, made, role=role)


async def bring(
    actor: Actor,
    document_id: uuid.UUID,
    *,
    file_id: uuid.UUID,
    signature: bytes,
    role: SignatureRole = "approving",
) -> uuid.UUID:
    """Enter a detached signature made elsewhere: DER, PEM, bare base64, UTF-16, with BOM.

    Raises `signature_unreadable`, `signature_invalid`.
    """
    actor.require("clerk", "signatory")
    document = await visibility.own_document(actor, document_id, lock=False)
    _require_signable(document)
    file = await _file(document_id, file_id)
    if len(signature) > MAX_CMS:
        raise InvalidInput(code="signature_unreadable")
    return await _enter_detached(actor, file, cms.normalize_cms(signature), role=role)


async def expire_sessions() -> int:
    """End the sessions whose time has passed; answers how many.

    One that is finished in this very moment stays finished.
    """
    late = await db.rows(
        "SELECT id, document_id FROM signing_session WHERE status = 'open' AND expires_at < $1",
        clock.now(),
    )
    ended = 0
    for session in late:
        with contextlib.suppress(IllegalTransition):
            await transitions.move(
                RULE, "signing_session", session["id"], graph=SESSION_TRANSITIONS,
                source=SessionStatus.OPEN, target=SessionStatus.EXPIRED, verb="signing.expired",
                document_id=session["document_id"],
            )  # fmt: skip
            ended += 1
    return ended


async def _enter_pdf(
    actor: Actor, file: db.Row, made: bytes, *, role: str, session: db.Row | None = None
) -> uuid.UUID:
    check = await checking.validate(made)
    checking.require_not_invalid(check)
    blob = await blobs.store(_once(made), limit=checking.READ_UP_TO * 2)
    async with db.transaction():
        document = await _locked(actor, file)
        if session:
            await _close_session(actor, session)
        file_id = await files.enter_revision(
            actor, document["id"], blob, role=file["role"], position=file["position"],
            file_name=file["file_name"], title=file["title"], pages=file["pages"],
            problems=file["problems"],
        )  # fmt: skip
        roles = await _earlier_roles(file["id"])
        new = uuid.UUID(int=0)
        for one in check.raw["signatures"]:
            mine = one is check.raw["signatures"][-1]
            new = await signed.record(
                actor, document["id"], file_id, form="pades", one=one, at=check.raw["at"],
                role=role if mine else roles.get(one["certificate_sha256"], "approving"),
                account_id=actor.account_id if mine else None,
            )  # fmt: skip
        await signed.settle(actor, document)
    return new


async def _earlier_roles(file_id: uuid.UUID) -> dict[str, str]:
    found = await db.rows(
        "SELECT encode(certificate_sha256, 'hex') AS name, role FROM signature WHERE file_id = $1",
        file_id,
    )
    return {row["name"]: row["role"] for row in found}


async def _enter_detached(
    actor: Actor, file: db.Row, made: bytes, *, role: str, session: db.Row | None = None
) -> uuid.UUID:
    content = await blobs.read(file["blob_id"], limit=checking.READ_UP_TO)
    check = await checking.validate(content, signature=made)
    checking.require_not_invalid(check)
    blob = await blobs.store(_once(made), limit=MAX_CMS)
    async with db.transaction():
        document = await _locked(actor, file)
        if session:
            await _close_session(actor, session)
        new = uuid.UUID(int=0)
        for one in check.raw["signatures"]:
            new = await signed.record(
                actor, document["id"], file["id"], form="cades", role=role, one=one,
                at=check.raw["at"], account_id=actor.account_id, blob_id=blob.id,
            )  # fmt: skip
        await signed.settle(actor, document)
    return new


async def _prepare(content: bytes, *, certificate: bytes, chain: tuple[bytes, ...]) -> pdf.Prepared:
    """Make the place for the signature in the sandbox; raises what `pdf.prepare` raises."""
    found: Any = await pool().run(
        "signatures.remote:prepare", content, certificate=certificate, chain=list(chain),
        at=clock.now().isoformat(),
    )  # fmt: skip
    return pdf.Prepared.restore(state=found["state"], document=found["document"])


async def _locked(actor: Actor, file: db.Row) -> db.Row:
    """The document, locked, if the file is still its current revision."""
    document = await visibility.own_document(actor, file["document_id"])
    _require_signable(document)
    if not await db.value("SELECT is_current FROM document_file WHERE id = $1", file["id"]):
        raise Conflict(
            "Файл за это время изменился. Откройте документ заново и подпишите.",
            "The file has changed meanwhile. Open the document again and sign.",
            code="file_changed",
        )
    return document


async def _open_session(actor: Actor, session_id: uuid.UUID) -> db.Row:
    found = await db.row(
        "SELECT * FROM signing_session WHERE id = $1 AND account_id = $2",
        session_id, actor.account_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(session_id=str(session_id))
    if found["status"] != SessionStatus.OPEN or found["expires_at"] < clock.now():
        raise Conflict(
            "Сеанс подписания завершён или истёк. Начните подписание заново.",
            "The signing session is over. Start signing again.",
            code="session_over",
        )
    return found


async def _close_session(actor: Actor, session: db.Row) -> None:
    await transitions.move(
        actor, "signing_session", session["id"], graph=SESSION_TRANSITIONS,
        source=SessionStatus.OPEN, target=SessionStatus.FINISHED, verb="signing.finished",
        document_id=session["document_id"], assign={"finished_at": clock.now()},
    )  # fmt: skip


async def _main_file(document_id: uuid.UUID) -> db.Row:
    return await _file(document_id, None)


async def _file(document_id: uuid.UUID, file_id: uuid.UUID | None) -> db.Row:
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


def _require_signable(document: db.Row) -> None:
    if document["status"] not in SIGNABLE:
        raise Conflict(
            "Документ уже подписан или зарегистрирован; новые подписи не добавляются.",
            "The document is signed or registered already; no signature is added any more.",
            code="illegal_transition",
            status=document["status"],
        )


def _may_sign(actor: Actor) -> None:
    actor.require("signatory")
    if not actor.second_factor:
        raise Forbidden(
            "Подписание требует входа с одноразовым кодом. Подключите его и войдите снова.",
            "Signing needs a one-time code at sign-in. Set it up and sign in again.",
            code="second_factor_required",
        )


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
