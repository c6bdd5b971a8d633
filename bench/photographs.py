"""Real photographs for the benchmarks of pictures, and as many crops of them as one likes."""

import hashlib
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from compliance.pictures import HASH_SIDE, Pixels, decode, fitted
from core.sandbox import HostileInput

LONGEST = 1600


def folder() -> Path:
    """Where the corpora lie: DOCFLOW_CORPORA, or beside the repository."""
    named = os.environ.get("DOCFLOW_CORPORA")
    beside = Path(__file__).resolve().parents[2] / "shared" / "corpora"
    return Path(named) if named else beside


def photographs() -> tuple[Image.Image, ...]:
    """Every photograph of `images/photos`, or of DOCFLOW_PHOTOS, as shown, 1600 pixels at most."""
    named = os.environ.get("DOCFLOW_PHOTOS")
    found = photographs_in(Path(named or folder() / "images" / "photos"))
    if not found:
        raise FileNotFoundError("no photographs: name their folder in DOCFLOW_PHOTOS")
    return found


def material() -> tuple[Image.Image, ...]:
    """What registers are filled up from: the corpora's photographs, whichever are measured."""
    return photographs_in(folder() / "images" / "photos") or photographs()


@lru_cache(maxsize=4)
def photographs_in(path: Path) -> tuple[Image.Image, ...]:
    """Every photograph of a folder that can be decoded, in the order of their paths."""
    found = []
    for one in sorted(path.rglob("*")):
        if one.suffix.lower() not in (".jpg", ".jpeg", ".png", ".webp"):
            continue
        try:
            shown = decode(one.read_bytes(), shortest=1200).rgb
        except HostileInput:
            continue
        found.append(Image.fromarray(fitted(shown, LONGEST)))
    return tuple(found)


def digest(photos: tuple[Image.Image, ...]) -> str:
    """Which photographs these are: SHA-256 over their pixels, in order."""
    whole = hashlib.sha256()
    for picture in photos:
        whole.update(f"{picture.size}".encode())
        whole.update(picture.tobytes())
    return whole.hexdigest()


def crops(each: int, *, seed: int = 3) -> Iterator[Pixels]:
    """Random parts of every photograph, 512 pixels at most, half of them mirrored."""
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    for picture in photographs():
        for number in range(each):
            share = random.uniform(0.25, 0.95) if number else 1.0
            width, height = (
                max(16, int(picture.width * share)),
                max(16, int(picture.height * share)),
            )
            left = random.randint(0, picture.width - width)
            top = random.randint(0, picture.height - height)
            part = np.asarray(picture.crop((left, top, left + width, top + height)))
            if number % 2:
                part = part[:, ::-1]
            yield fitted(np.ascontiguousarray(part), HASH_SIDE)
