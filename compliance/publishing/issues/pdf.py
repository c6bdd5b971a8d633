"""Pictures of a PDF, page by page: whole, masked, cropped by the layout, cut into strips.

A JPEG is taken out as it lies in the file, so that its metadata comes along, unless the page shows
it otherwise (a soft mask, a colour map). PDF 32000-1, 8.9 and 8.10.
"""

import io
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, UnidentifiedImageError
from pypdfium2 import PdfBitmap, PdfImage, PdfMatrix, PdfPage

from compliance.publishing.issues.clips import Rect, intersection, share, unclip, visible
from compliance.publishing.issues.model import DECORATION, MOST_PIXELS, Taken
from compliance.publishing.issues.strips import strips
from core.sandbox import HostileInput

_THUMB = 96
_FAR = 24.0
"""Mean difference of grey levels from which a JPEG alone is not what the page shows."""
_MASKED = 0.01
_CROPPED = 0.98
_DRAWN_PATHS = 40
"""From so many filled or stroked paths on, a page without pictures is a drawing, not a text."""
_STRIP_DPI = 200
_STRIP_SIDE = 2400
_PASSWORD_ERRORS = (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One picture object on a page."""

    image: PdfImage
    size: tuple[int, int]
    box: Rect
    """Left, bottom, right, top on the page, before clipping."""
    seen: Rect | None
    """What the clip and the page leave of it."""


def take_from_pdf(data: bytes, taken: Taken, *, after: int) -> None:
    """Take the pictures of the pages behind `after` until the answer is full."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as problem:
        raise _unreadable(problem) from problem
    with closing(document):
        taken.pages = len(document)
        for number in range(after + 1, taken.pages + 1):
            try:
                with closing(document[number - 1]) as page:
                    _take_page(page, number, taken)
            except pypdfium2.PdfiumError:
                taken.page_report.append({"page": number, "pictures": 0, "is_broken": True})
            if taken.is_full and number < taken.pages:
                taken.next = number
                return


def _take_page(page: PdfPage, number: int, taken: Taken) -> None:
    found, paths = _pieces(page, number, taken)
    groups = strips([piece.box for piece in found])
    within = {place for group in groups for place in group}
    count = 0
    for group in groups:
        count += _take_strips(page, number, [found[place] for place in group], taken)
    for place, piece in enumerate(found):
        if min(piece.size) < DECORATION * (2 if place in within else 1):
            reason = "part_of_strips" if place in within else "decoration"
            taken.ignore(reason, page=number, width=piece.size[0], height=piece.size[1])
        elif piece.seen is None:
            taken.ignore("not_shown", page=number, width=piece.size[0], height=piece.size[1])
        else:
            count += _take_piece(page, number, piece, taken)
    report = {"page": number, "pictures": count, "objects": len(found)}
    if not found and paths >= _DRAWN_PATHS:
        report["is_vector_only"] = True
    taken.page_report.append(report)


def _pieces(page: PdfPage, number: int, taken: Taken) -> tuple[list[Piece], int]:
    """The picture objects of a page, those inside forms too, and how many paths it draws."""
    frame: Rect = page.get_bbox()
    found, paths = [], 0
    for item in page.get_objects():
        if item.type == pdfium.FPDF_PAGEOBJ_PATH:
            paths += 1
        if not isinstance(item, PdfImage):
            continue
        try:
            size = item.get_px_size()
            box, seen = visible(item, frame)
        except pypdfium2.PdfiumError:
            taken.ignore("unreadable", page=number)
            continue
        found.append(Piece(item, size, box, seen))
    return found, paths


def _take_piece(page: PdfPage, number: int, piece: Piece, taken: Taken) -> int:
    content = None
    if piece.size[0] * piece.size[1] <= MOST_PIXELS:
        content = _content(piece)
    if content is None:
        taken.ignore("unreadable", page=number, width=piece.size[0], height=piece.size[1])
        return 0
    data, kind, is_masked = content
    shown = share(piece.seen, piece.box)
    taken.add(
        data, kind, piece.size, page=number, box=_from_top(piece.seen or piece.box, page),
        shown=round(shown * 100), is_cropped=shown < _CROPPED, is_masked=is_masked,
    )  # fmt: skip
    return 1


def _take_strips(page: PdfPage, number: int, pieces: list[Piece], taken: Taken) -> int:
    """A picture that was cut into strips, as the page shows it."""
    seen = [piece.seen for piece in pieces if piece.seen is not None]
    if not seen:
        return 0
    box = (
        min(one[0] for one in seen), min(one[1] for one in seen),
        max(one[2] for one in seen), max(one[3] for one in seen),
    )  # fmt: skip
    left, bottom, right, top = page.get_bbox()
    inside = intersection(box, (left, bottom, right, top))
    if inside is None:
        return 0
    longest = max(inside[2] - inside[0], inside[3] - inside[1], 1.0)
    scale = min(_STRIP_DPI / 72, _STRIP_SIDE / longest)
    margins = (inside[0] - left, inside[1] - bottom, right - inside[2], top - inside[3])
    drawn = page.render(scale=scale, crop=margins, may_draw_forms=False).to_pil().convert("RGB")
    if min(drawn.size) < DECORATION:
        taken.ignore("decoration", page=number, width=drawn.width, height=drawn.height)
        return 0
    taken.add(
        _png(drawn), "image/png", drawn.size, page=number, box=_from_top(inside, page), shown=100,
        is_cropped=False, is_masked=False, strips=len(pieces),
    )  # fmt: skip
    return 1


def _content(piece: Piece) -> tuple[bytes, str, bool] | None:
    """The picture's bytes, their media type, whether a mask hides a part; None if unreadable."""
    try:
        unclip(piece.image)
        thumb = _rendered(piece.image, _THUMB, _THUMB)
        is_masked = _hidden(thumb) > _MASKED
        jpeg = None if is_masked else _jpeg(piece.image, thumb)
        if jpeg is not None:
            return jpeg, "image/jpeg", False
        if is_masked:
            layered = _rendered(piece.image, *piece.size).convert("RGBA")
            white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
            return _png(Image.alpha_composite(white, layered).convert("RGB")), "image/png", True
        whole = piece.image.get_bitmap().to_pil().convert("RGB")
        return _png(whole), "image/png", False
    except (pypdfium2.PdfiumError, OSError, ValueError):
        return None


def _rendered(image: PdfImage, width: int, height: int) -> Any:
    """The picture upright with its mask, at this size."""
    before = image.get_matrix()
    image.set_matrix(PdfMatrix(width, 0, 0, height, 0, 0))
    try:
        raw = pdfium.FPDFImageObj_GetRenderedBitmap(image.pdf, image.page, image)
    finally:
        image.set_matrix(before)
    if not raw:
        raise pypdfium2.PdfiumError("no picture was rendered")
    return PdfBitmap.from_raw(raw).to_pil()


def _hidden(thumb: Any) -> float:
    """The share of a picture that is not opaque."""
    if thumb.mode != "RGBA":
        return 0.0
    alpha = np.asarray(thumb.getchannel("A"))
    return float((alpha[2:-2, 2:-2] < 250).mean())


def _jpeg(image: PdfImage, thumb: Any) -> bytes | None:
    """The JPEG as it lies in the file, if decoding it alone gives what the page shows."""
    filters = image.get_filters()
    if not filters or filters[-1] != "DCTDecode":
        return None
    data = bytes(image.get_data(decode_simple=True))
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as opened:
            opened.draft("RGB", (_THUMB, _THUMB))
            alone = opened.convert("L").resize((_THUMB, _THUMB), Image.Resampling.BOX)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return None
    there = np.asarray(thumb.convert("L").resize((_THUMB, _THUMB)), np.float32)
    far = np.abs(np.asarray(alone, np.float32) - there)[2:-2, 2:-2].mean()
    return data if far < _FAR else None


def _png(image: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG", compress_level=3)
    return written.getvalue()


def _from_top(box: Rect, page: PdfPage) -> list[int]:
    """Left, top, width, height in points, counted from the page's top left."""
    left, _, _, top = page.get_bbox()
    return [round(box[0] - left), round(top - box[3]), round(box[2] - box[0]),
            round(box[3] - box[1])]  # fmt: skip


def _unreadable(problem: pypdfium2.PdfiumError) -> HostileInput:
    if getattr(problem, "err_code", None) in _PASSWORD_ERRORS:
        return HostileInput(
            "Файл PDF защищён паролем. Снимите защиту: изображения номера нужно проверить.",
            "The PDF has a password. Remove it: the pictures of the issue have to be checked.",
            code="pdf_encrypted",
        )
    return HostileInput(
        "Файл PDF повреждён. Сохраните номер заново и отправьте ещё раз.",
        "The PDF is broken. Save the issue again and send it once more.",
        code="broken_pdf",
        problem=str(problem)[:200],
    )
