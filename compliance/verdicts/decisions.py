"""What a lawyer's decision lifts: kept apart from the rules, shown beside their reasons.

A decision holds for one picture, one organization and channel, until a date, and only against the
reasons the lawyer had before them: what the registers learn later is judged anew.
"""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from compliance.verdicts.case import Outcome, Reason, Verdict
from core import db

RULE = "501"


@dataclass(frozen=True, slots=True)
class Decision:
    """A lawyer's decision that speaks for a use."""

    review_id: uuid.UUID
    until: date
    reason: Reason

    @property
    def ends_on(self) -> date:
        """The first day without it."""
        return self.until + timedelta(days=1)


def weighed(verdict: Verdict, decision: Decision | None) -> Outcome:
    """The outcome with the decision counted in."""
    return verdict.outcome if decision is None else "clear"


async def standing(
    *, organization_id: uuid.UUID, sha256: bytes, channel: str, on: date, verdict: Verdict
) -> Decision | None:
    """The decision that lifts everything this verdict asks for on that day, if there is one.

    The last decision counts: one that refuses ends an earlier one that cleared.
    """
    if verdict.outcome == "clear":
        return None
    found = await db.row(
        """SELECT r.id, r.status, r.until, r.reason, r.decided_at, c.verdict_json
           FROM picture_review AS r JOIN picture_check AS c ON c.id = r.check_id
           WHERE r.sha256 = $1 AND r.organization_id = $2 AND r.channel = $3
             AND r.decided_at IS NOT NULL ORDER BY r.decided_at DESC, r.id DESC LIMIT 1""",
        sha256, organization_id, channel,
    )  # fmt: skip
    if found is None or found["status"] != "cleared" or found["until"] < on:
        return None
    seen = msgspec.json.decode(found["verdict_json"], type=Verdict)
    if not asked(verdict) <= asked(seen):
        return None
    return Decision(found["id"], found["until"], _reason(found))


def asked(verdict: Verdict) -> set[bytes]:
    """What stands against a use: rule and facts of each reason that asks for something."""
    return {
        msgspec.json.encode((one.rule, one.facts), order="sorted")
        for one in verdict.reasons
        if one.outcome not in (None, "clear")
    }


def _reason(found: db.Row) -> Reason:
    day, until = f"{found['decided_at']:%d.%m.%Y}", f"{found['until']:%d.%m.%Y}"
    return Reason(
        rule=RULE, code="lawyer_decision", outcome="clear",
        ru=f"Решение юриста от {day}: {found['reason']}",
        en=f"A lawyer's decision of {day}: {found['reason']}",
        do_ru=f"Публикуйте; решение действует по {until}.",
        do_en=f"Publish; the decision holds until {until}.",
        facts={"review": str(found["id"]), "until": found["until"].isoformat()},
    )  # fmt: skip
