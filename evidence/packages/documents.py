"""All of a document: card, files as received, signatures, what vouched for them, way and answers.

What its author may see goes into the author's package; a recipient's has the letter, the
signatures, and the recipient's own line of deliveries (architecture rule 10).
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from core import db
from docflow.documents import visibility
from docflow.documents.longevity import records
from evidence.packages import masking, relied
from evidence.packages.members import Gathered, Source, as_json, original
from evidence.packages.way import Way
from storage.destroying import GONE

Rows = Mapping[uuid.UUID, list[db.Row]]


async def gather(export: db.Row, ids: list[uuid.UUID]) -> list[Gathered]:
    """Everything of these documents, in their order; one that is not visible any more lacks."""
    home = export["organization_id"]
    found = await db.rows(
        f"""SELECT d.*, o.name AS organization_name, t.recipients
            FROM document AS d JOIN organization AS o ON o.id = d.organization_id
            CROSS JOIN LATERAL (SELECT count(*) AS recipients FROM delivery AS v
                WHERE v.document_id = d.id) AS t
            WHERE d.id = ANY($1) AND {visibility.condition("d", "$2", "$3")}""",
        ids, home, export["requested_by"],
    )  # fmt: skip
    cards = {row["id"]: row for row in found}
    files = await _by_document(_FILES, list(cards), home)
    signatures = await _by_document(_SIGNATURES, list(cards), home)
    parts = {name: await _by_document(sql, list(cards), home) for name, sql in _PARTS.items()}
    stamps = await _stamped(row for rows in (*files.values(), *signatures.values()) for row in rows)
    way = await Way.of(export, list(cards.values()))
    vouched = await relied.vouching(row for rows in signatures.values() for row in rows)
    made = []
    for document_id in ids:
        gathered = Gathered()
        made.append(gathered)
        if document_id not in cards:
            gathered.lack("not_visible", document_id)
            continue
        card = cards[document_id]
        _add_files(gathered, files.get(document_id, ()), stamps)
        told_signatures = [
            await _signature(gathered, export["level"], row, stamps, vouched)
            for row in signatures.get(document_id, ())
            if not row["is_destroyed"]
        ]
        facts = {name: rows.get(document_id, []) for name, rows in parts.items()}
        _add_parts(gathered, facts)
        await way.add(gathered, export, card)
        card_told = {
            **card, "files": [_file(row) for row in files.get(document_id, ())],
            "signatures": told_signatures, **facts,
        }  # fmt: skip
        name = f"documents/{document_id}/document.json"
        gathered.sources.insert(0, Source(name, as_json(card_told)))
        gathered.line = _line(card, files.get(document_id, ()), told_signatures)
        gathered.people += len(told_signatures)
    return made


async def _by_document(sql: str, ids: list[uuid.UUID], home: uuid.UUID) -> Rows:
    grouped: dict[uuid.UUID, list[db.Row]] = defaultdict(list)
    for row in await db.rows(sql, ids, home):
        grouped[row["document_id"]].append(row)
    return grouped


_MINE = "(d.organization_id = $2)"
"""Is the package its author's?"""

_FILES = f"""SELECT f.document_id, f.id, f.role, f.position, f.revision, f.title, f.file_name,
        f.blob_id, f.media_type, f.size, encode(f.sha256, 'hex') AS sha256, f.pages, f.is_current,
        f.problems, f.created_at, w.key LIKE '{GONE}%' AS is_destroyed
    FROM document_file AS f JOIN document AS d ON d.id = f.document_id
    JOIN blob AS w ON w.id = f.blob_id
    WHERE f.document_id = ANY($1) AND (f.is_current OR {_MINE})
    AND (d.status <> 'recalled' OR {_MINE})
    ORDER BY f.role DESC, f.position, f.revision"""

_SIGNATURES = f"""SELECT s.document_id, s.id, s.file_id, s.form, s.role, s.blob_id, s.signer,
        s.signed_at, s.verdict, encode(s.certificate_sha256, 'hex') AS certificate,
        encode(f.sha256, 'hex') AS file_sha256, f.media_type AS file_type,
        encode(b.sha256, 'hex') AS blob_sha256, b.size AS blob_size,
        c.report, c.policy, c.checked_at, w.key LIKE '{GONE}%' AS is_destroyed
    FROM signature AS s JOIN document_file AS f ON f.id = s.file_id
    JOIN blob AS w ON w.id = f.blob_id
    JOIN document AS d ON d.id = s.document_id
    LEFT JOIN blob AS b ON b.id = s.blob_id
    LEFT JOIN LATERAL (SELECT report, policy, checked_at FROM signature_check AS k
        WHERE k.signature_id = s.id ORDER BY k.id LIMIT 1) AS c ON true
    WHERE s.document_id = ANY($1) AND (f.is_current OR {_MINE})
    AND (d.status <> 'recalled' OR {_MINE})
    ORDER BY s.id"""

_PARTS = {
    "registrations": """SELECT r.document_id, r.id, r.organization_id, o.name AS organization,
            r.number, r.date, r.registered_at
        FROM registration AS r JOIN organization AS o ON o.id = r.organization_id
        JOIN document AS d ON d.id = r.document_id
        WHERE r.document_id = ANY($1) AND r.organization_id IN ($2, d.organization_id)
        ORDER BY r.id""",
    "dispatches": f"""SELECT s.document_id, s.id, s.mode, s.selector, s.as_of, s.deadlines,
            s.recipients, s.created_at
        FROM dispatch AS s JOIN document AS d ON d.id = s.document_id
        WHERE s.document_id = ANY($1) AND {_MINE} ORDER BY s.id""",
    "hops": f"""SELECT h.document_id, h.id, h.delivery_id, h.organization_id,
            o.name AS organization, r.number, r.date, h.resolution, h.verdict, h.report, h.passed,
            h.passed_at
        FROM hop AS h JOIN organization AS o ON o.id = h.organization_id
        JOIN registration AS r ON r.id = h.registration_id
        JOIN document AS d ON d.id = h.document_id
        WHERE h.document_id = ANY($1) AND ({_MINE} OR h.organization_id = $2) ORDER BY h.id""",
    "links": """SELECT l.from_id AS document_id, l.to_id, l.kind, l.created_at
        FROM document_link AS l JOIN document AS d ON d.id = l.from_id
        WHERE l.from_id = ANY($1) AND d.organization_id = $2 ORDER BY l.id""",
    "messages": """SELECT m.document_id, m.id, m.direction, m.kind, m.event, m.version,
            m.header_uid, m.status, m.reason, m.facts, m.sent_at, m.delivered_at, m.registered_at,
            m.their_number, m.their_date, m.created_at,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('name', p.name, 'size', p.size,
                 'sha256', encode(p.sha256, 'hex'), 'blob_id', p.blob_id,
                 'content', encode(p.content, 'hex')) ORDER BY p.name), '[]')
             FROM medo_part AS p WHERE p.message_id = m.id) AS parts
        FROM medo_message AS m WHERE m.document_id = ANY($1) AND m.organization_id = $2
        ORDER BY m.id""",
    "powers": """SELECT s.document_id, a.signature_id, a.basis, a.state, a.reasons, a.at,
            a.checked_at, p.number, p.content, p.xml_blob_id, p.signature_blob_id,
            encode(x.sha256, 'hex') AS xml_sha256, x.size AS xml_size,
            encode(g.sha256, 'hex') AS signature_sha256, g.size AS signature_size
        FROM signature_authority AS a JOIN signature AS s ON s.id = a.signature_id
        LEFT JOIN power_of_attorney AS p ON p.id = a.power_id
        LEFT JOIN blob AS x ON x.id = p.xml_blob_id
        LEFT JOIN blob AS g ON g.id = p.signature_blob_id
        WHERE s.document_id = ANY($1) AND $2::uuid IS NOT NULL ORDER BY a.id""",
}


def _add_files(gathered: Gathered, rows: Iterable[db.Row], stamps: Mapping[Any, bytes]) -> None:
    for row in rows:
        if row["is_destroyed"]:
            gathered.lack("content_destroyed", row["sha256"])
            continue
        name = original(row["sha256"], row["media_type"])
        gathered.sources.append(Source(name, blob_id=row["blob_id"], size=row["size"]))
        _add_stamp(gathered, stamps, row["blob_id"], row["sha256"])


def _add_stamp(
    gathered: Gathered, stamps: Mapping[Any, bytes], blob_id: uuid.UUID, sha256: str
) -> None:
    if blob_id in stamps:
        gathered.sources.append(Source(f"stamps/{sha256}.ers", stamps[blob_id]))


async def _stamped(rows: Iterable[db.Row]) -> dict[uuid.UUID, bytes]:
    """The evidence records (RFC 4998) of those of the stored bytes that have one."""
    blob_ids = {row["blob_id"] for row in rows if row["blob_id"] is not None}
    known = await db.rows(
        "SELECT DISTINCT blob_id FROM archive_stamp_entry WHERE blob_id = ANY($1)", list(blob_ids)
    )
    made = {row["blob_id"]: await records.record_of(row["blob_id"]) for row in known}
    return {blob_id: record for blob_id, record in made.items() if record is not None}


def _file(row: db.Row) -> dict[str, Any]:
    told_file = {name: value for name, value in row.items() if name not in _INNER}
    member = None if row["is_destroyed"] else original(row["sha256"], row["media_type"])
    return {**told_file, "member": member}


_INNER = ("document_id", "blob_id")


async def _signature(
    gathered: Gathered,
    level: str,
    row: db.Row,
    stamps: Mapping[Any, bytes],
    vouched: relied.Vouched,
) -> dict[str, Any]:
    """What a checker needs to know of one signature; its verdict with all inputs beside it."""
    member = None
    if row["blob_sha256"] is not None:
        member = f"signatures/{row['blob_sha256']}.p7s"
        gathered.sources.append(Source(member, blob_id=row["blob_id"], size=row["blob_size"]))
        _add_stamp(gathered, stamps, row["blob_id"], row["blob_sha256"])
    report = row["report"] or {}
    verdict = f"verdicts/{row['id']}.json"
    relied.add(gathered, verdict, row, vouched, level=level)
    return {
        "id": row["id"], "form": row["form"], "role": row["role"],
        "file": original(row["file_sha256"], row["file_type"]), "signature": member,
        "certificate": row["certificate"], "signer": masking.name(level, row["signer"]),
        "signed_at": row["signed_at"], "verdict": row["verdict"], "verdict_member": verdict,
        "level": report.get("level"), "algorithm": report.get("algorithm"),
        "field": report.get("field_name"),
        "is_whole": bool(report.get("intact") and report.get("valid")),
    }  # fmt: skip


def _add_parts(gathered: Gathered, facts: dict[str, list[db.Row]]) -> None:
    """Bytes that came with messages and powers of attorney; the facts then name their members."""
    for message in facts["messages"]:
        for part in message["parts"]:
            blob_id, content = part.pop("blob_id"), part.pop("content")
            name = part["member"] = f"messages/{part['sha256']}.bin"
            if content is not None:
                gathered.sources.append(Source(name, bytes.fromhex(content)))
            elif blob_id is not None:
                blob = uuid.UUID(blob_id)
                gathered.sources.append(Source(name, blob_id=blob, size=part["size"]))
    for power in facts["powers"]:
        for kind, suffix in (("xml", "xml"), ("signature", "sig")):
            blob_id, size = power.pop(f"{kind}_blob_id"), power.pop(f"{kind}_size")
            if blob_id is not None:
                power[f"{kind}_member"] = f"powers/{power[f'{kind}_sha256']}.{suffix}"
                gathered.sources.append(Source(power[f"{kind}_member"], blob_id=blob_id, size=size))


def _line(
    card: db.Row, files: Iterable[db.Row], signatures: list[dict[str, Any]]
) -> dict[str, Any]:
    """What the register says of the document."""
    main = next((row for row in files if row["role"] == "main" and row["is_current"]), None)
    return {
        "number": card["number"] or "б/н",
        "date": f"{card['date']:%d.%m.%Y}" if card["date"] else "",
        "title": card["title"], "organization": card["organization_name"],
        "status": card["status"], "recipients": card["recipients"],
        "signatures": [f"{one['signer']}: {one['verdict']}" for one in signatures],
        "sha256": main["sha256"] if main else "", "place": f"documents/{card['id']}",
    }  # fmt: skip
