"""The checks of signatures as rows: one is written with the signature, later ones are added."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core import clock, db

INTO = "INSERT INTO signature_check (id, signature_id, verdict, policy, report, checked_at)"


async def record(signature_id: uuid.UUID, one: Mapping[str, Any], *, at: datetime) -> None:
    """Keep one check of a signature with the whole answer; in the caller's transaction."""
    await db.execute(
        f"{INTO} VALUES ($1, $2, $3, $4, $5, $6)",
        clock.new_id(), signature_id, one["verdict"], one.get("policy", ""), dict(one), at,
    )  # fmt: skip


async def reports_of(file_id: uuid.UUID) -> list[dict[str, Any]]:
    """What was found of the signatures inside this very file."""
    found = await db.rows(
        "SELECT report FROM signature WHERE file_id = $1 AND form = 'pades' ORDER BY id", file_id
    )
    return [row["report"] for row in found]
