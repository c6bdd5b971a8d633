"""A copy of a signed PDF with the marks of its signatures; runs in the sandbox, on any bytes.

ГОСТ Р 7.0.97: the mark stands where the handwritten signature would, is readable at natural size
and overlaps neither the text nor another mark. Where there is no such room, a sheet is added.
"""

import hashlib
import io
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from core.sandbox.errors import HostileInput
from docflow.documents.marks.drawing import NOTE_WIDTH, MarkFacts, drawn
from docflow.documents.marks.editions import Edition, Place, copy_words, edition_on
from docflow.documents.marks.room import Box, Room

_POINTS = 72 / 25.4
_A4 = (595.0, 842.0)
_DARK = 200
"""Shades of grey below which a pixel holds ink."""
_LARGEST = 3000
"""Points a side of a sheet in which free room is looked for; larger ones get a sheet added."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A drawn piece, ready to be laid anywhere any number of times."""

    graphic: Any
    width: float
    height: float
    ink: int
    """How many pixels it darkens where nothing hides it."""


@dataclass(frozen=True, slots=True)
class _Laid:
    page: int
    piece: _Piece
    box: Box


def marked_copy(data: bytes, *, marks: list[MarkFacts], day: date) -> bytes:
    """The PDF as a copy that says so, with a mark for each signature, after the edition of `day`.

    The copy holds the pages as they look and nothing else: no signatures, forms, scripts, files.
    Raises HostileInput (broken_pdf).
    """
    try:
        edition = edition_on(day)
        made, laid = _made(data, marks, edition, on_sheet=False)
        if _are_shown(made, laid):
            return made
        # A page may end inside a clipping path or a transformation that it never left.
        return _made(data, marks, edition, on_sheet=True)[0]
    except pypdfium2.PdfiumError as problem:
        raise HostileInput(
            "Копию сделать не удалось: файл PDF повреждён.",
            "No copy can be made: the PDF is damaged.",
            code="broken_pdf",
        ) from problem


def marked_bytes(data: bytes, *, marks: list[MarkFacts], day: str) -> bytes:
    """The door for worker processes: `marked_copy` with the day in ISO 8601."""
    return marked_copy(data, marks=marks, day=date.fromisoformat(day))


def _made(
    data: bytes, marks: list[MarkFacts], edition: Edition, *, on_sheet: bool
) -> tuple[bytes, list[_Laid]]:
    with (
        closing(pypdfium2.PdfDocument(data)) as source,
        closing(pypdfium2.PdfDocument.new()) as copy,
    ):
        _flatten(source)
        copy.import_pages(source)
        if not len(copy):
            raise pypdfium2.PdfiumError("no pages")
        _drop_annotations(copy)
        pieces = drawn(
            marks, edition=edition, sha256=hashlib.sha256(data).hexdigest(),
            note_width=_note_width(copy[len(copy) - 1]),
        )  # fmt: skip
        with closing(pypdfium2.PdfDocument(pieces)) as graphics:
            ready = [_piece(graphics, n, copy) for n in range(len(graphics))]
            laid = _lay(copy, ready, marks, edition.place, on_sheet=on_sheet)
        written = io.BytesIO()
        copy.save(written)
        return written.getvalue(), laid


def _are_shown(made: bytes, laid: list[_Laid]) -> bool:
    """Whether each piece is to be seen in the file as a reader will open it."""
    with closing(pypdfium2.PdfDocument(made)) as copy:
        pictures = {one.page: _grey(copy[one.page]) for one in laid}
    return all(
        int((_cut(pictures[one.page], one.box) < _DARK).sum()) >= one.piece.ink * 0.7
        for one in laid
    )


def _note_width(page: pypdfium2.PdfPage) -> float:
    across = float(page.get_width())
    return max(60.0, min(float(NOTE_WIDTH), across / _POINTS - 24))


def _flatten(source: pypdfium2.PdfDocument) -> None:
    """Make what annotations and filled fields show a part of the pages."""
    source.init_forms()
    for page in source:
        if pdfium.FPDFPage_GetAnnotCount(page):
            page.flatten()
        page.close()


def _drop_annotations(copy: pypdfium2.PdfDocument) -> None:
    """What showed nothing, signature fields above all, must not look like a signature."""
    for page in copy:
        for number in reversed(range(pdfium.FPDFPage_GetAnnotCount(page))):
            pdfium.FPDFPage_RemoveAnnot(page, number)
        page.close()


def _piece(graphics: pypdfium2.PdfDocument, number: int, copy: pypdfium2.PdfDocument) -> _Piece:
    width, height = graphics.get_page_size(number)
    with closing(graphics[number]) as page:
        ink = int((_grey(page) < _DARK).sum())
    return _Piece(graphics.page_as_xobject(number, copy), width, height, ink)


def _lay(
    copy: pypdfium2.PdfDocument,
    pieces: list[_Piece],
    marks: list[MarkFacts],
    place: Place,
    *,
    on_sheet: bool,
) -> list[_Laid]:
    *stamps, note, label, heading = pieces
    page = copy[len(copy) - 1]
    room = None if on_sheet else _room_on(page, place)
    boxes = _boxes(page, room, stamps, note, marks, place) if room else None
    shown = [*stamps, note]
    if boxes is None:
        page = _added_sheet(copy, page)
        boxes = _stacked(page, stamps, note, heading, place)
        shown = [heading, *stamps, note]
    laid = [_Laid(len(copy) - 1, *pair) for pair in zip(shown, boxes, strict=True)]
    # of a single page the marks have taken their part
    head = room if len(copy) == 1 else _room_on(copy[0], place)
    box = None if on_sheet or head is None else _head_of(head, label)
    if box is not None:
        laid.append(_Laid(0, label, box))
    for number in {one.page for one in laid}:
        page = copy[number]
        for one in laid:
            if one.page == number:
                _put(page, one.piece, one.box)
        page.gen_content()
    return laid


def _cut(picture: Any, box: Box) -> Any:
    """The part of a picture under a box, one pixel more on each side."""
    return picture[
        max(0, int(box.y) - 1) : int(box.y + box.height) + 2,
        max(0, int(box.x) - 1) : int(box.x + box.width) + 2,
    ]


def _grey(page: pypdfium2.PdfPage) -> Any:
    """The page at one pixel a point, in shades of grey."""
    picture = np.array(page.render(scale=1, grayscale=True).to_numpy())
    return picture.reshape(picture.shape[0], picture.shape[1], -1)[:, :, 0]


def _room_on(page: pypdfium2.PdfPage, place: Place) -> Room | None:
    width, height = page.get_size()
    if not (72 < width < _LARGEST and 72 < height < _LARGEST):
        return None
    return Room(_grey(page), edge=place.edge * _POINTS, gap=place.gap * _POINTS)


def _boxes(
    page: pypdfium2.PdfPage,
    room: Room,
    stamps: list[_Piece],
    note: _Piece,
    marks: list[MarkFacts],
    place: Place,
) -> list[Box] | None:
    """Places for every mark near its signature and for the note at the foot; all or none."""
    found: list[Box] = []
    foot = room.nearest(
        note.width, note.height, to=(room.width / 2, room.height - 1), reach=room.height / 4
    )
    if foot is None:
        return None
    room.take(foot)
    for piece, mark in zip(stamps, marks, strict=True):
        at = _signature_of(page, mark.owner)
        if at is None and found:
            at = _below(found[-1], piece, place)
        at = at or _under_text(room, foot, piece)
        box = room.nearest(piece.width, piece.height, to=at, reach=place.reach * _POINTS)
        if box is None:
            return None
        room.take(box)
        found.append(box)
    return [*found, foot]


def _below(box: Box, piece: _Piece, place: Place) -> tuple[float, float]:
    """Right under the mark before, for a signer whom the page does not name."""
    return (
        box.x + piece.width / 2,
        box.y + box.height + 2 * place.gap * _POINTS + piece.height / 2,
    )


def _under_text(room: Room, foot: Box, piece: _Piece) -> tuple[float, float]:
    """Where a signature would come: on the left, under the last line above the foot."""
    width, height = room.width, room.height
    text = room.extent_above(foot.y)
    if text is None:
        return width / 2, height / 3
    return text.x + piece.width / 2, text.y + text.height + piece.height / 2


def _signature_of(page: pypdfium2.PdfPage, owner: str) -> tuple[float, float] | None:
    """The place left of the owner's surname where it last stands on the page."""
    surname = owner.split()[0] if owner.split() else ""
    if len(surname) < 3:
        return None
    with closing(page.get_textpage()) as text:
        search = text.search(surname, match_case=False, match_whole_word=True)
        whole = text.get_text_range()
        last = None
        while (hit := search.get_next()) is not None:
            if not _is_executor(whole, hit[0]):
                last = hit
        search.close()
        if last is None:
            return None
        boxes = [text.get_charbox(last[0] + step) for step in range(last[1])]
    points = [_shown(page, x, y) for left, low, right, high in boxes
              for x, y in ((left, low), (right, high))]  # fmt: skip
    left = min(x for x, _ in points)
    middle = (min(y for _, y in points) + max(y for _, y in points)) / 2
    return left - 110, middle


def _is_executor(text: str, at: int) -> bool:
    """Whether the line around a character names who drew the letter up."""
    line = text[text.rfind("\n", 0, at) + 1 : at].strip().lower()
    return line.startswith(copy_words().executor)


def _stacked(
    page: pypdfium2.PdfPage,
    stamps: list[_Piece],
    note: _Piece,
    heading: _Piece,
    place: Place,
) -> list[Box]:
    """On an empty sheet: the heading, the marks in columns below it, the note at the foot."""
    width, height = page.get_size()
    gap, edge = 2 * place.gap * _POINTS, 20 * _POINTS
    boxes = [Box((width - heading.width) / 2, edge, heading.width, heading.height)]
    foot = Box(
        (width - note.width) / 2, height - place.edge * _POINTS - note.height,
        note.width, note.height,
    )  # fmt: skip
    top = edge + heading.height + 2 * gap
    x, y = edge, top
    for piece in stamps:
        if y + piece.height > foot.y - gap:
            x, y = x + piece.width + gap, top
        boxes.append(Box(x, y, piece.width, piece.height))
        y += piece.height + gap
    return [*boxes, foot]


def _added_sheet(copy: pypdfium2.PdfDocument, last: pypdfium2.PdfPage) -> pypdfium2.PdfPage:
    width, height = last.get_size()
    if not (_A4[0] - 5 <= min(width, height) and max(width, height) < _LARGEST):
        width, height = _A4
    return copy.new_page(width, height)


def _head_of(room: Room, label: _Piece) -> Box | None:
    """Where «Копия …» goes at the head of the first page, if there is room for it."""
    box = room.nearest(label.width, label.height, to=(room.width, 0), reach=room.width / 2)
    return box if box is not None and box.y < room.height / 6 else None


def _put(page: pypdfium2.PdfPage, piece: _Piece, box: Box) -> None:
    placed = piece.graphic.as_pageobject()
    placed.set_matrix(_matrix(page, box))
    page.insert_obj(placed)


def _bounds(page: pypdfium2.PdfPage) -> tuple[float, float, float, float]:
    """Left, low, right, high of what is shown, in the page's own coordinates."""
    rectangle = pdfium.FS_RECTF()
    pdfium.FPDF_GetPageBoundingBox(page, rectangle)
    return (
        float(rectangle.left), float(rectangle.bottom), float(rectangle.right),
        float(rectangle.top),
    )  # fmt: skip


def _matrix(page: pypdfium2.PdfPage, box: Box) -> pypdfium2.PdfMatrix:
    """Upright as the page is shown, whatever its rotation and crop box (ISO 32000-2, 8.3.2.3)."""
    left, low, right, high = _bounds(page)
    across, up = box.x, page.get_height() - box.y - box.height
    turned = {
        0: (1, 0, 0, 1, left + across, low + up),
        90: (0, 1, -1, 0, right - up, low + across),
        180: (-1, 0, 0, -1, right - across, high - up),
        270: (0, -1, 1, 0, left + up, high - across),
    }
    return pypdfium2.PdfMatrix(*turned[page.get_rotation()])


def _shown(page: pypdfium2.PdfPage, x: float, y: float) -> tuple[float, float]:
    """A point of the page's coordinates as it is shown, from the upper left corner."""
    left, low, right, high = _bounds(page)
    turned = {
        0: (x - left, high - y),
        90: (y - low, x - left),
        180: (right - x, y - low),
        270: (high - y, right - x),
    }
    return turned[page.get_rotation()]
