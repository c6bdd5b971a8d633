"""Where small print may stand on a picture: rows of even, close marks of one colour, cut upright.

Recognition of a whole photograph reads one credit of five; a line cut out, laid level and brought
to one height reads most of them. Light and dark print, along the picture and up either side, a few
degrees askew. Runs on decoded pixels.
"""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from compliance.reading.strips import Gray, variants

MAX_LINES = 44
"""Per picture; the evenest are taken first."""
_STROKE = 15
"""Side of the window that tells thin strokes from what they stand on."""
_MIN_MARKS = 4
_MAX_MARKS = 9000
"""In one map; above that it is foliage, and only the strongest are kept."""
_REACH = 46.0
_LOWEST, _TALLEST = 5, 46
_STEEPEST = 0.2
_LEVELS = ((30, 205), (26, 165), (58, 0), (100, 0))
"""Least contrast to what lies around, least brightness (of the negative, for dark print)."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """One candidate: its place on the upright picture, and its pixels dark on light."""

    box: tuple[int, int, int, int]
    """Left, top, width, height."""
    turn: int
    """Degrees the picture was turned counter-clockwise to lay the line flat."""
    score: float
    variants: tuple[Gray, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    """Marks along a straight: from (left, start) to (right, end), in a picture maybe turned."""

    left: float
    right: float
    start: float
    end: float
    """Middle of the marks at either end."""
    height: float
    light: bool
    ink: float
    marks: int
    score: float

    def level(self, x: float) -> float:
        """The middle of the row at this place."""
        share = (x - self.left) / max(self.right - self.left, 1.0)
        return self.start + share * (self.end - self.start)


def find_lines(gray: Gray, *, limit: int = MAX_LINES) -> tuple[Line, ...]:
    """The likeliest lines of print, best first; edges of a photograph give some that are none."""
    flat, upright = _rows(gray)
    turned = np.ascontiguousarray(np.rot90(gray))
    found: list[tuple[float, _Row, int]] = []
    found += [(_weight(row, gray.shape), row, 0) for row in _whole(flat)]
    found += [(_weight(row, turned.shape), row, 90) for row in _whole(upright)]
    found.sort(key=lambda one: -one[0])
    lines: list[Line] = []
    for score, row, turn in found:
        if len(lines) >= limit:
            break
        source = gray if turn == 0 else turned
        cut = variants(
            source, ends=(row.left, row.start, row.right, row.end), height=row.height,
            light=row.light, ink=row.ink,
        )  # fmt: skip
        line = Line(_place(row, turn, gray.shape), turn, score, cut)
        lines.append(line)
        if turn == 90:
            half = tuple(np.ascontiguousarray(one[::-1, ::-1]) for one in cut)
            lines.append(replace(line, turn=270, variants=half))
    return tuple(lines)


def _weight(row: _Row, shape: tuple[int, ...]) -> float:
    """Credits stand along the edges more often than not."""
    away = min(min(row.start, row.end), shape[0] - max(row.start, row.end))
    return row.score * (1.35 if away < 0.08 * shape[0] else 1.0)


def _place(row: _Row, turn: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    top = min(row.start, row.end) - row.height
    high = abs(row.end - row.start) + 2 * row.height
    if turn == 0:
        return int(row.left), int(max(top, 0)), int(row.right - row.left), int(high)
    wide = shape[1]
    return int(max(wide - top - high, 0)), int(row.left), int(high), int(row.right - row.left)


def _distinct(rows: list[_Row]) -> list[_Row]:
    """The best of those that say the same place; the longer when they are as good."""
    kept: list[_Row] = []
    for row in sorted(rows, key=lambda one: -one.score):
        if not any(_is_within(row, one) for one in kept):
            kept.append(row)
        if len(kept) >= MAX_LINES:
            break
    return kept


def _whole(rows: list[_Row]) -> list[_Row]:
    """Lines put together from what the maps each saw of them, and the pieces that stand well."""
    joined: list[_Row] = []
    for row in sorted(_distinct(rows), key=lambda one: one.left):
        for place, before in enumerate(joined):
            if _is_same_line(before, row):
                joined[place] = _together(before, row)
                break
        else:
            joined.append(row)
    pieces = [
        row
        for row in _distinct(rows)[:8]
        if not any(
            one.right - one.left < 1.25 * (row.right - row.left) and _is_within(row, one)
            for one in joined
        )
    ]
    return joined + pieces


def _is_same_line(before: _Row, row: _Row) -> bool:
    high, low = max(before.height, row.height), min(before.height, row.height)
    if before.light != row.light or high > 1.7 * low or row.left - before.right > 2.2 * high:
        return False
    off = abs(before.level(row.left) - row.start), abs(before.end - row.level(before.right))
    return max(off) < 0.45 * high


def _together(before: _Row, row: _Row) -> _Row:
    """One row over both; the ends where the farther marks are."""
    if row.right <= before.right:
        return replace(before, score=max(before.score, row.score))
    longer = before if before.right - before.left >= row.right - row.left else row
    return replace(
        longer, left=before.left, start=before.start, right=row.right, end=row.end,
        marks=before.marks + row.marks,
        score=max(before.score, row.score) + 0.3 * min(before.score, row.score),
    )  # fmt: skip


def _is_within(row: _Row, other: _Row) -> bool:
    shared = min(row.right, other.right) - max(row.left, other.left)
    middle = (max(row.left, other.left) + min(row.right, other.right)) / 2
    return shared > 0.6 * (row.right - row.left) and abs(
        row.level(middle) - other.level(middle)
    ) < 0.6 * max(row.height, other.height)


def _rows(gray: Gray) -> tuple[list[_Row], list[_Row]]:
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (_STROKE, _STROKE))
    flat: list[_Row] = []
    upright: list[_Row] = []
    for light in (True, False):
        shown = gray if light else 255 - gray
        contrast = cv2.morphologyEx(shown, cv2.MORPH_TOPHAT, kernel)
        for least, bright in _LEVELS:
            strong = contrast > least
            if bright:
                strong &= shown > bright
            marks, ink = _marks(strong.astype(np.uint8), shown)
            if len(marks) < _MIN_MARKS:
                continue
            flat += _grouped(marks, ink, light=light)
            # The same marks as they lie after a quarter turn counter-clockwise.
            quarter = np.column_stack(
                (marks[:, 1], gray.shape[1] - marks[:, 0] - marks[:, 2], marks[:, 3], marks[:, 2])
            )
            upright += _grouped(quarter, ink, light=light)
    return flat, upright


def _marks(strong: Any, shown: Gray) -> tuple[Floats, Floats]:
    """Left, top, width and height of what may be letters, and how bright each is."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(strong, connectivity=8)
    if count <= _MIN_MARKS:
        return np.empty((0, 4)), np.empty(0)
    sizes = stats[:, 2:4]
    longest, area = sizes.max(1), stats[:, 4]
    fits = (
        (longest >= _LOWEST) & (longest <= 2.6 * _TALLEST) & (sizes.min(1) <= _TALLEST)
        & (area >= 6) & (area > 0.1 * sizes[:, 0] * sizes[:, 1])
    )  # fmt: skip
    fits[0] = False
    chosen = np.flatnonzero(fits)
    if len(chosen) > _MAX_MARKS:
        chosen = np.sort(chosen[np.argsort(-area[chosen])[:_MAX_MARKS]])
    tops, lefts = stats[chosen, 1], stats[chosen, 0]
    del labels
    ink = np.empty(len(chosen))
    for place, one in enumerate(chosen):
        left, top, wide, high = stats[one, :4]
        part = shown[top : top + high, left : left + wide]
        ink[place] = part.max()
    return np.column_stack((lefts, tops, sizes[chosen])).astype(float), ink


def _grouped(marks: Floats, ink: Floats, *, light: bool) -> list[_Row]:
    """Chains of marks: like heights, like colour, no wider gap than a space between words."""
    own = (marks[:, 3] >= _LOWEST) & (marks[:, 3] <= _TALLEST)
    marks, ink = marks[own], ink[own]
    if len(marks) < _MIN_MARKS:
        return []
    middle = np.column_stack((marks[:, 0] + marks[:, 2] / 2, marks[:, 1] + marks[:, 3] / 2))
    # Rows are long and low, so a neighbour may be farther away along than across.
    pairs = cKDTree(middle * (1.0, 2.0)).query_pairs(_REACH, output_type="ndarray")
    one, other = pairs[:, 0], pairs[:, 1]
    tall = np.maximum(marks[one, 3], marks[other, 3])
    gap = np.maximum(marks[one, 0], marks[other, 0]) - np.minimum(
        marks[one, 0] + marks[one, 2], marks[other, 0] + marks[other, 2]
    )
    joined = (
        (gap < 0.95 * tall) & (gap > -0.3 * tall)
        & (tall < 2.1 * np.minimum(marks[one, 3], marks[other, 3]))
        & (np.abs(middle[one, 1] - middle[other, 1]) < 0.42 * tall)
        & (np.abs(ink[one] - ink[other]) < 45)
    )  # fmt: skip
    graph = coo_matrix(
        (np.ones(int(joined.sum()), bool), (one[joined], other[joined])), (len(marks),) * 2
    )
    _, group = connected_components(graph, directed=False)
    order = np.argsort(group, kind="stable")
    bounds = np.flatnonzero(np.diff(group[order])) + 1
    found = [_row(marks[part], middle[part], ink[part], light) for part in np.split(order, bounds)]
    return _continued([row for row in found if row is not None])


def _row(marks: Floats, middle: Floats, ink: Floats, light: bool) -> _Row | None:
    if len(marks) < _MIN_MARKS:
        return None
    left, right = float(marks[:, 0].min()), float((marks[:, 0] + marks[:, 2]).max())
    height = float(np.percentile(marks[:, 3], 80))
    if right - left < 2.4 * height or right - left < 34:
        return None
    slope, at = np.polyfit(middle[:, 0], middle[:, 1], 1)
    off = np.abs(middle[:, 1] - at - slope * middle[:, 0])
    if abs(slope) > _STEEPEST or np.median(off) > 0.35 * height:
        return None
    evenness = 1.0 / (1.0 + 2.0 * float(marks[:, 3].std()) / height)
    level = 1.0 / (1.0 + 3.0 * float(np.mean(off)) / height)
    density = len(marks) * 0.75 * height / (right - left)
    constant = 1.0 / (1.0 + float(ink.std()) / 24.0)
    close = min(density, 1.0) / max(density, 1.3) * 1.3
    score = evenness * level * close * constant * (min(len(marks), 14) / 14) ** 0.7
    return _Row(
        left, right, float(at + slope * left), float(at + slope * right), height, light,
        float(np.median(ink)), len(marks), score,
    )  # fmt: skip


def _continued(rows: list[_Row]) -> list[_Row]:
    """Words of one line as one: the same straight and height, a gap of two heights at most."""
    kept: list[_Row] = []
    for row in sorted(rows, key=lambda one: one.left):
        for place, before in enumerate(kept):
            high = max(before.height, row.height)
            near = -0.5 * high < row.left - before.right < 2.2 * high
            if (
                near and high < 1.5 * min(before.height, row.height)
                and abs(before.end - row.start) < 0.5 * high
            ):  # fmt: skip
                kept[place] = replace(
                    before, right=row.right, end=row.end, height=high,
                    marks=before.marks + row.marks,
                    score=max(before.score, row.score) + 0.3 * min(before.score, row.score),
                )  # fmt: skip
                break
        else:
            kept.append(row)
    return sorted(kept, key=lambda one: -one.score)[:MAX_LINES]
