"""`copy-recall`: of copies as people make them, how many lead back to their picture.

The whole way is walked: a register of hashes filled to 10⁶ with hashes derived from real ones, a
register of local features with 10⁴ real and made pictures; candidates come from both, and only
what the second stage verifies counts. A match with any other picture counts as false unless it
shows the same photograph: crops in the register do, and made pictures with a patch of it, which
are counted apart.

COPY_TRIALS sets the trials of a row, COPY_ROWS which rows (all by default), COPY_PROCESSES how
many processes share them, COPY_MINUTES when to stop and say what was done by then, and COPY_KEPT a
file that trials are kept in, line by line: a run that was stopped goes on where it was, and trials
of another method or other photographs do not count.
"""

import asyncio
import hashlib
import json
import logging
import math
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

import cv2
import numpy as np
from PIL import Image

from bench import copies, hashes, photographs, scenery
from bench.ground import Ground
from bench.results import Result, percentile
from compliance import matching
from compliance.hashes import distance, pdq_of
from compliance.index import HammingIndex
from compliance.local_index import EXACT, FAST, Effort, LocalIndex
from compliance.pictures import HASH_SIDE, decode, fitted

log = logging.getLogger(__name__)

TRIALS = 1000
_PROCESSES = 2
_REGISTER = 10_000
_HASHES = 1_000_000
_RADIUS = 31
_SAME = 10
_MOST = 16
_MADE = 2**32
"""Where the ids of made pictures begin."""
_FAST, _FAST_QUERIES = 50_000, 200
_METHOD = (
    "agreement", "features", "geometry", "hashes", "local_index", "matching", "pictures",
    "sketches", "views",
)  # fmt: skip
"""What of the service decides whether a copy is found."""


@dataclass(slots=True)
class Register:
    """Both indexes, and what the second stage needs of each real picture."""

    known: dict[UUID, matching.Known]
    source: dict[UUID, int]
    """Which photograph a picture of the register shows; not said of made ones."""
    patches: dict[int, int]
    """Which measured photograph each photograph is that pictures were made of, where it is one."""
    hashes: HammingIndex
    local: LocalIndex


@dataclass(frozen=True, slots=True)
class Trial:
    """One copy, and what became of it."""

    row: str
    number: int
    photograph: int
    is_found: bool
    false: int
    """Matches with pictures that are not in the copy."""
    patches: int
    """Matches with made pictures that hold a patch of what is in the copy."""
    is_near: bool
    """Would the hash alone have found it?"""
    is_mirror_right: bool
    corner_error: float | None
    """The worst corner, in diagonals of the copy."""
    seconds: float
    """Of one processor, from the copy's bytes to its matches."""
    method: str


async def measure(_: Ground) -> Result:
    """Every transform; value: the smallest margin of a row to its goal."""
    rows = os.environ.get("COPY_ROWS", "").split() or list(copies.TRANSFORMS)
    return await asyncio.to_thread(run, int(os.environ.get("COPY_TRIALS", str(TRIALS))), rows)


def run(trials: int, names: Sequence[str] = tuple(copies.TRANSFORMS)) -> Result:
    """Measure these transforms with so many trials each; hours for a thousand of all."""
    cv2.setNumThreads(1)
    until = perf_counter() + 60 * float(os.environ.get("COPY_MINUTES", "inf"))
    method, kept = method_digest(), _kept_file()
    register = filled(photographs.photographs(), pictures=_REGISTER, rows=_HASHES)
    done = {
        (one.row, one.number): one
        for one in (_kept(kept) if kept else ())
        if one.method == method and one.row in names and one.number < trials
    }
    # One trial of every row after the other, so that a run cut short says something of all.
    left = [(name, at) for at in range(trials) for name in names if (name, at) not in done]
    for trial in _tried(register, left, method) if until > perf_counter() or not done else ():
        done[trial.row, trial.number] = trial
        if kept:
            with kept.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(trial)) + "\n")
        if len(done) % (20 * len(names)) == 0:
            log.info("%d of %d trials", len(done), trials * len(names))
        if perf_counter() > until:
            break
    rows = {name: [one for one in done.values() if one.row == name] for name in names}
    return _result({name: row for name, row in rows.items() if row}, register, method)


def method_digest() -> str:
    """Which code and which photographs: twelve digits of a SHA-256."""
    digest = hashlib.sha256()
    folder = Path(matching.__file__).parent
    for name in _METHOD:
        digest.update((folder / f"{name}.py").read_bytes())
    digest.update(Path(copies.__file__).read_bytes())
    digest.update(photographs.digest(photographs.photographs()).encode())
    return digest.hexdigest()[:12]


def _kept_file() -> Path | None:
    named = os.environ.get("COPY_KEPT")
    return Path(named) if named else None


def _kept(path: Path) -> Iterator[Trial]:
    """The trials in a file; a last line that was cut off is passed over."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield Trial(**json.loads(line))
        except (ValueError, TypeError):
            continue


_held: list[tuple[Register, str]] = []
"""What forked processes find in memory instead of filling it once more."""


def _tried(register: Register, left: list[tuple[str, int]], method: str) -> Iterator[Trial]:
    processes = int(os.environ.get("COPY_PROCESSES", str(_PROCESSES)))
    _held[:] = [(register, method)]
    if processes <= 1:
        yield from map(_trial, left)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
        yield from pool.map(_trial, left, chunksize=4)


def _result(rows: dict[str, list[Trial]], register: Register, method: str) -> Result:
    margins = {
        name: sum(one.is_found for one in row) / len(row) - copies.TRANSFORMS[name][1]
        for name, row in rows.items()
    }
    queries = sum(len(row) for row in rows.values())
    false = sum(one.false for row in rows.values() for one in row)
    notes = {
        "rows": {name: shown(row, copies.TRANSFORMS[name][1]) for name, row in rows.items()},
        "false_matches": false,
        "matches_with_a_patch": sum(one.patches for row in rows.values() for one in row),
        "false_per_query_at_most": wilson(false, queries)[1],
        "false_per_query_is": (
            f"an extrapolation from {queries} queries over {queries * len(register.local)} pairs"
        ),
        "photographs": len(register.source),
        "featureless": len(photographs.photographs()) - len(register.source),
        "register": {"hashes": len(register.hashes), "local": len(register.local)},
        "fast_index": fast_index(register, tuple(rows)),
        "method": method,
    }
    value = min(margins.values())
    return Result(
        "copy-recall", value, "share", 1.0, value, min(len(row) for row in rows.values()), notes
    )


def filled(
    photos: Sequence[Image.Image], *, pictures: int, rows: int, effort: Effort = EXACT
) -> Register:
    """Registers with every photograph, and made pictures and derived hashes up to these numbers."""
    local = LocalIndex(effort)
    known: dict[UUID, matching.Known] = {}
    source: dict[UUID, int] = {}
    for number, photo in enumerate(photos):
        id = UUID(int=number + 1)
        ready = matching.known(decode(copies.sent(photo, quality=92)))
        if matching.is_featureless(ready):
            continue
        known[id] = ready
        # The same photograph may lie in the folder twice, under two names.
        twin = next((one for one in source if distance(known[one].pdq, ready.pdq) <= _SAME), id)
        source[id] = source.get(twin, number)
        local.add(id, ready.features)
    derived = hashes.register(max(rows - len(known), 1))
    index = HammingIndex.built(
        [UUID(int=2**64 + number) for number in range(len(derived))], derived
    )
    for id, ready in known.items():
        index.add(id, [ready.pdq])
    patches = _patches(known, source)
    for number, ready in enumerate(scenery.pictures(pictures - len(known))):
        id = UUID(int=_MADE + number)
        known[id] = ready
        local.add(id, ready.features)
    return Register(known=known, source=source, patches=patches, hashes=index, local=local)


def _patches(known: dict[UUID, matching.Known], source: dict[UUID, int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for number, photo in enumerate(photographs.material()):
        pdq = pdq_of(fitted(np.asarray(photo), HASH_SIDE))[0][0]
        near = next((id for id in source if distance(known[id].pdq, pdq) <= _SAME), None)
        if near is not None:
            found[number] = source[near]
    return found


def fast_index(register: Register, names: Sequence[str]) -> dict[str, Any]:
    """What the quicker index costs: copies whose picture it does not name among 5 · 10⁴.

    It holds five of each picture's features, bits turned in four of them; the exact index holds
    the 10⁴ themselves.
    """
    larger = LocalIndex(FAST)
    random = np.random.default_rng(9)
    for turn in range(_FAST // _REGISTER):
        for id, ready in register.known.items():
            given = ready.features
            turned = random.integers(0, 2, given.descriptors.shape, np.uint8) if turn else 0
            several = replace(given, descriptors=np.asarray(given.descriptors ^ turned, np.uint8))
            larger.add(UUID(int=id.int + turn * 2**96), several)
    queries = int(os.environ.get("COPY_FAST", str(_FAST_QUERIES)))
    exact, fast, lost = 0, 0, []
    for at in range(queries):
        name = names[at % len(names)]
        sent = made(name, at, register)
        query = matching.asked(matching.decode_asked(sent.data))
        id = UUID(int=sent.number + 1)
        in_exact = id in [one.id for one in register.local.search(query, most=_MOST)]
        in_fast = id in [one.id for one in larger.search(query, most=_MOST)]
        exact, fast = exact + in_exact, fast + in_fast
        if in_exact and not in_fast:
            lost.append(name)
    return {
        "pictures": len(larger), "queries": queries, "named_by_exact": exact,
        "named_by_fast": fast, "lost": len(lost), "lost_rows": lost,
        "lost_bounds": wilson(len(lost), max(exact, 1)),
    }  # fmt: skip


def candidates(register: Register, query: matching.Asked) -> list[UUID]:
    """Whatever either index names; hashes of every view in eight orientations."""
    needles = [turned for view in query.views for turned in view.pdq]
    by_hash = [one.id for one in register.hashes.search(needles, radius=_RADIUS)]
    by_local = [one.id for one in register.local.search(query, most=_MOST)]
    return [id for id in dict.fromkeys(by_hash + by_local) if id in register.known]


@dataclass(frozen=True, slots=True)
class Made:
    """A copy as it was sent, and what is in it."""

    number: int
    """Of the photograph."""
    photo: Image.Image
    copy: Image.Image
    matrix: copies.Matrix
    data: bytes
    shows: frozenset[int]
    """All photographs that are in it."""


def made(name: str, trial: int, register: Register) -> Made:
    """The copy of this trial, the same each time."""
    photos = photographs.photographs()
    numbers = sorted(id.int - 1 for id in register.source)
    number = numbers[trial % len(numbers)]
    random = Random(f"{name} {trial}")  # noqa: S311 - repeatable, not secret
    others = [photos[random.randrange(len(photos))] for _ in range(4)]
    others = [other for other in others if other is not photos[number]] or [photos[number - 1]]
    copy, matrix = copies.TRANSFORMS[name][0](photos[number], random, others)
    shown_here = {number, *(at for at, one in enumerate(photos) if any(one is o for o in others))}
    return Made(
        number=number, photo=photos[number], copy=copy, matrix=matrix,
        # No two copies of a photograph are the same file.
        data=copies.sent(copy, quality=random.randint(70, 95)),
        shows=frozenset(register.source.get(UUID(int=at + 1), at) for at in shown_here),
    )  # fmt: skip


def _trial(which: tuple[str, int]) -> Trial:
    """Make one copy and look for it."""
    cv2.setNumThreads(1)
    ((register, method),) = _held
    sent = made(*which, register)
    began = process_time()
    query = matching.asked(matching.decode_asked(sent.data))
    found = {
        id: match
        for id in candidates(register, query)
        if (match := matching.compare(query, register.known[id])) is not None
    }
    seconds = process_time() - began
    match = found.get(UUID(int=sent.number + 1))
    others = [one for one in found if register.source.get(one) not in sent.shows]
    patches = sum(bool(_in_patches(register, one) & sent.shows) for one in others)
    return Trial(
        row=which[0], number=which[1], photograph=sent.number, is_found=match is not None,
        false=len(others) - patches, patches=patches,
        is_near=match is not None and match.distance is not None and match.distance <= _RADIUS,
        is_mirror_right=(
            match is not None and match.is_mirrored == bool(np.linalg.det(sent.matrix[:2, :2]) < 0)
        ),
        corner_error=None if match is None else _corner_error(match, sent),
        seconds=seconds, method=method,
    )  # fmt: skip


def _in_patches(register: Register, id: UUID) -> set[int]:
    """The measured photographs of which a made picture holds a patch."""
    if id.int < _MADE:
        return set()
    shown_there = scenery.shown(id.int - _MADE)
    return {register.patches[one] for one in shown_there if one in register.patches}


def _corner_error(match: matching.Match, sent: Made) -> float:
    truth = copies.corners(sent.matrix, width=sent.photo.width, height=sent.photo.height)
    # The reference was encoded at the photograph's own size, so both count the same pixels.
    error = np.abs(np.array(match.corners) - truth).max()
    return float(error) / math.hypot(sent.copy.width, sent.copy.height)


def shown(row: Sequence[Trial], goal: float) -> dict[str, Any]:
    """A row as the notes have it."""
    found = sum(one.is_found for one in row)
    errors = [one.corner_error for one in row if one.corner_error is not None]
    return {
        "recall": found / len(row), "bounds": wilson(found, len(row)), "goal": goal,
        "n": len(row), "false": sum(one.false for one in row),
        "photographs_missed": len({one.photograph for one in row if not one.is_found}),
        "by_hash_alone": sum(one.is_near for one in row) / len(row),
        "corner_error_p95": percentile(errors, 0.95) if errors else None,
        "mirror_right": sum(one.is_mirror_right for one in row) / max(found, 1),
        "cpu_p95_s": percentile([one.seconds for one in row], 0.95),
    }  # fmt: skip


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % bounds of a share."""
    z = 1.959964
    middle = hits + z * z / 2
    spread = z * math.sqrt(hits * (trials - hits) / trials + z * z / 4)
    return max(0.0, (middle - spread) / (trials + z * z)), min(
        1.0, (middle + spread) / (trials + z * z)
    )
