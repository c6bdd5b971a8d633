"""A link that stands in a letter (ссылка для ознакомления): read and acknowledge, no account.

The link names its row and carries this installation's signature over that name; nothing secret is
stored. What it leads to stands in ``reading``.
"""

import base64
import hmac
import uuid
from datetime import datetime, timedelta

from core import clock, db, sealing
from core.errors import NotFound, TooManyRequests
from core.settings import settings

LIFETIME = timedelta(days=30)
PER_MINUTE = 30
"""How often one link is answered; a person needs three."""
_PURPOSE = "answer link"
_TAG = 16


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
    """The link a token names; NotFound for one we never wrote. Touches no database.

    Only the one spelling `token_of` gives is taken: base64 leaves unused bits in the last letter
    (RFC 4648 section 3.5), and two spellings of one link would be two links to whoever counts them.
    """
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 16 + _TAG:
        raise _gone()
    link_id = uuid.UUID(bytes=raw[:16])
    if not hmac.compare_digest(token_of(link_id).encode(), token.encode()):
        raise _gone()
    return link_id


def _gone() -> NotFound:
    return NotFound(
        "Ссылка не действует. Откройте её из письма целиком или попросите прислать новую.",
        "The link does not hold. Open it from the letter as a whole, or ask for a new one.",
        code="link_invalid",
    )


async def held(token: str) -> db.Row:
    """The link's row with its delivery; raises as the page does that it leads to.

    NotFound `link_invalid`, `link_expired`, `document_recalled`; TooManyRequests above
    `PER_MINUTE` a minute, over all processes.
    """
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
           JOIN document AS d ON d.id = v.document_id AND d.mark <> 'dsp'
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
