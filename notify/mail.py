"""Notices by e-mail: plain text through the installation's relay, never a document's content.

A letter names the kind of thing that happened, a date or a count, and where to sign in. It knows
no person: it goes to the organization's own address.
"""

import re
import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit

import aiosmtplib

from core import clock, db, jobs
from core.settings import SmtpSettings, settings
from notify.notice_kinds import subjects_of, texts_of
from notify.notices import MAIL_JOB, MAIL_LOCK

BATCH = 50
TIMEOUT_SECONDS = 20.0
LEASE = timedelta(minutes=15)
"""What was claimed and not recorded (the process died) is tried again after so long."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=2)
GIVE_UP_AFTER = timedelta(days=2)
"""A reminder that comes later helps nobody."""
SMTPS_PORT = 465

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+")
"""One address of RFC 5321 without quoting: no room for a second address or a header."""


def address_of(text: str) -> str | None:
    """The one address that `text` is, its domain in ASCII; None when it is not exactly that."""
    local, _, domain = text.strip(" ").rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return None
    return address if len(address) <= 254 and _ADDRESS.fullmatch(address) else None


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
    relay = _relay(settings().smtp)
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
            await _postpone(row, _said(problem, ""))
    finally:
        with suppress(aiosmtplib.SMTPException, OSError):
            if relay.is_connected:
                await relay.quit()
        relay.close()
    return accepted


def _relay(smtp: SmtpSettings) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=smtp.host,
        port=smtp.port,
        username=smtp.username or None,
        password=smtp.password or None,
        use_tls=smtp.port == SMTPS_PORT,
        local_hostname=urlsplit(settings().public_url).hostname or "localhost",
        timeout=TIMEOUT_SECONDS,
    )


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
        said = _said(problem, to)
        if _is_final(problem):
            await _fail(row["id"], said)
        else:
            await _postpone(row, said)
        return said
    await db.execute(
        """UPDATE notice SET email_status = 'sent', email_next_at = NULL, email_error = NULL
           WHERE id = $1 AND email_status = 'waiting'""",
        row["id"],
    )
    return None


def _answer(problem: Exception) -> Exception:
    """The relay's answer about the one recipient, where it was about the recipient."""
    if isinstance(problem, aiosmtplib.SMTPRecipientsRefused) and problem.recipients:
        return problem.recipients[0]
    return problem


def _is_final(problem: Exception) -> bool:
    """A refusal (5xx) of this recipient or letter; a refused sender or log-in is ours to mend."""
    answer = _answer(problem)
    about_it = (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError)
    return isinstance(answer, about_it) and 500 <= answer.code < 600


def _said(problem: Exception, to: str) -> str:
    """What went wrong, short and without the address."""
    answer = _answer(problem)
    if isinstance(answer, aiosmtplib.SMTPResponseException):
        text = answer.message.replace(to, "…") if to else answer.message
        text = "".join(c if c.isprintable() else " " for c in text)
        return f"{answer.code} {' '.join(text.split())}"[:200]
    return f"connection: {type(answer).__name__}"


async def _postpone(row: db.Row, said: str) -> None:
    """Try again later, after a pause that doubles; give up when it helps nobody any more."""
    now = clock.now()
    if now - row["created_at"] >= GIVE_UP_AFTER:
        await _fail(row["id"], f"given up: {said}")
        return
    pause = min(FIRST_PAUSE * (1 << min(row["email_attempts"] - 1, 10)), LONGEST_PAUSE)
    await db.execute(
        """UPDATE notice SET email_next_at = $2, email_error = $3
           WHERE id = $1 AND email_status = 'waiting'""",
        row["id"], now + pause, said,
    )  # fmt: skip


async def _fail(notice_id: uuid.UUID, said: str) -> None:
    await db.execute(
        """UPDATE notice SET email_status = 'failed', email_next_at = NULL, email_error = $2
           WHERE id = $1 AND email_status = 'waiting'""",
        notice_id, said,
    )  # fmt: skip


async def _queue_next() -> None:
    """One run waits for the earliest letter that waits."""
    earliest = await db.value(
        "SELECT min(email_next_at) FROM notice WHERE email_status = 'waiting'"
    )
    if earliest is not None:
        await jobs.defer(MAIL_JOB, key="next", lock=MAIL_LOCK, at=earliest)
