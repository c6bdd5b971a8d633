"""Evidence a person can see: both pictures side by side, the found area drawn on each."""

import cv2
import numpy as np

from compliance.matching import Match
from compliance.pictures import Pixels

_SIDE = 900
_GAP = 24
_COLOR = (30, 200, 60)
_PAPER = 250


def overlay(asked: Pixels, reference: Pixels, match: Match, *, width: int, height: int) -> bytes:
    """A PNG: the asked picture with the reference's outline, the reference with what is shown.

    `asked` and `reference` are RGB at any size; `width` and `height` are the reference's own, as
    `Match.matrix` counts them. The first corner (the reference's top left) carries a dot.
    """
    left, asked_zoom = _fitted(asked)
    right, reference_zoom = _fitted(reference)
    files = match.asked_size[0] / asked.shape[1]
    outline = np.array(match.corners) / files * asked_zoom
    _draw(left, outline)
    inverse = cv2.invertAffineTransform(match.matrix)
    frame = np.array(
        [[x * match.asked_size[0], y * match.asked_size[1], 1] for x, y in _SQUARE], np.float64
    )
    shown = (frame @ inverse.T) / (width / reference.shape[1]) * reference_zoom
    _draw(right, shown)
    tall = max(left.shape[0], right.shape[0])
    sheet = np.full((tall, left.shape[1] + _GAP + right.shape[1], 3), _PAPER, np.uint8)
    sheet[: left.shape[0], : left.shape[1]] = left
    sheet[: right.shape[0], left.shape[1] + _GAP :] = right
    done, png = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    assert done  # noqa: S101 - encoding a picture made here cannot fail
    return bytes(png)


_SQUARE = ((0, 0), (1, 0), (1, 1), (0, 1))


def _fitted(rgb: Pixels) -> tuple[Pixels, float]:
    zoom = _SIDE / max(rgb.shape[:2])
    size = (round(rgb.shape[1] * zoom), round(rgb.shape[0] * zoom))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8).copy(), zoom


def _draw(picture: Pixels, outline: np.ndarray) -> None:
    points = np.round(outline).astype(np.int32)
    cv2.polylines(picture, [points], True, (255, 255, 255), 7, cv2.LINE_AA)
    cv2.polylines(picture, [points], True, _COLOR, 3, cv2.LINE_AA)
    cv2.circle(picture, [int(part) for part in points[0]], 9, _COLOR, -1, cv2.LINE_AA)
