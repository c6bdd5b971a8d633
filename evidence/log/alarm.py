"""How the log is: for health, metrics and the people who must know when it is not well."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core import clock, db
from evidence.log import checking, stamping
from notify import notices

BEHIND = timedelta(minutes=1)
"""An event that waits longer for its checkpoint is told of."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The log at a glance."""

    size: int
    checkpoint_at: datetime | None
    waiting_since: datetime | None
    """The oldest event that is not under a checkpoint."""
    unstamped: int
    unstamped_since: datetime | None
    has_authority: bool
    witnesses: int
    refusing: int
    """Witnesses who have seen another log than ours."""
    findings: int
    """Of the last full check and the slices since."""

    @property
    def troubles(self) -> list[str]:
        """Codes of what is not well; empty is good."""
        moment = clock.now()
        is_behind = self.waiting_since is not None and moment - self.waiting_since > BEHIND
        unstamped = self.unstamped_since if self.has_authority else None
        found = {
            "behind": is_behind,
            "stamp_late": unstamped is not None and moment - unstamped > stamping.LATE,
            "witness_refuses": self.refusing > 0,
            "findings": self.findings > 0,
        }
        return [code for code, holds in found.items() if holds]


async def standing() -> Standing:
    """How the log is now; a few cheap questions."""
    row = await db.row(_STANDING)
    due = await stamping.due()
    return Standing(
        **(row or {}), unstamped=due.number, unstamped_since=due.since,
        findings=await checking.open_findings(),
    )  # fmt: skip


_STANDING = """
SELECT s.size, (SELECT max(at) FROM log_checkpoint) AS checkpoint_at,
    (SELECT e.at FROM event AS e
     WHERE (e.xact >= s.taken_below::text::xid8 OR e.xact = ANY (s.open_xacts::text[]::xid8[]))
     AND NOT EXISTS (SELECT FROM log_leaf AS l WHERE l.event_id = e.id)
     ORDER BY e.xact LIMIT 1) AS waiting_since,
    EXISTS (SELECT FROM stamp_service WHERE status = 'active') AS has_authority,
    (SELECT count(*) FROM log_witness WHERE status = 'active') AS witnesses,
    (SELECT count(*) FROM log_witness WHERE status = 'active' AND is_refused) AS refusing
FROM log_state AS s WHERE s.id = 1"""


async def word() -> str:
    """One word for the readiness page: ``ok``, or the codes of what is not well."""
    return ", ".join((await standing()).troubles) or "ok"


async def metrics() -> list[str]:
    """Lines for a Prometheus scraper."""
    now = await standing()
    moment = clock.now()

    def age(since: datetime | None) -> int:
        return 0 if since is None else max(0, int((moment - since).total_seconds()))

    figures = {
        "size": now.size,
        "waiting_seconds": age(now.waiting_since),
        "unstamped_checkpoints": now.unstamped,
        "unstamped_seconds": age(now.unstamped_since),
        "authority": int(now.has_authority),
        "stamp_late": int("stamp_late" in now.troubles),
        "witnesses": now.witnesses,
        "witnesses_refusing": now.refusing,
        "findings": now.findings,
    }
    lines = []
    for name, value in figures.items():
        lines += [f"# TYPE docflow_log_{name} gauge", f"docflow_log_{name} {value}"]
    return lines


async def tell() -> int:
    """Tell the federal center, once a day while it lasts; answers how many were told."""
    now = await standing()
    if not now.troubles:
        return 0
    numbers = {
        "findings": now.findings, "refusing": now.refusing,
        "unstamped": now.unstamped if "stamp_late" in now.troubles else 0,
        "behind": int("behind" in now.troubles),
    }  # fmt: skip
    centers = await db.rows("SELECT id FROM organization WHERE kind = 'center'")
    async with db.transaction():
        return await notices.post_many(
            [
                notices.Post(
                    row["id"], "log_alarm", ("organization", row["id"]), clock.today(), numbers
                )
                for row in centers
            ]
        )
