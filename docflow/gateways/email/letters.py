"""The letter that carries a document (письмо с документом); pure, the same bytes for every try."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

_MESSAGE_ID = re.compile(r"<?c\.([0-9a-f-]{36})@")
_BREAKS = re.compile(r"[\r\n\t\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with the letter, byte for byte."""

    file_name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """What the letter says; `uid` is the consignment's id and stays over every try."""

    uid: uuid.UUID
    sender: str
    """The installation's own address, envelope and From."""
    to: str
    """One address, as `notify.relay.address_of` gives it."""
    organization: str
    """Who sends the document, in words."""
    title: str
    number: str
    day: str
    created_at: datetime
    due_on: str = ""
    link: str = ""
    """Where the document is read and acknowledged without an account; empty: no such way."""
    link_until: str = ""
    code: str = ""
    """For those who answer by telephone."""
    attachments: tuple[Attachment, ...] = ()


def message_id(uid: uuid.UUID, sender: str) -> str:
    """The Message-ID of a consignment: derived, so that a repeated try is the same message."""
    return f"<c.{uid}@{sender.rpartition('@')[2]}>"


def uid_in(text: str) -> uuid.UUID | None:
    """The consignment a Message-ID, or a text that quotes one, speaks of."""
    found = _MESSAGE_ID.search(text)
    return uuid_of(found.group(1)) if found else None


def uuid_of(text: str) -> uuid.UUID | None:
    """The id that `text` is."""
    try:
        return uuid.UUID(text.strip().strip("<>"))
    except ValueError:
        return None


def composed(letter: Letter) -> bytes:
    """The message as it goes to the relay; made again it has the same bytes."""
    made = EmailMessage(policy=SMTP)
    made["From"] = letter.sender
    made["To"] = letter.to
    made["Subject"] = _line(f"№ {letter.number} от {letter.day}: {letter.title}")[:200]
    made["Date"] = format_datetime(letter.created_at)
    made["Message-ID"] = message_id(letter.uid, letter.sender)
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no robot answers
    made["X-Auto-Response-Suppress"] = "All"
    made.set_content(_text(letter), cte="base64")
    for one in letter.attachments:
        kind, _, subtype = one.media_type.partition("/")
        made.add_attachment(
            one.data, maintype=kind or "application", subtype=subtype or "octet-stream",
            filename=_line(one.file_name),
        )  # fmt: skip
    if letter.attachments:
        made.set_boundary(f"=_{letter.uid.hex}")
    return made.as_bytes()


def _text(letter: Letter) -> str:
    due_ru = f"Срок: {letter.due_on}\n" if letter.due_on else ""
    due_en = f"Due: {letter.due_on}\n" if letter.due_on else ""
    link_ru = (
        f"\nПрочитать и отметить ознакомление (один раз, до {letter.link_until}):\n{letter.link}\n"
        if letter.link else ""
    )  # fmt: skip
    link_en = (
        f"\nRead and acknowledge (once, until {letter.link_until}):\n{letter.link}\n"
        if letter.link else ""
    )  # fmt: skip
    code_ru = f"Код для ответа по телефону: {letter.code}\n" if letter.code else ""
    code_en = f"Code for an answer by telephone: {letter.code}\n" if letter.code else ""
    files = "".join(f"  {_line(one.file_name)}\n" for one in letter.attachments)
    with_ru = f"\nПриложены:\n{files}" if files else ""
    with_en = f"\nAttached:\n{files}" if files else ""
    return (
        f"{_line(letter.organization)}\n№ {_line(letter.number)} от {letter.day}\n"
        f"{_line(letter.title)}\n{due_ru}{link_ru}{with_ru}{code_ru}"
        f"\n-- \n{_line(letter.organization)}\nNo. {_line(letter.number)} of {letter.day}\n"
        f"{due_en}{link_en}{with_en}{code_en}"
        "\nПисьмо отправлено программой, ответ на него никто не прочтёт.\n"
        "This letter was sent by a program; nobody reads an answer to it.\n"
    )


def _line(text: str) -> str:
    """One line: nothing in it can start a header or a paragraph of its own."""
    return " ".join(_BREAKS.sub(" ", text).split())
