"""The public page on which anyone has signatures or a package checked; nothing is kept."""

from typing import Any

from litestar import Controller, Response, get, post

from core.errors import ServiceError
from directory.controllers.authentication import public
from docflow.documents import checking
from evidence.verifier import standalone
from web import pages, public_check, words
from web.pages import R
from web.uploads import UploadForm, read_upload


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
            await public_check.allow(request)
            form = await read_upload(request, small={"signature": checking.MAX_SIGNATURE})
            made = await public_check.checked(await _content(form), form.small.get("signature"))
        except ServiceError as problem:
            return await _page(request, problem=problem)
        package = made.report if made.found is None else None
        return await _page(request, found=made.found, package=package, file_name=form.file_name)


async def _content(form: UploadForm) -> bytes:
    content = bytearray()
    if form.stream is not None:
        async for piece in form.stream:
            content += piece
            if len(content) > public_check.MAX_FILE:
                raise public_check.too_large()
    return bytes(content)


async def _page(request: R, **given: Any) -> Response[str]:
    shown = {"problem": None, "found": None, "package": None, "file_name": "", **given}
    found = shown["found"]
    return await pages.page(
        request, "check.html", **shown, rows=words.checked(found) if found else [],
        status_code=200 if shown["problem"] is None else 422,
    )  # fmt: skip
