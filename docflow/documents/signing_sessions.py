"""Signing with a key that stays with the person: in the browser, on a token, in a program.

Two requests. The first checks the certificate and says what will be signed; the second brings the
signature, which is held against the stored bytes, never against what the client says of them. A
session is bound to its person, revision, hash and certificate, and serves once.
"""

import contextlib
import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit import events, transitions
from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, IllegalTransition, InvalidInput, NotFound, TooLarge
from core.sandbox import pool
from docflow.documents import (
    checking,
    previews,
    restricted,
    signing_certificates,
    signing_entry,
    signing_steps,
    visibility,
)
from docflow.documents.kinds import PDF
from docflow.documents.signing_entry import MAX_CMS, Form, SignatureRole
from docflow.documents.states import SESSION_TRANSITIONS, SessionStatus
from signatures import cms, keys, seals
from signatures import prepared as pdf
from signatures.roles import COMMITMENTS
from storage import blobs

SESSION_LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the client signs, and what the person is shown of it."""

    session_id: uuid.UUID
    status: str
    document_id: uuid.UUID
    document_version: int
    title: str
    """Of the document."""
    file_id: uuid.UUID
    revision: int
    file_name: str
    media_type: str
    pages: int | None
    size: int
    """Bytes of the file as it is shown to the person who signs."""
    sha256: str
    """Of the same."""
    form: Form
    role: str
    hash_algorithm: str
    digest: bytes
    """What a whole CMS signs: of the file, or of the prepared PDF without the signature's place."""
    attributes: bytes
    """What a bare signature value signs: DER of the signed attributes (RFC 5652 section 5.4)."""
    expires_at: datetime
    warnings: list[dict[str, str]]


async def begin(
    actor: Actor,
    document_id: uuid.UUID,
    *,
    certificate: bytes,
    chain: tuple[bytes, ...] = (),
    file_id: uuid.UUID | None = None,
    role: SignatureRole | None = None,
    form: Form | None = None,
) -> Challenge:
    """First request: check the certificate (DER) and fix what will be signed.

    The main PDF gets an embedded signature unless `form` asks for a detached one; any other file a
    detached one. Raises `second_factor_required`, `illegal_transition`, `not_your_turn`,
    `not_a_signer`, `form_not_possible` and the codes of `signing_certificates.check`.
    """
    signing_entry.may_sign(actor)
    document = await visibility.own_document(actor, document_id, lock=False)
    signing_entry.require_signable(document)
    checked = await signing_certificates.check(actor, certificate, chain=chain)
    file = await signing_entry.current_file(document_id, file_id)
    step = None
    if file["role"] == "main":
        step = await signing_steps.turn_of(actor, document, role=role)
    told = role or (step["role"] if step else "approving")
    made = await _prepared(file, await signing_entry.form_of(file, form), certificate, chain, told)
    session_id, moment = clock.new_id(), clock.now()
    async with db.transaction():
        await db.execute(
            """INSERT INTO signing_session (id, document_id, file_id, account_id, role, status,
                   form, base_sha256, prepared, prepared_blob_id, step_id, document_version,
                   hash_algorithm, hash, attributes, certificate, warnings, created_at, expires_at,
                   updated_at)
               VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
                   $16, $17, $18, $17)""",
            session_id, document_id, file["id"], actor.account_id, told, made.form,
            bytes(file["sha256"]), made.state, made.blob_id, step and step["id"],
            document["version"], made.algorithm, made.digest, made.attributes, certificate,
            [one.as_dict() for one in checked.warnings], moment, moment + SESSION_LIFE,
        )  # fmt: skip
        await events.record(
            actor, "signing.begun", subject=("signing_session", session_id),
            document_id=document_id,
            data={"role": told, "form": made.form, "certificate": checked.sha256,
                  "warnings": [one.code for one in checked.warnings]},
        )  # fmt: skip
    return await show(actor, session_id)


@dataclass(frozen=True, slots=True)
class _Made:
    form: Form
    algorithm: str
    digest: bytes
    attributes: bytes
    state: bytes
    blob_id: uuid.UUID | None


async def _prepared(
    file: db.Row, form: Form, certificate: bytes, chain: tuple[bytes, ...], role: SignatureRole
) -> _Made:
    algorithm = keys.digest_for(keys.read_certificate(certificate))
    if form == "pades":
        content = await blobs.read(file["blob_id"], limit=checking.READ_UP_TO)
        made = await seals.prepare(content, certificate=certificate, chain=chain, role=role)
        kept = await blobs.store(signing_entry.once(made.document), limit=checking.READ_UP_TO * 2)
        return _Made(form, algorithm, made.digest, made.attributes, made.state(), kept.id)
    digest = await checking.digest_of(file, algorithm)
    attributes = cms.prepare_detached(
        digest=digest, certificate=certificate, commitment=COMMITMENTS.get(role)
    )
    state = json.dumps({"chain": [der.hex() for der in chain]}).encode()
    return _Made(form, algorithm, digest, attributes, state, None)


async def show(actor: Actor, session_id: uuid.UUID) -> Challenge:
    """A session of one's own, open or over."""
    found = await db.row(
        """SELECT s.*, f.revision, f.file_name, f.media_type, f.pages, f.size,
                  encode(f.sha256, 'hex') AS sha256
           FROM signing_session AS s JOIN document_file AS f ON f.id = s.file_id
           WHERE s.id = $1 AND s.account_id = $2""",
        session_id, actor.account_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(session_id=str(session_id))
    document = await visibility.own_document(actor, found["document_id"], lock=False)
    names = ("document_id", "document_version", "file_id", "revision", "file_name", "media_type",
             "pages", "size", "sha256", "form", "role", "hash_algorithm", "expires_at",
             "warnings")  # fmt: skip
    status = found["status"]
    if status == SessionStatus.OPEN and found["expires_at"] < clock.now():
        status = SessionStatus.EXPIRED
    return Challenge(
        session_id=found["id"], title=document["title"], status=str(status),
        digest=bytes(found["hash"]), attributes=bytes(found["attributes"]),
        **{name: found[name] for name in names},
    )  # fmt: skip


async def content(actor: Actor, session_id: uuid.UUID) -> tuple[blobs.StoredBlob, str]:
    """The very bytes the signature will stand in or beside, and the file's name.

    For an embedded signature that is the prepared PDF: the hash is over all of it but the place
    kept for the signature (the byte range, ISO 32000-2 section 12.8.1).
    """
    challenge = await show(actor, session_id)
    blob_id = await db.value(
        """SELECT coalesce(s.prepared_blob_id, f.blob_id) FROM signing_session AS s
           JOIN document_file AS f ON f.id = s.file_id WHERE s.id = $1""",
        session_id,
    )
    return await blobs.stat(blob_id), challenge.file_name


async def take(actor: Actor, session_id: uuid.UUID) -> tuple[blobs.StoredBlob, str]:
    """The same bytes, to be taken along: of a restricted document by right only, as an event."""
    blob, file_name = await content(actor, session_id)
    row = await db.row(
        """SELECT s.document_id, s.file_id, d.mark FROM signing_session AS s
           JOIN document AS d ON d.id = s.document_id WHERE s.id = $1""",
        session_id,
    )
    if row is not None:
        await restricted.require_original(
            actor, row["document_id"], row["file_id"], mark=row["mark"]
        )
    return blob, file_name


async def page_image(actor: Actor, session_id: uuid.UUID, *, page: int, width: int) -> bytes:
    """A page (from 1) of what will be signed, as PNG; drawn from those very bytes in the sandbox.

    Raises `no_preview` for what is no PDF, too large, or has no such page.
    """
    blob, _ = await content(actor, session_id)
    if blob.media_type != PDF:
        raise previews.no_preview()
    try:
        data = await blobs.read(blob.id, limit=checking.READ_UP_TO)
    except TooLarge:
        raise previews.no_preview() from None
    return await previews.draw(data, page=page, width=width)


async def cancel(actor: Actor, session_id: uuid.UUID) -> None:
    """Give up a session of one's own; nothing was signed."""
    session = await _open(actor, session_id)
    await transitions.move(
        actor, "signing_session", session_id, graph=SESSION_TRANSITIONS,
        source=SessionStatus.OPEN, target=SessionStatus.CANCELLED, verb="signing.cancelled",
        document_id=session["document_id"],
    )  # fmt: skip


async def finish(
    actor: Actor, session_id: uuid.UUID, *, answer: bytes, is_cms: bool = False
) -> uuid.UUID:
    """Second request: `answer` is a whole CMS, or (unless `is_cms`) the bare value over attributes.

    Answers the id of the signature. A wrong answer leaves the session open for another try. Raises
    `session_over`, `file_changed`, `signature_too_large`, the codes of `answers.require_cms`,
    `signature_does_not_fit`, `signature_invalid`, `not_your_turn`.
    """
    signing_entry.may_sign(actor)
    _require_size(answer)
    session = await _open(actor, session_id)
    file = await db.row("SELECT * FROM document_file WHERE id = $1", session["file_id"])
    if file is None or not file["is_current"]:
        raise signing_entry.file_changed()
    certificate = bytes(session["certificate"])
    if is_cms or len(answer) > _LONGEST_VALUE:
        answer = await pool().run(
            "signatures.answers:require_cms", answer, certificate=certificate,
            digest=bytes(session["hash"]), algorithm=session["hash_algorithm"],
        )  # fmt: skip
    if session["form"] == "pades":
        document = await blobs.read(session["prepared_blob_id"], limit=checking.READ_UP_TO * 2)
        prepared = pdf.Prepared.restore(state=bytes(session["prepared"]), document=document)
        made_pdf = await seals.complete_here(prepared, answer)
        return await signing_entry.enter_pdf(
            actor, file, made_pdf.data, role=session["role"], session=session,
            step_id=session["step_id"], lacks=made_pdf.lacks,
        )  # fmt: skip
    made = cms.finish_detached(
        digest=bytes(session["hash"]), attributes=bytes(session["attributes"]),
        certificate=certificate, answer=answer,
        chain=tuple(bytes.fromhex(der) for der in json.loads(session["prepared"])["chain"]),
    )  # fmt: skip
    (new,) = await signing_entry.enter_detached(
        actor, file, made, role=session["role"], session=session, step_id=session["step_id"],
        digests=(session["hash_algorithm"],),
    )  # fmt: skip
    return new


_LONGEST_VALUE = 600
"""No bare signature value is longer (RSA-4096 has 512 bytes), no CMS is shorter."""


def _require_size(answer: bytes) -> None:
    if not answer:
        raise InvalidInput(
            "Подпись пуста: программа подписи ничего не вернула. Подпишите ещё раз.",
            "The signature is empty: the signing program answered nothing. Sign again.",
            code="signature_unreadable",
        )
    if len(answer) > checking.MAX_SIGNATURE:
        raise TooLarge(
            "Подпись больше 1 МБ. Нужна отсоединённая подпись, без самого документа внутри.",
            "The signature is larger than 1 MB. Send a detached one, without the document in it.",
            code="signature_too_large",
            limit=MAX_CMS,
        )


async def _open(actor: Actor, session_id: uuid.UUID) -> db.Row:
    found = await db.row(
        "SELECT * FROM signing_session WHERE id = $1 AND account_id = $2",
        session_id, actor.account_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(session_id=str(session_id))
    if found["status"] != SessionStatus.OPEN or found["expires_at"] < clock.now():
        raise Conflict(
            "Сеанс подписания завершён, отменён или истёк. Начните подписание заново.",
            "The signing session is finished, cancelled or has expired. Start signing again.",
            code="session_over",
            status=str(found["status"]),
        )
    return found


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
