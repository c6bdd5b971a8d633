"""Hash trees of RFC 4998 section 4: many digests under one, and the short way back for each.

A group is what one leaf stands for: a single digest is a leaf as it is, several are sorted,
concatenated and hashed. Every node joins two or three below it, so that no list of a reduced tree
holds a single value, over whose meaning implementations differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from signatures import digests

Path = tuple[tuple[bytes, ...], ...]
"""A reduced hash tree: the first list holds the digest itself, each next one its node's brothers;
empty where the digest itself was stamped."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The digest to be stamped, and the path of each group in the order they were given."""

    root: bytes
    paths: tuple[Path, ...]


def joined(values: Sequence[bytes], algorithm: str) -> bytes:
    """The node over some values: themselves if one, else the hash over them in binary order."""
    return values[0] if len(values) == 1 else digests.digest(algorithm, b"".join(sorted(values)))


def build(groups: Sequence[Sequence[bytes]], *, algorithm: str) -> Tree:
    """The tree over groups of digests; raises `ValueError` without any."""
    if not groups or not all(groups):
        raise ValueError("a hash tree needs at least one digest")
    # Where a group has several digests, they are its first list and their node is the leaf.
    paths: list[list[tuple[bytes, ...]]] = [
        [tuple(sorted(group))] if len(group) > 1 else [] for group in groups
    ]
    level = [(joined(tuple(group), algorithm), [place]) for place, group in enumerate(groups)]
    while len(level) > 1:
        level = [_join(family, paths, algorithm) for family in _families(level)]
    return Tree(level[0][0], tuple(tuple(path) for path in paths))


_Node = tuple[bytes, list[int]]
"""A value, and the places of the groups below it."""


def _families(level: list[_Node]) -> list[list[_Node]]:
    """Pairs; the last three together where the number is odd."""
    cut = len(level) - (3 if len(level) % 2 else 0)
    pairs = [level[at : at + 2] for at in range(0, cut, 2)]
    return pairs + ([level[cut:]] if cut < len(level) else [])


def _join(family: list[_Node], paths: list[list[tuple[bytes, ...]]], algorithm: str) -> _Node:
    values = [value for value, _ in family]
    whole = tuple(sorted(values))
    places: list[int] = []
    for at, (_, below) in enumerate(family):
        others = tuple(sorted(values[:at] + values[at + 1 :]))
        for place in below:
            # The first list names the digest itself; fathers are computed and never stored.
            paths[place].append(others if paths[place] else whole)
        places += below
    return joined(whole, algorithm), places


def root_of(digest: bytes, path: Path, *, algorithm: str) -> bytes | None:
    """The root that a digest and its path lead to; None where the path is not this digest's."""
    if not path:
        return digest
    if digest not in path[0]:
        return None
    node = joined(path[0], algorithm)
    for brothers in path[1:]:
        node = joined((*brothers, node), algorithm)
    return node
