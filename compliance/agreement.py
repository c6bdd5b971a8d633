"""Do two aligned pictures agree point by point: the test that inliers alone cannot give.

Another view of a scene and another poster of the same series share hundreds of features. A copy
shares the pixels: laid over each other, its neighbourhoods rise and fall together (normalized
cross-correlation), but for what was put on top, which is writing or flat colour.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from compliance.pictures import Pixels

SIDE = 320
"""The longest side of the reference in the frame of comparison: coarse enough to forgive JPEG."""
FINE_SIDE = 512
"""The same where movement is looked for: a second view may differ by a pixel or two."""
LEAST_COMPARED = 0.015
LEAST_AGREEING = 0.80
FIRM = 0.95
MOST_CONFLICTING = 0.10
MOST_MOVED = 0.22
MOST_MOVED_CLEAN = 0.06
"""Nothing on top disturbs the flow where so much agrees closely (`LEAST_GRAPHIC`)."""
LEAST_VISIBLE = 0.5
LEAST_CLEAN = 0.3
LITTLE_CONFLICT = 0.03
LEAST_GRAPHIC = 0.9
LITTLE_PHOTOGRAPH = 0.05
_WINDOW = 15
_TEXTURE = 5.0
_AGREES = 0.55
_AGREES_CLOSELY = 0.85
_DIFFERS = 0.35
_FLAT = 0.4
_LETTERED = 2.0
_STEP = 1.0
_GAIN = 0.05
_DETAIL = 0.5
_BANDS = 8
_BAND = (6, 16)
_WIDE = 41
_SOFTENED = (0.8, 1.4, 2.2, 3.0)
"""Pixels of the fine frame, one instead of the other."""

Matrix = npt.NDArray[np.float64]
Maps = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Shares of what was compared; all between 0 and 1.

    Neighbourhoods of the reference with something in them are compared, except those that the
    asked picture covers with writing, a watermark's letters or flat colour.
    """

    agreeing: float
    """Of the compared, those that rise and fall together."""
    conflicting: float
    """Of the compared, those that show something else."""
    inner: float
    """The same within the rectangle that holds what agrees: not cut off, but something else."""
    moved: float
    """Of the compared, those that show the same thing a few pixels away: another view."""
    whole: float
    """The same as `agreeing` with the covered ones counted as well."""
    strict: float
    """Of all, those that agree closely: lines of another text agree too, but loosely."""
    photograph: float
    """Of the reference's neighbourhoods with continuous tone, those that agree."""
    photographic: float
    """How much of the reference's neighbourhoods has continuous tone."""
    covered: float
    """How much of the reference lies within the asked picture."""
    compared: float
    """How much of that was compared."""


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """Both pictures laid over each other; `paper` sides are sampled unsmoothed for their shades."""

    there: Pixels
    here: Pixels
    there_paper: Mask
    here_paper: Mask
    inside: Mask


def is_copy(found: Agreement) -> bool:
    """Does the asked picture show these very pixels?

    Refused: other scenes, other views (what agrees is shifted, what does not is inside), and
    what shares only the layout (the photograph itself is another one).
    """
    if found.compared < LEAST_COMPARED or found.agreeing < LEAST_AGREEING:
        return False
    if found.inner > MOST_CONFLICTING:
        return False
    if found.photographic < LITTLE_PHOTOGRAPH:
        return found.strict >= LEAST_GRAPHIC
    if found.moved > (MOST_MOVED_CLEAN if found.strict >= LEAST_GRAPHIC else MOST_MOVED):
        return False
    is_clean = found.agreeing >= FIRM and found.inner <= LITTLE_CONFLICT
    return found.photograph >= (LEAST_CLEAN if is_clean else LEAST_VISIBLE)


def agreement(
    query: Pixels, reference: Pixels, matrix: Matrix, *, enlarged: float = 1.0, soft: float = 0.0
) -> Agreement:
    """Compare two grey pictures; `matrix` (2 × 3) maps pixels of the reference to the query's.

    `enlarged` says how many times the query was made larger than its file, which limits what its
    details can tell; `soft` blurs both by so many pixels of the frame before they are compared.
    """
    frame = _laid_over(query, reference, matrix, side=SIDE)
    if soft:
        there, here = (
            np.asarray(cv2.GaussianBlur(side, (0, 0), soft), np.uint8)
            for side in (frame.there, frame.here)
        )
        frame = replace(frame, there=there, here=here)
    zoom = FINE_SIDE / max(reference.shape)
    detail = float(np.sqrt(abs(np.linalg.det(matrix[:, :2])))) / zoom / enlarged
    moved = 0.0
    if detail > _DETAIL and not soft:
        moved = _moved(_equally_sharp(_laid_over(query, reference, matrix, side=FINE_SIDE)))
    return _measured(frame, moved=moved)


def _laid_over(query: Pixels, reference: Pixels, matrix: Matrix, *, side: int) -> _Frame:
    height, width = reference.shape
    zoom = side / max(width, height)
    size = (max(_WINDOW, round(width * zoom)), max(_WINDOW, round(height * zoom)))
    there = np.asarray(cv2.resize(reference, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    flat = cv2.resize(reference, size, interpolation=cv2.INTER_NEAREST)
    to_query = np.vstack([matrix, [0, 0, 1]]) @ _resized(1 / zoom)
    scale = float(np.sqrt(abs(np.linalg.det(to_query[:2, :2]))))
    crisp = cv2.warpAffine(
        query, to_query[:2], size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    )
    shrunk = query
    if scale > 1.2:
        smaller = [max(1, round(length / scale)) for length in query.shape[::-1]]
        shrunk = np.asarray(cv2.resize(query, smaller, interpolation=cv2.INTER_AREA), np.uint8)
        to_query = _resized(smaller[0] / query.shape[1]) @ to_query
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    here = np.asarray(cv2.warpAffine(shrunk, to_query[:2], size, flags=flags), dtype=np.uint8)
    full = np.full(shrunk.shape, 255, np.uint8)
    inside = cv2.warpAffine(full, to_query[:2], size, flags=flags) == 255
    if scale < 1.0:
        there = np.asarray(cv2.GaussianBlur(there, (0, 0), 0.5 / scale), dtype=np.uint8)
    return _Frame(
        there,
        here,
        _is_paper(np.asarray(flat, np.uint8)),
        _is_paper(np.asarray(crisp, np.uint8)),
        np.asarray(inside),
    )


def _resized(zoom: float) -> Matrix:
    """Pixel centres lie at halves: x + ½ becomes (x + ½) · zoom."""
    shift = 0.5 * zoom - 0.5
    return np.array([[zoom, 0, shift], [0, zoom, shift], [0, 0, 1]], np.float64)


def _measured(frame: _Frame, *, moved: float) -> Agreement:
    core = _shrunk(frame.inside)
    likeness, texture = _correlation(frame.there, frame.here)
    agrees, differs = likeness > _AGREES, likeness < _DIFFERS
    textured = core & (texture[0] > _TEXTURE)
    compared = textured & ~((frame.here_paper | _is_lettered(texture, textured & agrees)) & ~agrees)
    within = compared & _bounds(agrees & compared)
    tone = textured & ~frame.there_paper
    return Agreement(
        agreeing=_share(agrees, compared),
        conflicting=_share(differs, compared),
        inner=_share(differs, within),
        moved=moved,
        whole=_share(agrees, textured),
        strict=_share(likeness > _AGREES_CLOSELY, textured),
        photograph=_share(agrees, tone),
        photographic=_share(tone, textured),
        covered=float(frame.inside.mean()),
        compared=_share(compared, core),
    )


def _is_lettered(texture: tuple[Maps, Maps], agrees: Mask) -> Mask:
    """Where the asked picture has far more contrast than the reference: something lies on it.

    Far more than it has where both agree, as a copy may have been lightened.
    """
    gains = texture[1][agrees] / np.maximum(texture[0][agrees], 1.0)
    usual = max(1.0, float(np.median(gains))) if len(gains) else 1.0
    return np.asarray(texture[1] > _LETTERED * usual * texture[0])


def _bounds(agrees: Mask) -> Mask:
    """The rectangle that holds what agrees, but for its edges: the rest may be cut off."""
    held = np.zeros(agrees.shape, bool)
    rows, columns = np.nonzero(agrees)
    if len(rows):
        top, bottom = np.percentile(rows, (3, 97)).astype(int)
        left, right = np.percentile(columns, (3, 97)).astype(int)
        held[top : bottom + 1, left : right + 1] = True
    return held


def _equally_sharp(frame: _Frame) -> _Frame:
    """The reference as soft as the asked picture: a soft edge bent to a sharp one looks moved."""
    wanted, sharp = _sharpness(frame.here, frame.inside), frame.there
    for soft in _SOFTENED:
        there = np.asarray(cv2.GaussianBlur(sharp, (0, 0), soft), np.uint8)
        if _sharpness(there, frame.inside) < wanted:
            break
        frame = replace(frame, there=there)
    return frame


def _sharpness(side: Pixels, inside: Mask) -> float:
    """How steep edges are, of all that changes; grain and JPEG's blocks are smoothed away."""
    if not inside.any():
        return 0.0
    smooth = cv2.GaussianBlur(side.astype(np.float32), (0, 0), 1.5)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *way)[inside] for way in ((1, 0), (0, 1)))
    steep = np.square(across).mean() + np.square(down).mean()
    return float(steep) / max(float(side[inside].var()), 1.0)


def _moved(frame: _Frame) -> float:
    """Of what has texture and agrees, the share that fits better somewhere else.

    What was put on top of a copy disturbs the flow, but moving along it mends nothing; in another
    view it does.
    """
    likeness, texture = _correlation(frame.there, frame.here)
    textured = _shrunk(frame.inside) & (likeness > _AGREES) & (texture[0] > 2 * _TEXTURE)
    textured &= _bounds(textured) & ~_is_lettered(texture, textured)
    there, here = (_even(side) for side in (frame.there, frame.here))
    height, width = there.shape
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(
        there, here, np.zeros((height, width, 2), np.float32)
    )
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    followed = cv2.remap(
        frame.here, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    better = _correlation(frame.there, np.asarray(followed, np.uint8))[0] - likeness > _GAIN
    return _share(better & (np.hypot(flow[..., 0], flow[..., 1]) > _STEP), textured)


def _even(side: Pixels) -> Pixels:
    """Brightness and contrast evened out, so that gamma and grey do not look like motion."""
    return np.asarray(cv2.createCLAHE(2.0, (4, 4)).apply(side), dtype=np.uint8)


def _shrunk(inside: Mask) -> Mask:
    """Where a whole window lies inside."""
    kernel = np.ones((_WINDOW, _WINDOW), np.uint8)
    eroded = cv2.erode(
        inside.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    return np.asarray(eroded, dtype=bool)


def _correlation(there: Pixels, here: Pixels) -> tuple[Maps, tuple[Maps, Maps]]:
    """Normalized cross-correlation in a window around each pixel, and both deviations."""
    one, other = (cv2.GaussianBlur(side.astype(np.float32), (0, 0), 1.2) for side in (there, here))
    window = (_WINDOW, _WINDOW)
    means = [cv2.boxFilter(side, -1, window) for side in (one, other)]
    spreads = [
        np.sqrt(np.maximum(cv2.boxFilter(side * side, -1, window) - mean * mean, 0))
        for side, mean in zip((one, other), means, strict=True)
    ]
    both = cv2.boxFilter(one * other, -1, window) - means[0] * means[1]
    likeness = both / np.maximum(spreads[0] * spreads[1], 4.0)
    return np.asarray(likeness, np.float32), (spreads[0], spreads[1])


def _is_paper(side: Pixels) -> Mask:
    """One narrow band of shades rules a wide neighbourhood, as paper does under writing.

    Narrow beside the range of the picture: all of a photograph taken at night is dark.
    """
    darkest, lightest = np.percentile(side, (1, 99))
    wide = int(np.clip((lightest - darkest) / _BANDS, *_BAND))
    found = np.zeros(side.shape, bool)
    for offset in (0, wide // 2):
        bands = (side.astype(np.uint16) + offset) // wide
        for band in np.flatnonzero(np.bincount(bands.ravel()) > _WIDE * _WIDE * _FLAT / 4):
            share = cv2.boxFilter((bands == band).astype(np.uint8) * 250, -1, (_WIDE, _WIDE))
            found |= share > _FLAT * 250
    return found


def _share(part: Mask, whole: Mask) -> float:
    total = int(np.count_nonzero(whole))
    return float(np.count_nonzero(part & whole)) / total if total else 0.0
