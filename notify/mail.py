"""Notices by e-mail: plain text through the installation's relay, never a document's content.

A letter names the kind of thing that happened, a date or a count, and where to sign in. It knows
no person: it goes to the organization's own address.
"""

import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import aiosmtplib

from core import clock, db, jobs
from core.settings import settings
from notify.notice_kinds import subjects_of, texts_of
from notify.notices import MAIL_JOB, MAIL_LOCK
from notify.relay import address_of, is_final, relay_of, said

BATCH = 50
LEASE = timedelta(minutes=15)
"""What was claimed and not recorded (the process died) is tried again after so long."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=2)
GIVE_UP_AFTER = timedelta(days=2)
"""A reminder that comes later helps nobody."""


def letter(
    *, notice_id: uuid.UUID, kind: str, data: db.Row, created_at: datetime, to: str
) -> EmailMessage:
    """The letter of a notice; made again it has the same Message-ID and the same bytes.

    `to` must come from `address_of`. Auto-Submitted after RFC 3834, so that no robot answers.
    """
    sender, where = settings().smtp.sender, settings().public_url
    heading_ru, heading_en = subjects_of(kind)
    text_ru, text_en = texts_of(kind, data)
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = to
    made["Subject"] = f"{heading_ru} / {heading_en}"
    made["Date"] = format_datetime(created_at)
    made["Message-ID"] = f"<notice.{notice_id}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    made.set_content(
        f"{text_ru}\nВойдите: {where}\n\n{text_en}\nSign in: {where}\n\n"
        "Письмо отправлено программой, отвечать на него не нужно.\n"
        "This letter was sent by a program; do not answer it.\n",
        cte="base64",
    )
    return made


async def send_waiting() -> int:
    """Send a batch of what is due and queue the next run; answers how many were accepted.

    At least once: a process killed after the relay took a letter sends it again with the same
    Message-ID.
    """
    if not settings().smtp.host:
        await db.execute(
            """UPDATE notice SET email_status = 'none', email_next_at = NULL
               WHERE email_status = 'waiting'"""
        )
        return 0
    claimed = await _claim()
    accepted = await _send_all(claimed) if claimed else 0
    await _queue_next()
    return accepted


async def _claim() -> list[db.Row]:
    return await db.rows(
        """UPDATE notice AS n SET email_attempts = n.email_attempts + 1, email_next_at = $2
           FROM (SELECT id FROM notice WHERE email_status = 'waiting' AND email_next_at <= $1
                 ORDER BY email_next_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS due
           WHERE n.id = due.id
           RETURNING n.id, n.kind, n.data, n.created_at, n.email_attempts,
               (SELECT o.email FROM organization AS o WHERE o.id = n.organization_id) AS email""",
        clock.now(), clock.now() + LEASE, BATCH,
    )  # fmt: skip


async def _send_all(claimed: list[db.Row]) -> int:
    """Send over one connection; when it breaks, everything left waits for the next time."""
    accepted = 0
    relay = relay_of(settings().smtp)
    try:
        await relay.connect()
        for place, row in enumerate(claimed):
            fault = await _send(relay, row)
            if fault is None:
                accepted += 1
            elif not relay.is_connected:
                for left in claimed[place + 1 :]:
                    await _postpone(left, fault)
                break
    except (aiosmtplib.SMTPException, OSError) as problem:
        for row in claimed:
            await _postpone(row, said(problem, ""))
    finally:
        with suppress(aiosmtplib.SMTPException, OSError):
            if relay.is_connected:
                await relay.quit()
        relay.close()
    return accepted


async def _send(relay: aiosmtplib.SMTP, row: db.Row) -> str | None:
    """Send one letter and record how it went; answers what was wrong, None when accepted."""
    to = address_of(row["email"] or "")
    if to is None:
        await _fail(row["id"], "address: not one valid e-mail address")
        return "address"
    made = letter(
        notice_id=row["id"], kind=row["kind"], data=row["data"], created_at=row["created_at"], to=to
    )
    try:
        await relay.sendmail(settings().smtp.sender, [to], made.as_bytes())
    except (aiosmtplib.SMTPException, OSError) as problem:
        told = said(problem, to)
        if is_final(problem):
            await _fail(row["id"], told)
        else:
            await _postpone(row, told)
        return told
    await db.execute(
        """UPDATE notice SET email_status = 'sent', email_next_at = NULL, email_error = NULL
           WHERE id = $1 AND email_status = 'waiting'""",
        row["id"],
    )
    return None


async def _postpone(row: db.Row, told: str) -> None:
    """Try again later, after a pause that doubles; give up when it helps nobody any more."""
    now = clock.now()
    if now - row["created_at"] >= GIVE_UP_AFTER:
        await _fail(row["id"], f"given up: {told}")
        return
    pause = min(FIRST_PAUSE * (1 << min(row["email_attempts"] - 1, 10)), LONGEST_PAUSE)
    await db.execute(
        """UPDATE notice SET email_next_at = $2, email_error = $3
           WHERE id = $1 AND email_status = 'waiting'""",
        row["id"], now + pause, told,
    )  # fmt: skip


async def _fail(notice_id: uuid.UUID, told: str) -> None:
    await db.execute(
        """UPDATE notice SET email_status = 'failed', email_next_at = NULL, email_error = $2
           WHERE id = $1 AND email_status = 'waiting'""",
        notice_id, told,
    )  # fmt: skip


async def _queue_next() -> None:
    """One run waits for the earliest letter that waits."""
    earliest = await db.value(
        "SELECT min(email_next_at) FROM notice WHERE email_status = 'waiting'"
    )
    if earliest is not None:
        await jobs.defer(MAIL_JOB, key="next", lock=MAIL_LOCK, at=earliest)
