"""The Merkle tree of RFC 6962 (section 2.1, the same in RFC 9162): hashes, proofs and their checks.

Pure. A tree is read through `Nodes`: the hash of the complete subtree of 2**level leaves that
begins at leaf `number * 2**level`. Everything else, ragged right edges too, is made of those.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Node(NamedTuple):
    """A complete subtree of 2**level leaves, the `number`-th of its kind from the left."""

    level: int
    number: int


Nodes = Callable[[Node], bytes]


class ProofError(ValueError):
    """The proof does not show what it should."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry, told apart from inner nodes by its first byte."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtree_root(hashes: bytes) -> bytes:
    """The root over a power of two of hashes that stand one after the other."""
    row = hashes
    while len(row) > HASH_BYTES:
        row = b"".join(
            hashlib.sha256(b"\x01" + row[at : at + 64]).digest() for at in range(0, len(row), 64)
        )
    return row


def peaks(size: int) -> list[Node]:
    """The largest complete subtrees of a tree, from left to right."""
    found, start = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            found.append(Node(level, start >> level))
            start += 1 << level
    return found


def root(size: int, nodes: Nodes) -> bytes:
    """The root of the first `size` leaves."""
    return EMPTY_ROOT if size == 0 else _joined([nodes(node) for node in peaks(size)])


def _joined(row: Sequence[bytes]) -> bytes:
    """One hash of subtrees that grow smaller to the right."""
    made = row[-1]
    for left in reversed(row[:-1]):
        made = node_hash(left, made)
    return made


def _range(start: int, end: int) -> list[Node]:
    """The complete subtrees of leaves [start, end), a subtree of some proof."""
    return [Node(level, number + (start >> level)) for level, number in peaks(end - start)]


def inclusion_ranges(index: int, size: int) -> list[list[Node]]:
    """What each hash of an inclusion proof is made of, from the leaf up (section 2.1.1)."""
    if not 0 <= index < size:
        raise ProofError("the leaf is not in the tree")
    found: list[list[Node]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append(_range(middle, end))
            end = middle
        else:
            found.append(_range(start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[list[Node]]:
    """What each hash of a consistency proof is made of (section 2.1.2)."""
    if not 0 <= old <= new:
        raise ProofError("the old tree is larger than the new one")
    if old in (0, new):
        return []
    found: list[list[Node]] = []
    start, end = 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            found.append(_range(middle, end))
            end = middle
        else:
            found.append(_range(start, middle))
            start = middle
    if start:  # else the verifier knows this one: it is the old root
        found.append(_range(start, old))
    return found[::-1]


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << (width - 1).bit_length() - 1


def proof(ranges: list[list[Node]], nodes: Nodes) -> list[bytes]:
    """The hashes of a proof."""
    return [_joined([nodes(node) for node in row]) for row in ranges]


def require_inclusion(
    entry_hash: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes
) -> None:
    """Raise `ProofError` unless the path leads from the leaf to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofError("the leaf is not in the tree")
    at, last, made = index, size - 1, entry_hash
    for step in path:
        if last == 0:
            raise ProofError("the path is too long")
        if at & 1 or at == last:
            made = node_hash(step, made)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            made = node_hash(made, step)
        at, last = at >> 1, last >> 1
    if last or made != expected:
        raise ProofError("the path does not lead to the root")


def require_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Raise `ProofError` unless the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        raise ProofError("the old tree is larger than the new one")
    if old in (0, new):
        if path or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY_ROOT):
            raise ProofError("the trees differ")
        return
    steps = iter(path if old & (old - 1) else [old_root, *path])
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    made_old = made_new = _next(steps)
    for step in steps:
        if last == 0:
            raise ProofError("the path is too long")
        if at & 1 or at == last:
            made_old, made_new = node_hash(step, made_old), node_hash(step, made_new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            made_new = node_hash(made_new, step)
        at, last = at >> 1, last >> 1
    if last or made_old != old_root or made_new != new_root:
        raise ProofError("the trees are not consistent")


def _next(steps: Iterator[bytes]) -> bytes:
    for step in steps:
        return step
    raise ProofError("the path is too short")
