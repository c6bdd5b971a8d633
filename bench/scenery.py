"""Pictures to fill a register with: made out of patches of real ones, all different.

Each is a few patches of photographs, turned, stretched, recoloured and laid over each other, so
that local features are as real ones are; their features are kept on disk between runs.
"""

import tempfile
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from pathlib import Path
from random import Random

import cv2
import numpy as np

from bench.photographs import digest, material
from compliance import matching
from compliance.features import REFERENCE_FEATURES, Features, features
from compliance.pictures import Pixels

_SIDE = (384, 512)
_PATCH = 150
_VERSION = "scenery-1"
_PLACES = tuple(product(range(0, _SIDE[0], _PATCH // 2), range(0, _SIDE[1], _PATCH // 2)))


@lru_cache(maxsize=1)
def _kept_in() -> Path:
    return Path(tempfile.gettempdir(), f"docflow-{_VERSION}-{digest(material())[:12]}")


def pictures(count: int) -> Iterator[matching.Known]:
    """So many made pictures; the same each time. The first run computes for minutes."""
    for number in range(0, count, 500):
        yield from _batch(number, min(500, count - number))


def _batch(first: int, count: int) -> Iterator[matching.Known]:
    kept = _kept_in() / f"{first}.npz"
    if kept.exists():
        # Every look into the file reads a whole array of it again, so each is taken out once.
        held = dict(np.load(kept))
        starts = [0, *held["ends"].tolist()]
        for number in range(count):
            at = slice(starts[number], starts[number + 1])
            yield _known(
                held["greys"][number],
                Features(held["points"][at], held["sizes"][at], held["angles"][at],
                         held["descriptors"][at]),
            )  # fmt: skip
        return
    greys = [_made(first + number) for number in range(500)]
    found = [features(grey, most=REFERENCE_FEATURES) for grey in greys]
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        kept, greys=np.stack(greys), ends=np.cumsum([len(one) for one in found]),
        points=np.concatenate([one.points for one in found]),
        sizes=np.concatenate([one.sizes for one in found]),
        angles=np.concatenate([one.angles for one in found]),
        descriptors=np.concatenate([one.descriptors for one in found]),
    )  # fmt: skip
    yield from (_known(grey, one) for grey, one in zip(greys[:count], found, strict=False))


def _known(grey: Pixels, found: Features) -> matching.Known:
    height, width = grey.shape
    return matching.Known(width, height, bytes(32), 0, grey, found)


def _made(number: int) -> Pixels:
    """Patches small enough that none shows what its photograph shows."""
    random = Random(f"{_VERSION} {number}")  # noqa: S311 - repeatable, not secret
    canvas = np.zeros(_SIDE, np.uint8)
    for top, left in _PLACES:
        _, patch = _patch(random)
        part = canvas[top : top + _PATCH, left : left + _PATCH]
        part[:] = patch[: part.shape[0], : part.shape[1]]
    return canvas


def shown(number: int) -> frozenset[int]:
    """Of which photographs of `material` there is a patch in the made picture of this number."""
    random = Random(f"{_VERSION} {number}")  # noqa: S311 - repeatable, not secret
    return frozenset(_patch(random)[0] for _ in _PLACES)


def _patch(random: Random) -> tuple[int, Pixels]:
    """Which photograph, and a small part of it."""
    photos = material()
    which = random.choice(range(len(photos)))
    photo = photos[which]
    side = random.randint(30, max(31, min(photo.size) // 6))
    left, top = random.randint(0, photo.width - side), random.randint(0, photo.height - side)
    grey = np.asarray(photo.crop((left, top, left + side, top + side)).convert("L"))
    stretched = cv2.resize(grey, (_PATCH + random.randint(0, 60), _PATCH + random.randint(0, 60)))
    turned = np.rot90(stretched, random.randrange(4))
    if random.random() < 0.5:
        turned = turned[:, ::-1]
    if random.random() < 0.3:
        turned = 255 - turned
    return which, np.ascontiguousarray(turned[:_PATCH, :_PATCH])
