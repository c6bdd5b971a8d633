"""What anyone may ask of a file, on a page or over HTTP: is it signed well, is a package whole.

Nothing is kept of what was sent.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from litestar import Controller, Request, post
from litestar.datastructures import FormMultiDict, UploadFile

from core import limits
from core.errors import InvalidInput, TooLarge
from core.sandbox import pool
from directory.controllers.addresses import client_of
from directory.controllers.authentication import public
from docflow.documents import checking

MAX_FILE = 40 * 1024 * 1024
"""Bytes; the file is held in memory while it is checked."""
PACKAGE = b"PK\x03\x04"
"""What a ZIP file begins with: it is taken for an evidence package."""
TRIES = 30
PER = timedelta(hours=1)
FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "contentMediaType": "application/octet-stream"},
        "signature": {"type": "string", "contentMediaType": "application/octet-stream"},
    },
}
"""For the description of the API: the document or a package, and its detached signature."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The whole report; `found` when it is on signatures, and not on a package."""

    report: dict[str, Any]
    found: checking.Check | None = None


class CheckedView(msgspec.Struct, frozen=True):
    """What the file is, whether it is good, and the whole report."""

    kind: str
    """signatures or package."""
    verdict: str
    """Of signatures valid, invalid or indeterminate; of a package whole, broken or unclear."""
    report: dict[str, Any]
    """As `docflow validate --json` gives it, or `docflow evidence verify --json`."""


async def allow(request: Request[Any, Any, Any]) -> None:
    """Count this try; raises RateLimited when one address asks too often."""
    await limits.take("check page", client_of(request), limit=TRIES, per=PER)


async def checked(content: bytes, signature: bytes | None) -> Checked:
    """Judge a document, with or without a detached signature, or an evidence package.

    It is read in the sandbox. Raises InvalidInput (`file_missing`).
    """
    if not content:
        raise InvalidInput("Выберите файл.", "Choose a file.", code="file_missing", field="file")
    if content.startswith(PACKAGE) and signature is None:
        return Checked(await pool().run("evidence.verifier.uploads:answer", content))
    found = await checking.validate(content, signature=signature)
    return Checked(found.raw, found)


def too_large() -> TooLarge:
    """What is said of a file above `MAX_FILE`."""
    return TooLarge(
        "Файл больше 40 МБ. Проверьте его командой docflow validate на своей машине.",
        "The file is larger than 40 MB. Check it with docflow validate on your own machine.",
    )


class CheckApiController(Controller):
    """The public check, for programs."""

    path = "/api/v1/check"
    tags = ("signatures",)

    @post(
        guards=[public], status_code=200, summary="Check a file without an account",
        request_max_body_size=MAX_FILE + checking.MAX_SIGNATURE + (1 << 20),
        opt={"csrf_exempt": True, "form_body": FORM, "refusals": ("413",)},
    )  # fmt: skip
    async def check(self, request: Request[Any, Any, Any]) -> CheckedView:
        """A form with `file` and, where the signature lies beside it, `signature`; kept nowhere.

        A ZIP file without a signature is taken for an evidence package. 30 an hour of one address.
        """
        await allow(request)
        if request.content_type[0] != "multipart/form-data":
            raise _not_sent("file")
        form = await request.form()
        content = await _bytes_of(form, "file", most=MAX_FILE)
        signature = None
        if "signature" in form:
            signature = await _bytes_of(form, "signature", most=checking.MAX_SIGNATURE)
        made = await checked(content, signature)
        kind = "package" if made.found is None else "signatures"
        return CheckedView(kind, made.report["verdict"], made.report)


async def _bytes_of(form: FormMultiDict, name: str, *, most: int) -> bytes:
    """The one file under this name; raises InvalidInput for none, an empty one or several."""
    parts = form.getall(name, [])
    if len(parts) != 1 or not isinstance(parts[0], UploadFile):
        raise _not_sent(name)
    content = await parts[0].read(most + 1)
    if len(content) > most:
        raise too_large() if most == MAX_FILE else TooLarge
    if not content:
        raise _not_sent(name)
    return content


def _not_sent(name: str) -> InvalidInput:
    return InvalidInput(
        f"Отправьте форму multipart/form-data с одним непустым файлом {name}.",
        f"Send a form, multipart/form-data, with one file `{name}` that is not empty.",
        code="file_missing", field=name,
    )  # fmt: skip
