"""Exact hash search: eight orientations of a picture in a million and ten million hashes.

The register is made of real hashes (photographs, their crops, mirrors and re-encodings) and of
copies of them with a few to many bits flipped, as PDQ differs between versions of a picture: it
is skewed, with large families. The floor is faiss' flat binary index on one thread, all eight
needles in one call, in turn with ours.
"""

import asyncio
import resource
import tempfile
from pathlib import Path
from time import perf_counter
from uuid import UUID

import numpy as np
import numpy.typing as npt

from bench import photographs
from bench.ground import Ground
from bench.results import Result, percentile
from compliance.hashes import PDQ_RADIUS, pdq_of
from compliance.index import HammingIndex
from compliance.local_index import FAST, LocalIndex
from compliance.searching import snapshots

ROUNDS = 60
_FLIPS = (2, 6, 12, 20, 28, 40, 60, 90, 128)
_SHARES = (0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.15, 0.15)

Rows = npt.NDArray[np.uint8]


async def million(_: Ground) -> Result:
    """A register of 10⁶ hashes."""
    return await asyncio.to_thread(_measure, "hash-search-1e6", 1_000_000)


async def ten_million(_: Ground) -> Result:
    """A register of 10⁷ hashes."""
    return await asyncio.to_thread(_measure, "hash-search-1e7", 10_000_000)


def register(rows: int, *, seed: int = 7) -> Rows:
    """This many hashes of 32 bytes, derived from real ones; the same for the same photographs."""
    random = np.random.default_rng(seed)
    real = _real_hashes()
    made = np.empty((rows, 32), np.uint8)
    for start in range(0, rows, 250_000):
        part = made[start : start + 250_000]
        part[:] = real[random.integers(0, len(real), len(part))]
        flips = random.choice(_FLIPS, len(part), p=_SHARES)
        chance = np.repeat(flips / 256.0, 256).reshape(-1, 256).astype(np.float32)
        part ^= np.packbits(random.random((len(part), 256), np.float32) < chance, axis=1)
    return made


def _real_hashes() -> Rows:
    found: list[bytes] = []
    for picture in photographs.crops(8):
        turned, _ = pdq_of(picture)
        found += turned
    return np.frombuffer(b"".join(found), np.uint8).reshape(-1, 32)


def _measure(name: str, rows: int) -> Result:
    import faiss  # noqa: PLC0415 - a floor, not a part of the service

    faiss.omp_set_num_threads(1)
    held = register(rows)
    flat = faiss.IndexBinaryFlat(256)
    flat.add(held)
    index, notes = _from_snapshot(held)
    random = np.random.default_rng(11)
    real = _real_hashes()
    ours, theirs, sizes = [], [], []
    for turn in range(ROUNDS + 3):
        # Half are pictures of the register, half nobody has seen.
        needles = real[8 * int(random.integers(0, len(real) // 8)) :][:8].copy()
        if turn % 2:
            needles ^= random.integers(0, 256, 32, np.uint8)
        began = perf_counter()
        found = index.search([row.tobytes() for row in needles])
        middle = perf_counter()
        limits, distances, _ = flat.range_search(needles, PDQ_RADIUS + 1)
        ended = perf_counter()
        assert np.array_equal(np.sort(found.distances), np.sort(distances))
        assert len(found) == limits[-1]
        if turn >= 3:
            ours.append((middle - began) * 1000)
            theirs.append((ended - middle) * 1000)
            sizes.append(len(found))
    value, floor = percentile(ours, 0.95), percentile(theirs, 0.95)
    return Result(
        name, value, "ms", floor, value / floor, ROUNDS,
        {"medians": [percentile(ours, 0.5), percentile(theirs, 0.5)], "cores": 1,
         "found": [percentile(sizes, 0.5), max(sizes)], **notes},
    )  # fmt: skip


def _from_snapshot(held: Rows) -> tuple[HammingIndex, dict[str, float]]:
    """The index as a process would have it after a start; what start and size cost."""
    ids = (UUID(int=number) for number in range(len(held)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = HammingIndex.built(ids, held)
        began = perf_counter()
        snapshots.write(
            folder, seen=1, digest="", effort=FAST, hashes=built.frozen(),
            local=LocalIndex(FAST).columns(),
        )  # fmt: skip
        written = perf_counter() - began
        size = sum(path.stat().st_size for path in folder.iterdir())
        began = perf_counter()
        found = snapshots.read(folder)
        assert found is not None
        index = found.hashes
        index.search([held[0].tobytes()])
        cold = perf_counter() - began
    added = UUID(int=2**100)
    began = perf_counter()
    index.add(added, [bytes(32)])
    seen = [one.id for one in index.search([bytes(32)], radius=0)]
    visible = perf_counter() - began
    assert added in seen
    began = perf_counter()
    index.remove(added)
    gone = perf_counter() - began
    return index, {
        "cold_start_s": cold, "snapshot_s": written, "index_mb": size / 1e6,
        "add_visible_s": visible, "remove_s": gone,
        "peak_process_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip
