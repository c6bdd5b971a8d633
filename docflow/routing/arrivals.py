"""It has arrived, whatever way told so: the message on its way ends, and nothing goes again."""

import uuid
from collections.abc import Mapping
from typing import Any

from core import db
from docflow.routing import settling
from docflow.routing.carriage import delivered


async def arrived(delivery_id: uuid.UUID, receipt: Mapping[str, Any]) -> None:
    """The recipient has it, by a reader, an answer or a signed slip; in the caller's transaction.

    Every message the delivery hangs on ends with it; told again, or too late, it changes nothing.
    """
    consignment_id = await db.value(
        """SELECT consignment_id FROM consignment_delivery WHERE delivery_id = $1
           ORDER BY outcome IS NULL DESC, consignment_id DESC LIMIT 1""",
        delivery_id,
    )
    if consignment_id is not None:
        await settling.settle(consignment_id, delivered(receipt), delivery_ids=[delivery_id])
