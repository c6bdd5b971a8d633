"""Renewal before certificates or algorithms end: many under one new token (RFC 4998 section 5).

A new stamp covers the tokens of old ones, so that ten thousand documents cost one leaf; a new
digest covers each object again. A stamp that has ended is not renewed: that would prove nothing
and hide the gap; it stays on the list of what is overdue.
"""

import hashlib
import uuid
from itertools import groupby
from operator import itemgetter

from core import clock, db
from docflow.documents.longevity import records, stamping
from docflow.documents.longevity.stamping import Leaf, StampClient
from signatures import algorithm_lives, anchors, digests
from signatures.evidence_record import Material, rehash_leaf, renewal_leaf
from signatures.trust import TrustStore
from storage.blobs import BlobMissing

STAMPS = 50_000
"""Old stamps under one new token at most."""
OBJECTS = 2_000
BYTES = 20 * 1024**3
"""Objects and bytes read anew in one run of a hash-tree renewal, which goes on in the next."""


async def renew_stamps(*, stamp: StampClient) -> int:
    """Put the stamps that are due under one new token for each digest; answers how many.

    Raises `Unavailable` when the authority does not answer; what is due stays due.
    """
    await update_dates()
    moment = clock.now()
    due = await db.rows(
        """SELECT id, algorithm, token FROM archive_stamp
           WHERE renewed_by IS NULL AND retired_at IS NULL AND renew_before <= $1 AND ends_at > $1
           ORDER BY algorithm, renew_before LIMIT $2""",
        moment, STAMPS,
    )  # fmt: skip
    for algorithm, group in groupby(due, key=itemgetter("algorithm")):
        await _renew(list(group), algorithm, stamp)
    return len(due)


async def _renew(due: list[db.Row], algorithm: str, stamp: StampClient) -> None:
    proofs = await _Proofs.begin()
    leaves = []
    for row in due:
        token = bytes(row["token"])
        own = renewal_leaf(token, algorithm=algorithm)
        group = (own, *proofs.digests(token, algorithm))
        leaves.append(Leaf(group, renewed_id=row["id"]))
    made = await stamping.make(leaves, algorithm=algorithm, stamp=stamp, material=proofs.material)
    async with db.transaction():
        stamp_id = await stamping.enter(made, kind="renewal")
        await db.execute(
            "UPDATE archive_stamp SET renewed_by = $2 WHERE id = ANY($1::uuid[])",
            [row["id"] for row in due], stamp_id,
        )  # fmt: skip


class _Proofs:
    """What shows that old tokens are good now: it lies under the new stamp together with them."""

    def __init__(self, trust: TrustStore) -> None:
        self._trust = trust
        self._known: dict[bytes, Material] = {}

    @classmethod
    async def begin(cls) -> "_Proofs":
        """With what the installation trusts now."""
        return cls(await anchors.store())

    def digests(self, token: bytes, algorithm: str) -> list[bytes]:
        """The digests of the lists that one token's path was checked by."""
        from signatures import evidence_check  # noqa: PLC0415 - paths cost the web process 15 MB

        found = evidence_check.material_of(token, trust=self._trust, at=clock.now())
        self._known[hashlib.sha256(repr(found).encode()).digest()] = found
        return [digests.digest(algorithm, der) for der in found.crls]

    @property
    def material(self) -> Material:
        """All of it, each once."""
        every = self._known.values()
        return Material(
            tuple(dict.fromkeys(der for one in every for der in one.certificates)),
            tuple(dict.fromkeys(der for one in every for der in one.crls)),
        )


async def renew_trees(*, stamp: StampClient) -> int:
    """Put objects whose tree's digest nears its end under a new digest; answers how many.

    Reads each object again. One that is damaged is left out and stays due.
    """
    due = await db.rows(
        """SELECT e.blob_id, e.chain, b.size FROM archive_stamp_entry AS e
           JOIN archive_stamp AS s ON s.id = e.stamp_id
           JOIN algorithm_life AS l ON l.name = s.algorithm
           JOIN blob AS b ON b.id = e.blob_id
           WHERE e.is_current AND l.ends_at <= $1 ORDER BY e.id LIMIT $2""",
        clock.now() + algorithm_lives.TREE_MARGIN, OBJECTS,
    )  # fmt: skip
    if not due:
        return 0
    algorithm = await algorithm_lives.tree_digest()
    proofs, leaves, spent = await _Proofs.begin(), [], 0
    for row in due:
        if spent > BYTES:
            break
        spent += row["size"]
        leaf = await _rehashed(row["blob_id"], row["chain"] + 1, algorithm, proofs)
        if leaf is not None:
            leaves.append(leaf)
    if not leaves:
        return 0
    made = await stamping.make(leaves, algorithm=algorithm, stamp=stamp, material=proofs.material)
    async with db.transaction():
        await stamping.enter(made, kind="rehash")
        await db.execute(
            """UPDATE archive_stamp_entry AS e SET is_current = false
               FROM unnest($1::uuid[], $2::int[]) AS t (blob_id, chain)
               WHERE e.blob_id = t.blob_id AND e.chain < t.chain AND e.is_current""",
            [leaf.blob_id for leaf in leaves], [leaf.chain for leaf in leaves],
        )  # fmt: skip
        await _retire()
    return len(leaves)


async def _rehashed(blob_id: uuid.UUID, chain: int, algorithm: str, proofs: _Proofs) -> Leaf | None:
    gathered = await records.gather(blob_id)
    if gathered is None or len(gathered.chains) != chain:
        return None
    try:
        digest = await stamping.digest_of_blob(blob_id, algorithm)
    except BlobMissing:  # the check of stored bytes tells of it; the object stays due
        return None
    own = rehash_leaf(digest, gathered.chains, algorithm=algorithm)
    last = gathered.chains[-1][-1].token
    group = (own, *proofs.digests(last, algorithm))
    return Leaf(group, blob_id=blob_id, chain=chain, after_id=gathered.tips[-1])


async def _retire() -> None:
    """Stamps over which nothing current lies any more need no renewal."""
    retired = 1
    while retired:
        retired = await db.execute(
            """UPDATE archive_stamp AS s SET retired_at = $1 WHERE s.retired_at IS NULL
               AND NOT EXISTS (SELECT FROM archive_stamp_entry AS e
                   LEFT JOIN archive_stamp AS r ON r.id = e.renewed_id
                   WHERE e.stamp_id = s.id AND (e.blob_id IS NOT NULL AND e.is_current
                       OR e.renewed_id IS NOT NULL AND r.retired_at IS NULL))""",
            clock.now(),
        )


async def update_dates() -> None:
    """Let the dates of living stamps follow the table of algorithm lives."""
    await db.execute(
        """UPDATE archive_stamp AS s SET ends_at = d.ends_at,
               renew_before = greatest(d.ends_at - $1::interval,
                                       s.stamped_at + (d.ends_at - s.stamped_at) / 2)
           FROM (SELECT a.id, least(a.certificate_ends_at, min(l.ends_at)) AS ends_at
                 FROM archive_stamp AS a LEFT JOIN algorithm_life AS l ON l.name = ANY(a.algorithms)
                 WHERE a.renewed_by IS NULL AND a.retired_at IS NULL GROUP BY a.id) AS d
           WHERE d.id = s.id AND d.ends_at <> s.ends_at""",
        stamping.MARGIN,
    )
