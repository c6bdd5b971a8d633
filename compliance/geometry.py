"""Where one picture lies in another: matching of local features and a robust affine fit."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from compliance.features import Features, mirrored

NEEDED_INLIERS = 8
"""Fewer agreeing features than this are no candidate; the pixels then decide (`agreement`)."""
_LIKE = 0.80
_RATIO = 0.86
_TOLERANCE = 3.0
_MAX_STRETCH = 2.2
_SCALES = (0.08, 12.0)
_ROUNDS = 2000

Matrix = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The affine map from the reference's working pixels to those of the asked picture."""

    matrix: Matrix
    """2 × 3."""
    inliers: int
    points: Floats
    """N × 2: the agreeing features on the asked picture."""

    @property
    def is_mirrored(self) -> bool:
        """Does the map turn left into right?"""
        return bool(np.linalg.det(self.matrix[:, :2]) < 0)

    @property
    def rotation(self) -> float:
        """Degrees the reference was turned clockwise, after any mirroring: -180 to 180."""
        left = self.matrix[:, :2] @ np.diag([-1.0 if self.is_mirrored else 1.0, 1.0])
        return math.degrees(math.atan2(left[1, 0] - left[0, 1], left[0, 0] + left[1, 1]))

    @property
    def scale(self) -> float:
        """Pixels of the asked picture for one of the reference."""
        return float(math.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))


def aligned(query: Features, reference: Features, *, width: int) -> Alignment | None:
    """How the reference would have to lie in the query (`width` pixels wide), if at all.

    The better of the straight and the mirrored reading; None below `NEEDED_INLIERS`.
    """
    readings = [_fit(query, reference), _fit(mirrored(query, width=width), reference)]
    if readings[1] is not None:
        readings[1] = _unmirrored(readings[1], width)
    found = [one for one in readings if one is not None]
    return max(found, key=lambda one: one.inliers, default=None)


def is_plausible(matrix: Matrix) -> bool:
    """Could people have made such a copy: not squeezed to a line, not a speck, not a giant."""
    large, small = np.linalg.svd(matrix[:, :2], compute_uv=False)
    return bool(
        np.isfinite(matrix).all()
        and _SCALES[0] < small
        and large < _SCALES[1]
        and large / small < _MAX_STRETCH
    )


def corners_of(matrix: Matrix, *, width: float, height: float) -> Matrix:
    """The four corners of a reference of this size, mapped; clockwise from its top left."""
    square = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], np.float64)
    return np.asarray(square @ matrix.T, dtype=np.float64)


def _fit(query: Features, reference: Features) -> Alignment | None:
    there, here = _pairs(query, reference)
    if len(there) < NEEDED_INLIERS:
        return None
    matrix, is_in = cv2.estimateAffine2D(
        reference.points[there], query.points[here], method=cv2.USAC_MAGSAC,
        ransacReprojThreshold=_TOLERANCE, maxIters=_ROUNDS, confidence=0.999,
    )  # fmt: skip
    if matrix is None:
        return None
    return _settled(
        np.asarray(matrix, np.float64),
        query.points[here],
        reference.points[there],
        is_in.ravel() > 0,
    )


def _settled(
    matrix: Matrix, query: Floats, reference: Floats, is_in: npt.NDArray[np.bool_]
) -> Alignment | None:
    """Least squares over the agreeing pairs, twice; one reference feature counts once."""
    for _ in range(2):
        if np.count_nonzero(is_in) < NEEDED_INLIERS or not is_plausible(matrix):
            return None
        known = np.column_stack([reference[is_in], np.ones(np.count_nonzero(is_in))])
        matrix = np.linalg.lstsq(known, query[is_in].astype(np.float64), rcond=None)[0].T
        mapped = reference @ matrix[:, :2].T + matrix[:, 2]
        is_in = np.hypot(*(mapped - query).T) < _TOLERANCE
    places = np.unique(np.round(reference[is_in]), axis=0)
    if len(places) < NEEDED_INLIERS or not is_plausible(matrix):
        return None
    return Alignment(matrix=matrix, inliers=len(places), points=query[is_in])


def _pairs(
    query: Features, reference: Features
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Features that look alike and unlike any other: indices into reference and query."""
    none = np.zeros(0, np.intp)
    if len(query) < NEEDED_INLIERS or len(reference) < NEEDED_INLIERS:
        return none, none
    like = (query.descriptors.astype(np.float32) @ reference.descriptors.T.astype(np.float32)) / (
        512.0 * 512.0
    )
    rows = np.arange(len(query))
    best = like.argmax(axis=1)
    first = like[rows, best].copy()
    like[rows, best] = -1.0
    second = like.max(axis=1)
    # Distances of unit vectors: |a - b|² = 2 - 2 a·b.
    apart = np.sqrt(np.maximum(2 - 2 * first, 0)), np.sqrt(np.maximum(2 - 2 * second, 1e-9))
    chosen = np.flatnonzero((first > _LIKE) & (apart[0] < _RATIO * apart[1]))
    return best[chosen], chosen


def _unmirrored(given: Alignment, width: int) -> Alignment:
    """An alignment on the mirrored query, said in pixels of the query itself."""
    matrix = given.matrix.copy()
    matrix[0] = -matrix[0]
    matrix[0, 2] += width - 1
    points = given.points.copy()
    points[:, 0] = width - 1 - points[:, 0]
    return Alignment(matrix=matrix, inliers=given.inliers, points=points)
