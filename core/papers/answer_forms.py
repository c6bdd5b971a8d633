"""What sheets to answer by, and lists to telephone by, need to be told."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerSheet:
    """One sheet for one recipient and one document."""

    recipient: str
    recipient_code: str
    title: str
    number: str
    date: str
    code: str
    """As people read it: «482 1930 5763»."""
    qr: str
    """The drawing as SVG."""
    link: str
    address: str = ""
    due: str = ""
    mark: str = ""
    pages: str = ""
    """«на 3 л.», when it is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerSheets:
    """Sheets that go with paper copies, one a page (сопроводительные листы с кодом)."""

    organization: str
    made_at: str
    sheets: tuple[AnswerSheet, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call to make."""

    recipient: str
    recipient_code: str
    phone: str
    person: str
    """Whom to ask for."""
    number: str
    title: str
    code: str
    local_time: str = ""
    """The difference to Moscow, such as «МСК+5»."""
    due: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallList:
    """Who is told by telephone (лист обзвона)."""

    organization: str
    made_at: str
    calls: tuple[Call, ...]
