"""The evidence record of one stored object, put together from the stamps it lies under."""

import uuid
from dataclasses import dataclass

from core import db
from signatures.evidence_record import Material, Stamp, decode_path, encode


@dataclass(frozen=True, slots=True)
class Gathered:
    """An object's chains; `tips` are the ids of the last stamp of each."""

    chains: tuple[tuple[Stamp, ...], ...]
    material: Material
    tips: tuple[uuid.UUID, ...]


async def gather(blob_id: uuid.UUID) -> Gathered | None:
    """The chains of an object in their order; None where it has no stamp yet.

    A chain ends at the stamp that the next chain was made after, whatever renewed it since for the
    sake of others.
    """
    found = await db.rows(
        """WITH RECURSIVE line AS (
               SELECT e.chain, 0 AS place, e.stamp_id, e.path, n.after_id AS last
               FROM archive_stamp_entry AS e
               LEFT JOIN archive_stamp_entry AS n ON n.blob_id = e.blob_id AND n.chain = e.chain + 1
               WHERE e.blob_id = $1
               UNION ALL
               SELECT l.chain, l.place + 1, r.stamp_id, r.path, l.last
               FROM line AS l JOIN archive_stamp_entry AS r ON r.renewed_id = l.stamp_id
               WHERE l.stamp_id IS DISTINCT FROM l.last)
           SELECT l.chain, l.stamp_id, l.path, s.algorithm, s.token, s.material
           FROM line AS l JOIN archive_stamp AS s ON s.id = l.stamp_id
           ORDER BY l.chain, l.place""",
        blob_id,
    )
    if not found:
        return None
    chains: list[list[Stamp]] = []
    tips: list[uuid.UUID] = []
    for row in found:
        stamp = Stamp(row["algorithm"], decode_path(bytes(row["path"])), bytes(row["token"]))
        if row["chain"] == len(chains):
            chains.append([stamp])
            tips.append(row["stamp_id"])
        else:
            chains[-1].append(stamp)
            tips[-1] = row["stamp_id"]
    names = list(dict.fromkeys(bytes(name) for row in found for name in row["material"]))
    return Gathered(tuple(map(tuple, chains)), await _material(names), tuple(tips))


async def _material(names: list[bytes]) -> Material:
    if not names:
        return Material()
    found = await db.rows(
        "SELECT sha256, kind, der FROM evidence_material WHERE sha256 = ANY($1::bytea[])", names
    )
    found.sort(key=lambda row: names.index(bytes(row["sha256"])))
    return Material(
        *(tuple(bytes(row["der"]) for row in found if row["kind"] == kind)
          for kind in ("certificate", "crl"))
    )  # fmt: skip


async def record_of(blob_id: uuid.UUID) -> bytes | None:
    """The evidence record of stored bytes in DER (RFC 4998); None while it waits for its stamp."""
    gathered = await gather(blob_id)
    return None if gathered is None else encode(gathered.chains, material=gathered.material)


async def proofs_of(*blob_ids: uuid.UUID | None) -> list[bytes]:
    """The records of those of these objects that have one, for a validation to be given."""
    found = [await record_of(blob_id) for blob_id in blob_ids if blob_id is not None]
    return [record for record in found if record is not None]


async def of_document(document_id: uuid.UUID) -> list[db.Row]:
    """The signed files and detached signatures of a document, each with its newest stamp if any."""
    return await db.rows(
        """WITH held AS (
               SELECT DISTINCT ON (b.blob_id) b.blob_id, b.part, b.file_id FROM (
                   SELECT f.blob_id, 'file' AS part, f.id AS file_id FROM signature AS s
                   JOIN document_file AS f ON f.id = s.file_id WHERE s.document_id = $1
                   UNION ALL
                   SELECT s.blob_id, 'signature', s.file_id FROM signature AS s
                   WHERE s.document_id = $1 AND s.blob_id IS NOT NULL) AS b)
           SELECT h.blob_id, h.part, h.file_id, encode(b.sha256, 'hex') AS sha256,
                  (SELECT min(s.stamped_at) FROM archive_stamp_entry AS e
                   JOIN archive_stamp AS s ON s.id = e.stamp_id WHERE e.blob_id = h.blob_id)
                   AS stamped_at
           FROM held AS h JOIN blob AS b ON b.id = h.blob_id ORDER BY h.file_id, h.part""",
        document_id,
    )
