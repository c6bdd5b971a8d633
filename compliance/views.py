"""What else a hash may be taken of: the picture without its border, photographs within it."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from compliance.hashes import pdq_of
from compliance.pictures import HASH_SIDE, Pixels, fitted

MOST_PANELS = 6
_SIDE = 512
_FLAT_LINE = 0.72
_SHADE = 8
_LEAST = 0.18
_GAP = 4

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of width and height."""


@dataclass(frozen=True, slots=True)
class View:
    """A part of a picture and its hash."""

    name: str
    """whole, trimmed, panel."""
    box: Box
    pdq: tuple[bytes, ...]
    """In the eight orientations."""
    quality: int


def views(rgb: Pixels) -> tuple[View, ...]:
    """The whole picture, the picture without its border, and each photograph in it."""
    return tuple(_view(rgb, name, box) for name, box in _boxes(rgb))


def _boxes(rgb: Pixels) -> Iterator[tuple[str, Box]]:
    whole = (0.0, 0.0, 1.0, 1.0)
    yield "whole", whole
    small = fitted(rgb, _SIDE)
    shades = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    height, width = shades.shape
    seen = {(0, 0, width, height)}
    trimmed = _trimmed(shades)
    panels = sorted(_panels(shades, (0, 0, width, height), depth=3), key=lambda box: -_area(box))
    named = [("trimmed", trimmed), *(("panel", box) for box in panels[:MOST_PANELS])]
    for name, box in named:
        left, top, right, bottom = box
        if box in seen or right - left < _LEAST * width or bottom - top < _LEAST * height:
            continue
        seen.add(box)
        yield name, (left / width, top / height, right / width, bottom / height)


def _view(rgb: Pixels, name: str, box: Box) -> View:
    height, width = rgb.shape[:2]
    left, right = round(box[0] * width), round(box[2] * width)
    top, bottom = round(box[1] * height), round(box[3] * height)
    part = fitted(np.ascontiguousarray(rgb[top:bottom, left:right]), HASH_SIDE)
    turned, quality = pdq_of(part)
    return View(name=name, box=box, pdq=turned, quality=quality)


def _area(box: tuple[int, int, int, int]) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _trimmed(shades: Pixels) -> tuple[int, int, int, int]:
    """Without the lines at the edges that are of one shade from end to end."""
    rows, columns = (_steady(shades, axis) for axis in (1, 0))
    top, bottom = _ends(~rows)
    left, right = _ends(~columns)
    return left, top, right, bottom


def _steady(shades: Pixels, axis: int) -> npt.NDArray[np.bool_]:
    middle = np.median(shades, axis=axis, keepdims=True)
    return np.asarray((np.abs(shades - middle) < _SHADE).mean(axis=axis) > 0.97)


def _ends(wanted: npt.NDArray[np.bool_]) -> tuple[int, int]:
    found = np.flatnonzero(wanted)
    return (int(found[0]), int(found[-1]) + 1) if len(found) else (0, len(wanted))


def _panels(
    shades: Pixels, box: tuple[int, int, int, int], *, depth: int
) -> Iterator[tuple[int, int, int, int]]:
    """Rectangles whose lines are not ruled by one shade; cut by rows, then columns, in turn."""
    left, top, right, bottom = box
    part = shades[top:bottom, left:right]
    for axis in (1, 0):
        runs = list(_runs(_ruled(part, axis)))
        if depth and runs != [(0, part.shape[1 - axis])]:
            for start, end in runs:
                inner = (
                    (left, top + start, right, top + end)
                    if axis == 1
                    else (left + start, top, left + end, bottom)
                )
                yield from _panels(shades, inner, depth=depth - 1)
            return
    yield box


def _ruled(part: Pixels, axis: int) -> npt.NDArray[np.bool_]:
    """Lines in which one shade has most of the pixels: paper, bars, gaps between pictures."""
    middle = np.median(part, axis=axis, keepdims=True)
    return np.asarray((np.abs(part - middle) < _SHADE).mean(axis=axis) > _FLAT_LINE)


def _runs(ruled: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Stretches of lines that are not ruled, small interruptions passed over."""
    edges = np.flatnonzero(np.diff(np.concatenate([[1], ruled.astype(np.int8), [1]])))
    least = max(16, len(ruled) * _LEAST / 2)
    joined: list[list[int]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if joined and start - joined[-1][1] <= _GAP // 2:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    yield from ((start, end) for start, end in joined if end - start >= least)
