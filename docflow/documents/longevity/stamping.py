"""Many objects under one time stamp: what was received, and later the stamps themselves.

Claim, call, record: the authority is asked outside any transaction, and what came back is checked
before it is written. What is due is what has no row yet, so nothing is dropped when it fails.
"""

import asyncio
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from audit import events
from core import clock, db
from core.actor import RULE
from core.errors import Unavailable
from signatures import algorithm_lives, anchors, digests, hash_tree
from signatures.evidence_record import Material, Stamp, encode, encode_path
from signatures.trust import TrustStore
from storage import blobs

if TYPE_CHECKING:
    from signatures.evidence_check import Facts

BATCH = 20_000
"""Signatures whose files go under one token at most."""
BATCHES = 20
"""Tokens asked for in one run; what is left waits for the next."""
MARGIN = timedelta(days=90)
"""So long before a stamp ends it is renewed."""


class StampClient(Protocol):
    """Asks a time-stamp authority; answers the token in DER or raises `Unavailable`."""

    async def __call__(self, digest: bytes, *, algorithm: str) -> bytes:
        """The token over a digest."""
        ...


@dataclass(frozen=True, slots=True)
class Leaf:
    """What one leaf of a tree stands for; `group` begins with its own digest."""

    group: tuple[bytes, ...]
    blob_id: uuid.UUID | None = None
    renewed_id: uuid.UUID | None = None
    chain: int = 0
    after_id: uuid.UUID | None = None


async def stamp_received(*, stamp: StampClient) -> int:
    """Stamp every signed file and detached signature that has no stamp; answers how many objects.

    Raises `Unavailable` when the authority does not answer; what is due stays due.
    """
    done = 0
    for _ in range(BATCHES):
        due = await db.rows(
            """SELECT s.id, s.blob_id AS own, f.blob_id AS file FROM signature AS s
               JOIN document_file AS f ON f.id = s.file_id
               WHERE s.evidenced_at IS NULL ORDER BY s.id LIMIT $1""",
            BATCH,
        )
        if not due:
            break
        done += await _stamp_batch(due, stamp)
    return done


async def _stamp_batch(due: list[db.Row], stamp: StampClient) -> int:
    wanted = sorted({row[name] for row in due for name in ("own", "file") if row[name]})
    new = await db.rows(
        """SELECT b.id, b.sha256 FROM blob AS b WHERE b.id = ANY($1::uuid[])
           AND b.key NOT LIKE 'gone/%' AND NOT EXISTS
           (SELECT FROM archive_stamp_entry AS e WHERE e.blob_id = b.id)""",
        wanted,
    )
    algorithm = await algorithm_lives.tree_digest()
    leaves = [Leaf((bytes(row["sha256"]),), blob_id=row["id"]) for row in new]
    if algorithm != "sha256":
        leaves = await rehashed(leaves, algorithm)
    made = await make(leaves, algorithm=algorithm, stamp=stamp) if leaves else None
    async with db.transaction():
        if made is not None:
            await enter(made, kind="receipt")
        await db.execute(
            "UPDATE signature SET evidenced_at = $2 WHERE id = ANY($1::uuid[])",
            [row["id"] for row in due], clock.now(),
        )  # fmt: skip
    return len(leaves)


async def rehashed(leaves: Sequence[Leaf], algorithm: str) -> list[Leaf]:
    """The same objects under another digest, read from the store."""
    return [
        Leaf((await digest_of_blob(leaf.blob_id, algorithm),), blob_id=leaf.blob_id)
        for leaf in leaves
        if leaf.blob_id is not None
    ]


async def digest_of_blob(blob_id: uuid.UUID, algorithm: str) -> bytes:
    """The digest of stored bytes as they stream; raises `BlobMissing` where they are damaged."""
    hashed = digests.start(algorithm)
    async for piece in await blobs.open_blob(blob_id):
        hashed.update(piece)
    return hashed.digest()


@dataclass(frozen=True, slots=True)
class Made:
    """A tree with its token, not yet written."""

    leaves: tuple[Leaf, ...]
    algorithm: str
    tree: hash_tree.Tree
    token: bytes
    facts: "Facts"
    material: Material


async def make(
    leaves: Sequence[Leaf], *, algorithm: str, stamp: StampClient, material: Material | None = None
) -> Made:
    """Build the tree, ask for the token, check it; outside a transaction.

    Raises `Unavailable` (`timestamp_unavailable`, `timestamp_untrusted`).
    """
    groups = [leaf.group for leaf in leaves]
    tree = await asyncio.to_thread(hash_tree.build, groups, algorithm=algorithm)
    token = await stamp(tree.root, algorithm=algorithm)
    trust = await anchors.store()
    facts = _sound(token, tree.root, algorithm, trust)
    return Made(tuple(leaves), algorithm, tree, token, facts, material or Material())


def _sound(token: bytes, root: bytes, algorithm: str, trust: TrustStore) -> "Facts":
    """Refuse a token that we could not prove anything with ourselves."""
    from signatures import evidence_check  # noqa: PLC0415 - paths cost the web process 15 MB

    try:
        facts = evidence_check.facts_of(token, trust=trust)
    except ValueError as problem:
        raise Unavailable(code="timestamp_unavailable") from problem
    proof = evidence_check.check(
        encode([[Stamp(algorithm, (), token)]]), digest_of=lambda _: root, trust=trust,
        at=max(clock.now(), facts.time),
    )  # fmt: skip
    if proof.verdict != "valid":
        raise Unavailable(
            "Отметке времени нельзя доверять: добавьте корень службы и её список отзыва.",
            "The time stamp is not trusted: add the authority's root and its revocation list.",
            code="timestamp_untrusted",
            reasons=list(proof.reasons),
        )
    return facts


async def enter(made: Made, *, kind: Literal["receipt", "renewal", "rehash"]) -> uuid.UUID:
    """Write the stamp, its entries and the event; inside the caller's transaction."""
    stamp_id, facts = clock.new_id(), made.facts
    kept = await _keep(made.material)
    ends_at, renew_before = await dates(facts)
    await db.execute(
        """INSERT INTO archive_stamp (id, kind, algorithm, root, token, stamped_at, algorithms,
               certificate_ends_at, ends_at, renew_before, leaves, material, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)""",
        stamp_id, kind, made.algorithm, made.tree.root, made.token, facts.time,
        list(facts.algorithms), facts.ends_at, ends_at, renew_before, len(made.leaves), kept,
        clock.now(),
    )  # fmt: skip
    await db.execute(
        """INSERT INTO archive_stamp_entry (stamp_id, blob_id, renewed_id, chain, after_id, path)
           SELECT $1, t.* FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::uuid[], $6::bytea[])
           AS t ON CONFLICT DO NOTHING""",
        stamp_id,
        [leaf.blob_id for leaf in made.leaves],
        [leaf.renewed_id for leaf in made.leaves],
        [leaf.chain for leaf in made.leaves],
        [leaf.after_id for leaf in made.leaves],
        [encode_path(path) for path in made.tree.paths],
    )
    await events.record(
        RULE, f"archive_stamp.{kind}", subject=("archive_stamp", stamp_id),
        data={"leaves": len(made.leaves), "root": made.tree.root.hex(),
              "algorithm": made.algorithm, "stamped_at": facts.time.isoformat(),
              "ends_at": ends_at.isoformat()},
    )  # fmt: skip
    return stamp_id


async def dates(facts: "Facts") -> tuple[datetime, datetime]:
    """When a token ends by its certificates and by policy, and by when it is to be renewed."""
    ends = await algorithm_lives.ends()
    ends_at = min([facts.ends_at, *(ends[name] for name in facts.algorithms if name in ends)])
    # A short certificate is renewed in the middle of its life and not every day.
    return ends_at, max(ends_at - MARGIN, facts.time + (ends_at - facts.time) / 2)


async def _keep(material: Material) -> list[bytes]:
    kept = []
    for kind, ders in (("certificate", material.certificates), ("crl", material.crls)):
        for der in ders:
            digest = hashlib.sha256(der).digest()
            await db.execute(
                """INSERT INTO evidence_material (sha256, kind, der) VALUES ($1, $2, $3)
                   ON CONFLICT DO NOTHING""",
                digest, kind, der,
            )  # fmt: skip
            kept.append(digest)
    return kept
