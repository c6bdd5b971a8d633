"""The public page on which anyone has signatures or a package checked; nothing is kept."""

from datetime import timedelta
from typing import Any

from litestar import Controller, Response, get, post

from core import limits
from core.errors import InvalidInput, ServiceError, TooLarge
from core.sandbox import pool
from directory.controllers.addresses import client_of
from directory.controllers.authentication import public
from docflow.documents import checking
from evidence.verifier import standalone
from web import pages, words
from web.pages import R
from web.uploads import UploadForm, read_upload

MAX_FILE = 40 * 1024 * 1024
"""Bytes; the file is held in memory while it is checked."""
PACKAGE = b"PK\x03\x04"
"""What a ZIP file begins with: it is taken for an evidence package."""
TRIES = 30
PER = timedelta(hours=1)


class CheckPageController(Controller):
    """Is this signature good? Asked without an account."""

    path = "/check"
    include_in_schema = False

    @get(guards=[public])
    async def form(self, request: R) -> Response[str]:
        """The form."""
        return await _page(request)

    @get(f"/{standalone.NAME}", guards=[public])
    async def verifier(self) -> Response[str]:
        """The file that checks an evidence package without this service."""
        return Response(
            standalone.text(), media_type="text/x-python; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{standalone.NAME}"'},
        )  # fmt: skip

    @post(guards=[public], opt={"csrf_exempt": True}, request_max_body_size=None)
    async def check(self, request: R) -> Response[str]:
        """What the signatures of the file are worth, in words.

        No session is touched and nothing is stored, so the form needs no CSRF field.
        """
        try:
            await limits.take("check page", client_of(request), limit=TRIES, per=PER)
            form = await read_upload(request, small={"signature": checking.MAX_SIGNATURE})
            content = await _content(form)
            if content.startswith(PACKAGE) and "signature" not in form.small:
                package = await pool().run("evidence.verifier.uploads:answer", content)
                return await _page(request, package=package, file_name=form.file_name)
            found = await checking.validate(content, signature=form.small.get("signature"))
        except ServiceError as problem:
            return await _page(request, problem=problem)
        return await _page(request, found=found, file_name=form.file_name)


async def _content(form: UploadForm) -> bytes:
    content = bytearray()
    if form.stream is not None:
        async for piece in form.stream:
            content += piece
            if len(content) > MAX_FILE:
                raise TooLarge(
                    "Файл больше 40 МБ. Проверьте его командой docflow validate на своей машине.",
                    "The file is larger than 40 MB. Check it with docflow validate on your own "
                    "machine.",
                )
    if not content:
        raise InvalidInput("Выберите файл.", "Choose a file.", code="file_missing", field="file")
    return bytes(content)


async def _page(request: R, **given: Any) -> Response[str]:
    shown = {"problem": None, "found": None, "package": None, "file_name": "", **given}
    found = shown["found"]
    return await pages.page(
        request, "check.html", **shown, rows=words.checked(found) if found else [],
        status_code=200 if shown["problem"] is None else 422,
    )  # fmt: skip
