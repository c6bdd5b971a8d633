"""Scanned licences, contracts and stock invoices: what they seem to say, and where on the page.

Pages are drawn in the sandbox and read by tesseract outside it. What comes out are proposals for a
person to confirm, never terms by themselves.
"""

import asyncio
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from compliance.reading import ocr
from compliance.reading.recognition import table
from compliance.registers import licences, register
from compliance.registers.licences import Terms
from compliance.registers.register import MAX_DOCUMENT
from compliance.verdicts.attribution import read_public
from core import sandbox
from core.actor import Actor
from core.errors import InvalidInput, Unavailable
from storage import media_type

MAX_PAGES = 8
_WIDTH = 1900
_SECONDS = 40.0
_LEAST_CONFIDENCE = 30.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of print: its words, page (from 1), box in pixels of the page, confidence."""

    text: str
    page: int
    box: tuple[int, int, int, int]
    confidence: float


async def add_scanned(
    actor: Actor, picture_id: uuid.UUID, *, document: bytes, key: str | None = None
) -> tuple[uuid.UUID, list[dict[str, Any]]]:
    """Enter a licence from its scan (PDF or picture); answers its id and what was read.

    Holder, number, works, terms and dates are proposed with their places; the licence is filled
    with them and counts for nothing until another person has confirmed the terms. Raises
    `scan_unreadable` when no line could be read, `ocr_unavailable` without the reader.
    """
    actor.require("editor", "lawyer")
    await register.own_picture(actor, picture_id, lock=False)
    found = proposals(await read(document))
    if not found:
        raise InvalidInput(
            "На скане не найдено условий лицензии. Проверьте скан или внесите условия вручную.",
            "No terms of a licence were found on the scan. Check it or enter the terms by hand.",
            code="scan_unreadable",
        )
    licence_id = await licences.add(
        actor, picture_id, terms=terms_of(found), document=document, proposals=found, key=key
    )
    return licence_id, found


async def read(document: bytes) -> list[Line]:
    """The lines of print of a document, page by page; raises as the drawing of pages does."""
    if ocr.engine() is None:
        raise Unavailable(
            "Распознавание текста не установлено. Внесите условия вручную.",
            "Recognition of text is not installed. Enter the terms by hand.",
            code="ocr_unavailable",
        )
    kind = media_type.detect(document[: media_type.HEAD_SIZE])
    if kind not in register.DOCUMENTS or len(document) > MAX_DOCUMENT:
        raise InvalidInput(
            "Скан принимается как PDF, JPEG, PNG или TIFF до 20 МБ.",
            "A scan is taken as PDF, JPEG, PNG or TIFF of at most 20 MB.",
            code="scan_type", media_type=kind,
        )  # fmt: skip
    lines: list[Line] = []
    for number in range(1, MAX_PAGES + 1):
        page = await _page(document, kind, number)
        if page is None:
            break
        lines += await _lines(page, number)
    return lines


def drawn(document: bytes) -> bytes:
    """A picture of a page as PNG of our own making; runs in the sandbox."""
    import cv2  # noqa: PLC0415 - the service's own process needs no decoder

    from compliance.pictures import decode, fitted  # noqa: PLC0415 - as above

    rgb = fitted(decode(document, shortest=_WIDTH).rgb, 3 * _WIDTH // 2)
    done, png = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    assert done  # noqa: S101 - encoding a picture made here cannot fail
    return bytes(png)


async def _page(document: bytes, kind: str, number: int) -> bytes | None:
    if kind == "application/pdf":
        page: bytes | None = await sandbox.pool().run(
            "core.sandbox.page_images:draw", document, page=number, width=_WIDTH
        )
        return page
    if number > 1:
        return None
    found: bytes = await sandbox.pool().run(drawn, document)
    return found


async def _lines(page: bytes, number: int) -> list[Line]:
    folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="docflow-scan-")
    try:
        path = Path(folder, "page.png")
        await asyncio.to_thread(path.write_bytes, page)
        found = await table(path, languages="rus+eng", page_mode=4, seconds=_SECONDS)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return list(_grouped(found, number))


def _grouped(table: str, page: int) -> Iterator[Line]:
    """Tesseract's words as lines, in the order of the page."""
    rows: dict[tuple[str, ...], list[list[str]]] = {}
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) >= 12 and cells[0] == "5" and cells[11].strip():
            rows.setdefault(tuple(cells[1:5]), []).append(cells)
    for some in rows.values():
        left, top = (min(int(one[at]) for one in some) for at in (6, 7))
        right = max(int(one[6]) + int(one[8]) for one in some)
        bottom = max(int(one[7]) + int(one[9]) for one in some)
        sure = sum(float(one[10]) for one in some) / len(some)
        if sure >= _LEAST_CONFIDENCE:
            text = " ".join(one[11].strip() for one in some)
            yield Line(text, page, (left, top, right, bottom), round(sure, 1))


_DAY = (
    r"(\d{1,2}[./]\d{1,2}[./]\d{4}|\d{4}-\d{2}-\d{2}"
    r"|[«\"]?\d{1,2}[»\"]?\s+[а-яё]+\s+\d{4}|\d{1,2}\s+[A-Za-z]+\s+\d{4})"
)
_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (field, re.compile(pattern, re.IGNORECASE))
    for field, pattern in (
        ("holder", r"(?:лицензиар|правообладатель|автор|фотограф|исполнитель|продавец|поставщик"
                   r"|licensor|seller|copyright\s+holder|photographer)\s*[:\-–—]\s*(.{2,200})"),
        ("number", r"(?:договор|лицензи[яи]|сч[её]т|контракт|заказ|licen[cs]e|invoice|order"
                   r"|contract|agreement)(?:[-\w ]{0,30}?)\s*(?:№|N[oº°]?\.?|#|ID:?|number:?)\s*"
                   r"([\w][\w/.\-]{0,60})"),
        ("work", r"(?:image|asset|photo|file|item|изображени[ея]|файл|фото)\s*"
                 r"(?:ID|№|#|N[oº°]\.?)\s*:?\s*([\w\-]{3,60})"),
        ("work", r"(?:произведени[ея]|изображени[ея]|фотографи[яию]|work|title)\s*:?\s*"
                 r"[«\"“]([^»\"”]{2,200})[»\"”]"),
        ("since", r"\b(?:с|from|начало\s+действия:?|start(?:s|\s+date)?:?|since:?)\s+" + _DAY),
        ("until", r"\b(?:по|до|until|till|to|expires?:?|valid\s+until:?|окончание:?"
                  r"|срок\s+действия:?(?:\s+до)?)\s+" + _DAY),
        ("dated", r"\b(?:от|date:?|дата:?)\s+" + _DAY),
        ("territory", r"(?:территори[яи]|territory)\s*[:\-–—]\s*(.{2,100})"),
        ("attribution", r"(?:указание\s+авторства|подпись|credit\s+line|attribution)\s*[:\-–—]\s*"
                        r"(.{2,200})"),
        ("seats", r"(?:рабочих\s+мест|пользователей|seats|users)\s*[:\-–—]\s*(\d{1,5})"),
        ("no_changes", r"(без\s+права\s+(?:переработки|изменени[яй])|переработка\s+запрещена"
                       r"|no\s+derivatives|no\s+modifications?)"),
        ("no_commercial", r"(некоммерческ\w+|non-?commercial|editorial\s+use\s+only"
                          r"|только\s+редакционн\w+)"),
        ("public", r"\b(CC0(?:\s+1\.0)?|CC[\s-]BY(?:[\s-](?:SA|ND|NC(?:[\s-](?:SA|ND))?))?"
                   r"\s+\d\.\d)"),
    )
)  # fmt: skip
_CHANNELS = {
    "site": r"\bсайт\w*|интернет|website|web\b", "newspaper": r"газет\w*|newspaper",
    "social": r"социальн\w+\s+сет\w+|social\s+media", "print": r"печат\w+|полиграф\w+|\bprint\b",
    "messenger": r"мессенджер\w*|messenger", "presentation": r"презентаци\w+|presentation",
}  # fmt: skip
_MONTHS = (
    "январ", "феврал", "март", "апрел", "ма", "июн", "июл", "август", "сентябр", "октябр", "ноябр",
    "декабр",
)  # fmt: skip
_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATES = frozenset({"since", "until", "dated"})


def proposals(lines: list[Line]) -> list[dict[str, Any]]:
    """What the lines say of a licence: field, value, the line, its page and box; best line first.

    Dates come as ISO, everything else as written. One value a field and place.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in lines:
        for field, pattern in _RULES:
            for match in pattern.finditer(line.text):
                value = _value(field, match[1])
                if value:
                    found.setdefault((field, value), _told(field, value, line))
        if re.search(r"использован\w+|способ|размещени\w+|use|channel", line.text, re.IGNORECASE):
            for channel, pattern_text in _CHANNELS.items():
                if re.search(pattern_text, line.text, re.IGNORECASE):
                    found.setdefault(("channel", channel), _told("channel", channel, line))
    return list(found.values())


def terms_of(found: list[dict[str, Any]]) -> Terms:
    """Terms filled with the first proposal of each field; what was not found stays empty."""
    first: dict[str, str] = {}
    for one in found:
        first.setdefault(one["field"], one["value"])
    public = first.get("public")
    if public and read_public(public) is not None:
        return Terms("public", public=public, attribution=first.get("attribution", ""))
    since, until = _iso(first.get("since")), _iso(first.get("until"))
    if since and until and since > until:
        since = until = None
    channels = tuple(one["value"] for one in found if one["field"] == "channel")
    seats = first.get("seats")
    return Terms(
        "stock" if _is_stock(found) else "contract",
        holder=first.get("holder", "не распознан")[:500], number=first.get("number", "")[:500],
        channels=channels, since=since, until=until, attribution=first.get("attribution", ""),
        max_seats=int(seats) if seats and int(seats) > 0 else None,
        allows_changes="no_changes" not in first, allows_commercial="no_commercial" not in first,
    )  # fmt: skip


def _is_stock(found: list[dict[str, Any]]) -> bool:
    words = " ".join(one["text"] for one in found).lower()
    return any(one in words for one in ("stock", "invoice", "фотобанк", "image id", "asset id"))


def _told(field: str, value: str, line: Line) -> dict[str, Any]:
    return {
        "field": field, "value": value, "text": line.text[:500], "page": line.page,
        "box": list(line.box), "confidence": line.confidence,
    }  # fmt: skip


def _value(field: str, text: str) -> str:
    if field in _DATES:
        day = _day(text)
        return "" if day is None else day.isoformat()
    return " ".join(text.split()).strip(" .,;:")[:200]


def _iso(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _day(text: str) -> date | None:
    """A date as contracts write it: 01.02.2026, 2026-02-01, «1» февраля 2026, 1 February 2026."""
    try:
        if match := re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./](\d{4})", text):
            return date(int(match[3]), int(match[2]), int(match[1]))
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
        if match := re.fullmatch(r"[«\"]?(\d{1,2})[»\"]?\s+(\w+)\s+(\d{4})", text):
            month = _month(match[2].lower())
            return date(int(match[3]), month, int(match[1])) if month else None
    except ValueError:
        return None
    return None


def _month(name: str) -> int:
    starts = [at for at, one in enumerate(_MONTHS, start=1) if name.startswith(one)]
    starts += [at for at, one in enumerate(_ENGLISH, start=1) if name.startswith(one)]
    return starts[0] if starts else 0
