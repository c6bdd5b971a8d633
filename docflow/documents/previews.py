"""A file's pages as pictures, so that a document is read in the page itself."""

import contextlib
import uuid

from core.actor import Actor
from core.errors import NotFound, TooLarge
from core.sandbox import pool
from docflow.documents import checks, files, restricted, visibility
from docflow.documents.checking import READ_UP_TO
from docflow.documents.kinds import PDF
from signatures.revisions import signed_revision
from storage import blobs

MAX_WIDTH = 1600
"""Pixels; wider than any column of text on a screen."""


async def page_image(actor: Actor, file_id: uuid.UUID, *, page: int, width: int) -> bytes:
    """A page (from 1) of a file the actor may see, as PNG, drawn in the sandbox.

    Of a signed file the bytes the last intact signature speaks for are drawn, never what was put
    behind them; of a restricted one, the reader's name over it. Raises `no_preview` for what is no
    PDF, too large, or has no such page.
    """
    found = await files.visible_file(actor, file_id)
    if found["media_type"] != PDF:
        raise no_preview()
    if found["mark"] == visibility.RESTRICTED:
        covered = await restricted.covered(actor, found, only=page)
        if not covered:
            raise no_preview()
        return await draw(covered, page=1, width=width)
    try:
        data = await blobs.read(found["blob_id"], limit=READ_UP_TO)
    except TooLarge:
        raise no_preview() from None
    reports = await checks.reports_of(file_id)
    if reports:
        # Without an intact signature there is no signed revision: the file itself is shown.
        with contextlib.suppress(NotFound):
            data = signed_revision(data, reports)
    return await draw(data, page=page, width=width)


async def draw(data: bytes, *, page: int, width: int) -> bytes:
    """A page (from 1) of a PDF as PNG, at most `width` pixels wide. Raises `no_preview`."""
    if page < 1:
        raise no_preview()
    drawn = await pool().run(
        "core.sandbox.page_images:draw", data, page=page, width=max(100, min(width, MAX_WIDTH))
    )
    if drawn is None:
        raise no_preview()
    return bytes(drawn)


def no_preview() -> NotFound:
    """The error for a page that cannot be drawn."""
    return NotFound(
        "Показать страницу нельзя. Скачайте файл и посмотрите его в своей программе.",
        "This page cannot be shown. Download the file and look at it in your own program.",
        code="no_preview",
    )
