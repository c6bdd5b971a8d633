"""An approved act carried out: in steps of one transaction each, so that a kill loses none.

What a step did stands in `erasure_step` by the same commit. Nothing is touched before the act lies
in the register of erasures outside the database.
"""

import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields

from audit import events, transitions
from core import clock, db, sealing
from core.actor import RULE
from core.errors import Conflict, NotFound
from directory import blocking
from docflow.documents import holds
from evidence.packages import withdrawing
from evidence.privacy import acts, knowing, needles, papers, register, requests, walking
from evidence.privacy.needles import Known
from evidence.privacy.states import TRANSITIONS, ErasureStatus
from storage import destroying

log = logging.getLogger(__name__)

PASSES = 3
"""How often what others wrote meanwhile is walked again."""


async def execute(act_id: uuid.UUID) -> None:
    """Carry out an approved act, or go on with it; done, it stays as it is.

    Raises Conflict (`legal_hold`, `erasure_incomplete`) before the first change, when something
    has come up since the approval; the act then waits and says why.
    """
    act = await db.row("SELECT * FROM erasure WHERE id = $1", act_id)
    if act is None:
        raise NotFound(act_id=str(act_id))
    if act["status"] == ErasureStatus.APPROVED:
        try:
            act = await _begin(act)
        except Conflict as problem:
            await _note_stop(act, problem)
            raise
    if act["status"] == ErasureStatus.EXECUTING:
        await carry_out(act)


async def _begin(act: db.Row) -> db.Row:
    """Fix what is looked for and move to `executing`; holds cannot come in between."""
    async with db.transaction():
        decisions = await _decisions(act["id"])
        known = merged(opened(act), await knowing.known_of(act["person_id"]))
        found = await holds.against_person(act["person_id"])
        destroyed = [one for one, decision in decisions.items() if decision == "destroy"]
        if held := await holds.on(destroyed):
            found += [{"id": one} for one in sorted(held)]
        if found:
            raise holds.refusal(found)
        await acts.require_decided(act["person_id"], known, decisions)
        return await transitions.move(
            RULE.acting_for(act["organization_id"]), "erasure", act["id"], graph=TRANSITIONS,
            source=ErasureStatus.APPROVED, target=ErasureStatus.EXECUTING,
            verb="erasure.executing",
            assign={"sealed": register.seal(known, act_id=act["id"]), "stopped_by": None},
        )  # fmt: skip


async def _note_stop(act: db.Row, problem: Conflict) -> None:
    """Say in the act what stops it; each reason is one event."""
    if act["stopped_by"] == problem.error_code:
        return
    async with db.transaction():
        await db.execute(
            "UPDATE erasure SET stopped_by = $2, updated_at = $3 WHERE id = $1",
            act["id"], problem.error_code, clock.now(),
        )  # fmt: skip
        await events.record(
            RULE, "erasure.refused", subject=("erasure", act["id"]),
            data={"code": problem.error_code},
        )  # fmt: skip


async def carry_out(act: db.Row) -> None:
    """Every step that is not done yet, then the look at what remains."""
    known = opened(act)
    await _register(act)
    done = await _done(act["id"])
    for name, step in _STEPS.items():
        if name not in done:
            await _run(act, name, known, step)
    left: list[dict[str, object]] = []
    for again in range(PASSES):
        await _walk_all(act, known, done if again == 0 else set())
        left = [
            {"place": place, "rows": number}
            async for place, number in walking.remains(known, kept=await _kept(act["id"]))
        ]
        if not left:
            break
    await _remove_objects(act["id"])
    await _finish(act, left)


def opened(act: db.Row) -> Known:
    """By what the person of an act is looked for."""
    plain = sealing.unseal(
        bytes(act["sealed"]), purpose=register.SEALED_FOR, bound_to=act["id"].bytes
    )
    return Known.of(json.loads(plain))


def merged(first: Known, second: Known) -> Known:
    """What either knows."""
    return Known(**{
        one.name: tuple(dict.fromkeys(
            [*getattr(first, one.name), *getattr(second, one.name)]))
        for one in fields(Known)
    })  # fmt: skip


Step = Callable[[db.Row, Known], Awaitable[int]]


async def _run(act: db.Row, name: str, known: Known, step: Step) -> None:
    async with db.transaction():
        number = await step(act, known)
        await _mark(act["id"], name, number)
    log.info("erasure %s: %s, %d", act["id"], name, number)


async def _mark(act_id: uuid.UUID, name: str, number: int) -> None:
    await db.execute(
        """INSERT INTO erasure_step (erasure_id, step, number, done_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (erasure_id, step) DO UPDATE
           SET number = erasure_step.number + EXCLUDED.number, done_at = EXCLUDED.done_at""",
        act_id, name, number, clock.now(),
    )  # fmt: skip


async def _register(act: db.Row) -> None:
    if act["registered_at"] is not None:
        return
    members = await db.rows(
        "SELECT account_id FROM erasure_member WHERE erasure_id = $1 ORDER BY 1", act["id"]
    )
    decided = await db.rows(
        "SELECT * FROM erasure_document WHERE erasure_id = $1 ORDER BY document_id", act["id"]
    )
    await register.write(
        register.Entry(
            id=act["id"], person_id=act["person_id"], organization_id=act["organization_id"],
            ground=act["ground"], basis=act["basis"], due_on=act["due_on"],
            proposed_by=act["proposed_by"], members=[row["account_id"] for row in members],
            documents=[(row["document_id"], row["decision"], row["ground"]) for row in decided],
            sealed=bytes(act["sealed"]), at=clock.now(),
        )
    )  # fmt: skip
    await db.execute("UPDATE erasure SET registered_at = $2 WHERE id = $1", act["id"], clock.now())


async def _exports(act: db.Row, known: Known) -> int:
    touched = [*await _decisions(act["id"]), *await _uses_of(act["person_id"], known)]
    blobs = await withdrawing.let_go(
        person_id=act["person_id"], subject_ids=touched, pattern=needles.pattern(known)
    )
    return await papers.condemn(act["id"], blobs)


async def _uses_of(person_id: uuid.UUID, known: Known) -> list[uuid.UUID]:
    """Uses of pictures whose register or check names the person."""
    found = await db.rows(
        """SELECT u.id FROM picture_use AS u JOIN picture_check AS c ON c.id = u.check_id
           WHERE c.evidence::text ~ $1 OR c.pictures && ARRAY(
               SELECT id FROM picture WHERE author ~ $1
               UNION SELECT picture_id FROM own_work WHERE person_id = $2 OR author ~ $1)""",
        needles.pattern(known), person_id,
    )  # fmt: skip
    return [row["id"] for row in found]


async def _documents(act: db.Row, known: Known) -> int:
    decisions = await _decisions(act["id"])
    destroyed = [one for one, decision in decisions.items() if decision == "destroy"]
    number = await papers.empty(act["id"], destroyed)
    return number + await papers.empty_beside(
        act["id"], act["person_id"], known, with_powers=len(destroyed) == len(decisions)
    )


async def _directory(act: db.Row, _: Known) -> int:
    if not await db.value("SELECT true FROM person WHERE id = $1", act["person_id"]):
        return 0  # a backup from before they were entered
    await blocking.erase(RULE, act["person_id"], act_id=act["id"])
    return 1


async def _details(act: db.Row, known: Known) -> int:
    return await walking.forget_details(act["id"], act["person_id"], known)


_STEPS: Mapping[str, Step] = {
    "exports": _exports, "documents": _documents, "directory": _directory, "details": _details,
}  # fmt: skip


async def _walk_all(act: db.Row, known: Known, done: set[str]) -> None:
    kept = await _kept(act["id"])
    for column in await walking.columns():
        name = f"column:{column.place}"
        if name not in done:
            async with db.transaction():
                number = await walking.walk(act["id"], column, known, kept=kept)
                await _mark(act["id"], name, number)
    await _run(act, "details", known, _details)


async def _remove_objects(act_id: uuid.UUID) -> None:
    """Bytes go after their rows have let them go; what a crash leaves here is found again."""
    while found := await db.rows(
        "SELECT key FROM erasure_object WHERE erasure_id = $1 ORDER BY key LIMIT 500", act_id
    ):
        keys = [row["key"] for row in found]
        await destroying.remove(keys)
        await db.execute(
            "DELETE FROM erasure_object WHERE erasure_id = $1 AND key = ANY($2::text[])",
            act_id, keys,
        )  # fmt: skip


async def _finish(act: db.Row, left: list[dict[str, object]]) -> None:
    async with db.transaction():
        await transitions.move(
            RULE.acting_for(act["organization_id"]), "erasure", act["id"], graph=TRANSITIONS,
            source=ErasureStatus.EXECUTING, target=ErasureStatus.DONE, verb="erasure.done",
            assign={"remains": left, "done_at": clock.now()},
            data={"person_id": str(act["person_id"]), "remains": len(left)},
        )  # fmt: skip
        await requests.answer_by_act(act["id"])


async def _done(act_id: uuid.UUID) -> set[str]:
    found = await db.rows("SELECT step FROM erasure_step WHERE erasure_id = $1", act_id)
    return {row["step"] for row in found}


async def _decisions(act_id: uuid.UUID) -> dict[uuid.UUID, str]:
    found = await db.rows(
        "SELECT document_id, decision FROM erasure_document WHERE erasure_id = $1", act_id
    )
    return {row["document_id"]: row["decision"] for row in found}


async def _kept(act_id: uuid.UUID) -> list[uuid.UUID]:
    return [one for one, decision in (await _decisions(act_id)).items() if decision == "keep"]
