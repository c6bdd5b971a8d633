"""Checks: may this picture be used so? The case, the verdict and its words are kept for ever.

A check is made from the bytes, the registers at one moment and the use; `replay` makes the verdict
again from what was kept, byte for byte.
"""

import asyncio
import hashlib
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec

from audit import events
from compliance.checking import cases
from compliance.prints import PRINT_FEATURES, RECORD, Looked
from compliance.registers import changes, licences, register
from compliance.searching import searching
from compliance.searching.searching import Found
from compliance.verdicts import decisions
from compliance.verdicts.case import (
    Case,
    Channel,
    Evidence,
    Match,
    Outcome,
    Use,
    Verdict,
    decode_case,
    encode,
)
from compliance.verdicts.decisions import Decision
from compliance.verdicts.rules import VERSION, VERSIONS
from compliance.verdicts.verdict import judge
from compliance.visibility import may_see
from core import clock, db, idempotency, sandbox
from core.actor import Actor
from core.errors import InvalidInput, NotFound, Unavailable
from storage.blobs import StoredBlob

FURTHEST = timedelta(days=366)
_MAX_CAPTION = 5000
_SECONDS = 30.0
_TRIES = 5


class UseInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where, when and with which words one's own organization wants to publish a picture."""

    channel: Channel
    on: date | None = None
    """The day of publication, today or later; today when left out."""
    caption: str = ""
    is_commercial: bool | None = False
    """Null: not known."""
    is_changed: bool = False
    territory: str = "RU"
    seat: str | None = None
    """Who of a licence's users publishes; a clear check seats them."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything known of an upload before the registers' word is final."""

    blob: StoredBlob
    looked: Looked
    evidence: Evidence
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A check as it stands, with a lawyer's decision where one speaks for it."""

    row: db.Row
    case: Case
    verdict: Verdict
    decision: Decision | None

    @property
    def outcome(self) -> Outcome:
        """The verdict's outcome with the decision counted in."""
        return decisions.weighed(self.verdict, self.decision)


class _Moved(Exception):
    """Pictures were entered between the search and the verdict: search again."""


async def check(
    actor: Actor, *, data: bytes, use: UseInput, file_name: str = "", key: str | None = None
) -> uuid.UUID:
    """Judge a picture for a use of one's own organization and keep the answer; answers its id.

    Needs an editor or a lawyer. Reads the file at arm's length, looks it up in the registers as
    they are at this moment and, when it is clear by a licence with seats, seats `use.seat`. Raises
    as the parsers do (`not_a_picture`, `broken_picture`, `picture_too_large` …), `use_date`,
    `caption_too_long`, `use_territory`, `seat_name`. The same `key` answers the same check.
    """
    actor.require("editor", "lawyer")
    wanted = await use_of(actor.home_id, use)
    request = idempotency.request_hash(
        "check", hashlib.sha256(data).hexdigest(), msgspec.json.encode(use)
    )
    if await idempotency.is_used(scope=actor.home_id, key=key):
        check_id, _ = await idempotency.once(
            scope=actor.home_id, key=key, request=request, create=_gone
        )
        return check_id
    seen = await see(data, name=file_name)
    for _ in range(_TRIES):
        found, at = await _search(actor, data, seen.looked, wanted)
        try:
            check_id, _ = await idempotency.once(
                scope=actor.home_id, key=key, request=request,
                create=lambda f=found, a=at: _judged(actor, seen, wanted, f, a, file_name),  # type: ignore[misc]  # reason: bound per turn
            )  # fmt: skip
        except _Moved:
            continue
        return check_id
    raise Unavailable(code="register_busy")


async def _gone() -> uuid.UUID:
    raise Unavailable(code="register_busy")


async def see(data: bytes, *, name: str) -> Seen:
    """Read an upload at arm's length and store it; outside a transaction."""
    # What looks into pictures weighs 150 MB; a process that serves none does without it.
    from compliance.looking import evidence  # noqa: PLC0415 - as said above

    report, looked = await asyncio.gather(
        evidence.examine(data, name=name),
        sandbox.pool().run(
            "compliance.searching.references:looked", data, timeout=_SECONDS, into=Looked
        ),
    )
    blob = await register.keep(data, limit=register.MAX_PICTURE)
    await _keep_print(blob, looked)
    return Seen(blob, looked, evidence.evidence_of(report), report)


async def use_of(organization_id: uuid.UUID, given: UseInput) -> Use:
    """The use with who stands above the organization on that day; refuses what cannot be."""
    today = clock.today()
    on = given.on or today
    if not today <= on <= today + FURTHEST:
        raise InvalidInput(
            "День публикации: сегодня или позже, не дальше чем через год.",
            "The day of publication: today or later, within a year.",
            code="use_date", field="on",
        )  # fmt: skip
    if len(given.caption) > _MAX_CAPTION:
        raise InvalidInput(
            f"Подпись: не длиннее {_MAX_CAPTION} знаков.",
            f"Caption: at most {_MAX_CAPTION} characters.",
            code="caption_too_long", field="caption",
        )  # fmt: skip
    if len(given.territory) != 2 or not given.territory.isascii() or not given.territory.isupper():
        raise InvalidInput(
            "Территория — код страны из двух букв, например RU.",
            "The territory is a country code of two letters, such as RU.",
            code="use_territory", field="territory",
        )  # fmt: skip
    licences.require_seat(given.seat)
    above = await register.superiors_of(organization_id, on=on)
    return Use(
        organization=str(organization_id), channel=given.channel, on=on, caption=given.caption,
        superiors={line: tuple(str(one) for one in ids) for line, ids in above.items()},
        is_commercial=given.is_commercial, is_changed=given.is_changed, territory=given.territory,
        seat=given.seat,
    )  # fmt: skip


async def show(actor: Actor, check_id: uuid.UUID) -> Answer:
    """A check of one's own organization, or for a lawyer of one below; NotFound otherwise."""
    found = await visible(actor, check_id)
    return await answer_of(found)


async def answer_of(found: db.Row) -> Answer:
    """The answer a stored check gives today."""
    case = decode_case(found["case_json"])
    verdict = msgspec.json.decode(found["verdict_json"], type=Verdict)
    decision = await decisions.standing(
        organization_id=found["organization_id"], sha256=found["sha256"],
        channel=found["channel"], on=found["used_on"], verdict=verdict,
    )  # fmt: skip
    return Answer(found, case, verdict, decision)


async def listed(
    actor: Actor, *, outcome: str | None = None, after: uuid.UUID | None = None, limit: int = 50
) -> list[db.Row]:
    """One's own checks, newest first."""
    actor.require("editor", "lawyer")
    return await db.rows(
        """SELECT id, file_name, encode(sha256, 'hex') AS sha256, origin, channel, used_on, outcome,
                  turns_on, created_at
           FROM picture_check WHERE organization_id = $1 AND ($2::text IS NULL OR outcome = $2)
             AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4""",
        actor.home_id, outcome, after, limit,
    )  # fmt: skip


async def visible(actor: Actor, check_id: uuid.UUID) -> db.Row:
    """The row of a check the actor may see."""
    actor.require("editor", "lawyer")
    found = await db.row("SELECT * FROM picture_check WHERE id = $1", check_id)
    if found is None:
        raise NotFound(check_id=str(check_id))
    if not await may_see(actor, found["organization_id"]):
        raise NotFound(check_id=str(check_id))
    return found


@dataclass(frozen=True, slots=True)
class Replayed:
    """The verdict made again from the case that was kept."""

    is_same: bool
    """Byte for byte, in the words of the rules of then."""
    rules_then: str
    rules_now: str
    verdict: Verdict


async def replay(actor: Actor, check_id: uuid.UUID) -> Replayed:
    """Judge the stored case again; nothing but the case is looked at."""
    found = await visible(actor, check_id)
    then = found["rules"] if found["rules"] in VERSIONS else VERSION
    verdict = judge(decode_case(found["case_json"]), rules=then)
    is_same = encode(verdict) == bytes(found["verdict_json"])
    return Replayed(is_same, found["rules"], VERSION, verdict)


async def _search(actor: Actor, data: bytes, looked: Looked, use: Use) -> tuple[list[Found], int]:
    above = [uuid.UUID(one) for line in use.superiors.values() for one in line]
    return await searching.find_matches(
        data=data, looked=looked, organization_id=actor.home_id, superiors=above
    )


async def _judged(
    actor: Actor, seen: Seen, use: Use, found: list[Found], at: int, file_name: str
) -> uuid.UUID:
    """Build the case from the registers as they stand still, judge it, keep both."""
    if use.seat is not None:
        await changes.lock()
    head = await changes.hold()
    if await db.value(
        "SELECT true FROM register_change WHERE id > $1 AND change = 'picture.added' LIMIT 1", at
    ):
        raise _Moved
    case = await cases.assembled(
        use=use, evidence=seen.evidence, matches=matches_of(found), head=head
    )
    return await keep(
        actor, case, judge(case), head=head, blob_id=seen.blob.id, file_name=file_name,
        report=seen.report, found=found,
    )  # fmt: skip


async def keep(
    actor: Actor,
    case: Case,
    verdict: Verdict,
    *,
    head: changes.Head,
    blob_id: uuid.UUID,
    file_name: str,
    report: dict[str, Any],
    found: list[Found],
    previous_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Write a case and its verdict; the rows of `picture_check` are never changed."""
    check_id = clock.new_id()
    known = {match.picture for match in case.matches}
    await db.execute(
        """INSERT INTO picture_check (id, organization_id, account_id, blob_id, sha256, file_name,
               origin, previous_id, channel, used_on, outcome, turns_on, pictures, case_json,
               verdict_json, rules, register_change_id, register_digest, evidence, matches,
               created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                   $19, $20, $21)""",
        check_id, uuid.UUID(case.use.organization), actor.account_id, blob_id,
        bytes.fromhex(case.evidence.sha256), file_name[:255],
        "request" if previous_id is None else "lookback", previous_id, case.use.channel,
        case.use.on, verdict.outcome, verdict.turns.on if verdict.turns else None,
        [uuid.UUID(one) for one in sorted(known)], encode(case), encode(verdict), verdict.rules,
        head.id, bytes.fromhex(head.digest), report,
        [{"picture": str(one.picture_id), "level": one.level, **one.detail}
         for one in found if str(one.picture_id) in known],
        clock.now(),
    )  # fmt: skip
    if verdict.outcome == "clear" and case.use.seat is not None and previous_id is None:
        seated = {one.id for one in case.licences if one.max_seats is not None}
        for licence_id in sorted(seated & set(verdict.licences)):
            await licences.take_seat(actor, uuid.UUID(licence_id), seat=case.use.seat)
    await events.record(
        actor, "picture.check", subject=("picture_check", check_id), change=(None, verdict.outcome),
        data={"sha256": case.evidence.sha256, "channel": case.use.channel,
              "rules": [one.rule for one in verdict.reasons], "register": head.digest},
    )  # fmt: skip
    return check_id


def matches_of(found: list[Found]) -> list[Match]:
    """Matches in the words of a case."""
    return [
        Match(str(one.picture_id), one.level, covered=one.covered, is_altered=one.is_altered)
        for one in found
    ]


async def _keep_print(blob: StoredBlob, looked: Looked) -> None:
    """What looking back compares new references with."""
    enough = PRINT_FEATURES * RECORD
    await db.execute(
        """INSERT INTO picture_print (blob_id, sha256, canon, hashes, features, sketches,
               sketch_canon, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (blob_id) DO NOTHING""",
        blob.id, bytes.fromhex(looked.sha256), looked.canon,
        b"".join(looked.needles[::8]),
        looked.features[:enough], looked.sketches, looked.sketch_canon, clock.now(),
    )  # fmt: skip
