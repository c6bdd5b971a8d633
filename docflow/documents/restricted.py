"""Bytes of restricted documents (ДСП): copies that name their reader, originals by right only."""

import contextlib
import uuid

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import Forbidden, NotFound, TooLarge
from core.sandbox import pool
from docflow.documents import checks, files, visibility
from docflow.documents.checking import READ_UP_TO
from docflow.documents.copies import Copy
from docflow.documents.kinds import PDF
from signatures.revisions import signed_revision
from storage import blobs


async def original(actor: Actor, file_id: uuid.UUID) -> db.Row:
    """The file whose bytes the actor may have as they are; of a restricted one it is an event.

    Raises NotFound as `files.visible_file` does, Forbidden `original_needs_right`.
    """
    found = await files.visible_file(actor, file_id)
    await require_original(actor, found["document_id"], file_id, mark=found["mark"])
    return found


async def require_original(
    actor: Actor, document_id: uuid.UUID, file_id: uuid.UUID, *, mark: str
) -> None:
    """Raise `original_needs_right` for a restricted file without the right; note the taking."""
    if mark != visibility.RESTRICTED:
        return
    if not await visibility.may_take_original(actor, document_id):
        raise needs_right()
    await events.record(
        actor, "document.original_taken", subject=("document_file", file_id),
        document_id=document_id,
    )  # fmt: skip


def needs_right() -> Forbidden:
    """The error for an original that one may read but not have."""
    return Forbidden(
        "Подлинник документа с отметкой «ДСП» выдаётся только тем, кому это право дали поимённо. "
        "Возьмите копию с вашим именем.",
        "The original of a restricted document goes only to those who were given that right. Take"
        " the copy with your name.",
        code="original_needs_right",
    )


async def readers_copy(actor: Actor, file_id: uuid.UUID) -> Copy:
    """A PDF the actor may read, as signed, with name and time across each page; it is an event.

    Raises NotFound, and `original_needs_right` for what is no PDF or too large to be drawn over:
    of such a file there is nothing but the original.
    """
    found = await files.visible_file(actor, file_id)
    data = await covered(actor, found)
    await events.record(
        actor, "document.copy_taken", subject=("document_file", file_id),
        document_id=found["document_id"],
    )  # fmt: skip
    return Copy(data, f"Копия {found['file_name']}")


async def named(actor: Actor, file_id: uuid.UUID, copy: Copy) -> Copy:
    """The same copy, under the reader's name where the document is restricted."""
    found = await files.visible_file(actor, file_id)
    if found["mark"] != visibility.RESTRICTED:
        return copy
    return Copy(await under_name(actor, copy.data), copy.file_name)


async def covered(actor: Actor, file: db.Row, *, only: int | None = None) -> bytes:
    """The file's pages under the reader's name, or the page `only` alone; empty without it."""
    if file["media_type"] != PDF:
        raise needs_right()
    try:
        data = await blobs.read(file["blob_id"], limit=READ_UP_TO)
    except TooLarge:
        raise needs_right() from None
    if reports := await checks.reports_of(file["id"]):
        with contextlib.suppress(NotFound):  # without an intact signature: the file itself
            data = signed_revision(data, reports)
    return await under_name(actor, data, only=only)


async def under_name(actor: Actor, data: bytes, *, only: int | None = None) -> bytes:
    """Any PDF with the actor's name, organization and the time across every page."""
    made = await pool().run(
        "docflow.documents.marks.watermark:watermarked", data, words=await _words(actor),
        only=only, timeout=40.0,
    )  # fmt: skip
    return bytes(made)


async def _words(actor: Actor) -> str:
    row = await db.row(
        """SELECT p.last_name, p.first_name, p.middle_name, a.login,
                  coalesce(nullif(o.short_name, ''), o.name) AS organization
           FROM account AS a JOIN person AS p ON p.id = a.person_id
           LEFT JOIN organization AS o ON o.id = $2 WHERE a.id = $1""",
        actor.id, actor.organization_id,
    )  # fmt: skip
    if row is None:
        raise Forbidden(needs=["account"])
    names = [row["last_name"], *(one[:1] + "." for one in (row["first_name"], row["middle_name"])
                                 if one)]  # fmt: skip
    moment = clock.now().astimezone(clock.MOSCOW)
    return f"ДСП · {' '.join(names)} · {row['organization'][:60]} · {moment:%d.%m.%Y %H:%M}"
