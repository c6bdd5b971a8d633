"""The log of reads of personal data (152-ФЗ): who looked at whom, and why."""

import uuid

from core import clock, db
from core.actor import Actor


async def log(
    actor: Actor, *, subject: tuple[str, uuid.UUID], purpose: str, count: int = 1
) -> None:
    """Note that `actor` was shown personal data of `count` people under `subject`."""
    kind, subject_id = subject
    await db.execute(
        """INSERT INTO read_log (at, actor_id, organization_id, subject_kind, subject_id, purpose,
                                 count, request_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        clock.now(), actor.id, actor.organization_id, kind, subject_id, purpose, count,
        actor.request_id,
    )  # fmt: skip
