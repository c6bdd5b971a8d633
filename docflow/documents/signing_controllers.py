"""Signing over HTTP: sessions, the organization's key, signatures made elsewhere, the order."""

import uuid
from typing import Any

import msgspec
from litestar import Controller, Request, delete, get, post, put
from litestar.datastructures import UploadFile
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from core.errors import InvalidInput
from directory.controllers.authentication import CALLER, Caller
from docflow.documents import (
    signed,
    signing,
    signing_certificates,
    signing_sessions,
    signing_steps,
    visibility,
)
from docflow.documents import signing_schemas as wire
from docflow.documents.controllers import (
    READ,
    SIGN,
    WRITE,
    convert,
    convert_all,
    download_headers,
)
from docflow.documents.schemas import Created, Reason, SignatureView
from storage import blobs


class SigningController(Controller):
    """The way of one document to its signatures."""

    path = "/api/v1/documents"
    tags = ("signing",)
    dependencies = CALLER

    @post("/{document_id:uuid}/submit", guards=WRITE, status_code=204, summary="Send to sign")
    async def submit(self, document_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """Fix the draft and put it before the signatory, or the first of the signing order."""
        await signing.submit(actor, document_id)

    @post("/{document_id:uuid}/decline", guards=SIGN, status_code=204, summary="Do not sign")
    async def decline(
        self, document_id: FromPath[uuid.UUID], data: JSONBody[Reason], actor: Caller
    ) -> None:
        """The signatory sends it back with a reason."""
        await signing.decline(actor, document_id, reason=data.reason)

    @get("/{document_id:uuid}/signers", guards=READ, summary="Signing order")
    async def signers(self, document_id: FromPath[uuid.UUID], actor: Caller) -> list[wire.StepView]:
        """Whose signatures the document needs, and where each stands."""
        return convert_all(wire.StepView, await signing_steps.shown(actor, document_id))

    @put("/{document_id:uuid}/signers", guards=WRITE, status_code=204, summary="Set signing order")
    async def set_signers(
        self, document_id: FromPath[uuid.UUID], data: JSONBody[wire.SignersInput], actor: Caller
    ) -> None:
        """Say who signs a draft: one after the other by position, in parallel at the same one."""
        await signing_steps.plan(actor, document_id, steps=data.steps)

    @post("/{document_id:uuid}/seal", guards=SIGN, summary="Sign with the organization's key")
    async def seal(
        self, document_id: FromPath[uuid.UUID], data: JSONBody[wire.SealInput], actor: Caller
    ) -> Created:
        """One more signature, by the organization's key."""
        return Created(await signing.seal(actor, document_id, file_id=data.file_id, role=data.role))

    # No Idempotency-Key: a session serves once and ends by itself; a second one harms nothing.
    @post("/{document_id:uuid}/signing-sessions", guards=SIGN, summary="Begin signing")
    async def begin(
        self, document_id: FromPath[uuid.UUID], data: JSONBody[wire.SigningInput], actor: Caller
    ) -> wire.SigningView:
        """First of two requests for a key the client holds: the certificate is checked here."""
        certificate = data.certificate or signing_certificates.from_text(data.certificate_base64)
        begun = await signing.begin(
            actor, document_id, certificate=certificate, chain=tuple(data.chain),
            file_id=data.file_id, role=data.role, form=data.form,
        )  # fmt: skip
        return _session(begun)

    # Streamed or small, a form or JSON: which one the content type says, so it is read by hand.
    @post(
        "/{document_id:uuid}/signatures",
        guards=SIGN,
        opt={"form_body": True},
        summary="Upload a signature made elsewhere",
    )
    async def bring(
        self, document_id: FromPath[uuid.UUID], request: Request[Any, Any, Any], actor: Caller
    ) -> wire.EnteredView:
        """A detached signature (.sig, .p7s, .sgn, .p7m), as a form with `file`, or JSON.

        DER, PEM or base64, in UTF-8 or UTF-16; kept as it came. Every signer in it is reported.
        Fields beside it: `file_id` (the main file unless named) and `role`. As JSON: `signature`,
        base64 of the file.
        """
        await visibility.own_document(actor, document_id, lock=False)
        sent = await _sent(request)
        found = await signing.bring_all(
            actor, document_id, file_id=sent.file_id, signature=sent.signature, role=sent.role
        )
        return wire.EnteredView(found[-1]["id"], convert_all(SignatureView, found))


class SessionController(Controller):
    """Signing sessions: shown, given up, finished."""

    path = "/api/v1/signing-sessions"
    tags = ("signing",)
    dependencies = CALLER

    @get("/{session_id:uuid}", guards=SIGN, summary="Show a signing session")
    async def show(self, session_id: FromPath[uuid.UUID], actor: Caller) -> wire.SigningView:
        """A session of one's own: what it signs, and whether it is still open."""
        return _session(await signing.show(actor, session_id))

    @get(
        "/{session_id:uuid}/content",
        guards=SIGN,
        opt={"raw_answer": True},
        summary="Download what is signed",
    )
    async def content(self, session_id: FromPath[uuid.UUID], actor: Caller) -> Stream:
        """The very bytes: the file, or the PDF with the place kept for the signature."""
        blob, name = await signing_sessions.take(actor, session_id)
        headers = download_headers(
            {"file_name": name, "size": blob.size, "sha256": bytes.fromhex(blob.sha256)}
        )
        stream = await blobs.open_blob(blob.id)
        return Stream(stream, media_type=blob.media_type, headers=headers)

    @delete("/{session_id:uuid}", guards=SIGN, status_code=204, summary="Give up signing")
    async def cancel(self, session_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """End an open session; nothing is signed."""
        await signing.cancel(actor, session_id)

    @post("/{session_id:uuid}", guards=SIGN, summary="Finish signing (bytes)")
    async def finish(
        self, session_id: FromPath[uuid.UUID], data: JSONBody[wire.SignatureInput], actor: Caller
    ) -> Created:
        """Second of two requests, for programs: the bare signature value, or a CMS in DER."""
        return Created(await signing.finish(actor, session_id, answer=data.signature))

    @post("/{session_id:uuid}/signature", guards=SIGN, summary="Finish signing")
    async def answer(
        self, session_id: FromPath[uuid.UUID], data: JSONBody[wire.AnswerInput], actor: Caller
    ) -> wire.EnteredView:
        """Second of two requests: the CMS of a plug-in or the bare value; answers the report."""
        new = await signing.finish(
            actor, session_id, answer=data.cms_base64.encode() or data.signature,
            is_cms=bool(data.cms_base64),
        )  # fmt: skip
        session = await signing.show(actor, session_id)
        every = await signed.signatures_of(session.document_id)
        return wire.EnteredView(
            new, convert_all(SignatureView, [one for one in every if one["id"] == new])
        )


def _session(found: signing.Challenge) -> wire.SigningView:
    return wire.SigningView(
        id=found.session_id, hash_hex=found.digest.hex(),
        download_url=f"/api/v1/signing-sessions/{found.session_id}/content",
        warnings=convert_all(wire.WarningView, found.warnings),
        **{
            name: getattr(found, name) for name in found.__dataclass_fields__ if name != "warnings"
        },
    )  # fmt: skip


async def _sent(request: Request[Any, Any, Any]) -> wire.DetachedInput:
    """The signature and its fields, from a form or from JSON; `malformed_request` otherwise."""
    try:
        if request.content_type[0] != "multipart/form-data":
            return msgspec.json.decode(await request.body(), type=wire.DetachedInput)
        form = dict(await request.form())
        file = form.pop("file", None)
        fields = convert(wire.DetachedForm, wire.plain(form))
    except msgspec.MsgspecError as problem:
        raise InvalidInput(code="malformed_request", fields=[str(problem)]) from problem
    if not isinstance(file, UploadFile):
        raise InvalidInput(
            "Выберите файл подписи: .sig, .p7s, .sgn или .p7m.",
            "Choose the signature file: .sig, .p7s, .sgn or .p7m.",
            code="signature_file_missing",
            field="file",
        )
    return wire.DetachedInput(signature=await file.read(), file_id=fields.file_id, role=fields.role)


CONTROLLERS: list[type[Controller]] = [SigningController, SessionController]
