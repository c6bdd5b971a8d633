"""The gate: a publication comes out only when every picture may be used so on that very day.

The last word is spoken at publishing: each picture is judged again for exactly this use, and the
registers stand still from that judgement until the publication is out.
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from audit import events, transitions
from compliance.checking import checks
from compliance.checking.checks import Answer, UseInput
from compliance.publishing import publications, uses
from compliance.publishing.publication_states import PUBLICATION_TRANSITIONS, PublicationStatus
from compliance.registers import changes
from compliance.verdicts.rules import VERSION
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, IllegalTransition, InvalidInput, ServiceError, Unavailable
from core.sandbox import HostileInput
from notify import webhooks

_TRIES = 4
_AT_ONCE = 2


class PublicationBlocked(Conflict):
    """Pictures stand in the way; `details.pictures` says of each which and why (409)."""

    code = "publication_blocked"
    ru = "Публикация остановлена: не все изображения разрешены. Причины указаны по каждому."
    en = "The publication is stopped: not every picture is clear. The reasons are given for each."


@dataclass(frozen=True, slots=True)
class Judged:
    """What one picture's check said, or why there is none."""

    sha256: str
    file_name: str
    check_id: uuid.UUID | None = None
    answer: Answer | None = None
    problem: ServiceError | None = None

    @property
    def is_clear(self) -> bool:
        """May it come out?"""
        return self.answer is not None and self.answer.outcome == "clear"

    @property
    def seen_at(self) -> int:
        """The change of the registers it was judged at."""
        return -1 if self.answer is None else int(self.answer.row["register_change_id"])

    @property
    def ends_on(self) -> date | None:
        """The first day on which the answer is another one, a lawyer's decision counted in."""
        return None if self.answer is None else uses.turns_on(self.answer)

    def told(self) -> dict[str, Any]:
        """Why it may or may not, for people and programs."""
        known: dict[str, Any] = {"sha256": self.sha256, "file_name": self.file_name}
        if self.answer is None:
            return {**known, "outcome": None, **(_words(self.problem) if self.problem else {})}
        said = _said(self.answer)
        against = [one for one in said["reasons"] if one["outcome"] not in (None, "clear")]
        return {**known, "check_id": str(self.check_id), **said, "reasons": against}


async def standing(check_id: uuid.UUID | None) -> dict[str, Any]:
    """Outcome, reasons and attribution of a check, a lawyer's decision counted in."""
    if check_id is None:
        return {"outcome": None, "by_lawyer": False, "reasons": [], "attribution": []}
    return _said((await _judged(check_id)).answer)


def _said(answer: Answer | None) -> dict[str, Any]:
    if answer is None:
        raise LookupError("a stored check has its answer")
    verdict, decision = answer.verdict, answer.decision
    reasons = (*(() if decision is None else (decision.reason,)), *verdict.reasons)
    return {
        "outcome": answer.outcome, "by_lawyer": decision is not None,
        "reasons": [
            {"rule": one.rule, "code": one.code, "outcome": one.outcome, "ru": one.ru,
             "en": one.en, "do_ru": one.do_ru, "do_en": one.do_en}
            for one in reasons
        ],
        "attribution": [one.line for one in verdict.attribution],
    }  # fmt: skip


async def check_pictures(
    actor: Actor, publication_id: uuid.UUID, *, only_new: bool = True, on: date | None = None
) -> dict[uuid.UUID, Judged]:
    """Judge the pictures of a publication, by default those nobody has judged yet.

    For its planned day unless `on` says otherwise; answers what was said of each, by the picture's
    id. Files that cannot be read are kept with their problem and stand in the way too.
    """
    actor.require(*publications.WRITERS)
    found = await publications.own(actor, publication_id, lock=False)
    rows = await publications.pictures_of(publication_id)
    wanted = [row for row in rows if not only_new or row["check_id"] is None]
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(row: db.Row) -> tuple[uuid.UUID, Judged]:
        async with turn:
            return row["id"], await _judge(actor, found, row, on=on)

    judged = dict(await asyncio.gather(*(one(row) for row in wanted)))
    async with db.transaction():
        for picture_id, said in judged.items():
            problem = None if said.problem is None else _words(said.problem)
            await db.execute(
                "UPDATE publication_picture SET check_id = $2, problem = $3 WHERE id = $1",
                picture_id, said.check_id, problem,
            )  # fmt: skip
    return judged


async def make_ready(actor: Actor, publication_id: uuid.UUID) -> None:
    """Say that a draft is finished: every picture is judged for the planned day and clear.

    Raises `publication_blocked` with the reasons of each picture that is not.
    """
    actor.require(*publications.WRITERS)
    found = await publications.draft(actor, publication_id, lock=False)
    _require_file(found)
    judged = await check_pictures(actor, publication_id, only_new=False)
    if any(not one.is_clear for one in judged.values()):
        await _stop(actor, found, judged)
    async with db.transaction():
        locked = await publications.draft(actor, publication_id)
        _require_same(found, locked)
        await transitions.move(
            actor, "publication", publication_id, graph=PUBLICATION_TRANSITIONS,
            source=PublicationStatus.DRAFT, target=PublicationStatus.READY,
            verb="publication.ready", data={"pictures": len(judged)},
        )  # fmt: skip
        await webhooks.announce(
            actor.home_id, "publication.ready",
            {"publication_id": publication_id, "pictures": len(judged)},
        )  # fmt: skip


async def publish(actor: Actor, publication_id: uuid.UUID) -> int:
    """Let a ready publication out; answers how many uses of pictures were written down.

    Judges every picture anew for today where anything has changed. Raises `publication_blocked`
    with the reasons of each that is not clear, `publication_early` before the planned day,
    `register_busy` when the registers would not stand still.
    """
    actor.require(*publications.WRITERS)
    for _ in range(_TRIES):
        found = await publications.own(actor, publication_id, lock=False)
        _require_ready(found)
        judged = await check_pictures(actor, publication_id, only_new=False, on=clock.today())
        if any(not one.is_clear for one in judged.values()):
            await _stop(actor, found, judged)
        if await _let_out(actor, found, judged):
            return len(judged)
    raise Unavailable(code="register_busy")


async def _let_out(actor: Actor, found: db.Row, judged: Mapping[uuid.UUID, Judged]) -> bool:
    """Publish if the registers are still those the pictures were judged by."""
    async with db.transaction():
        head = await changes.hold()
        if any(one.seen_at != head.id for one in judged.values()):
            return False
        locked = await publications.own(actor, found["id"])
        _require_same(found, locked)
        rows = await publications.pictures_of(found["id"])
        moment = clock.now()
        await transitions.move(
            actor, "publication", found["id"], graph=PUBLICATION_TRANSITIONS,
            source=PublicationStatus.READY, target=PublicationStatus.PUBLISHED,
            verb="publication.published", data={"pictures": len(rows), "register": head.digest},
            assign={"published_at": moment, "published_by": actor.account_id},
        )  # fmt: skip
        for row in rows:
            use_id = await record_use(actor, judged[row["id"]], place=found["place"])
            await db.execute(
                "UPDATE publication_picture SET use_id = $2 WHERE id = $1", row["id"], use_id
            )
        await webhooks.announce(
            actor.home_id, "publication.published",
            {"publication_id": found["id"], "pictures": len(rows)},
        )  # fmt: skip
    return True


async def record_use(actor: Actor, judged: Judged, *, place: str) -> uuid.UUID:
    """Write down that a judged picture is published from now on; looking back starts here."""
    if judged.answer is None:
        raise LookupError("only a judged picture is used")
    return await uses.enter(actor, judged.answer, place=place, published_at=clock.now())


async def judge(actor: Actor, *, data: bytes, use: UseInput, file_name: str) -> Judged:
    """One check of bytes at hand. Raises as `checks.check` does."""
    check_id = await checks.check(actor, data=data, use=use, file_name=file_name)
    return await _judged(check_id)


async def _judged(check_id: uuid.UUID) -> Judged:
    row = await db.row("SELECT * FROM picture_check WHERE id = $1", check_id)
    if row is None:
        raise LookupError("the check that was just made is not there")
    answer = await checks.answer_of(row)
    return Judged(bytes(row["sha256"]).hex(), row["file_name"], check_id, answer)


async def _judge(actor: Actor, publication: db.Row, row: db.Row, *, on: date | None) -> Judged:
    """One picture of a publication; what cannot be read is told and not raised."""
    use = UseInput(
        channel=publication["channel"], on=on or max(publication["planned_on"], clock.today()),
        caption=row["caption"], is_commercial=publication["is_commercial"],
        is_changed=row["is_changed"], territory=publication["territory"], seat=row["seat"],
    )  # fmt: skip
    try:
        if (known := await _still(actor, row, use)) is not None:
            return known
        data = await publications.read_picture(row)
        return await judge(actor, data=data, use=use, file_name=row["file_name"])
    except (HostileInput, InvalidInput) as problem:
        return Judged(row["digest"], row["file_name"], problem=problem)


async def _still(actor: Actor, row: db.Row, use: UseInput) -> Judged | None:
    """The picture's last check, if nothing it was made from has changed since.

    Same bytes, same use with the same superiors, same registers, same rules: judging again could
    only say the same. A lawyer's decision is counted in anew.
    """
    if row["check_id"] is None:
        return None
    known = await _judged(row["check_id"])
    wanted = await checks.use_of(actor.home_id, use)
    head = await changes.head()
    if (
        known.answer is not None
        and known.answer.case.use == wanted
        and known.seen_at == head.id
        and known.answer.verdict.rules == VERSION
    ):
        return known
    return None


async def _stop(actor: Actor, found: db.Row, judged: Mapping[uuid.UUID, Judged]) -> None:
    """Tell who listens that the publication is held back, and raise."""
    against = {key: one for key, one in judged.items() if not one.is_clear}
    async with db.transaction():
        await events.record(
            actor, "publication.blocked", subject=("publication", found["id"]),
            data={"checks": [str(one.check_id) for one in against.values() if one.check_id]},
        )  # fmt: skip
        await webhooks.announce(
            actor.home_id, "publication.blocked",
            {"publication_id": found["id"],
             "pictures": [{"id": key, "check_id": one.check_id,
                           "outcome": one.answer.outcome if one.answer else None}
                          for key, one in against.items()]},
        )  # fmt: skip
    raise PublicationBlocked(pictures={str(key): one.told() for key, one in against.items()})


def _require_file(found: db.Row) -> None:
    if found["kind"] == "issue" and found["file_blob_id"] is None:
        raise Conflict(
            "Загрузите файл номера: из него берутся изображения для проверки.",
            "Send the issue's file: its pictures are taken out of it.",
            code="issue_file_missing",
        )


def _require_ready(found: db.Row) -> None:
    if found["status"] != PublicationStatus.READY:
        raise IllegalTransition(from_status=found["status"], to_status="published")
    if found["planned_on"] > clock.today():
        raise Conflict(
            "День выхода ещё не наступил. Измените дату в черновике или дождитесь её.",
            "The planned day has not come. Change the date in the draft or wait for it.",
            code="publication_early",
            planned_on=found["planned_on"].isoformat(),
        )


def _require_same(before: db.Row, now: db.Row) -> None:
    if before["version"] != now["version"]:
        raise Conflict(
            "Публикацию изменили во время проверки. Повторите.",
            "The publication was changed while it was checked. Try again.",
            code="publication_changed",
        )


def _words(problem: ServiceError) -> dict[str, str]:
    return {"code": problem.error_code, "ru": problem.message_ru, "en": problem.message_en}
