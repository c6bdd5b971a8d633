"""What is made of pictures in the sandbox, as bytes that can be kept and sent.

`reference` is for the register, `looked` for a picture somebody asks about, `verified` for the
two together. Feature records come first and have one length, so that the first of them can be
read without the rest.
"""

import hashlib
from typing import Any

import cv2
import numpy as np

from compliance import matching
from compliance.features import Features
from compliance.hashes import PDQ_QUALITY, hashes
from compliance.looking import metadata
from compliance.matching import Asked, Known, Match
from compliance.pictures import CANON, Picture, decode
from compliance.prints import HEAD, PRINT_FEATURES, RECORD, SKETCH, Looked, Reference
from compliance.sketches import SKETCHES_CANON, Floats, Words, rows_of

__all__ = [
    "Looked", "Reference", "features_of", "first_features", "first_records", "looked", "packed",
    "question_of", "reference", "sketched", "unpacked", "unsketched", "verified",
]  # fmt: skip

RIGHTS = ("copyright", "creator", "credit", "licensor", "copyright_owner", "rights_owner")
"""Fields that name a holder; taking them out of a file is what article 1300 forbids."""
_MAGIC = b"kn1\0"


def reference(data: bytes) -> Reference:
    """Everything the register keeps of a picture; runs in the sandbox. Raises HostileInput."""
    cv2.setNumThreads(1)
    picture = decode(data)
    found, known, said = hashes(data, picture), matching.known(picture), metadata.read(data)
    return Reference(
        sha256=found.sha256, width=picture.width, height=picture.height, canon=found.canon,
        pdq=found.pdq[0], quality=found.quality, phash=found.phash, dhash=found.dhash,
        content=packed(known), rights=said.rights,
        carries_rights=any(name in said.rights for name in RIGHTS),
    )  # fmt: skip


def looked(data: bytes) -> Looked:
    """Everything a picture is looked up by; runs in the sandbox. Raises HostileInput."""
    cv2.setNumThreads(1)
    picture = matching.decode_asked(data)
    ready = _asked(data, picture)
    records = _records(ready.features)
    return Looked(
        sha256=hashlib.sha256(data).hexdigest(), width=picture.width, height=picture.height,
        canon=CANON, quality=ready.views[0].quality, needles=[
            turned for one in ready.views if one.quality >= PDQ_QUALITY for turned in one.pdq
        ],
        features=records, working_width=ready.grey.shape[1],
        sketches=sketched(features_of(records[: PRINT_FEATURES * RECORD])),
        sketch_canon=SKETCHES_CANON,
    )  # fmt: skip


def verified(data: bytes, contents: list[bytes]) -> list[dict[str, Any] | None]:
    """For each reference the match with the picture, None where there is none; in the sandbox."""
    cv2.setNumThreads(1)
    ready = _asked(data)
    found = [matching.compare(ready, unpacked(content)) for content in contents]
    return [None if one is None else _told(one) for one in found]


def packed(known: Known) -> bytes:
    """A reference as bytes; the grey picture loses nothing."""
    done, png = cv2.imencode(".png", known.grey)
    assert done  # noqa: S101 - encoding a picture made here cannot fail
    head = HEAD.pack(
        _MAGIC, known.width, known.height, known.quality, *known.grey.shape, len(known.features)
    )
    return head + _records(known.features) + known.pdq + bytes(png)


def unpacked(content: bytes) -> Known:
    """The reference again."""
    _, width, height, quality, _, _, count = HEAD.unpack_from(content)
    end = HEAD.size + count * RECORD
    grey = cv2.imdecode(np.frombuffer(content[end + 32 :], np.uint8), cv2.IMREAD_GRAYSCALE)
    return Known(
        width=width, height=height, pdq=content[end : end + 32], quality=quality,
        grey=np.asarray(grey, np.uint8),
        features=features_of(content[HEAD.size : end]),
    )  # fmt: skip


def first_features(content_start: bytes) -> Features:
    """The features in the beginning of a packed reference, as many as are whole."""
    return features_of(first_records(content_start))


def first_records(content_start: bytes) -> bytes:
    """Their records."""
    *_, count = HEAD.unpack_from(content_start)
    end = HEAD.size + min(count, (len(content_start) - HEAD.size) // RECORD) * RECORD
    return bytes(content_start[HEAD.size : end])


def features_of(records: bytes) -> Features:
    """Features from their records."""
    rows = np.frombuffer(records, np.uint8).reshape(-1, RECORD)
    numbers = np.ascontiguousarray(rows[:, :16]).view(np.float32)
    return Features(
        points=numbers[:, :2].copy(), sizes=numbers[:, 2].copy(), angles=numbers[:, 3].copy(),
        descriptors=rows[:, 16:].copy(),
    )  # fmt: skip


def sketched(given: Features) -> bytes:
    """The rows a local index keeps of features, packed."""
    words, poses = rows_of(given)
    rows = np.concatenate([words.view(np.uint8), poses.view(np.uint8)], axis=1)
    return np.ascontiguousarray(rows).tobytes()


def unsketched(packed_rows: bytes) -> tuple[Words, Floats]:
    """The rows again, as `LocalIndex.extend` takes them."""
    rows = np.frombuffer(packed_rows, np.uint8).reshape(-1, SKETCH)
    words, poses = (np.ascontiguousarray(part) for part in (rows[:, :16], rows[:, 16:]))
    return words.view(np.uint64), poses.view(np.float32)


def question_of(found: Looked) -> Asked:
    """What the local index asks with; there are no pixels in it."""
    return Asked(
        width=found.width, height=found.height,
        grey=np.zeros((1, found.working_width), np.uint8),
        features=features_of(found.features), views=(),
    )  # fmt: skip


def _records(given: Features) -> bytes:
    numbers = np.column_stack([given.points, given.sizes, given.angles]).astype(np.float32)
    rows = np.concatenate([numbers.view(np.uint8).reshape(-1, 16), given.descriptors], axis=1)
    return np.ascontiguousarray(rows).tobytes()


_ready: dict[str, Asked] = {}


def _asked(data: bytes, picture: Picture | None = None) -> Asked:
    """The asked picture, prepared once for the calls that follow each other in one process."""
    digest = hashlib.sha256(data).hexdigest()
    if digest not in _ready:
        _ready.clear()
        _ready[digest] = matching.asked(picture or matching.decode_asked(data))
    return _ready[digest]


def _told(found: Match) -> dict[str, Any]:
    """A match as plain data; floats are rounded, so that what is stored is what is shown."""
    return {
        "score": round(found.score, 4), "corners": [[round(x), round(y)] for x, y in found.corners],
        "is_mirrored": found.is_mirrored, "rotation": round(found.rotation, 1),
        "scale": round(found.scale, 4), "cropped": round(found.cropped, 4),
        "area": round(found.area, 4), "inliers": found.inliers, "distance": found.distance,
    }  # fmt: skip
