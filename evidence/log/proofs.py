"""Proofs out of the stored tree: that an event is in it, that an older head is its beginning."""

import base64
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from audit.commitments import canonical_of_text
from core import db
from core.errors import InvalidInput, NotFound, Unavailable
from evidence.log import heads, identity, leaves, merkle, sequencing, tiles
from evidence.log.heads import Head

_GROUP = 500
"""Proofs made from one look at the tiles."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed head, with all that vouches for it."""

    head: Head
    note: str
    """The signed note as the log made it; a time stamp is over these bytes."""
    cosigned: str
    """The same note with the witnesses' signatures after the log's own."""
    at: datetime
    token: bytes | None
    """The RFC 3161 token over the note, in DER."""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That an event stands in the tree of a checkpoint, with all a stranger needs to check it."""

    event_id: uuid.UUID
    leaf: int
    size: int
    entry: bytes
    """What the log holds: SHA-256 of salt and event."""
    salt: bytes
    event: bytes
    """The event as canonical JSON (RFC 8785)."""
    path: tuple[bytes, ...]
    detail: bytes | None
    """The personal detail as canonical JSON; None without one, or once it was erased."""
    detail_salt: bytes | None

    def as_text(self, checkpoint: Checkpoint) -> str:
        """The proof as C2SP tlog-proof has it."""
        lines = [_encoded(step) for step in self.path]
        return "\n".join(
            ["c2sp.org/tlog-proof@v1", f"index {self.leaf}", *lines, "", checkpoint.cosigned]
        )


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the tree of `new_size` begins with the tree of `old_size`."""

    old_size: int
    new_size: int
    path: tuple[bytes, ...]


def _encoded(step: bytes) -> str:
    return base64.b64encode(step).decode()


class NotLogged(NotFound):
    """The event is not under a checkpoint yet; it will be within seconds."""

    code = "not_logged"
    ru = "Событие ещё не под контрольной точкой. Повторите через несколько секунд."
    en = "The event is not under a checkpoint yet. Try again in a few seconds."


async def checkpoint(size: int | None = None) -> Checkpoint:
    """The checkpoint of that size, or the latest; raises `not_found`, `log_not_started`."""
    if size is not None and not 0 < size <= heads.MAX_SIZE:
        raise NotFound(size=size)
    row = await db.row(_CHECKPOINT.format(which="$1::bigint IS NULL OR c.size = $1"), size)
    return await _checkpoint(row, size)


async def stamped_checkpoint(size: int) -> Checkpoint | None:
    """The first checkpoint with a time stamp that covers a tree of this size."""
    least = await db.value("SELECT min(size) FROM log_stamp WHERE size >= $1", size)
    return None if least is None else await checkpoint(least)


_CHECKPOINT = """SELECT c.size, c.root, c.note, c.at, s.token,
        array(SELECT g.line FROM log_cosignature AS g WHERE g.size = c.size ORDER BY g.at) AS lines
    FROM log_checkpoint AS c LEFT JOIN log_stamp AS s ON s.size = c.size
    WHERE {which} ORDER BY c.size DESC LIMIT 1"""


async def _checkpoint(row: db.Row | None, size: int | None) -> Checkpoint:
    known = await identity.verifier()
    if row is None:
        raise NotFound(size=size)
    head = Head(known.name, row["size"], row["root"])
    return Checkpoint(head, row["note"], row["note"] + "".join(row["lines"]), row["at"],
                      row["token"])  # fmt: skip


async def inclusions(event_ids: Sequence[uuid.UUID], *, size: int | None = None) -> list[Inclusion]:
    """Proofs for these events under the latest checkpoint, or the one of `size`, in their order.

    Raises `not_logged` when one of them is not under it. No rights are asked: that is the
    caller's to do. Thousands at once are read in groups.
    """
    known = await identity.load()
    if known is None:
        raise NotLogged
    wide = size or (await checkpoint()).head.size
    found: list[Inclusion] = []
    for start in range(0, len(event_ids), _GROUP):
        found += await _group(known.salt_secret, event_ids[start : start + _GROUP], wide)
    return found


async def _group(secret: bytes, event_ids: Sequence[uuid.UUID], size: int) -> list[Inclusion]:
    rows = await db.rows(
        f"""SELECT l.leaf, {leaves.COLUMNS}, p.salt AS detail_salt, p.detail::text AS detail
            FROM log_leaf AS l JOIN event AS e ON e.id = l.event_id
            LEFT JOIN event_payload AS p ON p.event_id = e.id
            WHERE l.event_id = ANY($1::uuid[]) AND l.leaf < $2""",
        list(event_ids), size,
    )  # fmt: skip
    by_id = {row["id"]: row for row in rows}
    if missing := [one for one in event_ids if one not in by_id]:
        raise NotLogged(event_id=str(missing[0]))
    wanted = [(by_id[one], merkle.inclusion_ranges(by_id[one]["leaf"], size)) for one in event_ids]
    # neighbours share most of their path, and a node may be made of hundreds of hashes
    nodes = cache(await _nodes(row for _, ranges in wanted for row in ranges))
    return [
        Inclusion(
            event_id=row["id"], leaf=row["leaf"], size=size,
            entry=leaves.entry_of(secret, row), salt=leaves.salt_of(secret, row["id"]),
            event=leaves.event_json(row), path=tuple(merkle.proof(ranges, nodes)),
            detail=None if row["detail"] is None else canonical_of_text(row["detail"]),
            detail_salt=row["detail_salt"],
        )
        for row, ranges in wanted
    ]  # fmt: skip


async def _nodes(ranges: Iterable[Iterable[merkle.Node]]) -> tiles.TileNodes:
    places = sorted(tiles.places_of(ranges))
    return tiles.TileNodes(await sequencing.tiles_at(places))


async def inclusion(event_id: uuid.UUID, *, size: int | None = None) -> Inclusion:
    """The proof for one event; raises `not_logged`."""
    return (await inclusions([event_id], size=size))[0]


async def consistency(old_size: int, new_size: int) -> Consistency:
    """The proof between two sizes; raises `bad_sizes` unless 0 <= old <= new <= the log's size."""
    size = int(await db.value("SELECT size FROM log_state WHERE id = 1") or 0)
    if not 0 <= old_size <= new_size <= size:
        raise InvalidInput(
            f"Размеры: 0 ≤ старый ≤ новый ≤ {size}.", f"Sizes: 0 ≤ old ≤ new ≤ {size}.",
            code="bad_sizes",
        )  # fmt: skip
    ranges = merkle.consistency_ranges(old_size, new_size)
    try:
        path = merkle.proof(ranges, await _nodes(ranges))
    except tiles.TilesMissing as problem:
        raise TreeDamaged from problem
    return Consistency(old_size, new_size, tuple(path))


class TreeDamaged(Unavailable):
    """Stored tiles are missing or short; the check of the log tells which."""

    code = "log_damaged"
    ru = "Дерево журнала повреждено: запустите сверку журнала."
    en = "The log's tree is damaged: run the check of the log."


async def tile(place: tiles.Place, width: int) -> bytes:
    """A tile or bundle as it is served, cut to `width`; raises `not_found`.

    Only widths that the tree had at some time are given out, and nothing beyond its present size.
    """
    size = int(await db.value("SELECT size FROM log_state WHERE id = 1") or 0)
    if tiles.width_at(place, size) < width:
        raise NotFound
    data = (await sequencing.tiles_at([place])).get(place, b"")
    try:
        if place.level == tiles.ENTRIES:
            return tiles.cut_bundle(data, width)
    except tiles.TilesMissing as problem:
        raise TreeDamaged from problem
    if len(data) < width * merkle.HASH_BYTES:
        raise TreeDamaged
    return data[: width * merkle.HASH_BYTES]
