"""The two inner loops, compiled at the first call (numba): count bits, keep what is near.

A flat scan that many needles share is exact by construction and does not care how skewed the
register is. Of 256 bits it reads only half: rows further than the radius in the first 128 bits
are out, which for pictures that are not alike is nearly all of them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, types
from numba.extending import intrinsic

Words = npt.NDArray[np.uint64]
Longs = npt.NDArray[np.int64]

_BLOCK = 2048
"""Rows a block: what fits the first-level cache while every needle passes over it."""
_STRETCH = 64
_COMPILED = njit(nogil=True, boundscheck=False, error_model="numpy")
_COMPILED_WITHIN = njit(boundscheck=False, error_model="numpy", inline="always")


def _count_bits(_: Any, value: Any) -> Any:
    """The count of bits that are set: one instruction, eight words at a time where there is AVX."""

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), code


_ones: Any = intrinsic(_count_bits)


def _any_near(
    first: Words, second: Words, one: np.uint64, two: np.uint64, limit: np.uint64
) -> bool:
    """Is any row within the limit? No branch in the loop, so that it runs on whole vectors."""
    near = np.uint64(0)
    for row in range(len(first)):
        near |= np.uint64(_ones(first[row] ^ one) + _ones(second[row] ^ two) <= limit)
    return bool(near)


_is_near: Any = _COMPILED_WITHIN(_any_near)


def _write_near(
    first: Words, second: Words, one: np.uint64, two: np.uint64, limit: np.uint64, near: Longs
) -> int:
    """Write the rows of a block that are within the limit in 128 bits; answer how many."""
    count = 0
    if not _is_near(first, second, one, two, limit):
        return 0
    for at in range(0, len(first), _STRETCH):
        part, next_part = first[at : at + _STRETCH], second[at : at + _STRETCH]
        if _is_near(part, next_part, one, two, limit):
            for row in range(len(part)):
                if _ones(part[row] ^ one) + _ones(next_part[row] ^ two) <= limit:
                    near[count] = at + row
                    count += 1
    return count


_near_rows: Any = _COMPILED(_write_near)


def _scan(
    first: Words, second: Words, third: Words, fourth: Words, needles: Words, radius: int,
    found: Longs,
) -> int:  # fmt: skip
    """Write needle, row and distance of everything within the radius; answer how many there are.

    The rows' words come column by column; `needles` is M × 4. More may be found than `found`
    (3 × capacity) can take; the count is right all the same.
    """
    count = 0
    limit = np.uint64(radius)
    near = np.empty(_BLOCK, np.int64)
    for start in range(0, len(first), _BLOCK):
        end = start + _BLOCK
        for needle in range(len(needles)):
            one, two = needles[needle, 0], needles[needle, 1]
            candidates = _near_rows(first[start:end], second[start:end], one, two, limit, near)
            for at in range(candidates):
                row = start + near[at]
                distance = _ones(first[row] ^ one) + _ones(second[row] ^ two)
                distance += _ones(third[row] ^ needles[needle, 2])
                distance += _ones(fourth[row] ^ needles[needle, 3])
                if distance <= limit:
                    if count < found.shape[1]:
                        found[0, count] = needle
                        found[1, count] = row
                        found[2, count] = distance
                    count += 1
    return count


def _scan_sketches(first: Words, second: Words, needles: Words, radius: int, found: Longs) -> int:
    """The same over sketches of 128 bits; `needles` is M × 2 and `found` has no distances."""
    count = 0
    limit = np.uint64(radius)
    near = np.empty(_BLOCK, np.int64)
    for start in range(0, len(first), _BLOCK):
        end = start + _BLOCK
        for needle in range(len(needles)):
            one, two = needles[needle, 0], needles[needle, 1]
            candidates = _near_rows(first[start:end], second[start:end], one, two, limit, near)
            for at in range(candidates):
                if count < found.shape[1]:
                    found[0, count] = needle
                    found[1, count] = start + near[at]
                count += 1
    return count


def _nearest_pivots(
    first: Words, second: Words, pivot_first: Words, pivot_second: Words, nearest: Longs
) -> None:
    """Write the distance to the nearest pivot (times 65,536) and its number for each row."""
    for row in range(len(first)):
        best = np.uint64(1 << 32)
        one, two = first[row], second[row]
        for pivot in range(len(pivot_first)):
            distance = _ones(pivot_first[pivot] ^ one) + _ones(pivot_second[pivot] ^ two)
            best = min(best, distance << np.uint64(16) | np.uint64(pivot))
        nearest[row] = np.int64(best)


def _scan_ordered(
    first: Words, second: Words, pivot_first: Words, pivot_second: Words, starts: Longs,
    needles: Words, radius: int, found: Longs,
) -> int:  # fmt: skip
    """As `_scan_sketches`, over rows in the order of `ordered`; of each pivot one stretch."""
    count = 0
    limit = np.uint64(radius)
    near = np.empty(_BLOCK, np.int64)
    farthest = starts.shape[1] - 1
    for pivot in range(len(pivot_first)):
        for needle in range(len(needles)):
            one, two = needles[needle, 0], needles[needle, 1]
            away: int = np.int64(_ones(pivot_first[pivot] ^ one) + _ones(pivot_second[pivot] ^ two))  # type: ignore[assignment]  # an index, not an array
            start = starts[pivot, max(away - radius, 0)]
            end = starts[pivot, min(away + radius + 1, farthest)]
            while start < end:
                stop = min(start + _BLOCK, end)
                candidates = _near_rows(
                    first[start:stop], second[start:stop], one, two, limit, near
                )
                for at in range(candidates):
                    if count < found.shape[1]:
                        found[0, count] = needle
                        found[1, count] = start + near[at]
                    count += 1
                start = stop
    return count


scan: Any = _COMPILED(_scan)
nearest_pivots: Any = _COMPILED(_nearest_pivots)
scan_ordered: Any = _COMPILED(_scan_ordered)
scan_sketches: Any = _COMPILED(_scan_sketches)
