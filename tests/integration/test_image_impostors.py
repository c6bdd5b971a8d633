"""A million pairs of pictures that are no copies of each other: none is called a match.

The pictures are tiles of photographs. Each is asked about as people would have changed it, and
walks the whole way: every picture whose features or hash are anywhere near is laid over it.

The million pairs are of different photographs. Neighbours of one wall, lawn or crowd are laid over
each other as well, but told apart: a chessboard or a printed wallpaper repeats itself pixel by
pixel, and whoever matches its parts has found the right photograph.
"""

import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from random import Random
from uuid import UUID

import cv2
import pytest
from PIL import Image

from bench import copies, photographs
from compliance import matching
from compliance.hashes import distance
from compliance.local_index import EXACT, LocalIndex
from compliance.pictures import decode

PAIRS = 1_000_000
TILES = (6, 4)
LEAST_SIDE = 100
KEPT_WHOLE = (
    "jpeg-30", "grey", "gamma", "blur", "aspect", "watermark", "mirror", "quarter-turns",
    "crop-25", "crop-50", "rotate-5", "rotate-15", "border", "caption", "banner", "screenshot",
)  # fmt: skip
"""Transforms that show one picture; a collage would show others of the register."""


@dataclass
class Register:
    tiles: list[Image.Image]
    photographs: list[int]
    """Which photograph each tile is of."""
    known: dict[UUID, matching.Known]
    local: LocalIndex


_held: list[Register] = []


def _tiles() -> Iterator[tuple[int, Image.Image]]:
    across, down = TILES
    for number, photo in enumerate(photographs.photographs()):
        wide, high = photo.width // across, photo.height // down
        if min(wide, high) < LEAST_SIDE:
            continue
        for at in range(across * down):
            left, top = at % across * wide, at // across * high
            yield number, photo.crop((left, top, left + wide, top + high))


def _register() -> Register:
    cv2.setNumThreads(1)
    register = Register([], [], {}, LocalIndex(EXACT))
    for photograph, tile in _tiles():
        ready = matching.known(decode(copies.sent(tile, quality=92)))
        if matching.is_featureless(ready):
            continue
        id = UUID(int=len(register.tiles))
        register.tiles.append(tile)
        register.photographs.append(photograph)
        register.known[id] = ready
        register.local.add(id, ready.features)
    return register


def _ask(number: int) -> tuple[int, int, list[int]]:
    """How many pictures came near, whether the tile found itself, and whom else it found."""
    cv2.setNumThreads(1)
    (register,) = _held
    random = Random(number)  # noqa: S311 - repeatable, not secret
    transform, _ = copies.TRANSFORMS[KEPT_WHOLE[number % len(KEPT_WHOLE)]]
    copy, _ = transform(register.tiles[number], random, [])
    query = matching.asked(matching.decode_asked(copies.sent(copy)))
    near = {one.id for one in register.local.search(query, most=len(register.known))}
    needles = [turned for view in query.views for turned in view.pdq]
    near |= {
        id
        for id, ready in register.known.items()
        if min(distance(ready.pdq, needle) for needle in needles) <= matching.CANDIDATE_RADIUS
    }
    found = {id.int for id in near if matching.compare(query, register.known[id]) is not None}
    return len(near), number in found, sorted(found - {number})


@pytest.mark.prove
def test_a_million_impostor_pairs_have_no_match(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        photographs.photographs()
    except FileNotFoundError as problem:
        pytest.skip(str(problem))
    _held[:] = [_register()]
    of = _held[0].photographs
    count = len(of)
    pairs = count**2 - sum(each**2 for each in Counter(of).values())
    assert pairs >= PAIRS
    processes = min(2, os.cpu_count() or 1)
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
        answers = list(pool.map(_ask, range(count), chunksize=8))
    compared = sum(near for near, _, _ in answers)
    matched = [(one, other) for one, (_, _, others) in enumerate(answers) for other in others]
    false = [pair for pair in matched if of[pair[0]] != of[pair[1]]]
    repeating = Counter(of[one] for one, other in matched if of[one] == of[other])
    found = sum(own for _, own, _ in answers)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{count} pictures, {pairs} pairs of different photographs, {compared} laid over each"
            f" other, {found} copies found, false: {false}; parts of one photograph that match:"
            f" {dict(repeating)}\n"
        )
    assert not false
    assert found >= 0.9 * count
