"""What a picture is known by: SHA-256 of the file, perceptual hashes of what it shows.

PDQ (256 bits, with a quality): Facebook ThreatExchange, `pdq/README`; two pictures are alike at
31 bits or less when both have a quality of 50 or more. pHash and dHash (64 bits) are kept for
exchange with others and are no evidence alone: at 10⁷ pictures chance finds some.
"""

import hashlib
from dataclasses import dataclass

import imagehash
import numpy as np
import numpy.typing as npt
import pdqhash
from PIL import Image

from compliance.pictures import CANON, HASH_SIDE, Picture, Pixels, fitted

PDQ_RADIUS = 31
PDQ_QUALITY = 50
"""Below it a picture has too little in it for its hash to mean anything."""

ORIENTATIONS = (
    "original", "rotate90", "rotate180", "rotate270",
    "flip_vertical", "flip_horizontal", "transpose", "transverse",
)  # fmt: skip
"""The eight a square can be laid in, in the order of `Hashes.pdq`."""

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Hashes:
    """Everything a picture can be looked up by, and by which path it was made."""

    sha256: str
    phash: str
    dhash: str
    pdq: tuple[bytes, ...]
    """32 bytes for each of `ORIENTATIONS`; the first is the picture as it lies."""
    quality: int
    canon: str = CANON


def hashes(data: bytes, picture: Picture) -> Hashes:
    """The hashes of a file and of the picture decoded from it."""
    small = fitted(picture.rgb, HASH_SIDE)
    image = Image.fromarray(small)
    pdq, quality = pdq_of(small)
    return Hashes(
        sha256=hashlib.sha256(data).hexdigest(),
        phash=str(imagehash.phash(image)),
        dhash=str(imagehash.dhash(image)),
        pdq=pdq,
        quality=quality,
    )


def pdq_of(rgb: Pixels) -> tuple[tuple[bytes, ...], int]:
    """PDQ of a picture of 512 pixels or less in its eight orientations, and its quality."""
    vectors, quality = pdqhash.compute_dihedral(np.ascontiguousarray(rgb))
    return tuple(np.packbits(vector.astype(np.uint8)).tobytes() for vector in vectors), int(quality)


def words(hashes: tuple[bytes, ...] | list[bytes]) -> Words:
    """Hashes of 32 bytes as rows of four 64-bit words, which is what the index counts on."""
    return np.frombuffer(b"".join(hashes), dtype=np.uint64).reshape(-1, 4)


def distance(one: bytes, other: bytes) -> int:
    """In how many bits two hashes differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()
