"""Plans of cases (номенклатуры дел): one an organization and year, approved, closed with its count.

Drawn up at the end of the year, agreed with the expert commission, approved by the head, in force
from 1 January; a new one each year (Rosarchiv order 77 of 31.07.2023, p. 10, read second-hand).
"""

import uuid
from datetime import date
from typing import Any

from audit import events, transitions
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from directory import second_factor
from docflow.documents import visibility
from docflow.documents.cards import require_text
from docflow.documents.records import terms
from docflow.documents.records.states import CASE, PLAN, CaseStatus, PlanStatus

GROUPS = ("permanent", "long", "short")


async def open_plan(actor: Actor, *, year: int) -> uuid.UUID:
    """The draft of the organization's plan for a year; asked again, the plan that is there."""
    actor.require("clerk")
    _require_year(year)
    async with db.transaction():
        plan_id, moment = clock.new_id(), clock.now()
        made = await db.execute(
            """INSERT INTO file_plan (id, organization_id, year, status, created_by, created_at,
                                      updated_at)
               VALUES ($1, $2, $3, 'draft', $4, $5, $5) ON CONFLICT DO NOTHING""",
            plan_id, actor.home_id, year, actor.account_id, moment,
        )  # fmt: skip
        if not made:
            return uuid.UUID(str((await of_year(actor, year=year))["id"]))
        await events.record(
            actor, "file_plan.opened", subject=("file_plan", plan_id),
            change=(None, PlanStatus.DRAFT), data={"year": year},
        )  # fmt: skip
    return plan_id


async def of_year(actor: Actor, *, year: int) -> db.Row:
    """The plan of a year. Raises NotFound (`no_plan`)."""
    found = await db.row(
        "SELECT * FROM file_plan WHERE organization_id = $1 AND year = $2",
        visibility.reader(actor), year,
    )  # fmt: skip
    if found is None:
        raise NotFound(
            f"Номенклатуры дел на {year} год нет. Заведите её или скопируйте прошлогоднюю.",
            f"There is no plan of cases for {year}. Open one or copy last year's.",
            code="no_plan", year=year,
        )  # fmt: skip
    return found


async def plans(actor: Actor) -> list[db.Row]:
    """The organization's plans, the newest year first, with how many cases each has."""
    return await db.rows(
        """SELECT p.*, (SELECT count(*) FROM record_case AS c WHERE c.plan_id = p.id) AS cases
           FROM file_plan AS p WHERE p.organization_id = $1 ORDER BY p.year DESC LIMIT 200""",
        visibility.reader(actor),
    )


async def own(actor: Actor, plan_id: uuid.UUID, *, lock: bool = False) -> db.Row:
    """A plan of the actor's organization. Raises NotFound."""
    found = await db.row(
        f"""SELECT * FROM file_plan WHERE id = $1 AND organization_id = $2
            {"FOR UPDATE" if lock else ""}""",
        plan_id, visibility.reader(actor),
    )  # fmt: skip
    if found is None:
        raise NotFound(plan_id=str(plan_id))
    return found


async def approve(actor: Actor, plan_id: uuid.UUID, *, agreement: str) -> None:
    """Bring a plan into force; its cases open. By the head, with a second factor.

    `agreement` names the protocol of the expert commission (for sources of a state archive also
    that of the archive's). Raises `plan_empty`, `protocol_missing`.
    """
    actor.require("signatory")
    second_factor.demand(actor)
    require_protocol(agreement, field="agreement")
    async with db.transaction():
        found = await own(actor, plan_id, lock=True)
        cases = await db.rows(
            "SELECT id FROM record_case WHERE plan_id = $1 AND status = 'planned' ORDER BY id",
            plan_id,
        )
        if not cases:
            raise InvalidInput(
                "В номенклатуре нет ни одного дела.", "The plan has no case.", code="plan_empty"
            )
        await transitions.move(
            actor, "file_plan", plan_id, graph=PLAN, source=PlanStatus(found["status"]),
            target=PlanStatus.APPROVED, verb="file_plan.approved",
            assign={"agreement": agreement.strip(), "approved_by": actor.account_id,
                    "approved_on": clock.today()},
            data={"year": found["year"], "cases": len(cases)},
        )  # fmt: skip
        opened_on = date(found["year"], 1, 1)  # in force from then, however late it was approved
        for one in cases:
            await transitions.move(
                actor, "record_case", one["id"], graph=CASE, source=CaseStatus.PLANNED,
                target=CaseStatus.OPEN, verb="record_case.opened", assign={"opened_on": opened_on},
            )  # fmt: skip


async def close(actor: Actor, plan_id: uuid.UUID) -> dict[str, Any]:
    """End a year: its final note (итоговая запись) is counted and kept; answers it.

    Every case has to be closed or carried on first (`cases_open`). A carried case hands its
    documents to the case that goes on in the next year (`successor_missing` without one).
    """
    actor.require("clerk")
    async with db.transaction():
        found = await own(actor, plan_id, lock=True)
        if clock.today() <= date(found["year"], 12, 31):
            raise Conflict(
                "Год ещё не кончился: номенклатура закрывается после 31 декабря.",
                "The year is not over: a plan is closed after 31 December.",
                code="year_not_over",
            )
        await _carry_on(actor, plan_id)
        still = await db.rows(
            "SELECT index FROM record_case WHERE plan_id = $1 AND status = 'open' ORDER BY index",
            plan_id,
        )
        if still:
            raise Conflict(
                "Не закрыты дела: " + ", ".join(row["index"] for row in still[:20]) + ".",
                "Cases are still open: " + ", ".join(row["index"] for row in still[:20]) + ".",
                code="cases_open", indexes=[row["index"] for row in still],
            )  # fmt: skip
        counted = await summary(plan_id)
        await transitions.move(
            actor, "file_plan", plan_id, graph=PLAN, source=PlanStatus(found["status"]),
            target=PlanStatus.CLOSED, verb="file_plan.closed", assign={"summary": counted},
            data={"year": found["year"], **counted["total"]},
        )  # fmt: skip
    return counted


async def summary(plan_id: uuid.UUID) -> dict[str, Any]:
    """The final note as it stands now: cases by group, of them carried on, of them «ЭПК».

    Only cases in which something is filed are counted; rows of the plan that stayed empty are not.
    """
    rows = await db.rows(
        """SELECT c.term_kind, c.years, c.needs_decision, c.status = 'carried' AS carried
           FROM record_case AS c WHERE c.plan_id = $1 AND (c.status = 'carried' OR EXISTS (
               SELECT 1 FROM case_filing AS f WHERE f.case_id = c.id))""",
        plan_id,
    )
    counted = {name: {"cases": 0, "carried": 0, "decision": 0} for name in (*GROUPS, "total")}
    for row in rows:
        for name in (terms.group(row["term_kind"], row["years"]), "total"):
            counted[name]["cases"] += 1
            counted[name]["carried"] += row["carried"]
            counted[name]["decision"] += row["needs_decision"]
    return counted


async def _carry_on(actor: Actor, plan_id: uuid.UUID) -> None:
    carried = await db.rows(
        """SELECT c.id, c.index, n.id AS next_id FROM record_case AS c
           LEFT JOIN record_case AS n ON n.previous_id = c.id AND n.status = 'open'
           WHERE c.plan_id = $1 AND c.status = 'open' AND c.is_carried ORDER BY c.index""",
        plan_id,
    )
    for one in carried:
        if one["next_id"] is None:
            raise Conflict(
                f"Переходящее дело {one['index']}: в утверждённой номенклатуре следующего года"
                " нет его продолжения.",
                f"Case {one['index']} goes on, but next year's approved plan has none that"
                " continues it.",
                code="successor_missing", index=one["index"],
            )  # fmt: skip
        await db.execute(
            "UPDATE case_filing SET case_id = $2, updated_at = $3 WHERE case_id = $1",
            one["id"], one["next_id"], clock.now(),
        )  # fmt: skip
        await transitions.move(
            actor, "record_case", one["id"], graph=CASE, source=CaseStatus.OPEN,
            target=CaseStatus.CARRIED, verb="record_case.carried",
            data={"next_id": str(one["next_id"])},
        )  # fmt: skip


def require_protocol(text: str, *, field: str = "protocol") -> None:
    """Raise `protocol_missing` unless a protocol or order is named."""
    require_text(text, most=1000, field=field)
    if len(text.strip()) < 3:
        raise InvalidInput(
            "Укажите протокол экспертной комиссии: дата и номер.",
            "Name the protocol of the expert commission: date and number.",
            code="protocol_missing", field=field,
        )  # fmt: skip


def _require_year(year: int) -> None:
    if not 1900 <= year <= 2200:
        raise InvalidInput("Год: от 1900 до 2200.", "Year: 1900 to 2200.", code="bad_year")
