"""The installation's mail relay (SMTP_HOST): one connection, its refusals read; holds no tables."""

import re
from urllib.parse import urlsplit

import aiosmtplib

from core.settings import SmtpSettings, settings

TIMEOUT_SECONDS = 20.0
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


def relay_of(smtp: SmtpSettings) -> aiosmtplib.SMTP:
    """The relay as set, not yet connected."""
    return aiosmtplib.SMTP(
        hostname=smtp.host,
        port=smtp.port,
        username=smtp.username or None,
        password=smtp.password or None,
        use_tls=smtp.port == SMTPS_PORT,
        local_hostname=urlsplit(settings().public_url).hostname or "localhost",
        timeout=TIMEOUT_SECONDS,
    )


def is_final(problem: Exception) -> bool:
    """A refusal (5xx) of this recipient or letter; a refused sender or log-in is ours to mend."""
    answer = _answer(problem)
    about_it = (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError)
    return isinstance(answer, about_it) and 500 <= answer.code < 600


def said(problem: Exception, to: str) -> str:
    """What went wrong, short and without the address."""
    answer = _answer(problem)
    if isinstance(answer, aiosmtplib.SMTPResponseException):
        text = answer.message.replace(to, "…") if to else answer.message
        text = "".join(c if c.isprintable() else " " for c in text)
        return f"{answer.code} {' '.join(text.split())}"[:200]
    return f"connection: {type(answer).__name__}"


def _answer(problem: Exception) -> Exception:
    """The relay's answer about the one recipient, where it was about the recipient."""
    if isinstance(problem, aiosmtplib.SMTPRecipientsRefused) and problem.recipients:
        return problem.recipients[0]
    return problem
