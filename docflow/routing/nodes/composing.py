"""The manifest of a message to a node: made once for a consignment, then frozen.

Frozen, because a message sent again under its uid must be the same message to the byte; what
changes meanwhile (a recall, another hop) is told by notes.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from core import clock, db
from docflow.documents import files
from docflow.gateways.node.messages import (
    Card,
    File,
    Hop,
    Link,
    Manifest,
    Recipient,
    Signature,
    encode,
)
from docflow.gateways.node.signing import Proof
from docflow.routing.carriage import URGENT, Consignment
from docflow.routing.nodes.peers import Peer

SENT_ROLES = ("main", "annex")


async def frozen(message: Consignment, peer: Peer, *, version: int) -> db.Row:
    """The manifest of this consignment: the one made at its first try, or made now.

    Answers the row of `node_outgoing`. Its recipients are the consignment's, and those who wait
    there for one of them to pass the letter on.
    """
    known = await db.row("SELECT * FROM node_outgoing WHERE consignment_id = $1", message.id)
    if known is not None:
        return known
    async with db.transaction():
        await db.execute("SELECT 1 FROM consignment WHERE id = $1 FOR UPDATE", message.id)
        known = await db.row("SELECT * FROM node_outgoing WHERE consignment_id = $1", message.id)
        if known is not None:
            return known
        manifest = await _manifest(message, peer, version)
        row = await db.row(
            """INSERT INTO node_outgoing (consignment_id, node_id, document_id, version, manifest,
                                          created_at)
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING *""",
            message.id, peer.id, message.document_id, version, encode(manifest), clock.now(),
        )  # fmt: skip
        await db.execute(
            """INSERT INTO node_carried (delivery_id, node_id, document_id)
               SELECT id, $2, $3 FROM unnest($1::uuid[]) AS t (id) ON CONFLICT DO NOTHING""",
            [one.delivery for one in manifest.recipients], peer.id, message.document_id,
        )  # fmt: skip
    if row is None:
        raise RuntimeError("a row was written")
    return row


async def thaw(consignment_id: uuid.UUID) -> None:
    """Forget a manifest that the other node cannot read at all; the next try makes another."""
    await db.execute("DELETE FROM node_outgoing WHERE consignment_id = $1", consignment_id)


async def _manifest(message: Consignment, peer: Peer, version: int) -> Manifest:
    document = await db.row(
        """SELECT d.*, o.code AS author FROM document AS d
           JOIN organization AS o ON o.id = d.organization_id WHERE d.id = $1""",
        message.document_id,
    )
    if document is None:
        raise RuntimeError("a consignment without a document")
    dispatch = await db.row(
        """SELECT s.id, s.mode FROM delivery AS v JOIN dispatch AS s ON s.id = v.dispatch_id
           WHERE v.id = $1""",
        message.deliveries[0].delivery_id,
    )
    if dispatch is None:
        raise RuntimeError("a delivery without a dispatch")
    recipients = await _recipients(message, peer, is_relayed=dispatch["mode"] == "chancery")
    return Manifest(
        uid=message.id, version=version, author=document["author"], made_at=message.created_at,
        card=Card(
            id=document["id"], kind=document["kind"], title=document["title"],
            number=document["number"] or "", date=document["date"],
            addressee=document["addressee"], mark=document["mark"], fields=document["fields"],
        ),
        files=await _files(document["id"]), recipients=recipients,
        dispatch=dispatch["id"],
        urgent=message.priority >= URGENT,
        links=await _links(document["id"], peer.id),
        hops=await hops_of(document["id"]) if version >= 2 else (),
        answers=await _answers(document["id"], peer.id) if version >= 2 else (),
    )  # fmt: skip


async def _recipients(
    message: Consignment, peer: Peer, *, is_relayed: bool
) -> tuple[Recipient, ...]:
    named = [one.delivery_id for one in message.deliveries]
    if not is_relayed:
        rows = await db.rows(
            """SELECT v.id, o.code, v.due_on, v.via_id, false AS waits FROM delivery AS v
               JOIN organization AS o ON o.id = v.recipient_id WHERE v.id = ANY($1)
               ORDER BY v.id""",
            named,
        )
    else:
        rows = await _with_those_behind(named, peer)
    return tuple(
        Recipient(delivery=row["id"], to=row["code"], due=row["due_on"], via=row["via_id"],
                  waits=row["waits"]) for row in rows
    )  # fmt: skip


async def _with_those_behind(named: list[uuid.UUID], peer: Peer) -> list[db.Row]:
    """The recipients, and who lives there too and waits for one of them to pass the letter on."""
    return await db.rows(
        """WITH RECURSIVE named AS (
               SELECT v.id, false AS waits FROM delivery AS v WHERE v.id = ANY($1)
               UNION
               SELECT v.id, true FROM named AS n JOIN delivery AS v ON v.via_id = n.id
               JOIN node_residence AS r ON r.organization_id = v.recipient_id AND r.node_id = $2
               WHERE v.status = 'awaiting_relay' AND v.channel = 'node')
           SELECT v.id, o.code, v.due_on, v.via_id, n.waits
           FROM named AS n JOIN delivery AS v ON v.id = n.id
           JOIN organization AS o ON o.id = v.recipient_id ORDER BY n.waits, v.id""",
        named, peer.id,
    )  # fmt: skip


async def _files(document_id: uuid.UUID) -> tuple[File, ...]:
    signatures = await db.rows(
        """SELECT s.file_id, s.role, b.size, encode(b.sha256, 'hex') AS sha256
           FROM signature AS s JOIN blob AS b ON b.id = s.blob_id
           WHERE s.document_id = $1 ORDER BY s.id""",
        document_id,
    )
    rows = [row for row in await files.current_files(document_id) if row["role"] in SENT_ROLES]
    return tuple(
        File(
            sha256=row["sha256"], size=row["size"], role=row["role"], position=row["position"],
            file_name=row["file_name"], title=row["title"],
            signatures=_unique(
                Signature(sha256=one["sha256"], size=one["size"], role=one["role"])
                for one in signatures if one["file_id"] == row["id"]
            ),
        )
        for row in rows
    )  # fmt: skip


def _unique(found: Any) -> tuple[Signature, ...]:
    """One signature of several people is one part with several rows."""
    return tuple({one.sha256: one for one in found}.values())


async def blobs_of(document_id: uuid.UUID) -> dict[str, uuid.UUID]:
    """SHA-256 → blob of every part that a message about the document may name."""
    rows = await db.rows(
        """SELECT b.id, encode(b.sha256, 'hex') AS sha256 FROM blob AS b WHERE b.id IN (
               SELECT blob_id FROM document_file WHERE document_id = $1 AND is_current
               UNION SELECT blob_id FROM signature WHERE document_id = $1)""",
        document_id,
    )
    return {row["sha256"]: row["id"] for row in rows}


async def _links(document_id: uuid.UUID, node_id: uuid.UUID) -> tuple[Link, ...]:
    """Links to what that node has by an id we both know: its own documents, and those we sent."""
    rows = await db.rows(
        """SELECT l.kind, coalesce(n.origin_id, l.to_id) AS document
           FROM document_link AS l LEFT JOIN node_document AS n ON n.document_id = l.to_id
           WHERE l.from_id = $1 AND (n.node_id = $2 OR n.node_id IS NULL) ORDER BY l.to_id""",
        document_id, node_id,
    )  # fmt: skip
    return tuple(Link(kind=row["kind"], document=row["document"]) for row in rows)


async def _answers(document_id: uuid.UUID, node_id: uuid.UUID) -> tuple[uuid.UUID, ...]:
    rows = await db.rows(
        """SELECT d.origin_id FROM answer AS a JOIN node_delivery AS d
           ON d.delivery_id = a.delivery_id WHERE a.document_id = $1 AND d.node_id = $2""",
        document_id, node_id,
    )  # fmt: skip
    return tuple(row["origin_id"] for row in rows)


async def hops_of(
    document_id: uuid.UUID, *, delivery_ids: Sequence[uuid.UUID] | None = None
) -> tuple[Hop, ...]:
    """Who has passed the document on, as told to other nodes; of chanceries here and elsewhere."""
    here = await db.rows(
        """SELECT h.id, o.code, r.number, r.date, h.verdict, h.passed_at, h.resolution, h.passed
           FROM hop AS h JOIN organization AS o ON o.id = h.organization_id
           JOIN registration AS r ON r.id = h.registration_id WHERE h.document_id = $1
           AND ($2::uuid[] IS NULL OR h.delivery_id = ANY($2)) ORDER BY h.passed_at""",
        document_id, None if delivery_ids is None else list(delivery_ids),
    )  # fmt: skip
    told = [_hop(row, None) for row in here]
    if delivery_ids is None:
        there = await db.rows(
            """SELECT h.*, o.code FROM node_hop AS h JOIN organization AS o
               ON o.id = h.organization_id WHERE h.document_id = $1 ORDER BY h.passed_at""",
            document_id,
        )
        told += [_hop(row, Proof(**row["told"]) if row["told"] else None) for row in there]
    return tuple(told)


def _hop(row: db.Row, proof: Proof | None) -> Hop:
    return Hop(
        id=row["id"], organization=row["code"], number=row["number"], date=row["date"],
        verdict=row["verdict"], passed_at=row["passed_at"], resolution=row["resolution"],
        passed=row["passed"], proof=proof,
    )  # fmt: skip
