"""The yearly copy of a plan: next year's draft made of this year's, as often as one likes."""

import uuid
from dataclasses import dataclass

from audit import events
from core import db
from core.actor import Actor
from core.errors import Conflict, ServiceError
from docflow.documents.records import cases, plans
from docflow.documents.records.cases import CaseInput
from docflow.documents.records.states import PlanStatus


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that could not be copied, and why."""

    index: str
    code: str
    ru: str
    en: str


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did: `total` is the sum of the other three."""

    plan_id: uuid.UUID
    total: int
    copied: int
    failed: int
    already: int
    failures: tuple[Failure, ...]


async def copy(actor: Actor, *, from_year: int, to_year: int) -> Copied:
    """Copy the cases of a year into the draft of another; what is there already stays as it is.

    Asked again it copies what failed before and can be copied now, and nothing twice. A case whose
    list is out of force in that year fails and is named; terms are read anew from the articles, so
    a copy never carries a term that has become too short. Raises NotFound without a plan to copy.
    """
    actor.require("clerk")
    if from_year == to_year:
        raise Conflict(
            "Выберите другой год.", "Choose another year.", code="same_year", year=to_year
        )
    source = await plans.of_year(actor, year=from_year)
    async with db.transaction():
        plan_id = await plans.open_plan(actor, year=to_year)
        target = await plans.own(actor, plan_id, lock=True)
        await db.execute(
            "UPDATE file_plan SET copied_from_id = $2 WHERE id = $1 AND copied_from_id IS NULL",
            plan_id, source["id"],
        )  # fmt: skip
        present = {row["index"] for row in await cases.of_plan(plan_id)}
        is_source = await cases.is_source(actor.home_id)
        copied = already = 0
        failures: list[Failure] = []
        rows = await cases.of_plan(source["id"])
        for row in rows:
            if row["index"] in present:
                already += 1
                continue
            try:
                await _one(actor, target, row, is_source=is_source)
                copied += 1
            except ServiceError as problem:  # found before anything of the row was written
                failures.append(
                    Failure(row["index"], problem.error_code, problem.message_ru,
                            problem.message_en)
                )  # fmt: skip
        if copied:
            await events.record(
                actor, "file_plan.copied", subject=("file_plan", plan_id),
                data={"from_year": from_year, "to_year": to_year, "total": len(rows),
                      "copied": copied, "failed": len(failures), "already": already},
            )  # fmt: skip
    return Copied(plan_id, len(rows), copied, len(failures), already, tuple(failures))


async def _one(actor: Actor, target: db.Row, row: db.Row, *, is_source: bool) -> None:
    if target["status"] != PlanStatus.DRAFT:
        raise Conflict(
            "Номенклатура этого года уже утверждена: дело добавляется отдельно, с обоснованием.",
            "The plan of that year is approved: a case is added by itself, with a reason.",
            code="plan_approved",
        )
    longer = row["article_id"] is None or bool(row["protocol"])
    given = CaseInput(
        index=row["index"], title=row["title"], section=row["section"],
        article_id=row["article_id"], term_kind=row["term_kind"] if longer else None,
        years=row["years"] if longer else None, needs_decision=longer and row["needs_decision"],
        protocol=row["protocol"], is_personnel=row["is_personnel"],
        is_electronic=row["is_electronic"], is_carried=row["is_carried"], note=row["note"],
    )  # fmt: skip
    judged = await cases.judge(given, year=target["year"], is_archive_source=is_source)
    await cases.insert(actor, target, given, judged, is_open=False, previous_id=row["id"])
