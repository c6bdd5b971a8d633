"""A local feature in 128 bits, so that millions of them can be searched exactly in memory.

The signs of the Walsh-Hadamard transform of a descriptor, each against its median over real
photographs: features of the same spot differ in 10 of 128 bits (half of them in less), unrelated
ones are within 20 bits three times in a million.
"""

import numpy as np
import numpy.typing as npt

from compliance.features import Features

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float32]

SKETCHES_CANON = "sketch-1"
RADIUS = 20
_MEDIANS = (
    4223, 175, 676, 655, 378, 356, 593, 89, -12, 1, -2, -1, 0, 0, 2, -1,
    -40, 4, 7, 7, 40, 34, 76, -2, -562, -40, -186, -188, -242, -237, -463, -28,
    1, 1, 0, 0, -5, -2, 1, 1, 1, -1, -12, 11, 6, 2, -5, -4,
    -1, 1, 24, -28, 34, -14, -10, -9, 0, 0, 0, -1, -3, 2, 2, 1,
    0, 2, -4, 9, -69, 23, 22, 26, 1, 0, 16, -17, 46, -12, -16, -15,
    -1, -1, -11, 4, 168, -34, -64, -66, 0, -1, 12, -13, 27, -11, -9, -7,
    -375, -43, -142, -141, -35, -49, -30, -46, 0, 0, 0, 1, -1, 0, -1, 0,
    6, -2, 2, 3, -9, -8, -17, -2, 98, 3, 37, 39, 25, 32, 42, 4,
)  # fmt: skip


def sketches(given: Features) -> Words:
    """N × 2 words, one row for each feature."""
    if not len(given):
        return np.zeros((0, 2), np.uint64)
    transformed = given.descriptors.astype(np.float32) @ _HADAMARD
    return np.packbits(transformed > _CUTS, axis=1).view(np.uint64)


def rows_of(given: Features) -> tuple[Words, Floats]:
    """What an index keeps of features: a sketch each (N × 2), its turn and size (N × 2)."""
    poses = np.stack([given.angles, np.log2(np.maximum(given.sizes, 0.1))], axis=1)
    return sketches(given), np.asarray(poses, np.float32)


def _hadamard(size: int) -> npt.NDArray[np.float32]:
    """Sylvester's matrix of this size, a power of two; symmetric."""
    matrix = np.ones((1, 1), np.float32)
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


_HADAMARD = _hadamard(128)
_CUTS = np.array(_MEDIANS, np.float32)
