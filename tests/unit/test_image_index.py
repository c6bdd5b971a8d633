"""The hash index answers what brute force answers, whatever was added, removed or saved."""

import hashlib
import uuid
from pathlib import Path

import numpy as np
import pytest

from compliance.index import HammingIndex
from compliance.index.ordered import hits, ordered
from compliance.searching import references
from compliance.sketches import SKETCHES_CANON, rows_of
from core.errors import InvalidInput

Row = tuple[uuid.UUID, bytes]


def _brute(rows: list[Row], needles: list[bytes], radius: int) -> list[tuple[int, int, uuid.UUID]]:
    found = [
        (distance, number, id)
        for number, needle in enumerate(needles)
        for id, value in rows
        if (distance := (int.from_bytes(value) ^ int.from_bytes(needle)).bit_count()) <= radius
    ]
    return sorted(found, key=lambda one: (one[0], one[1], one[2]))


def _answer(
    index: HammingIndex, needles: list[bytes], radius: int
) -> list[tuple[int, int, uuid.UUID]]:
    return [(one.distance, one.needle, one.id) for one in index.search(needles, radius=radius)]


def _skewed(count: int, *, seed: int) -> list[Row]:
    """Families around few hashes, exact duplicates among them, and a word that all share."""
    random = np.random.default_rng(seed)
    heads = random.integers(0, 256, (max(count // 50, 1), 32), np.uint8)
    heads[:, :8] = 7
    rows = heads[random.integers(0, len(heads), count)]
    flips = random.random((count, 256)) < random.choice([0, 0.02, 0.06, 0.12], (count, 1))
    rows = rows ^ np.packbits(flips, axis=1)
    return [(uuid.UUID(int=number + 1), row.tobytes()) for number, row in enumerate(rows)]


def _built(rows: list[Row]) -> HammingIndex:
    held = np.frombuffer(b"".join(value for _, value in rows), np.uint8).reshape(-1, 32)
    return HammingIndex.built((id for id, _ in rows), held)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000, 5000])
@pytest.mark.parametrize("radius", [0, 1, 31, 60, 256])
def test_answers_equal_brute_force(count: int, radius: int) -> None:
    rows = _skewed(count, seed=count) if count else []
    needles = [value for _, value in rows[:4]] + [bytes(32), b"\xff" * 32]
    added = HammingIndex()
    for id, value in rows:
        added.add(id, [value])
    assert _answer(added, needles, radius) == _brute(rows, needles, radius)
    assert _answer(_built(rows), needles, radius) == _brute(rows, needles, radius)


def test_the_limit_itself_is_within() -> None:
    """Ties at the radius count, one bit more does not; wherever the bits lie."""
    for start in (0, 64, 100, 128, 225):
        bits = np.zeros(256, np.uint8)
        bits[start : start + 31] = 1
        near = np.packbits(bits).tobytes()
        bits[(start + 40) % 256] = 1
        far = np.packbits(bits).tobytes()
        index = HammingIndex()
        index.add(uuid.UUID(int=1), [near])
        index.add(uuid.UUID(int=2), [far])
        assert [one.id.int for one in index.search([bytes(32)])] == [1]


def test_no_needles_find_nothing() -> None:
    assert list(_built(_skewed(10, seed=1)).search([])) == []


def test_what_is_added_or_removed_shows_in_the_next_search() -> None:
    rows = _skewed(500, seed=5)
    index = _built(rows[:300])
    for id, value in rows[300:]:
        index.add(id, [value])
    gone = [*rows[10:40], *rows[310:330]]
    assert [index.remove(id) for id, _ in gone] == [1] * len(gone)
    assert index.remove(gone[0][0]) == 0
    left = [row for row in rows if row not in gone]
    needles = [value for _, value in rows[::25]]
    assert _answer(index, needles, 31) == _brute(left, needles, 31)
    assert len(index) == len(left)


def test_one_id_may_have_several_hashes() -> None:
    id = uuid.uuid4()
    index = HammingIndex()
    index.add(id, [bytes(32), b"\xff" * 32, bytes(32)])
    assert [(one.id, one.distance) for one in index.search([bytes(32)])] == [(id, 0), (id, 0)]
    assert index.remove(id) == 3
    assert len(index) == 0


def test_snapshot_holds_what_is_left_and_can_be_changed(tmp_path: Path) -> None:
    rows = _skewed(3000, seed=9)
    index = _built(rows[:2000])
    for id, value in rows[2000:]:
        index.add(id, [value])
    index.remove(rows[3][0])
    index.save(tmp_path / "hashes")
    again = HammingIndex.load(tmp_path / "hashes")
    left = [row for row in rows if row != rows[3]]
    needles = [value for _, value in rows[:8]]
    assert _answer(again, needles, 31) == _brute(left, needles, 31)
    again.remove(rows[4][0])
    again.add(rows[3][0], [rows[3][1]])
    left = [row for row in rows if row != rows[4]]
    assert _answer(again, needles, 31) == _brute(left, needles, 31)
    again.save(tmp_path / "hashes")
    assert len(HammingIndex.load(tmp_path / "hashes")) == len(left)
    assert [path.name for path in tmp_path.iterdir()] == ["hashes"]


def test_empty_snapshot(tmp_path: Path) -> None:
    HammingIndex().save(tmp_path / "hashes")
    assert list(HammingIndex.load(tmp_path / "hashes").search([bytes(32)])) == []


@pytest.mark.parametrize("cut", [0, 10, 41, -1])
def test_torn_snapshot_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "hashes"
    _built(_skewed(10, seed=2)).save(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InvalidInput) as caught:
        HammingIndex.load(path)
    assert caught.value.error_code == "broken_snapshot"


def test_more_hits_than_the_first_buffer() -> None:
    index = HammingIndex()
    index.add(uuid.UUID(int=1), [bytes(32)] * 9000)
    assert len(index.search([bytes(32), b"\x01" + bytes(31)])) == 18_000


def test_ids_in_any_order_are_found_and_struck_out(tmp_path: Path) -> None:
    rows = _skewed(400, seed=9)
    random = np.random.default_rng(4)
    mixed = [rows[at] for at in random.permutation(len(rows))]
    twice = [(mixed[0][0], bytes(32)), *mixed]
    for index in (_built(twice), HammingIndex.of_pages([
        (b"".join(id.bytes for id, _ in part), b"".join(value for _, value in part))
        for part in (twice[:150], twice[150:])
    ])):  # fmt: skip
        index.add(rows[3][0], [b"\x11" * 32])
        assert index.remove(twice[0][0]) == 2
        assert index.remove(twice[0][0]) == 0
        index.save(tmp_path / "hashes")
        again = HammingIndex.load(tmp_path / "hashes")
        assert again.remove(rows[3][0]) == index.remove(rows[3][0]) == 2
        kept = [row for row in mixed if row[0] not in (twice[0][0], rows[3][0])]
        needles = [value for _, value in mixed[:5]]
        assert _answer(again, needles, 60) == _brute(kept, needles, 60)


def test_the_canon_of_sketches_names_what_they_are() -> None:
    """Stored sketches are compared with new ones: whoever changes how they are made renames it."""
    random = np.random.default_rng(1)
    numbers = np.ones((50, 4), np.float32).view(np.uint8)
    records = np.hstack([numbers, random.integers(0, 99, (50, 128), np.uint8)])
    words, poses = rows_of(references.features_of(records.tobytes()))
    digest = hashlib.sha256(words.tobytes() + poses.tobytes()).hexdigest()
    assert (SKETCHES_CANON, digest[:16]) == ("sketch-1", "613570eb1aa4c3b9")
    packed = references.sketched(references.features_of(records.tobytes()))
    again = references.unsketched(packed)
    assert np.array_equal(again[0], words)
    assert np.array_equal(again[1], poses)


@pytest.mark.parametrize("count", [1, 2, 300, 4000])
@pytest.mark.parametrize("parts", [1, 3])
def test_rows_in_order_answer_what_each_row_compared_answers(count: int, parts: int) -> None:
    """Passing over rows by their distance from a pivot loses none, at the radius itself either."""
    random = np.random.default_rng(count)
    heads = random.integers(0, 2**64, (2, 20), np.uint64)
    rows = heads[:, random.integers(0, 20, count)]
    rows ^= (
        random.integers(0, 2**64, (2, count), np.uint64)
        & random.integers(0, 2**64, (2, count), np.uint64)
        & random.integers(0, 2**64, (2, count), np.uint64)
    )
    needles = np.ascontiguousarray(np.concatenate([rows[:, :30], heads[:, :9]], axis=1).T)
    apart = np.bitwise_count(needles[:, None, :] ^ rows.T[None]).sum(axis=2)
    held = ordered(np.ascontiguousarray(rows))
    for radius in (0, 12, 20, 128):
        found = np.concatenate(
            [hits(held, needles, radius=radius, part=part, parts=parts) for part in range(parts)],
            axis=1,
        )
        truth = np.argwhere(apart <= radius)
        assert sorted(map(tuple, found.T.tolist())) == sorted(map(tuple, truth.tolist()))
