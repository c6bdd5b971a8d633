"""Backups older than they may be: each could bring back people who were erased."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from core import db
from core.settings import settings
from evidence.privacy import register


async def overdue() -> list[str]:
    """Names of files or folders in BACKUPS that should be gone by now; none without the setting."""
    folder = settings().backups
    if folder is None:
        return []
    return await asyncio.to_thread(_older, folder, register.expired_before())


def _older(folder: Path, limit: datetime) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(
        one.name for one in folder.iterdir()
        if not one.name.startswith(".")
        and datetime.fromtimestamp(one.stat().st_mtime, tz=UTC) < limit
    )  # fmt: skip


async def metrics() -> list[str]:
    """For Prometheus: backups that are too old, acts that wait or run, requests that are late."""
    row = await db.row(
        """SELECT (SELECT count(*) FROM erasure WHERE status IN ('approved', 'executing')) AS acts,
               (SELECT count(*) FROM subject_request
                WHERE status = 'open' AND due_on < current_date) AS late"""
    ) or {"acts": 0, "late": 0}
    return [
        "# TYPE docflow_backups_overdue gauge",
        f"docflow_backups_overdue {len(await overdue())}",
        "# TYPE docflow_erasures_open gauge",
        f"docflow_erasures_open {row['acts']}",
        "# TYPE docflow_subject_requests_late gauge",
        f"docflow_subject_requests_late {row['late']}",
    ]
