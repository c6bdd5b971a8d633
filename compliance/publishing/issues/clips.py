"""Where a picture object stands on its page, and what the clip path leaves of it."""

import ctypes

import pypdfium2.raw as pdfium
from pypdfium2 import PdfImage, PdfObject

Rect = tuple[float, float, float, float]
"""Left, bottom, right, top in points."""
Matrix = tuple[float, float, float, float, float, float]

_WIDEST = 1e6


def visible(image: PdfImage, frame: Rect) -> tuple[Rect, Rect | None]:
    """The box of a picture on the page and the part of it that its clip and `frame` leave.

    Clips are taken as their bounding boxes: a round frame counts as the square around it.
    """
    place = _outwards(image)
    box = _moved(image.get_bounds(), place)
    seen = intersection(box, frame)
    holder: PdfObject | None = image
    while holder is not None and seen is not None:
        around = None if holder.container is None else _outwards(holder)
        clip = _clip(holder)
        if clip is not None:
            seen = intersection(seen, clip if around is None else _moved(clip, around))
        holder = holder.container
    return box, seen


def unclip(image: PdfImage) -> None:
    """Widen the picture's clip paths around the origin until they clip nothing near it.

    PDFium applies them even when it renders the picture alone. The page shows it whole after this,
    so it is the last thing done to it.
    """
    box = _clip(image)
    if box is None:
        return
    wide, high = max(box[2] - box[0], 1e-3), max(box[3] - box[1], 1e-3)
    across, up = 2 * _WIDEST / wide, 2 * _WIDEST / high
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    pdfium.FPDFPageObj_TransformClipPath(
        image, across, 0, 0, up, -across * middle[0], -up * middle[1]
    )


def intersection(one: Rect, other: Rect) -> Rect | None:
    """What two boxes share, None for nothing."""
    found = (
        max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3]),
    )  # fmt: skip
    return found if found[2] > found[0] and found[3] > found[1] else None


def share(part: Rect | None, whole: Rect) -> float:
    """How much of the whole box the part is, 0 to 1."""
    if part is None:
        return 0.0
    area = (whole[2] - whole[0]) * (whole[3] - whole[1])
    return min((part[2] - part[0]) * (part[3] - part[1]) / area, 1.0) if area > 0 else 0.0


def _outwards(item: PdfObject) -> list[Matrix]:
    """The matrices of the forms around an object, the nearest first."""
    found, holder = [], item.container
    while holder is not None:
        matrix = holder.get_matrix()
        found.append((matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f))
        holder = holder.container
    return found


def _moved(box: Rect, matrices: list[Matrix]) -> Rect:
    for a, b, c, d, e, f in matrices:
        corners = [
            (a * x + c * y + e, b * x + d * y + f)
            for x in (box[0], box[2])
            for y in (box[1], box[3])
        ]
        box = (
            min(x for x, _ in corners), min(y for _, y in corners),
            max(x for x, _ in corners), max(y for _, y in corners),
        )  # fmt: skip
    return box


def _clip(item: PdfObject) -> Rect | None:
    """The box that all clip paths of an object share; None when nothing clips it."""
    clip = pdfium.FPDFPageObj_GetClipPath(item)
    if not clip:
        return None
    found: Rect | None = None
    for number in range(max(pdfium.FPDFClipPath_CountPaths(clip), 0)):
        box = _path_box(clip, number)
        if box is not None:
            found = box if found is None else (intersection(found, box) or (0, 0, 0, 0))
    return found


def _path_box(clip: object, number: int) -> Rect | None:
    xs, ys = [], []
    x, y = ctypes.c_float(), ctypes.c_float()
    for part in range(max(pdfium.FPDFClipPath_CountPathSegments(clip, number), 0)):
        segment = pdfium.FPDFClipPath_GetPathSegment(clip, number, part)
        if segment and pdfium.FPDFPathSegment_GetPoint(segment, x, y):
            xs.append(x.value)
            ys.append(y.value)
    if not xs or max(map(abs, (*xs, *ys))) > _WIDEST:
        return None
    return min(xs), min(ys), max(xs), max(ys)
