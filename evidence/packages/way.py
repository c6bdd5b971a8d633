"""What became of documents: deliveries, the messages they went by, and the events, with proofs.

Short stories are looked up for many documents at once; a circular's long one comes in pages, each
made only when its turn has come.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from core import db
from docflow.documents.timeline import SHOWN_TO_RECIPIENTS
from evidence.packages import masking, told
from evidence.packages.members import Gathered, Source, as_line

AT_ONCE = 5000
"""Deliveries, or events, in a member and in memory."""

Ids = Mapping[uuid.UUID, list[uuid.UUID]]


@dataclass(frozen=True, slots=True)
class Way:
    """The ids of deliveries and events by document, and, where they are few, their lines."""

    deliveries: Ids
    events: Ids
    delivered: Mapping[uuid.UUID, db.Row]
    carried: Mapping[uuid.UUID, db.Row]
    happened: Mapping[uuid.UUID, told.Line]
    receipted: frozenset[uuid.UUID]
    """Documents of which other nodes sent receipts or told of passing on."""

    @classmethod
    async def of(cls, export: db.Row, cards: list[db.Row]) -> "Way":
        """Of these documents, as far as the organization may see it."""
        home = export["organization_id"]
        deliveries = await _ids(_DELIVERIES, cards, home)
        events = await _ids(_EVENTS, cards, home, list(SHOWN_TO_RECIPIENTS))
        few = [one for ids in deliveries.values() for one in ids]
        told_of = [one for ids in events.values() for one in ids]
        are_few = len(few) <= AT_ONCE
        return cls(
            deliveries,
            events,
            {row["id"]: row for row in await db.rows(_DELIVERED, few)} if are_few else {},
            {row["id"]: row for row in await db.rows(_CARRIED, few)} if are_few else {},
            await told.lines(told_of, size=export["log_size"], level=export["level"])
            if len(told_of) <= AT_ONCE
            else {},
            frozenset(
                row["document_id"]
                for row in await db.rows(_RECEIPTED, [card["id"] for card in cards], home)
            ),
        )

    async def add(self, gathered: Gathered, export: db.Row, card: db.Row) -> None:
        """Add the members of one document."""
        place = f"documents/{card['id']}"
        ids = self.deliveries.get(card["id"], [])
        for number, start in enumerate(range(0, len(ids), AT_ONCE), start=1):
            some = ids[start : start + AT_ONCE]
            names = [f"{place}/{kind}-{number:03}.jsonl" for kind in ("deliveries", "consignments")]
            if self.delivered:
                rows = [dict(self.delivered[one]) for one in some]
                carried = {one for row in rows for one in row["consignments"]}
                messages = [row for one, row in self.carried.items() if str(one) in carried]
                gathered.sources += [
                    Source(names[0], _delivery_lines(gathered, rows, export["level"])),
                    Source(names[1], b"".join(map(as_line, messages))),
                ]
            else:
                gathered.sources += [
                    Source(names[0], produce=partial(_deliveries, gathered, some, export["level"])),
                    Source(names[1], produce=partial(_consignments, some)),
                ]
        if card["id"] in self.receipted:
            gathered.sources += [
                Source(f"{place}/node-receipts.jsonl", produce=partial(_lines, _RECEIPTS, card)),
                Source(f"{place}/node-hops.jsonl", produce=partial(_lines, _NODE_HOPS, card)),
            ]
        happened = self.events.get(card["id"], [])
        if self.happened:
            content = told.joined(gathered, [self.happened[one] for one in happened])
            gathered.sources.append(Source(f"{place}/events-001.jsonl", content))
        else:
            told.members(gathered, place, happened, size=export["log_size"], level=export["level"])


async def _ids(sql: str, cards: list[db.Row], home: uuid.UUID, *more: Any) -> Ids:
    found: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for row in await db.rows(sql, [card["id"] for card in cards], home, *more):
        found[row["document_id"]].append(row["id"])
    return found


_DELIVERIES = """WITH RECURSIVE asked AS (
        SELECT d.id, d.organization_id = $2 AS is_author FROM document AS d WHERE d.id = ANY($1)),
    mine AS (
        SELECT v.document_id, v.id FROM asked AS a JOIN delivery AS v ON v.document_id = a.id
        WHERE NOT a.is_author AND v.recipient_id = $2
        UNION ALL
        SELECT v.document_id, v.id FROM mine JOIN delivery AS v ON v.via_id = mine.id)
    SELECT document_id, id FROM mine
    UNION ALL
    SELECT v.document_id, v.id FROM asked AS a JOIN delivery AS v ON v.document_id = a.id
    WHERE a.is_author ORDER BY 1, 2"""
"""An author's deliveries; a recipient's own and those behind it."""

_EVENTS = """SELECT e.document_id, e.id FROM document AS d JOIN event AS e ON e.document_id = d.id
    WHERE d.id = ANY($1) AND (d.organization_id = $2 OR e.organization_id = $2
        OR (e.organization_id = d.organization_id AND e.verb = ANY($3))) ORDER BY e.id"""
"""As the time line has it: the author's own are the author's."""

_DELIVERED = """SELECT v.id, v.dispatch_id, v.recipient_id, o.code, o.name AS recipient,
        v.recipient_kind, v.via_id, v.channel, v.status, v.due_on, v.delivered_at, v.opened_at,
        v.acknowledged_at, v.executed_at, v.ended_at, v.reason,
        p.last_name, p.first_name, p.middle_name,
        array(SELECT l.consignment_id::text FROM consignment_delivery AS l
              WHERE l.delivery_id = v.id ORDER BY 1) AS consignments
    FROM delivery AS v JOIN organization AS o ON o.id = v.recipient_id
    LEFT JOIN person AS p ON p.id = v.acknowledged_by
    WHERE v.id = ANY($1) ORDER BY v.id"""

_CARRIED = """SELECT c.id, c.channel, c.target, c.status, c.attempts, c.error_code, c.sent_at,
        c.created_at, c.updated_at, tried.tries
    FROM consignment AS c
    LEFT JOIN LATERAL (SELECT jsonb_agg(to_jsonb(t) - 'consignment_id' ORDER BY t.number) AS tries
        FROM attempt AS t WHERE t.consignment_id = c.id) AS tried ON true
    WHERE c.id IN (SELECT consignment_id FROM consignment_delivery WHERE delivery_id = ANY($1))
    ORDER BY c.id"""
"""The messages deliveries went by, with every try and its receipt."""


_RECEIPTED = """SELECT DISTINCT r.document_id FROM node_receipt AS r
    JOIN document AS d ON d.id = r.document_id
    WHERE r.document_id = ANY($1) AND d.organization_id = $2"""
"""The author's alone: they tell of every recipient on the other side."""

_RECEIPTS = """SELECT r.id, r.uid, r.kind, n.name AS node, r.kid, encode(k.public, 'hex') AS key,
        r.base, r.signature, encode(r.body, 'base64') AS body, r.received_at
    FROM node_receipt AS r JOIN node AS n ON n.id = r.node_id
    LEFT JOIN node_key AS k ON k.kid = r.kid WHERE r.document_id = $1 ORDER BY r.id"""
"""Receipts and reports of other nodes as they signed them (RFC 9421), with the public key."""

_NODE_HOPS = """SELECT h.id, h.delivery_id, h.organization_id, h.number, h.date, h.resolution,
        h.verdict, h.passed, h.passed_at
    FROM node_hop AS h WHERE h.document_id = $1 ORDER BY h.id"""


async def _lines(sql: str, card: db.Row) -> bytes:
    return b"".join(map(as_line, await db.rows(sql, card["id"])))


async def _deliveries(gathered: Gathered, ids: list[uuid.UUID], level: str) -> bytes:
    return _delivery_lines(gathered, await db.rows(_DELIVERED, ids), level)


async def _consignments(ids: list[uuid.UUID]) -> bytes:
    return b"".join(map(as_line, await db.rows(_CARRIED, ids)))


def _delivery_lines(gathered: Gathered, rows: list[db.Row], level: str) -> bytes:
    made = []
    for row in rows:
        names = [row.pop(part) for part in ("last_name", "first_name", "middle_name")]
        if names[0] is not None:
            gathered.people += 1
            row["acknowledged_by"] = masking.name(level, *names)
        made.append(as_line(row))
    return b"".join(made)
