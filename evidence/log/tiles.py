"""The tree as tiles (C2SP tlog-tiles): rows of up to 256 hashes, eight levels of the tree high."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from evidence.log import merkle
from evidence.log.merkle import HASH_BYTES, Node

WIDTH = 256
HEIGHT = 8
FULL = WIDTH * HASH_BYTES
ENTRIES = -1
"""The level under which bundles of entries are kept."""


class Place(NamedTuple):
    """Where a tile stands: its level and its number within the level."""

    level: int
    number: int


def place_of(node: Node) -> Place:
    """The tile from which the node's hash is made."""
    level, inside = divmod(node.level, HEIGHT)
    return Place(level, (node.number << inside) // WIDTH)


def places_of(ranges: Iterable[Iterable[Node]]) -> set[Place]:
    """The tiles a proof needs."""
    return {place_of(node) for row in ranges for node in row}


def width_at(place: Place, size: int) -> int:
    """How many hashes the tile holds in a tree of `size` leaves; 0 when it does not exist yet."""
    wide = (size >> HEIGHT * max(place.level, 0)) - place.number * WIDTH
    return min(max(wide, 0), WIDTH)


def places_at(size: int) -> Iterable[Place]:
    """Every tile of a tree, entry bundles left out."""
    level = 0
    while hashes := size >> HEIGHT * level:
        yield from (Place(level, index) for index in range((hashes + WIDTH - 1) // WIDTH))
        level += 1


class TilesMissing(LookupError):
    """A tile that a proof needs is not there or too short."""


@dataclass(frozen=True, slots=True)
class TileNodes:
    """`merkle.Nodes` over fetched tiles."""

    tiles: Mapping[Place, bytes]

    def __call__(self, node: Node) -> bytes:
        """The node's hash; raises `TilesMissing`."""
        level, inside = divmod(node.level, HEIGHT)
        first = node.number << inside
        place, at = Place(level, first // WIDTH), first % WIDTH * HASH_BYTES
        row = self.tiles.get(place, b"")[at : at + (HASH_BYTES << inside)]
        if len(row) != HASH_BYTES << inside:
            raise TilesMissing(place)
        return merkle.subtree_root(row)


@dataclass(slots=True)
class Edge:
    """The growing right edge of a tree: the last, not yet full tile of each level.

    `changed` collects what is to be stored: full tiles, and once `finish` was called the edge.
    """

    size: int
    edge: list[bytearray]
    bundle: bytearray
    changed: dict[Place, bytes] = field(default_factory=dict)

    def add(self, entry: bytes) -> None:
        """Append an entry of at most 65,535 bytes."""
        self.bundle += len(entry).to_bytes(2, "big") + entry
        number = self.size // WIDTH
        self._push(0, merkle.leaf_hash(entry))
        self.size += 1
        if self.size % WIDTH == 0:
            self.changed[Place(ENTRIES, number)] = bytes(self.bundle)
            self.bundle = bytearray()

    def _push(self, level: int, made: bytes) -> None:
        if level == len(self.edge):
            self.edge.append(bytearray())
        tile = self.edge[level]
        tile += made
        if len(tile) == FULL:
            full = bytes(tile)
            number = (self.size >> HEIGHT * level) // WIDTH
            self.changed[Place(level, number)] = full
            self.edge[level] = bytearray()
            self._push(level + 1, merkle.subtree_root(full))

    def finish(self) -> bytes:
        """Note the partial tiles as changed and answer the root."""
        for place, tile in self.partial().items():
            self.changed[place] = tile
        return self.root()

    def partial(self) -> dict[Place, bytes]:
        """The tiles that are not full."""
        found = {
            Place(level, (self.size >> HEIGHT * level) // WIDTH): bytes(tile)
            for level, tile in enumerate(self.edge)
            if tile
        }
        if self.bundle:
            found[Place(ENTRIES, self.size // WIDTH)] = bytes(self.bundle)
        return found

    def root(self) -> bytes:
        """The root of what was added: every peak of the tree lies in an edge tile."""
        return merkle.root(self.size, TileNodes(self.partial()))


def edge_places(size: int) -> list[Place]:
    """Where the partial tiles of a tree stand, the entry bundle's first."""
    found = [Place(ENTRIES, size // WIDTH)] if size % WIDTH else []
    level = 0
    while hashes := size >> HEIGHT * level:
        if hashes % WIDTH:
            found.append(Place(level, hashes // WIDTH))
        level += 1
    return found


def edge_of(size: int, stored: Mapping[Place, bytes]) -> Edge:
    """The edge of a stored tree; raises `TilesMissing`. Stored tiles may be longer than asked."""
    edge: list[bytearray] = []
    level = 0
    while hashes := size >> HEIGHT * level:
        wide = hashes % WIDTH * HASH_BYTES
        tile = stored.get(Place(level, hashes // WIDTH), b"") if wide else b""
        if len(tile) < wide:
            raise TilesMissing(Place(level, hashes // WIDTH))
        edge.append(bytearray(tile[:wide]))
        level += 1
    place = Place(ENTRIES, size // WIDTH)
    bundle = cut_bundle(stored.get(place, b""), size % WIDTH) if size % WIDTH else b""
    return Edge(size, edge, bytearray(bundle))


def cut_bundle(bundle: bytes, width: int) -> bytes:
    """The first `width` entries of a bundle; raises `TilesMissing` when it holds fewer."""
    at = 0
    for _ in range(width):
        at += 2 + int.from_bytes(bundle[at : at + 2], "big")
        if at > len(bundle):
            raise TilesMissing(width)
    return bundle[:at]


def entries_of(bundle: bytes) -> list[bytes]:
    """The entries of a bundle; raises ValueError when it is cut off."""
    found, at = [], 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if at + 2 > len(bundle) or end > len(bundle):
            raise ValueError("the bundle is cut off")
        found.append(bundle[at + 2 : end])
        at = end
    return found


def path_of(place: Place, width: int = WIDTH) -> str:
    """The tile's address under the log's prefix."""
    groups = [f"{place.number % 1000:03}"]
    rest = place.number // 1000
    while rest:
        groups.insert(0, f"x{rest % 1000:03}")
        rest //= 1000
    level = "entries" if place.level == ENTRIES else str(place.level)
    partial = f".p/{width}" if width < WIDTH else ""
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def parsed_path(level: str, rest: str) -> tuple[Place, int]:
    """The tile and its width from an address; raises ValueError unless it is the one spelling."""
    number, _, partial = rest.partition(".p/")
    groups = number.split("/")
    digits = "".join(group.removeprefix("x") for group in groups)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise ValueError("index")
    wide = int(partial) if partial.isascii() and partial.isdigit() and len(partial) < 4 else WIDTH
    known = level == "entries" or (level.isascii() and level.isdigit() and len(level) < 3)
    place = Place(ENTRIES if level == "entries" else int(level) if known else 64, int(digits))
    if place.level > 63 or not 0 < wide <= WIDTH or path_of(place, wide) != f"tile/{level}/{rest}":
        raise ValueError("path")
    return place, wide
