"""What of ours a message answers: by header uid, document uid, container uid, number and date."""

import re
import uuid
from collections.abc import Iterable
from datetime import date

from core import db
from docflow.gateways.medo.messages import Message, Notification, Reference
from docflow.routing.medo.journal import uuid_of

_SENT = "direction = 'out' AND kind IN ('document', 'container')"
_NOISE = re.compile(r"[\s№#]+|(?<![a-zа-я])n(?=\d)")


async def sent_by_uids(uids: Iterable[str]) -> db.Row | None:
    """What we sent under one of these uids, as header, document or container uid in this order.

    Senders mix them up, in either case of letters (medo.md section 5).
    """
    wanted = [one for text in uids if (one := uuid_of(text)) is not None]
    if not wanted:
        return None
    found = await db.row(
        f"""SELECT * FROM medo_message WHERE {_SENT} AND header_uid = ANY($1)
            ORDER BY array_position($1, header_uid) LIMIT 1 FOR UPDATE""",
        wanted,
    )
    return found or await db.row(
        f"""SELECT * FROM medo_message WHERE {_SENT} AND document_uid = ANY($1)
            ORDER BY array_position($1, document_uid), id LIMIT 1 FOR UPDATE""",
        [str(one) for one in wanted],
    )


async def sent_by_number(
    partner_id: uuid.UUID | None, references: Iterable[tuple[str, date | None]]
) -> db.Row | None:
    """What we sent to this participant under our number and date; only when there is one such.

    Spelling of a number (spaces, №, letter case) is not looked at.
    """
    for number, day in references:
        if partner_id is None or not number.strip() or day is None:
            continue
        found = await db.rows(
            f"""SELECT m.id, d.number FROM medo_message AS m
                JOIN document AS d ON d.id = m.document_id
                WHERE m.{_SENT.replace("AND kind", "AND m.kind")} AND m.partner_id = $1
                AND d.date = $2""",
            partner_id, day,
        )  # fmt: skip
        same = [row["id"] for row in found if plain(row["number"]) == plain(number)]
        if len(same) == 1:
            return await db.row("SELECT * FROM medo_message WHERE id = $1 FOR UPDATE", same[0])
    return None


def plain(number: str) -> str:
    """A registration number as it is compared."""
    return _NOISE.sub("", number.lower().replace("–", "-").replace("—", "-").replace("\\", "/"))


def uids_of(message: Message) -> list[str]:
    """The uids by which a receipt or a notification names what it answers."""
    if message.receipt:
        return [message.receipt.uid]
    told = message.notification
    return [told.uid, told.id] if told else []


def references_of(told: Notification) -> list[tuple[str, date | None]]:
    """Our numbers a notification names; some senders put ours where theirs belongs (2.7)."""
    foundation = [told.foundation] if told.foundation else []
    return [*_pairs(foundation), (told.number, told.date)]


def links_of(message: Message) -> tuple[list[str], list[tuple[str, date | None]]]:
    """Uids and numbers of the documents a letter says it goes with."""
    if message.document is None:
        return [], []
    links = message.document.links
    uids = [uid for link in links for uid in (link.uid, link.id) if uid]
    return uids, _pairs(link.reference for link in links)


def _pairs(references: Iterable[Reference]) -> list[tuple[str, date | None]]:
    return [(one.number, one.date) for one in references]
