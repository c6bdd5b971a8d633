"""Reports that come back: which letter they speak of and what that changes, once each."""

import asyncio
import hashlib
import uuid
from dataclasses import dataclass

from core import clock, db
from core.errors import Unavailable
from core.sandbox import pool
from core.sandbox.errors import HostileInput
from core.settings import WaySettings, settings
from docflow.gateways.email import mailbox
from docflow.gateways.email.mailbox import Imap, Incoming
from docflow.gateways.email.reports import MailReport
from docflow.routing import settling
from docflow.routing.carriage import broken, delivered
from docflow.routing.email import sending

_READER = "docflow.gateways.email.reports:read"
_SECONDS = 20.0
_BAD_ADDRESS = ("5.1.", "5.2.1", "550", "553")
"""Codes that speak of the address and not of this one letter (RFC 3463)."""

_DRAWERS = {"letter": "letters", "unreadable": "unread", "unmatched": "unread"}


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one incoming message."""

    effect: str
    """``delivered``, ``failed``, ``noted``, ``known``, ``letter``, ``auto_reply``, ``unmatched``,
    ``unreadable``."""


async def poll() -> dict[str, int]:
    """Take everything that waits in the folder and in the mailbox; answers effects by number.

    A message is put away only when its effect is committed, so a killed process takes it again,
    and a message taken twice changes nothing.
    """
    ways = settings().ways
    counts: dict[str, int] = {}
    if ways.mail_in is not None:
        for one in await asyncio.to_thread(mailbox.in_folder, ways.mail_in):
            found = await _take(one)
            drawer = _DRAWERS.get(found.effect, "taken")
            await asyncio.to_thread(mailbox.put_away, ways.mail_in, one.place, drawer=drawer)
            counts[found.effect] = counts.get(found.effect, 0) + 1
    if ways.imap_host:
        box = _box(ways)
        waiting = await mailbox.on_server(box)
        for one in waiting:
            found = await _take(one)
            counts[found.effect] = counts.get(found.effect, 0) + 1
        await mailbox.mark_seen(box, [one.place for one in waiting])
    return counts


def _box(ways: WaySettings) -> Imap:
    return Imap(
        ways.imap_host, ways.imap_port, ways.imap_username, ways.imap_password, ways.imap_folder
    )


async def _take(one: Incoming) -> Taken:
    return Taken("unreadable") if one.data is None else await take(one.data)


async def take(data: bytes) -> Taken:
    """Read one message at arm's length and do what it asks for, in one transaction."""
    digest = hashlib.sha256(data).digest()
    try:
        report: MailReport | None = await pool().run(
            _READER, data, into=MailReport, timeout=_SECONDS
        )
    except Unavailable:
        raise
    except HostileInput:
        report = None
    async with db.transaction():
        report_id = await db.value(
            """INSERT INTO mail_report (id, sha256, kind, consignment_id, action, code, said,
                                        effect, received_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8)
               ON CONFLICT ON CONSTRAINT mail_report_once DO NOTHING RETURNING id""",
            clock.new_id(), digest, report.kind if report else "unreadable",
            report.uid if report else None, report.action if report else None,
            report.status if report else "", report.said if report else "", clock.now(),
        )  # fmt: skip
        if report_id is None:
            return Taken("known")
        effect = await _apply(report, report_id) if report else "unreadable"
        await db.execute("UPDATE mail_report SET effect = $2 WHERE id = $1", report_id, effect)
    return Taken(effect)


async def _apply(report: MailReport, report_id: uuid.UUID) -> str:
    if report.kind != "report":
        return report.kind
    row = await db.row(
        "SELECT id FROM consignment WHERE id = $1 AND channel = $2", report.uid, sending.NAME
    )
    if row is None:
        return "unmatched"
    kept = {"mail_report": str(report_id), "action": report.action, "status": report.status}
    if report.action == "delivered":
        await settling.settle(row["id"], delivered(kept))
        await _forgive(row["id"])
        return "delivered"
    if report.action == "failed":
        words = f"{report.status} {report.said}".strip()
        await settling.settle(row["id"], broken("mail_failed", words))
        if report.status.startswith(_BAD_ADDRESS):
            await _mark(row["id"], code=report.status, said=report.said)
        return "failed"
    return "noted"


_RECIPIENTS = """SELECT o.id, o.email FROM consignment_delivery AS l
                 JOIN delivery AS v ON v.id = l.delivery_id
                 JOIN organization AS o ON o.id = v.recipient_id WHERE l.consignment_id = $1"""


async def _mark(consignment_id: uuid.UUID, *, code: str, said: str) -> None:
    for row in await db.rows(_RECIPIENTS, consignment_id):
        await sending.mark_faulty(row["id"], row["email"], code=code, said=said)


async def _forgive(consignment_id: uuid.UUID) -> None:
    """Mail arrived there after all."""
    await db.execute(
        f"DELETE FROM mail_fault WHERE organization_id IN (SELECT id FROM ({_RECIPIENTS}) AS r)",
        consignment_id,
    )
