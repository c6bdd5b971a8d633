"""What came into the mailbox: delivery reports, robots' answers, people's letters.

Runs in the sandbox on any bytes. Reports after RFC 3464; bounces of servers that know no such
form are told by their codes (RFC 3463) where they quote our Message-ID.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from typing import Literal
from uuid import UUID

from core.sandbox.errors import HostileInput
from docflow.gateways.email.letters import uid_in, uuid_of

Action = Literal["delivered", "failed", "delayed", "relayed", "expanded"]
MAX_PARTS = 200
MAX_TEXT = 200_000
_ACTIONS = ("delivered", "failed", "delayed", "relayed", "expanded")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_BARE_CODE = re.compile(r"(?m)(?:^|[\s:])(5\d\d|4\d\d)[\s-]")
_FROM_ROBOT = re.compile(r"(?i)mailer-daemon|postmaster|mail delivery")
_ID_HEADERS = ("X-Failed-Message-Id", "In-Reply-To", "References")


@dataclass(frozen=True, slots=True)
class MailReport:
    """One message of the mailbox, as far as it concerns us; nothing of its text."""

    kind: Literal["report", "auto_reply", "letter"]
    uid: UUID | None = None
    """The consignment it speaks of; None when nobody can tell."""
    action: Action | None = None
    status: str = ""
    """The enhanced code, such as 5.1.1."""
    said: str = ""
    """The server's diagnostic, short, without addresses."""


def read(data: bytes) -> MailReport:
    """What the message is; raises HostileInput (`mail_unreadable`) for what is no message."""
    try:
        message = message_from_bytes(data, policy=policy.compat32)
        parts = _parts(message)
        if _is_report(message):
            return _report(parts)
        if _is_automatic(message):
            return _bounce(message, parts) or MailReport("auto_reply", _quoted(message, parts))
        return _bounce(message, parts) or MailReport("letter", _quoted(message, parts))
    except HostileInput:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as problem:
        raise _unreadable(type(problem).__name__) from problem


def _unreadable(why: str) -> HostileInput:
    return HostileInput(
        "Письмо не удалось прочитать. Оно отложено; посмотрите его почтовой программой.",
        "The letter cannot be read. It was put aside; look at it with a mail program.",
        code="mail_unreadable", reason=why,
    )  # fmt: skip


def _parts(message: Message) -> list[Message]:
    found = []
    for part in message.walk():
        found.append(part)
        if len(found) > MAX_PARTS:
            raise _unreadable("parts")
    return found


def _text(value: object) -> str:
    """A header as text, whatever it was written in."""
    return "" if value is None else str(value)[:2000]


def _is_report(message: Message) -> bool:
    kind = _text(message.get_param("report-type", "")).lower()
    return message.get_content_type() == "multipart/report" and kind == "delivery-status"


def _is_automatic(message: Message) -> bool:
    """RFC 3834, and what older robots write."""
    marked = _text(message.get("Auto-Submitted", "no")).strip().lower()
    return marked not in ("", "no") or any(
        message.get(name) is not None for name in ("X-Autoreply", "X-Auto-Response-Suppress")
    )


def _report(parts: list[Message]) -> MailReport:
    blocks = [
        block
        for part in parts
        if part.get_content_type() == "message/delivery-status"
        for block in _blocks(part)
    ]
    envelope = next((uuid_of(_text(b.get("Original-Envelope-Id"))) for b in blocks
                     if b.get("Original-Envelope-Id")), None)  # fmt: skip
    told = [one for block in blocks if (one := _told(block)) is not None]
    uid = envelope or _returned(parts)
    if not told:
        return MailReport("report", uid)
    # Several recipients never stand in a letter of ours; a list behind the address may report
    # several, and then a delivery to one of them is a delivery.
    action, status, said = min(told, key=lambda one: _ACTIONS.index(one[0]))
    return MailReport("report", uid, action, status, said)


def _blocks(part: Message) -> Iterator[Message]:
    """The blocks of header-like lines inside a delivery-status part."""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (one for one in payload if isinstance(one, Message))


def _told(block: Message) -> tuple[Action, str, str] | None:
    action = _text(block.get("Action")).strip().lower()
    if action not in _ACTIONS:
        return None
    found = _STATUS.search(_text(block.get("Status")))
    said = _clean(_text(block.get("Diagnostic-Code")).partition(";")[2])
    return action, found.group(1) if found else "", said  # type: ignore[return-value]  # reason: checked against `_ACTIONS`


def _returned(parts: list[Message]) -> UUID | None:
    """The Message-ID of ours in the headers that were sent back."""
    for part in parts:
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers"):
            inner = part.get_payload()
            whole = inner[0] if isinstance(inner, list) and inner else None
            said = _text(whole.get("Message-ID")) if isinstance(whole, Message) else _body(part)
            if (uid := uid_in(said)) is not None:
                return uid
    return None


def _quoted(message: Message, parts: list[Message]) -> UUID | None:
    for name in _ID_HEADERS:
        if (uid := uid_in(_text(message.get(name)))) is not None:
            return uid
    return _returned(parts)


def _bounce(message: Message, parts: list[Message]) -> MailReport | None:
    """A bounce without the standard form: from a mail server, quoting our message, with a code."""
    if not _FROM_ROBOT.search(_text(message.get("From"))):
        return None
    text = "\n".join(_body(part) for part in parts if part.get_content_maintype() == "text")
    uid = _quoted(message, parts) or uid_in(text)
    found = _STATUS.search(text)
    bare = _BARE_CODE.search(text)
    code = found.group(1) if found else (bare.group(1) if bare else "")
    if uid is None or code[:1] not in ("4", "5"):
        return None
    return MailReport("report", uid, "failed" if code[0] == "5" else "delayed", code,
                      _clean(_around(text, code)))  # fmt: skip


def _around(text: str, code: str) -> str:
    return next((line for line in text.splitlines() if code in line), "")


def _body(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    try:
        return raw[:MAX_TEXT].decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return raw[:MAX_TEXT].decode("utf-8", "replace")


def _clean(text: str) -> str:
    """One short line without e-mail addresses."""
    plain = "".join(one if one.isprintable() else " " for one in text)
    return re.sub(r"\S+@\S+", "…", " ".join(plain.split()))[:200]
