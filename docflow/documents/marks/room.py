"""Free room on a sheet: where nothing is drawn, and which of such places is nearest.

Lengths in points, the origin at the upper left corner of the sheet as it is shown.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

_STEP = 3
_FAINT = 20
"""Shades of grey (of 256) by which a pixel may differ from the paper and still be paper."""

_LIGHT = 200
"""The darkest paper."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its upper left corner."""

    x: float
    y: float
    width: float
    height: float


class Room:
    """A sheet drawn at one pixel a point, and what has been laid on it since."""

    def __init__(self, picture: Any, *, edge: float, gap: float) -> None:
        """`picture` holds grey values (rows by columns)."""
        paper = int(np.bincount(picture.ravel(), minlength=256).argmax())
        paper = paper if paper > _LIGHT else 255  # a mark on a dark ground cannot be read
        self._ink = np.abs(picture.astype(np.int16) - paper) > _FAINT
        self._edge = edge
        self._gap = gap

    @property
    def height(self) -> int:
        """Of the sheet."""
        return int(self._ink.shape[0])

    @property
    def width(self) -> int:
        """Of the sheet."""
        return int(self._ink.shape[1])

    def extent_above(self, y: float) -> Box | None:
        """The box around all ink above a line; None where there is none."""
        ink = self._ink[: max(0, int(y))]
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        if not len(rows):
            return None
        return Box(
            float(columns[0]), float(rows[0]), float(columns[-1] - columns[0] + 1),
            float(rows[-1] - rows[0] + 1),
        )  # fmt: skip

    def take(self, box: Box) -> None:
        """Lay something there: the place is free no more."""
        self._ink[
            max(0, int(box.y)) : int(box.y + box.height) + 1,
            max(0, int(box.x)) : int(box.x + box.width) + 1,
        ] = True

    def nearest(
        self, width: float, height: float, *, to: tuple[float, float], reach: float | None = None
    ) -> Box | None:
        """The free place whose middle is nearest to a point, a gap all around included.

        A step aside costs half a step up or down, since a mark belongs on the signature's line.
        With `reach`, none that is further away than that.
        """
        gap = int(np.ceil(self._gap))
        across, down = int(np.ceil(width)) + 2 * gap, int(np.ceil(height)) + 2 * gap
        edge = max(0, int(self._edge) - gap)
        if self.width - 2 * edge < across or self.height - 2 * edge < down:
            return None
        sums = np.zeros((self.height + 1, self.width + 1), dtype=np.int64)
        np.cumsum(np.cumsum(self._ink, axis=0), axis=1, out=sums[1:, 1:])
        ys = np.arange(edge, self.height - edge - down + 1, _STEP)
        xs = np.arange(edge, self.width - edge - across + 1, _STEP)
        held = (
            sums[np.ix_(ys + down, xs + across)] - sums[np.ix_(ys, xs + across)]
            - sums[np.ix_(ys + down, xs)] + sums[np.ix_(ys, xs)]
        )  # fmt: skip
        cost = np.abs(ys[:, None] + down / 2 - to[1]) + np.abs(xs[None, :] + across / 2 - to[0]) / 2
        cost = np.where(held == 0, cost, np.inf)
        row, column = np.unravel_index(int(cost.argmin()), cost.shape)
        best = float(cost[row, column])
        if not np.isfinite(best) or (reach is not None and best > reach):
            return None
        return Box(float(xs[column] + gap), float(ys[row] + gap), width, height)
