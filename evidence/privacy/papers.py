"""Documents that name a person: found, and emptied where the commission decided so.

A signed file is never altered; it stays whole on a legal ground, or its bytes are destroyed.
"""

import uuid
from collections.abc import Sequence

from audit import events
from core import db
from core.actor import RULE
from docflow.documents import emptying
from evidence.privacy import needles
from evidence.privacy.needles import MARK, Known
from storage import destroying


def _met(*fields: str) -> str:
    words = fields[0] if len(fields) == 1 else f"concat_ws(E'\\n', {', '.join(fields)})"
    return needles.met_in(words, at="$1", sieve_at="$3")


_NAMED = f"""
SELECT d.id FROM document AS d WHERE {_met("d.title", "d.addressee", "d.fields::text")}
UNION SELECT t.document_id FROM document_text AS t WHERE {_met("t.card")} OR {_met("t.body")}
UNION SELECT f.document_id FROM document_file AS f WHERE {_met("f.title", "f.file_name")}
UNION SELECT s.document_id FROM signature AS s
      WHERE s.account_id IN (SELECT id FROM account WHERE person_id = $2)
         OR {_met("s.signer", "s.report::text")}
UNION SELECT q.document_id FROM question AS q WHERE {_met("q.text", "q.answer")}
"""


async def naming(person_id: uuid.UUID, known: Known) -> list[uuid.UUID]:
    """Documents in whose card, text, files' names, signatures or questions the person is met.

    What is only in a picture of a page, the service cannot read: the commission adds it by hand.
    """
    found = await db.rows(
        f"SELECT DISTINCT id FROM ({_NAMED}) AS named ORDER BY id",
        needles.pattern(known), person_id, needles.sieve(known),
    )  # fmt: skip
    return [row["id"] for row in found]


async def empty(act_id: uuid.UUID, document_ids: Sequence[uuid.UUID]) -> int:
    """Take the content of these documents away, files, signatures, text, names; numbers stay.

    The keys of bytes nobody else needs are noted with the act, to be removed from the store after
    the commit. Belongs in a transaction. Answers how many documents were not empty before.
    """
    ids = list(document_ids)
    done = await db.rows(
        """SELECT document_id FROM event WHERE verb = 'document.content_erased'
           AND document_id = ANY($1::uuid[]) AND data->>'act_id' = $2""",
        ids, str(act_id),
    )  # fmt: skip
    free = await emptying.free_bytes(ids)
    await condemn(act_id, free)
    await emptying.empty(ids, stub=MARK, gone=free)
    for row in await db.rows(
        """SELECT c.ctid AS place FROM signature_check AS c JOIN signature AS s
           ON s.id = c.signature_id WHERE s.document_id = ANY($1::uuid[]) AND c.report <> '{}'""",
        ids,
    ):
        await db.value(
            "SELECT erase_cell($1, 'signature_check', $2::tid, 'report', '{}')",
            act_id, row["place"],
        )  # fmt: skip
    before = {row["document_id"] for row in done}
    for document_id in ids:
        if document_id not in before:
            await events.record(
                RULE, "document.content_erased", subject=("document", document_id),
                document_id=document_id, data={"act_id": str(act_id)},
            )  # fmt: skip
    return len(set(ids) - before)


_BESIDE = """
SELECT consent_blob_id AS id FROM own_work WHERE person_id = $2
    OR concat_ws(E'\\n', author, attribution) ~ $1
UNION SELECT blob_id FROM picture WHERE evidence::text ~ $1 OR author ~ $1
UNION SELECT blob_id FROM picture_check WHERE evidence::text ~ $1
UNION SELECT blob_id FROM quarantine WHERE file_name ~ $1
"""
_POWERS = """
UNION SELECT xml_blob_id FROM power_of_attorney WHERE content::text ~ $1
    OR array_to_string(people, E'\\n') ~ $1
UNION SELECT signature_blob_id FROM power_of_attorney WHERE content::text ~ $1
    OR array_to_string(people, E'\\n') ~ $1
"""


async def empty_beside(
    act_id: uuid.UUID, person_id: uuid.UUID, known: Known, *, with_powers: bool
) -> int:
    """Destroy other bytes that tell of the person: consents, pictures that name their author,
    files in quarantine, and powers of attorney unless a document that is kept may rest on one.

    Belongs in a transaction; answers how many.
    """
    found = await db.rows(
        f"""SELECT id FROM ({_BESIDE}{_POWERS if with_powers else ""}) AS b
            WHERE NOT EXISTS (SELECT FROM document_file AS f WHERE f.blob_id = b.id)
              AND NOT EXISTS (SELECT FROM signature AS s WHERE s.blob_id = b.id)""",
        needles.pattern(known), person_id,
    )  # fmt: skip
    return await condemn(act_id, [row["id"] for row in found])


async def condemn(act_id: uuid.UUID, blob_ids: Sequence[uuid.UUID]) -> int:
    """Cut blobs from their bytes, whose keys are noted with the act; answers how many."""
    keys = await destroying.condemn(blob_ids)
    for key in keys:
        await db.execute(
            "INSERT INTO erasure_object (erasure_id, key) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            act_id, key,
        )  # fmt: skip
    return len(keys)
