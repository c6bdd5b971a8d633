"""What a link of a letter leads to: the document first, then one acknowledgement, no account."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from audit import reads
from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, InvalidInput, NotFound
from docflow.routing import arrivals, deliveries, letters
from docflow.routing.email import links
from docflow.routing.letters import Contents
from storage import blobs


@dataclass(frozen=True, slots=True)
class Opened:
    """What the holder of a link sees (страница ознакомления)."""

    link_id: uuid.UUID
    delivery_id: uuid.UUID
    status: str
    due_on: str
    organization: str
    """Whose mailbox it went to."""
    contents: Contents
    people: tuple[db.Row, ...]
    """Who may take note there: those who hold a post today."""
    expires_at: datetime
    is_read: bool
    """A file was opened by this link; before that nothing can be acknowledged."""
    is_used: bool


async def look(token: str) -> Opened:
    """What the link leads to; NotFound `link_invalid`, `link_expired`, `document_recalled`.

    Raises TooManyRequests above `PER_MINUTE` a minute. Who sees the names of those who hold posts
    is noted in the log of reads.
    """
    row = await links.held(token)
    contents = await letters.contents_of(row["document_id"])
    people = await deliveries.holders(row["recipient_id"])
    await reads.log(
        _holder(row), subject=("answer_link", row["id"]), purpose="answer_link", count=len(people)
    )
    return Opened(
        link_id=row["id"], delivery_id=row["delivery_id"], status=row["status"],
        due_on=letters.in_words(row["due_on"]), organization=row["recipient"],
        contents=contents, people=tuple(people), expires_at=row["expires_at"],
        is_read=row["opened_at"] is not None, is_used=row["used_at"] is not None,
    )  # fmt: skip


async def open_file(token: str, file_id: uuid.UUID) -> tuple[db.Row, blobs.BlobStream]:
    """A file of the document, for its reader; the first one opened makes the delivery arrive."""
    row = await links.held(token)
    contents = await letters.contents_of(row["document_id"])
    file = next((one for one in contents.files if one["id"] == file_id), None)
    if file is None:
        raise NotFound(file_id=str(file_id))
    async with db.transaction():
        first = await db.value(
            "UPDATE answer_link SET opened_at = $2 WHERE id = $1 AND opened_at IS NULL"
            " RETURNING id",
            row["id"], clock.now(),
        )  # fmt: skip
        if first is not None:
            await arrivals.arrived(row["delivery_id"], {"answer_link": str(row["id"])})
            await deliveries.opened_outside(
                _holder(row), row["delivery_id"], data={"link_id": str(row["id"])}
            )
    return file, await blobs.open_blob(file["blob_id"])


async def acknowledge(token: str, *, person_id: uuid.UUID) -> None:
    """«Ознакомлен», once: the link is used up. Said again by the same link it is refused.

    Raises `document_not_read` before a file was opened, `link_used`, `person_not_there`.
    """
    row = await links.held(token)
    if row["used_at"] is not None:
        raise _used()
    if row["opened_at"] is None:
        raise Conflict(
            "Сначала откройте документ, затем отметьте ознакомление.",
            "Open the document first, then acknowledge it.",
            code="document_not_read",
        )
    if not await deliveries.holds_post(person_id, row["recipient_id"]):
        raise InvalidInput(
            "Выберите, кто ознакомился с документом.",
            "Choose who has taken note of the document.",
            code="person_not_there", field="person_id",
        )  # fmt: skip
    async with db.transaction():
        taken = await db.value(
            """UPDATE answer_link SET used_at = $2 WHERE id = $1 AND used_at IS NULL
               RETURNING id""",
            row["id"], clock.now(),
        )  # fmt: skip
        if taken is None:
            raise _used()
        await deliveries.acknowledged_outside(
            _holder(row), row["delivery_id"], person_id=person_id,
            data={"by": "link", "link_id": str(row["id"])},
        )  # fmt: skip


def _used() -> Conflict:
    return Conflict(
        "По этой ссылке ознакомление уже отмечено.",
        "This link has been used: the document is acknowledged.",
        code="link_used",
    )


def _holder(row: db.Row) -> Actor:
    """Whoever holds the mailbox of the organization; no account stands behind it."""
    return RULE.acting_for(row["recipient_id"])
