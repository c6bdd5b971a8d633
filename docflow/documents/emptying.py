"""What a document is made of, taken away for good: bytes, texts, names; its number stays.

Whether it may be taken away, an act and `holds` decide before.
"""

import uuid
from collections.abc import Sequence

from core import clock, db

_BYTES = """
SELECT blob_id AS id FROM document_file WHERE document_id = ANY($1::uuid[])
UNION SELECT blob_id FROM signature WHERE document_id = ANY($1::uuid[]) AND blob_id IS NOT NULL
UNION SELECT prepared_blob_id FROM signing_session
      WHERE document_id = ANY($1::uuid[]) AND prepared_blob_id IS NOT NULL
UNION SELECT blob_id FROM quarantine WHERE document_id = ANY($1::uuid[])
UNION SELECT p.blob_id FROM medo_part AS p JOIN medo_message AS m ON m.id = p.message_id
      WHERE m.document_id = ANY($1::uuid[]) AND p.blob_id IS NOT NULL
"""
"""All bytes of documents: revisions, signatures, what was prepared or refused, messages."""

_PLACES = """
SELECT c.conrelid::regclass::text AS named, a.attname AS field,
    EXISTS (SELECT FROM pg_attribute AS d WHERE d.attrelid = c.conrelid
            AND d.attname = 'document_id' AND NOT d.attisdropped) AS has_document
FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.confrelid = 'blob'::regclass
"""
_NO_USE = ("archive_stamp_entry", "blob_damage", "picture_print", "node_part")
"""Tables that say something of bytes and do not need them."""

_EMPTIED = (
    "UPDATE document SET title = $2, addressee = '', fields = '{}' WHERE id = ANY($1)",
    "UPDATE document_text SET card = $2, body = '' WHERE document_id = ANY($1)",
    "UPDATE document_file SET title = '', file_name = $2 WHERE document_id = ANY($1)",
    "UPDATE signature SET signer = $2, report = '{}' WHERE document_id = ANY($1)",
)
_EMPTIED_WHOLLY = (
    """UPDATE signing_session SET prepared = '', attributes = '', certificate = '', warnings = '[]'
       WHERE document_id = ANY($1)""",
    """UPDATE medo_part SET content = NULL WHERE message_id IN (
           SELECT id FROM medo_message WHERE document_id = ANY($1))""",
    "UPDATE medo_message SET facts = '{}' WHERE document_id = ANY($1)",
)


async def free_bytes(document_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """The blobs of these documents that nothing else refers to: equal content is stored once."""
    ids = list(document_ids)
    own = [row["id"] for row in await db.rows(_BYTES, ids)]
    used: set[uuid.UUID] = set()
    for one in await db.rows(_PLACES):
        named, field = one["named"], one["field"]
        if named in _NO_USE:
            continue
        ours = "false"
        if named == "medo_part":
            ours = """message_id IN (SELECT id FROM medo_message
                      WHERE document_id = ANY($2::uuid[]))"""
        elif one["has_document"]:
            ours = "coalesce(document_id = ANY($2::uuid[]), false)"
        found = await db.rows(
            f"""SELECT DISTINCT {field} AS id FROM {named}
                WHERE {field} = ANY($1::uuid[]) AND NOT ({ours}) AND $2::uuid[] IS NOT NULL""",
            own, ids,
        )  # fmt: skip
        used |= {row["id"] for row in found}
    return sorted(set(own) - used)


async def empty(document_ids: Sequence[uuid.UUID], *, stub: str, gone: Sequence[uuid.UUID]) -> None:
    """Put `stub` in the place of every text of these documents; `gone`: blobs that are destroyed.

    Belongs in the transaction of the act.
    """
    ids = list(document_ids)
    for sql in _EMPTIED:
        await db.execute(sql, ids, stub)
    for sql in _EMPTIED_WHOLLY:
        await db.execute(sql, ids)
    await db.execute(
        """UPDATE signature SET evidenced_at = $2
           WHERE document_id = ANY($1) AND evidenced_at IS NULL""",
        ids, clock.now(),
    )  # fmt: skip
    for sql in (
        "UPDATE archive_stamp_entry SET is_current = false WHERE blob_id = ANY($1::uuid[])",
        "DELETE FROM node_part WHERE blob_id = ANY($1::uuid[])",
    ):
        await db.execute(sql, list(gone))
