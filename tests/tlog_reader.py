"""A second reader of transparency logs, from the published texts alone; shares no code with ours.

RFC 6962 section 2.1 by its own recursive definitions, C2SP tlog-tiles, tlog-checkpoint,
signed-note, tlog-cosignature and tlog-proof. Slow on purpose: it follows the text.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Wrong(Exception):
    """What was read is not what the text of the specification wants."""


def demand(holds: bool, why: str) -> None:
    if not holds:
        raise Wrong(why)


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(d: list[bytes]) -> bytes:
    """MTH(D[n]) of section 2.1, over entries."""
    if len(d) < 2:
        return sha(b"\x00", d[0]) if d else sha()
    k = largest_power_below(len(d))
    return sha(b"\x01", mth(d[:k]), mth(d[k:]))


def path(m: int, d: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of section 2.1.1."""
    if len(d) == 1:
        return []
    k = largest_power_below(len(d))
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def proof(m: int, d: list[bytes]) -> list[bytes]:
    """PROOF(m, D[n]) of section 2.1.2."""

    def subproof(m: int, d: list[bytes], b: bool) -> list[bytes]:
        if m == len(d):
            return [] if b else [mth(d)]
        k = largest_power_below(len(d))
        if m <= k:
            return [*subproof(m, d[:k], b), mth(d[k:])]
        return [*subproof(m - k, d[k:], False), mth(d[:k])]

    return subproof(m, d, True)


def root_by_path(m: int, n: int, leaf: bytes, steps: list[bytes]) -> bytes:
    """The root a path leads to: PATH read backwards."""
    if n == 1:
        demand(not steps, "path too long")
        return leaf
    demand(bool(steps), "path too short")
    k = largest_power_below(n)
    if m < k:
        return sha(b"\x01", root_by_path(m, k, leaf, steps[:-1]), steps[-1])
    return sha(b"\x01", steps[-1], root_by_path(m - k, n - k, leaf, steps[:-1]))


def roots_by_proof(m: int, n: int, old: bytes, steps: list[bytes]) -> tuple[bytes, bytes]:
    """The roots of both trees a consistency proof tells of: SUBPROOF read backwards."""

    def back(m: int, n: int, b: bool, left: list[bytes]) -> tuple[bytes, bytes]:
        if m == n:
            if b:
                demand(not left, "proof too long")
                return old, old
            demand(len(left) == 1, "proof of another length")
            return left[0], left[0]
        demand(bool(left), "proof too short")
        k = largest_power_below(n)
        if m <= k:
            older, newer = back(m, k, b, left[:-1])
            return older, sha(b"\x01", newer, left[-1])
        older, newer = back(m - k, n - k, False, left[:-1])
        return sha(b"\x01", left[-1], older), sha(b"\x01", left[-1], newer)

    return back(m, n, True, steps)


# --- notes and checkpoints


@dataclass(frozen=True)
class Key:
    name: str
    id: bytes
    kind: int
    public: bytes


def key(vkey: str) -> Key:
    name, number, told = vkey.strip().split("+", 2)
    data = base64.b64decode(told)
    found = Key(name, bytes.fromhex(number), data[0], data[1:])
    demand(found.id == sha(name.encode(), b"\n", data)[:4], "key id")
    return found


def signed_by(note: str, known: Key) -> str:
    """The text of a note that this key signed or, as a witness, cosigned."""
    text, signatures = re.fullmatch(r"((?s:.*)\n)\n((?:\u2014 \S+ \S+\n)+)", note).groups()  # type: ignore[union-attr]  # reason: no match is a failed test
    for line in signatures.splitlines():
        _, name, told = line.split(" ")
        blob = base64.b64decode(told)
        if name != known.name or blob[:4] != known.id:
            continue
        message, signature = text, blob[4:]
        if known.kind == 4:
            time, signature = int.from_bytes(blob[4:12], "big"), blob[12:]
            message = f"cosignature/v1\ntime {time}\n{text}"
        try:
            Ed25519PublicKey.from_public_bytes(known.public).verify(signature, message.encode())
        except InvalidSignature as problem:
            raise Wrong("signature") from problem
        return text
    raise Wrong("not signed by this key")


def checkpoint(text: str) -> tuple[str, int, bytes]:
    origin, size, root = text.split("\n")[:3]
    demand(str(int(size)) == size, "size")
    return origin, int(size), base64.b64decode(root)


def read_proof(text: str, entry: bytes, known: Key) -> int:
    """Check a tlog-proof for an entry; answers its index."""
    lines, _, note = text.partition("\n\n")
    first, index, *steps = lines.split("\n")
    demand(first == "c2sp.org/tlog-proof@v1", "first line")
    m = int(index.removeprefix("index "))
    _, size, root = checkpoint(signed_by(note, known))
    made = root_by_path(m, size, sha(b"\x00", entry), [base64.b64decode(one) for one in steps])
    demand(made == root, "inclusion")
    return m


# --- tiles


def number_path(n: int) -> str:
    digits = str(n).zfill(-(-len(str(n)) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{one}" for one in groups[:-1]), groups[-1]])


def row_widths(size: int) -> list[tuple[int, int, int]]:
    """Level, number and width of every tile of a tree."""
    found = []
    level = 0
    while size // 256**level:
        hashes = size // 256**level
        found += [(level, n, 256) for n in range(hashes // 256)]
        if hashes % 256:
            found.append((level, hashes // 256, hashes % 256))
        level += 1
    return found


def tile_path(level: int | str, n: int, width: int) -> str:
    return f"tile/{level}/{number_path(n)}" + ("" if width == 256 else f".p/{width}")


def read_log(fetch: Callable[[str], bytes], known: Key) -> tuple[int, list[bytes]]:
    """Read the whole log as a monitor does; answers its size and entries, everything compared."""
    origin, size, root = checkpoint(signed_by(fetch("checkpoint").decode(), known))
    demand(origin == known.name, "origin")
    entries: list[bytes] = []
    tiles: dict[tuple[int, int], bytes] = {}
    for level, n, width in row_widths(size):
        tiles[level, n] = fetch(tile_path(level, n, width))
        demand(len(tiles[level, n]) == 32 * width, "tile width")
        if level == 0:
            bundle, count = fetch(tile_path("entries", n, width)), 0
            while bundle:
                long = int.from_bytes(bundle[:2], "big")
                demand(len(bundle) >= 2 + long, "bundle cut off")
                entries.append(bundle[2 : 2 + long])
                bundle, count = bundle[2 + long :], count + 1
            demand(count == width, "bundle width")
    demand(len(entries) == size, "entries")
    for (level, n), tile in tiles.items():
        span = 256**level
        for i in range(len(tile) // 32):
            start = (n * 256 + i) * span
            demand(mth(entries[start : start + span]) == tile[32 * i : 32 * i + 32], "tile hash")
    demand(mth(entries) == root, "root")
    return size, entries
