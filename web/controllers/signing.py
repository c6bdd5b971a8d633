"""Signing in the browser: the page, the plug-in's script, what will be signed as pictures."""

import uuid
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from core.actor import Actor
from core.errors import InvalidInput, NotFound
from core.settings import settings
from directory import sessions
from directory.controllers.authentication import CALLER, Caller, CallerAccess, requires, signed_in
from docflow.documents import checking, files, signing, signing_entry, signing_sessions, visibility
from web import headers, pages
from web.pages import R
from web.translation import N_
from web.uploads import UploadForm, read_upload

SCRIPT = "cadesplugin_api.js"
POLICY = f"{headers.POLICY}; script-src 'self' chrome-extension: moz-extension:"
"""Of the signing page alone: the vendor's script loads a part of itself out of the extension."""
SIGNERS = requires("clerk", "signatory")


class SigningPageController(Controller):
    """The page on which a person signs with a key of their own."""

    include_in_schema = False
    dependencies = CALLER

    @get("/documents/{document_id:uuid}/sign", guards=[SIGNERS])
    async def sign(
        self,
        request: R,
        document_id: FromPath[uuid.UUID],
        actor: Caller,
        file: FromQuery[uuid.UUID | None] = None,
    ) -> Response[str]:
        """What is signed, with which certificate, and what came of it."""
        document = await visibility.own_document(actor, document_id, lock=False)
        signing_entry.require_signable(document)
        present = await files.current_files(document_id)
        chosen = next((one for one in present if one["id"] == file), None)
        if chosen is None:
            wanted = await signing_entry.current_file(document_id, None)
            chosen = next(one for one in present if one["id"] == wanted["id"])
        has_script = _script() is not None
        answer = await pages.page(
            request, "sign.html", document=document, files=present, file=chosen,
            form=await signing_entry.form_of(chosen, None), may_sign=_may_sign(actor),
            needs_factor="signatory" in actor.roles and not actor.second_factor,
            has_script=has_script,
        )  # fmt: skip
        if has_script:
            answer.headers["content-security-policy"] = POLICY
        return answer

    @post(
        "/documents/{document_id:uuid}/signatures",
        guards=[SIGNERS],
        opt={"csrf_exempt": True},
        request_max_body_size=checking.MAX_SIGNATURE + 64 * 1024,
    )
    async def upload(
        self, request: R, document_id: FromPath[uuid.UUID], actor: Caller, access: CallerAccess
    ) -> Redirect:
        """Take in a signature made elsewhere."""
        form = await read_upload(request)
        sessions.check_csrf(access, form.fields.get("_csrf"))
        return await pages.act(
            request, f"/documents/{document_id}", _bring(actor, document_id, form),
            done=N_("The signature was taken in and checked; see what was found below."),
        )  # fmt: skip

    @get("/signing-sessions/{session_id:uuid}/page", guards=[signed_in])
    async def picture(
        self,
        session_id: FromPath[uuid.UUID],
        actor: Caller,
        number: FromQuery[int] = 1,
        width: FromQuery[int] = 900,
    ) -> Response[bytes]:
        """One page of the very bytes that will be signed, as a picture."""
        drawn = await signing_sessions.page_image(actor, session_id, page=number, width=width)
        return Response(drawn, media_type="image/png", headers={"cache-control": "no-store"})

    @get("/signing/cadesplugin_api.js", guards=[signed_in])
    async def script(self) -> Response[bytes]:
        """The plug-in vendor's script, where the operator has put it."""
        found = _script()
        if found is None:
            raise NotFound
        return Response(found, media_type="text/javascript; charset=utf-8",
                        headers={"cache-control": "no-cache"})  # fmt: skip


def _script() -> bytes | None:
    folder = settings().plugin_dir
    try:
        return None if folder is None else (folder / SCRIPT).read_bytes()
    except OSError:
        return None


def _may_sign(actor: Actor) -> bool:
    return "signatory" in actor.roles and actor.second_factor


async def _bring(actor: Actor, document_id: uuid.UUID, form: UploadForm) -> Any:
    if form.stream is None:
        raise InvalidInput(
            "Выберите файл подписи: .sig, .p7s, .sgn или .p7m.",
            "Choose the signature file: .sig, .p7s, .sgn or .p7m.",
            code="signature_file_missing",
            field="file",
        )
    content = b"".join([piece async for piece in form.stream])
    return await signing.bring_all(
        actor, document_id, file_id=pages.id_of(form.fields.get("file_id")), signature=content
    )
