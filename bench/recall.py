"""`copy-recall`: of copies as people make them, how many lead back to their picture.

The whole way is walked: a register of hashes filled to 10⁶ with hashes derived from real ones, a
register of local features with 10⁴ real and made pictures; candidates come from both, and only
what the second stage verifies counts. A match with any other picture counts as false unless it
shows the same photograph (crops in the register do). COPY_TRIALS sets the trials of a row.
"""

import asyncio
import logging
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from typing import Any
from uuid import UUID

import cv2
import numpy as np
from PIL import Image

from bench import copies, hashes, photographs, scenery
from bench.ground import Ground
from bench.results import Result, percentile
from compliance import matching
from compliance.hashes import distance
from compliance.index import HammingIndex
from compliance.local_index import EXACT, Effort, LocalIndex
from compliance.pictures import decode

log = logging.getLogger(__name__)

TRIALS = 1000
_REGISTER = 10_000
_HASHES = 1_000_000
_RADIUS = 31
_SAME = 10
_MOST = 16


@dataclass(slots=True)
class Register:
    """Both indexes, and what the second stage needs of each real picture."""

    known: dict[UUID, matching.Known]
    source: dict[UUID, int]
    """Which photograph a picture of the register shows; made ones show none."""
    hashes: HammingIndex
    local: LocalIndex


@dataclass(slots=True)
class Row:
    """What became of the trials of one transform."""

    trials: int = 0
    found: int = 0
    false: int = 0
    by_hash: int = 0
    corners: list[float] = field(default_factory=list)
    mirrored: int = 0
    seconds: list[float] = field(default_factory=list)


async def measure(_: Ground) -> Result:
    """Every transform; value: the smallest margin of a row to its goal."""
    return await asyncio.to_thread(run, int(os.environ.get("COPY_TRIALS", str(TRIALS))))


def run(trials: int, names: Sequence[str] = tuple(copies.TRANSFORMS)) -> Result:
    """Measure these transforms with so many trials each; hours for a thousand of all."""
    cv2.setNumThreads(1)
    register = filled(photographs.photographs(), pictures=_REGISTER, rows=_HASHES)
    rows = {}
    for name in names:
        rows[name] = _row(name, register, trials)
        log.info("%s: %s", name, shown(rows[name], copies.TRANSFORMS[name][1]))
    margins = {
        name: row.found / row.trials - copies.TRANSFORMS[name][1] for name, row in rows.items()
    }
    pairs = sum(row.trials for row in rows.values()) * len(register.local)
    false = sum(row.false for row in rows.values())
    queries = sum(row.trials for row in rows.values())
    notes = {
        "rows": {name: shown(row, copies.TRANSFORMS[name][1]) for name, row in rows.items()},
        "false_matches": false,
        "false_per_query_at_most": wilson(false, queries)[1],
        "false_per_query_is": f"an extrapolation from {queries} queries over {pairs} pairs",
        "photographs": len(register.source),
        "featureless": len(photographs.photographs()) - len(register.source),
        "register": {"hashes": len(register.hashes), "local": len(register.local)},
    }
    value = min(margins.values())
    return Result("copy-recall", value, "share", 1.0, value, trials, notes)


def filled(
    photos: Sequence[Image.Image], *, pictures: int, rows: int, effort: Effort = EXACT
) -> Register:
    """Registers with every photograph, and made pictures and derived hashes up to these numbers."""
    local = LocalIndex(effort)
    known: dict[UUID, matching.Known] = {}
    source: dict[UUID, int] = {}
    made = hashes.register(max(rows - len(photos), 1))
    ids = [UUID(int=2**64 + number) for number in range(len(made))]
    index = HammingIndex.built(ids, made)
    for number, photo in enumerate(photos):
        id = UUID(int=number + 1)
        ready = matching.known(decode(copies.sent(photo, quality=92)))
        if matching.is_featureless(ready):
            continue
        known[id] = ready
        # The same photograph may lie in the folder twice, under two names.
        twin = next((one for one in source if distance(known[one].pdq, ready.pdq) <= _SAME), id)
        source[id] = source.get(twin, number)
        index.add(id, [ready.pdq])
        local.add(id, ready.features)
    for number, ready in enumerate(scenery.pictures(pictures - len(photos))):
        id = UUID(int=2**32 + number)
        known[id] = ready
        local.add(id, ready.features)
    return Register(known=known, source=source, hashes=index, local=local)


def candidates(register: Register, query: matching.Asked) -> list[UUID]:
    """Whatever either index names; hashes of every view in eight orientations."""
    needles = [turned for view in query.views for turned in view.pdq]
    by_hash = [one.id for one in register.hashes.search(needles, radius=_RADIUS)]
    by_local = [one.id for one in register.local.search(query, most=_MOST)]
    return [id for id in dict.fromkeys(by_hash + by_local) if id in register.known]


def _row(name: str, register: Register, trials: int) -> Row:
    row = Row()
    photos = photographs.photographs()
    transform, _ = copies.TRANSFORMS[name]
    numbers = sorted(id.int - 1 for id in register.source)
    for trial in range(trials):
        number = numbers[trial % len(numbers)]
        random = Random(f"{name} {trial}")  # noqa: S311 - repeatable, not secret
        others = [photos[random.randrange(len(photos))] for _ in range(4)]
        others = [other for other in others if other is not photos[number]] or [photos[number - 1]]
        copy, matrix = transform(photos[number], random, others)
        began = perf_counter()
        query = matching.asked(matching.decode_asked(copies.sent(copy)))
        found = {
            id: match
            for id in candidates(register, query)
            if (match := matching.compare(query, register.known[id])) is not None
        }
        row.seconds.append(perf_counter() - began)
        shown_here = {
            register.source[UUID(int=number + 1)],
            *(at for at, photo in enumerate(photos) if photo in others),
        }
        _count(row, UUID(int=number + 1), found, matrix, copy, photos[number], register, shown_here)
    return row


def _count(
    row: Row, id: UUID, found: dict[UUID, matching.Match], matrix: copies.Matrix,
    copy: Image.Image, photo: Image.Image, register: Register, shown_here: set[int],
) -> None:  # fmt: skip
    row.trials += 1
    row.false += sum(register.source.get(one, -1) not in shown_here for one in found)
    match = found.get(id)
    if match is None:
        return
    row.found += 1
    row.by_hash += match.distance is not None and match.distance <= _RADIUS
    row.mirrored += match.is_mirrored == (np.linalg.det(matrix[:2, :2]) < 0)
    truth = copies.corners(matrix, width=photo.width, height=photo.height)
    # The reference was encoded at the photograph's own size, so both count the same pixels.
    error = np.abs(np.array(match.corners) - truth).max()
    row.corners.append(float(error) / math.hypot(copy.width, copy.height))


def shown(row: Row, goal: float) -> dict[str, Any]:
    """A row as the notes have it."""
    return {
        "recall": row.found / row.trials, "bounds": wilson(row.found, row.trials), "goal": goal,
        "n": row.trials, "false": row.false, "by_hash_alone": row.by_hash / row.trials,
        "corner_error_p95": percentile(row.corners, 0.95) if row.corners else None,
        "mirror_right": row.mirrored / max(row.found, 1),
        "p95_s": percentile(row.seconds, 0.95),
    }  # fmt: skip


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % bounds of a share."""
    z = 1.959964
    middle = hits + z * z / 2
    spread = z * math.sqrt(hits * (trials - hits) / trials + z * z / 4)
    return max(0.0, (middle - spread) / (trials + z * z)), min(
        1.0, (middle + spread) / (trials + z * z)
    )
