"""Exact radius search over 256-bit hashes, with changes visible at once.

PostgreSQL is the truth; this is a copy of it that answers in milliseconds. A base segment comes
from a snapshot on disk, mapped rather than read; what is added later goes into a delta segment
that every search reads too; what is removed is struck out. `save` folds all into a new snapshot.
The base is in the order of its ids, so that one of ten million is struck out at once.
"""

import os
import struct
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import numpy as np
import numpy.typing as npt

from compliance.hashes import PDQ_RADIUS, words
from compliance.index import kernels
from core.errors import InvalidInput

Words = npt.NDArray[np.uint64]
Longs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_MAGIC = b"docflow-hamming-2"
_HEAD = struct.Struct("<32sQ")
_FIRST_FOUND = 4096
_FIRST_DELTA = 1024


@dataclass(frozen=True, slots=True)
class Found:
    """One hash within the radius of one needle."""

    needle: int
    id: UUID
    distance: int


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Everything found, as columns, nearest first; iterating makes `Found` of each."""

    needles: Longs
    distances: Longs
    ids: Words
    """N × 2: the halves of a UUID."""

    def __len__(self) -> int:
        return len(self.needles)

    def __iter__(self) -> Iterator[Found]:
        raw = self.ids.astype(">u8").tobytes()
        pairs = zip(self.needles.tolist(), self.distances.tolist(), strict=True)
        for at, (needle, distance) in enumerate(pairs):
            yield Found(needle, UUID(bytes=raw[16 * at : 16 * at + 16]), distance)


@dataclass(slots=True, eq=False)
class _Segment:
    """Columns rather than rows: word by word over all hashes, so that a scan reads few of them."""

    columns: Words
    """4 × capacity."""
    ids: Words
    """Capacity × 2: the halves of a UUID."""
    gone: Flags
    used: int


class HammingIndex:
    """Hashes under ids; one id may have several. Safe to search and change from many threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._base = _empty(0)
        self._delta = _empty(_FIRST_DELTA)
        self._change = threading.Lock()

    def __len__(self) -> int:
        """Hashes that can be found."""
        return sum(
            part.used - int(np.count_nonzero(part.gone[: part.used]))
            for part in (self._base, self._delta)
        )

    def add(self, id: UUID, hashes: Sequence[bytes]) -> None:
        """Let these hashes of 32 bytes be found under `id` from the next search on."""
        rows = words(list(hashes))
        with self._change:
            delta = _with_room(self._delta, len(rows))
            delta.columns[:, delta.used : delta.used + len(rows)] = rows.T
            delta.ids[delta.used : delta.used + len(rows)] = _halves(id)
            # A search that began before reads `used` as it was; the rows behind it are new.
            delta.used += len(rows)
            self._delta = delta

    def remove(self, id: UUID) -> int:
        """Let nothing be found under `id` any more; answers how many hashes there were."""
        removed = 0
        with self._change:
            for part, rows in (
                (self._base, _rows_in_order(self._base, id)),
                (self._delta, _rows_anywhere(self._delta, id)),
            ):
                rows = rows[~part.gone[rows]]
                part.gone[rows] = True
                removed += len(rows)
        return removed

    def search(self, needles: Sequence[bytes], *, radius: int = PDQ_RADIUS) -> Hits:
        """Everything within `radius` bits of any of the needles, all of it, nearest first."""
        wanted = words(list(needles))
        parts = [_search(part, wanted, radius) for part in self._parts()]
        rows = np.concatenate([found for found, _ in parts], axis=1)
        ids = np.concatenate([ids for _, ids in parts])
        order = np.lexsort((ids[:, 1], ids[:, 0], rows[0], rows[1]))
        return Hits(needles=rows[0, order], distances=rows[1, order], ids=ids[order])

    def save(self, path: Path) -> None:
        """Write a snapshot that `load` can map; replaces the file in one step."""
        self.frozen().save(path)

    def frozen(self) -> "Frozen":
        """What can be found now, to be written at leisure; later changes do not show in it."""
        with self._change:
            return Frozen(
                tuple((part, np.flatnonzero(~part.gone[: part.used])) for part in self._parts())
            )

    @classmethod
    def load(cls, path: Path) -> "HammingIndex":
        """An index on a snapshot, mapped from disk: ready at once, read as it is searched.

        Raises InvalidInput (broken_snapshot) for a file that is not whole; build anew from the
        register then.
        """
        index = cls()
        index._base = _mapped(path)
        return index

    @classmethod
    def built(cls, ids: Iterable[UUID], hashes: npt.NDArray[np.uint8]) -> "HammingIndex":
        """An index over rows of 32 bytes, all at once."""
        index = cls()
        index._base = _of_rows(b"".join(id.bytes for id in ids), hashes)
        return index

    @classmethod
    def of_pages(cls, pages: Sequence[tuple[bytes, bytes]]) -> "HammingIndex":
        """An index over packed pages: ids of 16 bytes, and as many hashes of 32."""
        index = cls()
        held = np.frombuffer(b"".join(hashes for _, hashes in pages), np.uint8).reshape(-1, 32)
        index._base = _of_rows(b"".join(ids for ids, _ in pages), held)
        return index

    def _parts(self) -> tuple[_Segment, _Segment]:
        return self._base, self._delta


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """An index at one moment: segments, and the rows of each that count."""

    parts: tuple[tuple[_Segment, npt.NDArray[np.intp]], ...]

    def __len__(self) -> int:
        return sum(len(rows) for _, rows in self.parts)

    def save(self, path: Path) -> None:
        """Write the snapshot beside and put it in place in one step."""
        ids = np.concatenate([part.ids[rows] for part, rows in self.parts])
        order = _order(ids)
        new = path.with_name(f"{path.name}.{os.getpid()}.new")
        with new.open("wb") as file:
            file.write(_HEAD.pack(_MAGIC, len(ids)))
            for column in range(4):
                _write(file, np.concatenate([p.columns[column][rows] for p, rows in self.parts]),
                       order)  # fmt: skip
            _write(file, ids, order)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)


def _search(part: _Segment, needles: Words, radius: int) -> tuple[Longs, Words]:
    """Needles and distances (2 × N), and ids (N × 2), of what one segment holds."""
    used = part.used
    room = _FIRST_FOUND
    while True:
        kept = np.empty((3, room), np.int64)
        count = int(kernels.scan(*(part.columns[at, :used] for at in range(4)),
                                 needles, radius, kept)) if used else 0  # fmt: skip
        if count <= room:
            break
        room = count
    kept = kept[:, :count]
    kept = kept[:, ~part.gone[kept[1]]]
    return kept[::2], part.ids[kept[1]]


def _empty(capacity: int) -> _Segment:
    return _Segment(
        columns=np.zeros((4, capacity), np.uint64), ids=np.zeros((capacity, 2), np.uint64),
        gone=np.zeros(capacity, bool), used=0,
    )  # fmt: skip


def _with_room(part: _Segment, more: int) -> _Segment:
    """The segment itself, or a copy twice as large; searches under way keep the old one."""
    capacity = part.columns.shape[1]
    if part.used + more <= capacity:
        return part
    larger = _empty(max(2 * capacity, part.used + more))
    larger.columns[:, : part.used] = part.columns[:, : part.used]
    larger.ids[: part.used] = part.ids[: part.used]
    larger.gone[: part.used] = part.gone[: part.used]
    larger.used = part.used
    return larger


def _halves(id: UUID) -> tuple[np.uint64, np.uint64]:
    return np.uint64(id.int >> 64), np.uint64(id.int & (2**64 - 1))


def _of_rows(raw: bytes, hashes: npt.NDArray[np.uint8]) -> _Segment:
    """A segment in the order of its ids."""
    ids = np.frombuffer(raw, ">u8").astype(np.uint64).reshape(-1, 2)
    columns = np.ascontiguousarray(np.ascontiguousarray(hashes).view(np.uint64).reshape(-1, 4).T)
    if (order := _order(ids)) is not None:
        ids, columns = ids[order], np.ascontiguousarray(columns[:, order])
    return _Segment(columns, ids, gone=np.zeros(len(ids), bool), used=len(ids))


def _order(ids: Words) -> npt.NDArray[np.intp] | None:
    """What puts the rows into the order of their ids; None where they are in it."""
    high, low = ids[:, 0], ids[:, 1]
    rises = (high[:-1] < high[1:]) | ((high[:-1] == high[1:]) & (low[:-1] <= low[1:]))
    return None if rises.all() else np.lexsort((low, high))


def _rows_in_order(part: _Segment, id: UUID) -> npt.NDArray[np.intp]:
    high, low = _halves(id)
    ids = part.ids[: part.used]
    # numpy's own search would copy the column, as it does not lie in one piece.
    first = bisect_left(ids[:, 0], high)
    last = bisect_right(ids[:, 0], high, lo=first)
    return first + np.flatnonzero(ids[first:last, 1] == low)


def _rows_anywhere(part: _Segment, id: UUID) -> npt.NDArray[np.intp]:
    high, low = _halves(id)
    ids = part.ids[: part.used]
    return np.flatnonzero((ids[:, 0] == high) & (ids[:, 1] == low))


def _write(file: BinaryIO, values: Words, order: npt.NDArray[np.intp] | None) -> None:
    """The values in this order, a million at a time."""
    for start in range(0, len(values), 1_000_000):
        part = slice(start, start + 1_000_000)
        rows = values[part] if order is None else values[order[part]]
        file.write(np.ascontiguousarray(rows).tobytes())


def _mapped(path: Path) -> _Segment:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
    magic, count = _HEAD.unpack(head) if len(head) == _HEAD.size else (b"", 0)
    if magic.rstrip(b"\0") != _MAGIC or size != _HEAD.size + count * 48:
        raise InvalidInput(
            "Снимок индекса повреждён. Постройте индекс заново из реестра.",
            "The snapshot of the index is broken. Build the index anew from the register.",
            code="broken_snapshot",
        )
    if not count:
        return _empty(0)
    held = np.asarray(np.memmap(path, np.uint64, "c", offset=_HEAD.size))
    return _Segment(
        columns=held[: 4 * count].reshape(4, count), ids=held[4 * count :].reshape(count, 2),
        gone=np.zeros(count, bool), used=count,
    )  # fmt: skip
