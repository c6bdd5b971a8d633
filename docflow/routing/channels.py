"""The outside channels (каналы доставки) this installation carries messages by, one line each.

МЭДО keeps a journal of its own (``routing.medo``), and what is inside needs no channel.
"""

import uuid
from collections.abc import Mapping, Sequence

from core import db
from docflow.routing import ways
from docflow.routing.carriage import Channel
from docflow.routing.email.sending import EMAIL
from docflow.routing.nodes.sending import NODE
from docflow.routing.offline.sending import OFFLINE
from docflow.routing.paper.sending import PAPER, VOICE

_ALL: tuple[Channel, ...] = (NODE, EMAIL, OFFLINE, PAPER, VOICE)

CHANNELS: dict[str, Channel] = {channel.name: channel for channel in _ALL}
"""By name. A delivery by a channel that is not here waits, in sight, until it is."""

_ELSEWHERE = ("internal", "medo")
"""Channels that work without a consignment."""


async def next_channel(delivery_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    """The channel to take next for each of these deliveries; who has none left is not in it.

    The first further down the recipient's own order that was not tried for this delivery, that
    works here, and that the document's marks allow; two channels never pass a letter to and fro.
    Belongs into the transaction that passes them on.
    """
    found = await db.rows(
        f"""SELECT v.id, (
               SELECT c.name FROM unnest(o.channels) WITH ORDINALITY AS c (name, place)
               WHERE c.name = ANY($2)
                 AND c.place > coalesce(array_position(o.channels, v.channel), 0)
                 AND NOT EXISTS (SELECT 1 FROM unnest($3::text[], $4::text[]) AS r (mark, name)
                     WHERE r.mark = d.mark AND r.name = c.name)
                 AND {ways.reason_sql("c.name", "o", closed="$5::text[]")} IS NULL
                 AND NOT EXISTS (
                   SELECT 1 FROM consignment_delivery AS l
                   JOIN consignment AS m ON m.id = l.consignment_id
                   WHERE l.delivery_id = v.id AND m.channel = c.name)
               ORDER BY c.place LIMIT 1) AS channel
           FROM delivery AS v JOIN organization AS o ON o.id = v.recipient_id
           JOIN document AS d ON d.id = v.document_id
           WHERE v.id = ANY($1)""",
        list(delivery_ids), [*CHANNELS, *_ELSEWHERE],
        *map(list, zip(*ways.all_forbidden(), strict=True)), ways.not_set_up(),
    )  # fmt: skip
    return {row["id"]: row["channel"] for row in found if row["channel"] is not None}
