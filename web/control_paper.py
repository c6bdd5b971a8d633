"""The control list as totals by branch and as a paper."""

import uuid
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from core import clock, db
from core.actor import Actor
from core.papers import ControlList, ControlRow, Total
from directory import organizations
from docflow.documents import visibility
from docflow.routing import control
from web import words

MOST = 10_000
"""Recipients on paper; more are counted and not listed."""


def by_branch(rows: list[db.Row]) -> list[dict[str, Any]]:
    """Totals of each direct subordinate's subtree: everybody, who answered, who has not."""
    table: dict[uuid.UUID, dict[str, Any]] = {}
    for row in rows:
        line = table.setdefault(
            row["id"], {"id": row["id"], "name": row["name"], "kind": row["kind"], "states": {},
                        "total": 0}
        )  # fmt: skip
        line["states"][row["status"]] = row["number"]
        line["total"] += row["number"]
    return list(table.values())


async def made(actor: Actor, document_id: uuid.UUID) -> ControlList:
    """The list for `core.papers`, everybody by name."""
    document = await visibility.visible_document(actor, document_id)
    sums = control.by_status(await control.totals(actor, document_id))
    home = await organizations.get(organization_id=actor.home_id)
    zone = ZoneInfo(home["time_zone"])
    rows: list[ControlRow] = []
    after: uuid.UUID | None = None
    while len(rows) < MOST:
        page = await control.recipients(actor, document_id, after=after, limit=control.MAX_LIMIT)
        rows += [_row(one, zone) for one in page]
        if len(page) < control.MAX_LIMIT:
            break
        after = page[-1]["id"]
    return ControlList(
        organization=home["name"],
        document_number=document["number"] or "",
        document_title=document["title"],
        document_date=f"{document['date']:%d.%m.%Y}" if document["date"] else "",
        made_at=_text(clock.now(), zone),
        total=sums["total"],
        totals=tuple(
            Total(label=words.said(words.DELIVERY_STATUS, status), count=number)
            for status, number in sums.items()
            if status != "total" and number
        ),
        rows=tuple(rows),
    )


def _row(found: db.Row, zone: ZoneInfo) -> ControlRow:
    names = (found["last_name"], found["first_name"], found["middle_name"])
    at = found["executed_at"] or found["acknowledged_at"] or found["opened_at"]
    return ControlRow(
        recipient=found["name"],
        state=words.said(words.DELIVERY_STATUS, found["status"]),
        at=_text(at or found["delivered_at"], zone),
        person=" ".join(name for name in names if name) or found["reason"] or "",
    )


def _text(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else f"{at.astimezone(zone):%d.%m.%Y %H:%M}"
