"""A line of print as recognition wants it: level, of one height, dark on light, little around it.

Print has one colour all along while what it stands on changes; most variants live by that.
"""

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]

_TALL = 27
"""Pixels of a capital letter as handed to recognition."""
_HALF = 34
"""Pixels above and below the middle of the line."""
_RAMP = 90.0
"""Difference in brightness at which print has become paper."""
_LONGEST = 1800


def variants(
    gray: Gray, *, ends: tuple[float, float, float, float], height: float, light: bool, ink: float
) -> tuple[Gray, ...]:
    """The line in several preparations, the plainest first.

    `ends`: left, its middle's height, right, its middle's height; `ink`: brightness of the print,
    of the negative where it is dark.
    """
    wide = _laid(gray if light else 255 - gray, ends, height, margin=7.0)
    close = wide[:, int(4.5 * _TALL) : wide.shape[1] - int(4.5 * _TALL)]
    level = min(ink, float(np.percentile(close[_HALF - 16 : _HALF + 16], 97)) + 12)
    return (
        _levelled(close, level),
        _levelled(wide, level),
        _sharpened(wide),
        _cleaned(close, level),
    )


def _laid(
    shown: Gray, ends: tuple[float, float, float, float], height: float, *, margin: float
) -> Gray:
    left, start, right, end = ends
    scale = _TALL / height
    along = np.array([right - left, end - start])
    length = float(np.hypot(*along))
    unit = along / max(length, 1.0)
    wide = int(min(length * scale + 2 * margin * _TALL, _LONGEST))
    # From the strip's pixels to the picture's.
    origin = np.array([left, start]) - unit * (margin * height)
    across = np.array([-unit[1], unit[0]])
    matrix = np.array(
        [
            [unit[0] / scale, across[0] / scale, origin[0] - across[0] * _HALF / scale],
            [unit[1] / scale, across[1] / scale, origin[1] - across[1] * _HALF / scale],
        ]
    )
    smooth = shown
    laid = cv2.warpAffine(
        smooth, matrix, (wide, 2 * _HALF), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(laid, np.uint8)


def _levelled(shown: Gray, level: float) -> Gray:
    """What differs from the print's colour becomes paper."""
    off = np.maximum(level - shown.astype(np.float32), 0)
    return np.asarray(np.clip(off * (255.0 / _RAMP), 0, 255), np.uint8)


def _sharpened(shown: Gray) -> Gray:
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (25, 25))
    marks = cv2.morphologyEx(shown, cv2.MORPH_TOPHAT, kernel)
    middle = marks[_HALF - 16 : _HALF + 16]
    top = max(float(np.percentile(middle, 97)), 20.0)
    return np.asarray(255 - np.clip(marks * (255.0 / top), 0, 255), np.uint8)


def _cleaned(shown: Gray, level: float) -> Gray:
    """Only marks of a letter's size in the print's own colour; patches and edges are paper."""
    smooth = cv2.GaussianBlur(shown, (0, 0), 0.8).astype(np.float32)
    ink = (smooth > level - 60).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    highs, wides, areas = stats[:, 3], stats[:, 2], stats[:, 4]
    inside = (stats[:, 1] > 2) & (stats[:, 1] + highs < shown.shape[0] - 2)
    keep = (highs <= 1.7 * _TALL) & (wides <= 4 * _TALL) & (areas >= 8) & inside
    keep[0] = False
    mask = cv2.dilate(keep[labels].astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.where(mask > 0, _levelled(shown, level), 255).astype(np.uint8)
