"""Evidence a person can see: both pictures side by side, the found area drawn on each."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from compliance.pictures import Picture, Pixels, decode

SIDE = 900
"""Longest side of each of the two pictures on the sheet."""
_GAP = 24
_COLOR = (30, 200, 60)
_PAPER = 250

Corners = Sequence[Sequence[float]]


def sheet(asked: bytes, reference: bytes, corners: Corners) -> bytes:
    """A PNG of both files with what a check found; runs in the sandbox. Raises HostileInput.

    `corners`: where the reference's own corners lie on the asked picture, in its pixels, as the
    check kept them; empty where nothing was verified, and then nothing is outlined.
    """
    cv2.setNumThreads(1)
    return overlay(decode(asked, shortest=SIDE), decode(reference, shortest=SIDE), corners)


def overlay(asked: Picture, reference: Picture, corners: Corners) -> bytes:
    """A PNG: the asked picture with the reference's outline, the reference with what is shown.

    The corner that is the top left of the reference, or of the asked picture, carries a dot.
    """
    left, asked_zoom = _fitted(asked)
    right, reference_zoom = _fitted(reference)
    if corners:
        outline = np.array(corners, np.float64)
        _draw(left, outline * asked_zoom)
        shown = _shown(outline, asked, reference)
        if shown is not None:
            _draw(right, shown * reference_zoom)
    tall = max(left.shape[0], right.shape[0])
    page = np.full((tall, left.shape[1] + _GAP + right.shape[1], 3), _PAPER, np.uint8)
    page[: left.shape[0], : left.shape[1]] = left
    page[: right.shape[0], left.shape[1] + _GAP :] = right
    done, png = cv2.imencode(".png", cv2.cvtColor(page, cv2.COLOR_RGB2BGR))
    assert done  # noqa: S101 - encoding a picture made here cannot fail
    return bytes(png)


def _shown(
    outline: npt.NDArray[np.float64], asked: Picture, reference: Picture
) -> npt.NDArray[np.float64] | None:
    """The frame of the asked picture on the reference; None for an outline without an area."""
    into = cv2.getAffineTransform(
        _frame(reference)[:3].astype(np.float32), outline[:3].astype(np.float32)
    )
    if abs(np.linalg.det(into[:, :2])) < 1e-9:
        return None
    back = cv2.invertAffineTransform(into)
    return np.asarray(np.column_stack([_frame(asked), np.ones(4)]) @ back.T, np.float64)


def _frame(picture: Picture) -> npt.NDArray[np.float64]:
    wide, high = picture.width, picture.height
    return np.array([(0, 0), (wide, 0), (wide, high), (0, high)], np.float64)


def _fitted(picture: Picture) -> tuple[Pixels, float]:
    """The picture with its longest side as the sheet wants it, and sheet pixels per file pixel."""
    zoom = SIDE / max(picture.rgb.shape[:2])
    size = [max(1, round(side * zoom)) for side in picture.rgb.shape[1::-1]]
    small = cv2.resize(picture.rgb, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8).copy(), size[0] / picture.width


def _draw(picture: Pixels, outline: npt.NDArray[np.float64]) -> None:
    """Outline the part of the area that lies on the picture; all of it, where all is covered."""
    high, wide = picture.shape[:2]
    edge = np.array([(2, 2), (wide - 3, 2), (wide - 3, high - 3), (2, high - 3)], np.float32)
    shared, part = cv2.intersectConvexConvex(edge, outline.astype(np.float32))
    if shared <= 0:
        return
    points = np.round(part).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(picture, [points], True, (255, 255, 255), 7, cv2.LINE_AA)
    cv2.polylines(picture, [points], True, _COLOR, 3, cv2.LINE_AA)
    x, y = (round(float(side)) for side in outline[0])
    if 0 <= x < wide and 0 <= y < high:
        cv2.circle(picture, (x, y), 9, _COLOR, -1, cv2.LINE_AA)
