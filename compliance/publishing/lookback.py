"""Looking back: what was published is judged again when the registers change or a right ends.

A licence that ends or is withdrawn, a consent taken back, a new work of a claimant: each use is
judged as of today from its own evidence and today's registers. Who published is told what to take
down, and two weeks ahead what will have to be.
"""

import uuid
from datetime import timedelta
from typing import Any

import msgspec

from audit import events
from compliance.checking import cases, checks, review
from compliance.registers import changes, register
from compliance.searching import published
from compliance.searching.searching import Found
from compliance.verdicts import decisions
from compliance.verdicts.case import Case, Match, Verdict, decode_case, encode
from compliance.verdicts.verdict import judge
from core import clock, db
from core.actor import RULE
from notify import notices

AHEAD = timedelta(days=14)
SELDOM = timedelta(days=7)
"""However quiet the registers are, each use is judged again so often: who stands above whom may
have changed."""
_BATCH = 500


async def follow() -> int:
    """Judge again what the register's changes since the last call touch; answers how many uses.

    Changes are taken in batches and remembered (`lookback_state`), so that a stop in between
    repeats at most one batch; judging again is harmless.
    """
    judged = 0
    while True:
        start = await db.value("SELECT register_change_id FROM lookback_state WHERE id = 1")
        rows = await db.rows(
            "SELECT id, change, picture_id FROM register_change WHERE id > $1 ORDER BY id LIMIT $2",
            start, _BATCH,
        )  # fmt: skip
        if not rows:
            return judged
        judged += await _judge_touched(rows)
        await _advance(rows[-1]["id"])


async def _advance(to: int) -> None:
    await db.execute(
        """UPDATE lookback_state SET register_change_id = $1, updated_at = $2
           WHERE id = 1 AND register_change_id < $1""",
        to, clock.now(),
    )  # fmt: skip


async def _judge_touched(rows: list[db.Row]) -> int:
    """Uses of touched pictures, then those that new pictures are found in."""
    touched = list({row["picture_id"] for row in rows if row["picture_id"] is not None})
    judged = {
        row["id"]
        for row in await db.rows(
            "SELECT id FROM picture_use WHERE withdrawn_at IS NULL AND pictures && $1", touched
        )
    }
    for use_id in judged:
        await judge_again(use_id)
    new = dict.fromkeys(row["picture_id"] for row in rows if row["change"] == "picture.added")
    async for blob_id, found in published.showing(list(new)):
        for row in await db.rows(
            "SELECT id FROM picture_use WHERE blob_id = $1 AND withdrawn_at IS NULL", blob_id
        ):
            await judge_again(row["id"], extra=[found])
            judged.add(row["id"])
    return len(judged)


async def sweep() -> int:
    """Judge what turns within two weeks and what was not looked at for long; how many."""
    today, now = clock.today(), clock.now()
    rows = await db.rows(
        """SELECT id FROM picture_use WHERE withdrawn_at IS NULL
             AND ((turns_on <= $1 AND judged_at < $2) OR judged_at < $3)
           ORDER BY judged_at LIMIT $4""",
        today + AHEAD, now - timedelta(hours=20), now - SELDOM, 20 * _BATCH,
    )  # fmt: skip
    for row in rows:
        await judge_again(row["id"])
    return len(rows)


async def judge_again(use_id: uuid.UUID, *, extra: list[Found] | None = None) -> str | None:
    """The outcome of a use as of today; kept as a new check where anything differs.

    `extra`: matches found since. None when the use was withdrawn meanwhile. Whoever published is
    told once when it stops being clear, and once ahead of the day on which it will.
    """
    async with db.transaction():
        head = await changes.hold()
        use = await db.row(
            """SELECT u.*, c.case_json, c.verdict_json, c.matches, c.evidence, c.file_name, c.sha256
               FROM picture_use AS u JOIN picture_check AS c ON c.id = u.last_check_id
               WHERE u.id = $1 AND u.withdrawn_at IS NULL FOR UPDATE OF u""",
            use_id,
        )  # fmt: skip
        if use is None:
            return None
        before = decode_case(use["case_json"])
        found = _found_before(before, use["matches"], extra or [])
        case = await _today(before, found, head)
        verdict = judge(case)
        check_id = await _kept(use, before, case, verdict, head, found)
        decision = await decisions.standing(
            organization_id=use["organization_id"], sha256=use["sha256"], channel=use["channel"],
            on=case.use.on, verdict=verdict,
        )  # fmt: skip
        outcome = decisions.weighed(verdict, decision)
        turns = verdict.turns.on if verdict.turns else None
        await _settle(use, check_id, outcome, decision.ends_on if decision else turns, found)
        await _tell(use, outcome, decision, verdict)
    return outcome


def _found_before(before: Case, details: list[dict[str, Any]], extra: list[Found]) -> list[Found]:
    """The matches of the last check and the new ones, the new ones' word before the old."""
    by_picture = {one["picture"]: one for one in details}
    known = {
        match.picture: Found(
            uuid.UUID(match.picture), match.level, match.covered, match.is_altered,
            {name: value for name, value in by_picture.get(match.picture, {}).items()
             if name not in ("picture", "level")},
        )
        for match in before.matches
    }  # fmt: skip
    known.update({str(one.picture_id): one for one in extra})
    return [known[name] for name in sorted(known)]


async def _today(before: Case, found: list[Found], head: changes.Head) -> Case:
    on = clock.today()
    organization_id = uuid.UUID(before.use.organization)
    above = await register.superiors_of(organization_id, on=on)
    use = msgspec.structs.replace(
        before.use, on=on,
        superiors={line: tuple(str(one) for one in ids) for line, ids in above.items()},
    )  # fmt: skip
    matches: list[Match] = checks.matches_of(found)
    return await cases.assembled(use=use, evidence=before.evidence, matches=matches, head=head)


async def _kept(
    use: db.Row,
    before: Case,
    case: Case,
    verdict: Verdict,
    head: changes.Head,
    found: list[Found],
) -> uuid.UUID:
    """The id of a new check where the answer or its matches differ, else of the last one."""
    last: uuid.UUID = use["last_check_id"]
    if encode(verdict) == bytes(use["verdict_json"]) and case.matches == before.matches:
        return last
    return await checks.keep(
        RULE, case, verdict, head=head, blob_id=use["blob_id"], file_name=use["file_name"],
        report=use["evidence"], found=found, previous_id=last,
    )  # fmt: skip


async def _settle(
    use: db.Row, check_id: uuid.UUID, outcome: str, turns_on: Any, found: list[Found]
) -> None:
    await db.execute(
        """UPDATE picture_use SET last_check_id = $2, outcome = $3, turns_on = $4, pictures = $5,
               judged_at = $6, updated_at = $6 WHERE id = $1""",
        use["id"], check_id, outcome, turns_on, [one.picture_id for one in found], clock.now(),
    )  # fmt: skip
    if outcome != use["outcome"]:
        await events.record(
            RULE, "picture_use.judge", subject=("picture_use", use["id"]),
            change=(use["outcome"], outcome), data={"check_id": str(check_id)},
        )  # fmt: skip


async def _tell(
    use: db.Row, outcome: str, decision: decisions.Decision | None, verdict: Verdict
) -> None:
    about: tuple[str, uuid.UUID] = ("picture_use", use["id"])
    if outcome != "clear":
        if use["outcome"] == "clear":
            await _post(use, "picture_take_down", about, clock.today(), {"place": use["place"]})
        return
    turn = verdict.turns
    day = decision.ends_on if decision else turn.on if turn and turn.outcome != "clear" else None
    if day is not None and day <= clock.today() + AHEAD:
        await _post(
            use, "picture_turning", about, day, {"place": use["place"], "on": day.isoformat()}
        )


async def _post(
    use: db.Row, kind: str, about: tuple[str, uuid.UUID], day: Any, data: dict[str, Any]
) -> None:
    """To the editors of the organization and to where its lawyer is."""
    places = {use["organization_id"], *await review.who_reviews(use["organization_id"])}
    for place in sorted(places):
        await notices.post(place, kind, about, about=day, data=data)
