"""Candidates by local features: which pictures of a register share features with this one.

Up to ten thousand pictures every stored feature is compared with every feature asked for
(`EXACT`): nothing within the radius is missed. Above, fewer features of each picture are compared
(`FAST`); what recall that costs is measured in `bench/recall.py`. What comes out are candidates;
`matching.compare` decides.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

from compliance.features import Features, mirrored
from compliance.index import kernels
from compliance.index.ordered import Ordered, hits, ordered
from compliance.matching import Asked
from compliance.sketches import RADIUS, rows_of

Words = npt.NDArray[np.uint64]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

LEAST_VOTES = 3
_TURNS = 12
_OCTAVES = 12
_FIRST_FOUND = 65_536
_LEAST_ORDERED = 262_144
"""Rows below this are read flat: that takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How many features of each side are compared; both lists are spread over the picture."""

    kept: int
    """Of each picture in the register."""
    asked: int


EXACT = Effort(kept=240, asked=800)
FAST = Effort(kept=120, asked=400)
EXACT_UP_TO = 10_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture of the register, and how many features agree in turn and scale."""

    id: UUID
    votes: int


class LocalIndex:
    """Sketches of local features under picture ids. Safe to search and change from many threads.

    A picture added is found by the next search; one removed is not.
    """

    def __init__(self, effort: Effort = EXACT) -> None:
        """Start empty; `effort` says how much of each picture is kept."""
        self.effort = effort
        self._change = threading.Lock()
        self._ordering = threading.Lock()
        self._ordered: Ordered | None = None
        self._ids: list[UUID | None] = []
        self._places: dict[UUID, int] = {}
        self._rows = 0
        self._words = np.zeros((2, 4096), np.uint64)
        self._owners = np.zeros(4096, np.int32)
        self._poses = np.zeros((4096, 2), np.float32)

    def __len__(self) -> int:
        """Pictures that can be found."""
        return len(self._places)

    def add(self, id: UUID, given: Features) -> None:
        """Let a picture be found by its features; in place of what was under `id` before."""
        words, poses = rows_of(prefix(given, self.effort.kept))
        self.extend([id], np.array([len(words)]), words, poses)

    def extend(self, ids: Sequence[UUID], counts: Longs, words: Words, poses: Floats) -> None:
        """Let many pictures be found at once; of each `counts` rows, as `rows_of` makes them."""
        with self._change:
            for id in ids:
                self._forget(id)
            self._make_room(len(words))
            place = slice(self._rows, self._rows + len(words))
            first = len(self._ids)
            self._words[:, place] = words.T
            self._owners[place] = np.repeat(np.arange(first, first + len(ids)), counts)
            self._poses[place] = poses
            self._places.update((id, first + number) for number, id in enumerate(ids))
            self._ids.extend(ids)
            self._rows += len(words)

    def columns(self) -> tuple[list[UUID], Longs, Words, Floats]:
        """What `extend` takes to make an index that answers the same, without what was removed."""
        with self._change:
            rows, known = self._rows, list(self._ids)
            owners, words, poses = self._owners[:rows], self._words[:, :rows], self._poses[:rows]
        stays = np.array([id is not None for id in known], bool)
        kept = stays[owners] if len(owners) else np.zeros(0, bool)
        counts = np.bincount(owners[kept], minlength=len(known)).astype(np.int64)[stays]
        return [id for id in known if id is not None], counts, words[:, kept].T, poses[kept]

    def remove(self, id: UUID) -> None:
        """Let a picture be found no more."""
        with self._change:
            self._forget(id)

    def search(self, query: Asked, *, most: int = 16, threads: int = 1) -> list[Candidate]:
        """The pictures whose features agree best with those of the query, best first."""
        needles, poses = _needles(query, self.effort.asked)
        rows = self._rows
        words = self._words[:, :rows]
        near = _hits(self._in_order(words), words, needles, threads)
        turned = (poses[near[0], 0] - self._poses[near[1], 0]) % 360.0
        grown = poses[near[0], 1] - self._poses[near[1], 1]
        is_mirrored = near[0] >= len(needles) // 2
        votes = _votes(near, self._owners[near[1]], turned, grown, is_mirrored)
        found = [
            Candidate(id, count)
            for owner, count in votes[: 4 * most]
            if (id := self._ids[owner]) is not None and count >= LEAST_VOTES
        ]
        return found[:most]

    def _in_order(self, words: Words) -> Ordered | None:
        """The first of these rows in order; put in order anew when many have come since.

        Rows are only ever added at the end, so an order stays true; the search that finds it too
        short makes the next one (a second for two million rows), the others go on with the old.
        """
        held = self._ordered
        count = words.shape[1]
        new = count - (len(held) if held else 0)
        is_due = new > max(_LEAST_ORDERED, count // 4)
        if is_due and self._ordering.acquire(blocking=False):
            try:
                held = self._ordered = ordered(words)
            finally:
                self._ordering.release()
        return held

    def _forget(self, id: UUID) -> None:
        place = self._places.pop(id, None)
        if place is not None:
            self._ids[place] = None

    def _make_room(self, more: int) -> None:
        """Copies twice as large where needed; a search under way keeps the old ones."""
        capacity = len(self._owners)
        if self._rows + more <= capacity:
            return
        larger = max(2 * capacity, self._rows + more)
        words = np.zeros((2, larger), np.uint64)
        words[:, : self._rows] = self._words[:, : self._rows]
        owners = np.zeros(larger, np.int32)
        owners[: self._rows] = self._owners[: self._rows]
        poses = np.zeros((larger, 2), np.float32)
        poses[: self._rows] = self._poses[: self._rows]
        self._words, self._owners, self._poses = words, owners, poses


def prefix(given: Features, most: int) -> Features:
    """The first features of a list that is spread over the picture at any length."""
    return Features(
        points=given.points[:most], sizes=given.sizes[:most], angles=given.angles[:most],
        descriptors=given.descriptors[:most],
    )  # fmt: skip


def _needles(query: Asked, most: int) -> tuple[Words, Floats]:
    """Sketches of the query as it is, then mirrored; angle and size of each."""
    part = prefix(query.features, most)
    both: Sequence[Features] = (part, mirrored(part, width=query.grey.shape[1]))
    words, poses = zip(*map(rows_of, both), strict=True)
    return np.ascontiguousarray(np.concatenate(words)), np.concatenate(poses)


def _hits(held: Ordered | None, words: Words, needles: Words, threads: int) -> Longs:
    """Needle and row of all pairs within the radius: first the rows in order, then the new ones."""
    settled = len(held) if held else 0
    edges = np.linspace(settled, words.shape[1], threads + 1).astype(int)

    def scan(number: int) -> Longs:
        new = _flat_hits(words, needles, int(edges[number]), int(edges[number + 1]))
        if not held:
            return new
        old = hits(held, needles, radius=RADIUS, part=number, parts=threads)
        return np.concatenate([old, new], axis=1)

    if threads == 1:
        return scan(0)
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(scan, range(threads))), axis=1)


def _flat_hits(words: Words, needles: Words, start: int, end: int) -> Longs:
    """The same, from one row to another, each row compared."""
    room = _FIRST_FOUND
    while True:
        kept = np.empty((2, room), np.int64)
        count = int(
            kernels.scan_sketches(words[0, start:end], words[1, start:end], needles, RADIUS, kept)
        )
        if count <= room:
            kept[1] += start
            return kept[:, :count]
        room = count


def _votes(
    hits: Longs,
    owners: npt.NDArray[np.int32],
    turned: Floats,
    grown: Floats,
    is_mirrored: npt.NDArray[np.bool_],
) -> list[tuple[int, int]]:
    """For each picture the most features that agree in mirroring, turn and scale; most first.

    A feature counts once, however often the other side repeats it, as bricks and fences do. Bins
    overlap by half, so that agreement is not split by an edge between them.
    """
    best: dict[int, int] = {}
    if not len(owners):
        return []
    for shift in (0.0, 0.5):
        turn = np.floor(turned / (360.0 / _TURNS) + shift).astype(np.int64) % _TURNS
        octave = np.clip(np.floor(grown + shift) + _OCTAVES // 2, 0, _OCTAVES - 1).astype(np.int64)
        keys = ((owners.astype(np.int64) * 2 + is_mirrored) * _TURNS + turn) * _OCTAVES + octave
        found, bins = np.unique(keys, return_inverse=True)
        counts = np.minimum(*(_distinct(bins, side, len(found)) for side in (hits[0], hits[1])))
        for owner, count in zip(
            (found // (2 * _TURNS * _OCTAVES)).tolist(), counts.tolist(), strict=True
        ):
            best[owner] = max(best.get(owner, 0), count)
    return sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))


def _distinct(bins: npt.NDArray[np.intp], side: Longs, count: int) -> npt.NDArray[np.intp]:
    """How many different needles, or rows, fall into each bin."""
    pairs = np.unique(bins.astype(np.int64) << 40 | side)
    return np.bincount(pairs >> 40, minlength=count)
