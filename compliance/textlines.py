"""Where small print may stand on a picture: lines of even, thin, close marks, cut out upright.

Recognition of a whole photograph reads one credit of five; a line cut out, turned and brought to
one height reads most of them. Light and dark print, along the picture and up either side. Runs on
decoded pixels.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]

MAX_LINES = 26
"""Per picture; the evenest are taken first."""
_HEIGHT = 38
"""Pixels of the letters as they are handed to recognition."""
_STROKES = (11, 21)
"""Sides of the window that tells thin strokes from what they stand on."""
_MIN_LETTERS = 4


@dataclass(frozen=True, slots=True)
class Line:
    """One candidate: its place on the upright picture, its pixels dark on light."""

    box: tuple[int, int, int, int]
    """Left, top, width, height."""
    turn: int
    """Degrees the picture was turned counter-clockwise to lay the line flat."""
    score: float
    variants: tuple[Gray, ...]


def find_lines(gray: Gray, *, limit: int = MAX_LINES) -> tuple[Line, ...]:
    """The likeliest lines of print, best first; edges of a photograph give some that are none."""
    width = gray.shape[1]
    flat = _lines(gray)
    turned = np.ascontiguousarray(np.rot90(gray))
    upright = [_cut(gray, box, turn=0, place=box, score=score) for box, score in flat]
    sideways = []
    for box, score in _lines(turned):
        left, top, wide, high = box
        place = (width - top - high, left, high, wide)
        sideways.append(_cut(turned, box, turn=90, place=place, score=score))
        sideways.append(_half_turned(sideways[-1]))
    found = sorted(upright + sideways, key=lambda line: -line.score)
    return tuple(_distinct(found, limit))


def _half_turned(line: Line) -> Line:
    variants = tuple(np.ascontiguousarray(one[::-1, ::-1]) for one in line.variants)
    return Line(line.box, 270, line.score, variants)


def _distinct(found: list[Line], limit: int) -> list[Line]:
    kept: list[Line] = []
    for line in found:
        if len(kept) >= limit:
            break
        if not any(one.turn == line.turn and _overlap(one.box, line.box) > 0.6 for one in kept):
            kept.append(line)
    return kept


def _overlap(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / min(one[2] * one[3], other[2] * other[3])


def _lines(gray: Gray) -> list[tuple[tuple[int, int, int, int], float]]:
    found = []
    for side in _STROKES:
        kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
        for light in (True, False):
            kind = cv2.MORPH_TOPHAT if light else cv2.MORPH_BLACKHAT
            marks = cv2.morphologyEx(gray, kind, kernel)
            found.extend(_rows(marks, side))
    return found


def _rows(marks: Any, side: int) -> list[tuple[tuple[int, int, int, int], float]]:
    """Rows of marks of like height: each is a line of print, or a railing."""
    strong = (marks > min(max(32, int(np.percentile(marks[::4, ::4], 95))), 64)).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(strong, connectivity=8)
    parts = stats[1:]
    highs, wides, areas = parts[:, 3], parts[:, 2], parts[:, 4]
    fits = (
        (highs >= 5) & (highs <= 3 * side) & (wides >= 1) & (wides <= 4 * side) & (areas >= 6)
        & (areas > 0.08 * highs * wides)
    )  # fmt: skip
    parts = parts[fits]
    if len(parts) < _MIN_LETTERS or len(parts) > 60_000:
        return []
    mask = np.zeros_like(strong)
    for left, top, wide, high, _ in parts:
        mask[top : top + high, left : left + wide] = 1
    joined = cv2.morphologyEx(
        mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (2 * side + 3, 1))
    )
    joined = cv2.morphologyEx(
        joined, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, (side, 4))
    )
    count, labels, rows, _ = cv2.connectedComponentsWithStats(joined, connectivity=4)
    if count <= 1:
        return []
    middle = labels[
        parts[:, 1] + parts[:, 3] // 2,
        np.minimum(parts[:, 0] + parts[:, 2] // 2, labels.shape[1] - 1),
    ]
    return _scored(parts, middle, rows)


def _scored(parts: Any, middle: Any, rows: Any) -> list[tuple[tuple[int, int, int, int], float]]:
    found = []
    order = np.argsort(middle, kind="stable")
    starts = np.searchsorted(middle[order], np.arange(len(rows) + 1))
    for label in range(1, len(rows)):
        own = parts[order[starts[label] : starts[label + 1]]]
        left, top, wide, high = (int(one) for one in rows[label][:4])
        if len(own) < _MIN_LETTERS or high > 60 or high < 7 or wide < 2.2 * high or wide < 36:
            continue
        tall = own[:, 3].astype(float)
        evenness = 1.0 / (1.0 + float(tall.std()) / max(float(tall.mean()), 1.0))
        density = min(len(own) * 0.75 * high / wide, 1.6)
        bottoms = (own[:, 1] + own[:, 3]).astype(float)
        level = 1.0 / (1.0 + float(np.median(np.abs(bottoms - np.median(bottoms)))) / high * 4)
        found.append(((left, top, wide, high), evenness * density * level * min(len(own), 12) / 12))
    found = _joined(found)
    found.sort(key=lambda one: -one[1])
    return found[: 2 * MAX_LINES]


def _joined(
    found: list[tuple[tuple[int, int, int, int], float]],
) -> list[tuple[tuple[int, int, int, int], float]]:
    """Words of one line as one: the same band, a gap of two heights at most."""
    rows: list[tuple[tuple[int, int, int, int], float]] = []
    for box, score in sorted(found, key=lambda one: one[0][0]):
        for place, (before, weight) in enumerate(rows):
            shared = min(before[1] + before[3], box[1] + box[3]) - max(before[1], box[1])
            gap = box[0] - before[0] - before[2]
            high = max(before[3], box[3])
            if shared > 0.55 * high and gap < 2 * high:
                top = min(before[1], box[1])
                bottom = max(before[1] + before[3], box[1] + box[3])
                right = max(before[0] + before[2], box[0] + box[2])
                rows[place] = (
                    (before[0], top, right - before[0], bottom - top),
                    max(weight, score) + 0.3 * min(weight, score),
                )
                break
        else:
            rows.append((box, score))
    return rows


def _cut(
    gray: Gray,
    box: tuple[int, int, int, int],
    *,
    turn: int,
    place: tuple[int, int, int, int],
    score: float,
) -> Line:
    left, top, wide, high = box
    pad = max(high // 2, 5)
    part = gray[
        max(top - pad, 0) : top + high + pad, max(left - 8 * high, 0) : left + wide + 8 * high
    ]
    scale = _HEIGHT / high
    size = (max(int(part.shape[1] * scale), 8), max(int(part.shape[0] * scale), 8))
    raw = cv2.resize(part, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    inked = raw[int(pad * scale) : raw.shape[0] - int(pad * scale)]
    variants = []
    for light in _polarities(raw, inked):
        level = _levelled(raw, inked, light=light)
        variants.extend((level, _sharpened(raw, light=light), _cleaned(raw, inked, light=light)))
    return Line(place, turn, score, tuple(variants))


def _polarities(raw: Gray, inked: Gray) -> tuple[bool, ...]:
    """Light print, dark print, or both where it cannot be told from what lies around it."""
    rows = (raw.shape[0] - inked.shape[0]) // 2
    around = float(np.median(np.vstack((raw[:rows], raw[raw.shape[0] - rows :]))))
    up = float(np.percentile(inked, 96)) - around
    down = around - float(np.percentile(inked, 4))
    if up > 1.5 * down:
        return (True,)
    return (False,) if down > 1.5 * up else (True, False)


def _levelled(raw: Gray, inked: Gray, *, light: bool) -> Gray:
    """Print has one colour all along: what differs from it becomes paper."""
    level = float(np.percentile(inked, 95 if light else 5))
    off = np.abs(raw.astype(np.float32) - level)
    beyond = raw > level if light else raw < level
    off[beyond] = 0
    return np.asarray(np.clip(off * (255.0 / 90.0), 0, 255), np.uint8)


def _sharpened(raw: Gray, *, light: bool) -> Gray:
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (31, 31))
    marks = cv2.morphologyEx(raw, cv2.MORPH_TOPHAT if light else cv2.MORPH_BLACKHAT, kernel)
    return np.asarray(255 - cv2.normalize(marks, None, 0, 255, cv2.NORM_MINMAX), np.uint8)


def _cleaned(raw: Gray, inked: Gray, *, light: bool) -> Gray:
    """Only marks of a letter's size in the print's own colour; patches and edges are paper."""
    level = float(np.percentile(inked, 96 if light else 4))
    smooth = cv2.GaussianBlur(raw, (0, 0), 0.8).astype(np.float32)
    ink = ((smooth > level - 48) if light else (smooth < level + 48)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    highs, wides, areas = stats[:, 3], stats[:, 2], stats[:, 4]
    inside = (stats[:, 1] > 0) & (stats[:, 1] + highs < raw.shape[0])
    keep = (
        (highs <= 1.5 * _HEIGHT) & (wides <= 2.6 * _HEIGHT) & (areas >= 10)
        & (areas < 0.75 * np.maximum(highs * wides, 1) + 60) & inside
    )  # fmt: skip
    keep[0] = False
    shown = np.where(keep[labels], 0, 255).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(shown, (0, 0), 0.7), np.uint8)
