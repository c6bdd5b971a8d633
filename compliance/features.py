"""Local features: what of a picture survives cropping, turning, captions and collages.

SIFT (Lowe 2004; the patent ran out in 2020) at a fixed working size, spread over a grid so that
no caption or logo takes all the places. A mirrored picture needs no second pass: mirroring only
reorders the bins of a descriptor.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from compliance.pictures import Pixels

REFERENCE_SIDE = 512
QUERY_SIDE = 1024
"""The longest side features are taken at: a copy may be a small part of what is asked about."""
REFERENCE_FEATURES = 480
QUERY_FEATURES = 1600
GRID = 8
MAX_ENLARGED = 4.0
_CONTRAST = 0.015
_SAME_PLACE = 1.0

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Keypoints in pixels of the working picture, and their descriptors."""

    points: Floats
    """N × 2: x, y."""
    sizes: Floats
    angles: Floats
    """Degrees, clockwise on the screen."""
    descriptors: Pixels
    """N × 128 bytes: square roots of SIFT's histogram (RootSIFT), so that L2 is fair."""

    def __len__(self) -> int:
        return len(self.points)


def grey(rgb: Pixels, *, longest: int) -> Pixels:
    """Brightness at the working size; a small picture is enlarged, four times at most."""
    height, width = rgb.shape[:2]
    scale = min(longest / max(width, height), MAX_ENLARGED)
    flat = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    if scale == 1.0:
        return flat
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(flat, size, interpolation=how), dtype=np.uint8)


def features(picture: Pixels, *, most: int) -> Features:
    """Up to `most` features of a grey picture, an equal quota for each cell of the grid."""
    found = cv2.SIFT.create(contrastThreshold=_CONTRAST, edgeThreshold=12).detect(picture, None)
    kept = _spread(found, picture.shape, most)
    if not kept:
        none = np.zeros(0, np.float32)
        return Features(none.reshape(0, 2), none, none, np.zeros((0, 128), np.uint8))
    described, raw = cv2.SIFT.create().compute(picture, kept)
    kept = list(described)
    return Features(
        points=np.array([one.pt for one in kept], np.float32),
        sizes=np.array([one.size for one in kept], np.float32),
        angles=np.array([one.angle for one in kept], np.float32),
        descriptors=_rooted(np.asarray(raw, np.float32)),
    )


def mirrored(given: Features, *, width: int) -> Features:
    """The features the picture would have if it were flipped left to right."""
    points = given.points.copy()
    points[:, 0] = width - 1 - points[:, 0]
    return Features(
        points=points,
        sizes=given.sizes,
        angles=(180.0 - given.angles) % 360.0,
        descriptors=given.descriptors[:, _MIRROR],
    )


def _spread(found: object, shape: tuple[int, ...], most: int) -> list[cv2.KeyPoint]:
    """The strongest of each cell first; cells with little in them leave their places to others."""
    ordered = sorted(found, key=lambda one: -one.response)  # type: ignore[call-overload]  # tuple of KeyPoint
    height, width = shape[:2]
    cells: dict[tuple[int, int], list[cv2.KeyPoint]] = {}
    for one in ordered:
        cell = (int(one.pt[0] * GRID / width), int(one.pt[1] * GRID / height))
        cells.setdefault(cell, []).append(one)
    ranked = [(rank, one) for cell in cells.values() for rank, one in enumerate(cell)]
    ranked.sort(key=lambda pair: (pair[0], -pair[1].response))
    return [one for _, one in ranked[:most]]


def _rooted(raw: Floats) -> Pixels:
    """Arandjelović and Zisserman 2012: square roots of the L1-normed histogram, as bytes."""
    total = raw.sum(axis=1, keepdims=True)
    total[total == 0] = 1.0
    return np.asarray(np.minimum(np.sqrt(raw / total) * 512.0, 255.0), dtype=np.uint8)


def _mirror_order() -> npt.NDArray[np.intp]:
    """Where each bin goes: 4 × 4 cells of 8 directions, mirrored across the main direction."""
    order = np.arange(128).reshape(4, 4, 8)
    return order[::-1, :, (-np.arange(8)) % 8].reshape(-1)


_MIRROR = _mirror_order()
