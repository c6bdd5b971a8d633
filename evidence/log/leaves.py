"""What of an event becomes a leaf: a salted commitment to its canonical JSON, and nothing else.

The JSON holds ids, codes and counts, and of a personal detail only that detail's own commitment.
The salt of a leaf is derived from a secret of the log and the event's id, so that the leaf can be
made again from the event at any time; it is handed out with the proof of that one event.
"""

import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from audit.commitments import canonical_of_text, commitment
from core import canonical

COLUMNS = (
    "e.id, e.at, e.actor_kind, e.actor_id, e.organization_id, e.verb, e.subject_kind, e.subject_id,"
    " e.document_id, e.from_status, e.to_status, e.request_id, e.data::text AS data,"
    " e.detail_sha256"
)
"""What a leaf is made of, from `event AS e`."""


def event_json(row: Any) -> bytes:
    """The event as canonical JSON (RFC 8785), as its leaf commits to it.

    Written out by hand: the names stand in their sorted order already, and a hundred thousand of
    these are due within seconds. A test compares it with the general way.
    """
    data = b"null" if row["data"] is None else canonical_of_text(row["data"])
    detail = row["detail_sha256"]
    return b"".join((
        b'{"actor_id":', _id(row["actor_id"]),
        b',"actor_kind":', _text(row["actor_kind"]),
        b',"at":"', instant(row["at"]).encode(),
        b'","data":', data,
        b',"detail_sha256":', b"null" if detail is None else b'"' + detail.hex().encode() + b'"',
        b',"document_id":', _id(row["document_id"]),
        b',"from_status":', _text(row["from_status"]),
        b',"id":', _id(row["id"]),
        b',"organization_id":', _id(row["organization_id"]),
        b',"request_id":', _id(row["request_id"]),
        b',"subject_id":', _id(row["subject_id"]),
        b',"subject_kind":', _text(row["subject_kind"]),
        b',"to_status":', _text(row["to_status"]),
        b',"verb":', _text(row["verb"]),
        b"}",
    ))  # fmt: skip


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC with six digits of a second, whatever they are."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _id(value: uuid.UUID | None) -> bytes:
    return b"null" if value is None else b'"' + str(value).encode() + b'"'


_plain: dict[str | None, bytes] = {None: b"null"}


def _text(value: str | None) -> bytes:
    """Codes come again and again; a few thousand of them are remembered."""
    found = _plain.get(value)
    if found is None:
        found = json.dumps(value, ensure_ascii=False).encode() if value else b'""'
        if len(_plain) < 4096:
            _plain[value] = found
    return found


def salt_of(secret: bytes, event_id: uuid.UUID) -> bytes:
    """The salt of one event's leaf; says nothing about another's."""
    return hmac.digest(secret, event_id.bytes, hashlib.sha256)


def entry_of(secret: bytes, row: Any) -> bytes:
    """The log's entry for an event: 32 bytes."""
    return commitment(salt_of(secret, row["id"]), event_json(row))


def as_general_json(row: Any) -> bytes:
    """The same as `event_json`, the general and slow way."""
    told: dict[str, Any] = {
        name: None if row[name] is None else str(row[name])
        for name in (
            "id", "actor_kind", "actor_id", "organization_id", "verb", "subject_kind",
            "subject_id", "document_id", "from_status", "to_status", "request_id",
        )
    }  # fmt: skip
    told["at"] = instant(row["at"])
    told["detail_sha256"] = None if row["detail_sha256"] is None else row["detail_sha256"].hex()
    told["data"] = None if row["data"] is None else json.loads(canonical_of_text(row["data"]))
    return canonical.dumps(told)
