"""The rolling check of stored bytes as documents see it: damage becomes an event of each."""

import logging
import uuid

from audit import events
from core import db
from core.actor import RULE
from storage import fixity

log = logging.getLogger(__name__)

BUDGET = 1024**3
"""Bytes read in one run; every hour makes 24 GiB a day."""


async def check_stored(*, budget: int = BUDGET) -> tuple[int, int]:
    """Read what was unread the longest; answers how many blobs were read, how many are damaged.

    Damage, and its end, are written with an event for each document the bytes belong to.
    """
    read = damaged = 0
    async for finding in fixity.check(budget=budget):
        read += 1
        damaged += finding.damage is not None
        async with db.transaction():
            entered = await fixity.enter(finding)
            if entered.is_new:
                await _tell(entered)
    return read, damaged


async def _tell(finding: fixity.Finding) -> None:
    verb = "file.fixity_failed" if finding.damage else "file.fixity_restored"
    if finding.damage:
        log.error("stored bytes are damaged: blob %s is %s", finding.blob_id, finding.damage)
    await db.execute(
        """UPDATE document_file SET problems = array_remove(problems, 'fixity_failed')
               || CASE WHEN $2 THEN ARRAY['fixity_failed'] ELSE ARRAY[]::text[] END
           WHERE blob_id = $1""",
        finding.blob_id, finding.damage is not None,
    )  # fmt: skip
    documents = await documents_of(finding)
    for document_id in documents or (None,):
        await events.record(
            RULE, verb, subject=("blob", finding.blob_id), document_id=document_id,
            data={"damage": finding.damage, "size": finding.size},
        )  # fmt: skip


async def documents_of(finding: fixity.Finding) -> list[uuid.UUID]:
    """The ids of the documents that hold these bytes as a file or a signature."""
    found = await db.rows(
        """SELECT document_id FROM document_file WHERE blob_id = $1
           UNION SELECT document_id FROM signature WHERE blob_id = $1""",
        finding.blob_id,
    )
    return [row["document_id"] for row in found]
