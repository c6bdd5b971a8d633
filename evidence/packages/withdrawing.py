"""Packages let go before their time because of what is in them: copies of what was erased."""

import uuid
from collections.abc import Sequence

from audit import transitions
from core import db
from core.actor import RULE
from evidence.packages.states import OPEN, TRANSITIONS, ExportStatus

_TOUCHED = """
SELECT e.* FROM evidence_export AS e WHERE e.status <> 'expired' AND (
    e.kind IN ('organization', 'period')
    OR e.subject_id = $1
    OR EXISTS (SELECT FROM evidence_item AS i WHERE i.export_id = e.id
               AND (i.subject_id = ANY($2::uuid[]) OR i.line::text ~ $3)))
ORDER BY e.id FOR UPDATE OF e
"""


async def let_go(
    *, person_id: uuid.UUID, subject_ids: Sequence[uuid.UUID], pattern: str
) -> list[uuid.UUID]:
    """Empty every package that tells of the person or of these things; answers its blobs.

    Packages of an organization or a period hold details of all events and go always. One that is
    being made fails and can be made anew; the register keeps what was handed out. Belongs in a
    transaction; the blobs' bytes are the caller's to remove.
    """
    blobs: list[uuid.UUID] = []
    for export in await db.rows(_TOUCHED, person_id, list(subject_ids), pattern):
        status = ExportStatus(export["status"])
        if status in (*OPEN, ExportStatus.READY):
            target = ExportStatus.EXPIRED if status is ExportStatus.READY else ExportStatus.FAILED
            told = {} if status is ExportStatus.READY else {
                "error_code": "erased_meanwhile",
                "error": "Данные, о которых он рассказывал, удалены по акту. Соберите его заново.",
            }  # fmt: skip
            await transitions.move(
                RULE.acting_for(export["organization_id"]), "evidence_export", export["id"],
                graph=TRANSITIONS, source=status, target=target, verb=f"evidence.{target}",
                assign=told, data={"code": "erased_meanwhile"},
            )  # fmt: skip
        parts = await db.rows(
            "DELETE FROM evidence_part WHERE export_id = $1 RETURNING blob_id", export["id"]
        )
        for table in ("evidence_member", "evidence_item"):
            await db.execute(f"DELETE FROM {table} WHERE export_id = $1", export["id"])
        if status is not ExportStatus.READY:
            await db.execute(
                """UPDATE evidence_export SET items = 0, items_done = 0, members = 0, bytes = 0
                   WHERE id = $1""",
                export["id"],
            )
        blobs += [row["blob_id"] for row in parts]
    return blobs
