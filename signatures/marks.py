"""Whether a mark added to a signed page hides what was signed there.

A second signature may bring a visible mark. One that lies over words or pictures changes what
the first signatory is seen to have signed ("sneaky signature", Rohlmann et al., 2021).
"""

import ctypes
from collections import Counter
from contextlib import closing

import pypdfium2
import pypdfium2.raw as pdfium

Box = tuple[float, float, float, float]

_MAX_PIXELS = 4_000_000
# A line to sign on takes one row in sixty; letters in outline take more.
_INK = 0.03
_CONTRAST = 48


def covers(data: bytes, *, page: int, box: Box) -> bool:
    """Whether `box` (left, bottom, right, top) on that page of `data` holds text or drawing.

    A page that cannot be rendered counts as covered.
    """
    try:
        with closing(pypdfium2.PdfDocument(data)) as document, closing(document[page]) as found:
            return _has_words(found, box) or _has_ink(found, box)
    except (pypdfium2.PdfiumError, IndexError, ValueError, OverflowError):
        return True


def _has_words(page: pypdfium2.PdfPage, box: Box) -> bool:
    with closing(page.get_textpage()) as words:
        text = words.get_text_bounded(*box)
    return any(letter.isalnum() for letter in text)


def _has_ink(page: pypdfium2.PdfPage, box: Box) -> bool:
    width, height = page.get_size()
    scale = min(1.0, (_MAX_PIXELS / max(1.0, width * height)) ** 0.5)
    with closing(page.render(scale=scale, grayscale=True)) as bitmap:
        left, top, right, bottom = _on_device(page, bitmap, box)
        pixels = bytes(bitmap.buffer)
        seen: Counter[int] = Counter()
        for row in range(top, bottom):
            seen.update(pixels[row * bitmap.stride + left : row * bitmap.stride + right])
    if not seen:
        return False
    paper, _ = seen.most_common(1)[0]
    ink = sum(count for shade, count in seen.items() if abs(shade - paper) > _CONTRAST)
    return ink > _INK * seen.total()


def _on_device(
    page: pypdfium2.PdfPage, bitmap: pypdfium2.PdfBitmap, box: Box
) -> tuple[int, int, int, int]:
    corners = []
    for x, y in ((box[0], box[1]), (box[2], box[3])):
        at_x, at_y = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(
            page, 0, 0, bitmap.width, bitmap.height, 0, x, y, ctypes.byref(at_x), ctypes.byref(at_y)
        )
        corners.append((at_x.value, at_y.value))
    (x1, y1), (x2, y2) = corners
    return (
        max(0, min(x1, x2)),
        max(0, min(y1, y2)),
        min(bitmap.width, max(x1, x2)),
        min(bitmap.height, max(y1, y2)),
    )
