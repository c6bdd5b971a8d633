"""A link that stands in a letter (ссылка для ознакомления): read and acknowledge, no account.

The link names its row and carries this installation's signature over that name; nothing secret is
stored. It shows the document first, takes one acknowledgement, and ends.
"""

import base64
import hmac
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit import reads
from core import clock, db, sealing
from core.actor import RULE, Actor
from core.errors import Conflict, InvalidInput, NotFound, TooManyRequests
from core.settings import settings
from docflow.routing import deliveries, letters
from docflow.routing.letters import Contents
from storage import blobs

LIFETIME = timedelta(days=30)
PER_MINUTE = 30
"""How often one link is answered; a person needs three."""
_PURPOSE = "answer link"
_TAG = 16


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


async def issue(consignment_id: uuid.UUID, delivery_id: uuid.UUID) -> tuple[str, datetime]:
    """The link of a delivery in a message and when it ends; asked again it is the same."""
    now = clock.now()
    await db.execute(
        """INSERT INTO answer_link (id, delivery_id, consignment_id, expires_at, asked_since,
                                    created_at) VALUES ($1, $2, $3, $4, $5, $5)
           ON CONFLICT ON CONSTRAINT answer_link_once DO NOTHING""",
        clock.new_id(), delivery_id, consignment_id, now + LIFETIME, now,
    )  # fmt: skip
    row = await db.row(
        """SELECT id, expires_at FROM answer_link
           WHERE consignment_id = $1 AND delivery_id = $2""",
        consignment_id, delivery_id,
    )  # fmt: skip
    if row is None:
        raise RuntimeError("the link that was just written is gone")
    return f"{settings().public_url.rstrip('/')}/r/{token_of(row['id'])}", row["expires_at"]


def token_of(link_id: uuid.UUID) -> str:
    """The part of the address that proves the link is ours."""
    signed = link_id.bytes + sealing.tag(link_id.bytes, purpose=_PURPOSE)[:_TAG]
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


def link_in(token: str) -> uuid.UUID:
    """The link a token names; NotFound for one we never wrote. Touches no database."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 16 + _TAG or len(token) > 64:
        raise _gone()
    expected = sealing.tag(raw[:16], purpose=_PURPOSE)[:_TAG]
    if not hmac.compare_digest(expected, raw[16:]):
        raise _gone()
    return uuid.UUID(bytes=raw[:16])


def _gone() -> NotFound:
    return NotFound(
        "Ссылка не действует. Откройте её из письма целиком или попросите прислать новую.",
        "The link does not hold. Open it from the letter as a whole, or ask for a new one.",
        code="link_invalid",
    )


async def look(token: str) -> Opened:
    """What the link leads to; NotFound `link_invalid`, `link_expired`, `document_recalled`.

    Raises TooManyRequests above `PER_MINUTE` a minute. Who sees the names of those who hold posts
    is noted in the log of reads.
    """
    row = await _row(token)
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
    row = await _row(token)
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
            await deliveries.opened_outside(
                _holder(row), row["delivery_id"], data={"link_id": str(row["id"])}
            )
    return file, await blobs.open_blob(file["blob_id"])


async def acknowledge(token: str, *, person_id: uuid.UUID) -> None:
    """«Ознакомлен», once: the link is used up. Said again by the same link it is refused.

    Raises `document_not_read` before a file was opened, `link_used`, `person_not_there`.
    """
    row = await _row(token)
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


async def _row(token: str) -> db.Row:
    link_id = link_in(token)
    now = clock.now()
    asked = await db.value(
        """UPDATE answer_link SET
               asked = CASE WHEN asked_since > $2 THEN asked + 1 ELSE 1 END,
               asked_since = CASE WHEN asked_since > $2 THEN asked_since ELSE $3 END
           WHERE id = $1 RETURNING asked""",
        link_id, now - timedelta(minutes=1), now,
    )  # fmt: skip
    if asked is None:
        raise _gone()
    if asked > PER_MINUTE:
        raise TooManyRequests(retry_after=60)
    row = await db.row(
        """SELECT k.*, v.document_id, v.recipient_id, v.status, v.due_on, o.name AS recipient
           FROM answer_link AS k JOIN delivery AS v ON v.id = k.delivery_id
           JOIN organization AS o ON o.id = v.recipient_id WHERE k.id = $1""",
        link_id,
    )
    if row is None:
        raise _gone()
    if row["expires_at"] <= now:
        raise NotFound(
            "Срок действия ссылки истёк. Попросите отправителя прислать документ снова.",
            "The link has expired. Ask the sender to send the document again.",
            code="link_expired",
        )
    if row["status"] in ("recalled", "void"):
        raise NotFound(
            "Отправитель отозвал документ.", "The sender has recalled the document.",
            code="document_recalled",
        )  # fmt: skip
    return row
