"""The manifest of a message to a node: made once for a consignment, then frozen.

Frozen, because a message sent again under its uid must be the same message to the byte; what
changes meanwhile (a recall, another hop) is told by notes.
"""

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from core import clock, db
from docflow.gateways.node.messages import (
    Card,
    File,
    Hop,
    Link,
    Manifest,
    Recipient,
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
    async with db.transaction():
        known = await db.row(
            """SELECT o.* FROM consignment AS m
               LEFT JOIN node_outgoing AS o ON o.consignment_id = m.id
               WHERE m.id = $1 FOR UPDATE OF m""",
            message.id,
        )
        if known is not None and known["manifest"] is not None:
            return known
        manifest = await _manifest(message, peer, version)
        row = await db.row(
            """WITH made AS (
                   INSERT INTO node_outgoing (consignment_id, node_id, document_id, version,
                                              manifest, created_at)
                   VALUES ($1, $2, $3, $4, $5, $6)
                   ON CONFLICT DO NOTHING RETURNING *),
               carried AS (
                   INSERT INTO node_carried (delivery_id, node_id, document_id)
                   SELECT t.id, made.node_id, made.document_id
                   FROM made, unnest($7::uuid[]) AS t (id) ON CONFLICT DO NOTHING)
               SELECT * FROM made""",
            message.id, peer.id, message.document_id, version, encode(manifest), clock.now(),
            [one.delivery for one in manifest.recipients],
        )  # fmt: skip
        # None: somebody froze it while we waited for the lock, after our look at what is known
        row = row or await db.row(
            "SELECT * FROM node_outgoing WHERE consignment_id = $1", message.id
        )
    if row is None:
        raise RuntimeError("a row was written")
    return row


async def thaw(consignment_id: uuid.UUID) -> None:
    """Forget a manifest that the other node cannot read at all; the next try makes another."""
    await db.execute("DELETE FROM node_outgoing WHERE consignment_id = $1", consignment_id)


async def _manifest(message: Consignment, peer: Peer, version: int) -> Manifest:
    told = await db.row(
        f"""SELECT d.id, d.kind, d.title, d.number, d.date, d.addressee, d.mark, d.fields,
                  o.code AS author, s.id AS dispatch_id, s.mode,
                  EXISTS (SELECT FROM document_link WHERE from_id = d.id) AS has_links,
                  EXISTS (SELECT FROM answer WHERE document_id = d.id) AS has_answers,
                  EXISTS (SELECT FROM hop WHERE document_id = d.id)
                  OR EXISTS (SELECT FROM node_hop WHERE document_id = d.id) AS has_hops,
                  {_FILES} AS files, CASE WHEN s.mode <> 'chancery' THEN {_NAMED} END AS named
           FROM document AS d JOIN organization AS o ON o.id = d.organization_id
           JOIN delivery AS v ON v.id = $2 JOIN dispatch AS s ON s.id = v.dispatch_id
           WHERE d.id = $1""",
        message.document_id, message.deliveries[0].delivery_id, list(SENT_ROLES),
        [one.delivery_id for one in message.deliveries],
    )  # fmt: skip
    if told is None:
        raise RuntimeError("a consignment without document and dispatch")
    document_id = message.document_id
    tells_all = version >= 2
    return Manifest(
        uid=message.id, version=version, author=told["author"], made_at=message.created_at,
        card=Card(
            id=document_id, kind=told["kind"], title=told["title"], number=told["number"] or "",
            date=told["date"], addressee=told["addressee"], mark=told["mark"],
            fields=told["fields"],
        ),
        files=_files(told["files"]),
        recipients=await _recipients(message, peer, told["named"]),
        dispatch=told["dispatch_id"],
        urgent=message.priority >= URGENT,
        links=await _links(document_id, peer.id) if told["has_links"] else (),
        hops=await hops_of(document_id) if tells_all and told["has_hops"] else (),
        answers=await _answers(document_id, peer.id) if tells_all and told["has_answers"] else (),
    )  # fmt: skip


async def _recipients(
    message: Consignment, peer: Peer, named: list[dict[str, Any]] | None
) -> tuple[Recipient, ...]:
    """What `_NAMED` found; through chanceries also those behind them."""
    if named is not None:
        return tuple(msgspec.convert(named, list[Recipient]))
    rows = await _with_those_behind([one.delivery_id for one in message.deliveries], peer)
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


_FILES = """(SELECT jsonb_agg(jsonb_build_object(
        'sha256', encode(f.sha256, 'hex'), 'size', f.size, 'role', f.role,
        'position', f.position, 'file_name', f.file_name, 'title', f.title,
        'signatures', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'sha256', encode(b.sha256, 'hex'), 'size', b.size, 'role', g.role)
                ORDER BY g.id), '[]')
            FROM signature AS g JOIN blob AS b ON b.id = g.blob_id WHERE g.file_id = f.id))
        ORDER BY f.role DESC, f.position)
    FROM document_file AS f WHERE f.document_id = d.id AND f.is_current AND f.role = ANY($3))"""
"""The files of the document `d` as they stand, the main one first, each with its signatures."""


_NAMED = """(SELECT jsonb_agg(jsonb_build_object('delivery', v.id, 'to', r.code, 'due', v.due_on,
        'via', v.via_id) ORDER BY v.id)
    FROM unnest((SELECT $4::uuid[])) AS t (id) JOIN delivery AS v ON v.id = t.id
    JOIN organization AS r ON r.id = v.recipient_id)"""
"""The recipients of the deliveries `$4`."""


def _files(told: Any) -> tuple[File, ...]:
    """What `_FILES` found; one signature of several people is one part."""
    return tuple(
        msgspec.structs.replace(
            one, signatures=tuple({each.sha256: each for each in one.signatures}.values())
        )
        for one in msgspec.convert(told or [], list[File])
    )


async def blobs_of(document_id: uuid.UUID) -> dict[str, db.Row]:
    """SHA-256 → row of `blob` of every part that a message about the document may name."""
    rows = await db.rows(
        """SELECT b.* FROM blob AS b WHERE b.id IN (
               SELECT blob_id FROM document_file WHERE document_id = $1 AND is_current
               UNION SELECT blob_id FROM signature WHERE document_id = $1)""",
        document_id,
    )
    return {bytes(row["sha256"]).hex(): row for row in rows}


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
