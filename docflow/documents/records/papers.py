"""The forms on paper: plan of cases, inventory, act of destruction, each PDF/A."""

import uuid
from datetime import date, datetime, time

from core import clock, db
from core.actor import Actor
from core.papers import records_forms as forms
from core.papers import render_apart
from directory import organizations
from docflow.documents.records import acts, cases, inventories, numerals, plans
from docflow.documents.records.states import ActStatus, LineStatus, PlanStatus

_GROUPS = {
    "permanent": "Постоянного хранения",
    "long": "Временного хранения (свыше 10 лет)",
    "short": "Временного хранения (до 10 лет включительно)",
    "total": "ИТОГО",
}
_INVENTORIES = {
    "permanent": "дел постоянного хранения",
    "long": "дел временных (свыше 10 лет) сроков хранения",
    "personnel": "дел по личному составу",
}
_STATES = {
    ActStatus.DRAFT: "Проект",
    ActStatus.REVIEW: "На рассмотрении экспертной комиссии",
    ActStatus.AGREED: "Согласован, не утверждён",
    ActStatus.REJECTED: "Отклонён экспертной комиссией",
    ActStatus.CANCELLED: "Отменён",
}


async def plan(actor: Actor, plan_id: uuid.UUID) -> bytes:
    """The plan of a year with its five columns; once the year is closed with its final note."""
    found = await plans.own(actor, plan_id)
    is_over = found["status"] == PlanStatus.CLOSED
    sections: dict[str, list[forms.PlanRow]] = {}
    rows = await cases.of_plan(plan_id)
    for row in rows:
        sections.setdefault(row["section"], []).append(
            forms.PlanRow(
                index=row["index"], title=row["title"],
                # the third column is empty until the year is over
                units=str(int(row["documents"] > 0)) if is_over else "",
                term=_term(row), note=_note(row),
            )
        )  # fmt: skip
    counted = found["summary"] or {}
    paper = forms.CasePlan(
        organization=await _name(actor), year=found["year"],
        state="" if found["status"] != PlanStatus.DRAFT else "Проект",
        approved_on=_day(found["approved_on"]), agreement=found["agreement"],
        sections=tuple(forms.PlanSection(name=name, rows=tuple(rows))
                       for name, rows in sections.items()),
        counts=tuple(forms.PlanCount(label=label, **counted[name])
                     for name, label in _GROUPS.items() if name in counted),
        lists="; ".join(sorted({row["edition"] for row in rows if row["edition"]})),
    )  # fmt: skip
    return await render_apart("case_plan", paper, made_at=_made(found["updated_at"]))


async def inventory(actor: Actor, inventory_id: uuid.UUID) -> bytes:
    """The inventory with its cases in order."""
    found = await inventories.own(actor, inventory_id)
    rows = await inventories.cases_of(inventory_id)
    paper = forms.CaseInventory(
        organization=await _name(actor), number=found["number"], year=found["year"],
        kind=_INVENTORIES[found["kind"]],
        state="" if found["status"] == "approved" else "Проект",
        approved_on=_day(found["approved_on"]), protocol=found["protocol"],
        rows=tuple(
            forms.InventoryRow(
                position=position, index=row["index"], title=row["title"],
                dates=_dates(row["first"], row["last"]), documents=row["documents"],
                term=_term(row), note=_note(row),
            )
            for position, row in enumerate(rows, 1)
        ),
        total_words=_total(len(rows)),
    )  # fmt: skip
    return await render_apart("case_inventory", paper, made_at=_made(found["updated_at"]))


async def act(actor: Actor, act_id: uuid.UUID) -> bytes:
    """The act with its eight columns, the votes, the approval, and what became of it."""
    found = await acts.own(actor, act_id)
    rows = [row for row in await acts.lines(act_id) if row["status"] != LineStatus.DROPPED]
    years = sorted({row["year"] for row in rows})
    approved = [
        row for row in await inventories.approved(actor.home_id) if row["year"] in years
    ]  # fmt: skip
    paper = forms.DestructionAct(
        organization=await _name(actor), number=str(found["number"]), date=_day(found["date"]),
        state=_STATES.get(ActStatus(found["status"]), ""), basis=found["basis"],
        rows=tuple(
            forms.ActRow(
                position=position, title=row["title"], dates=_dates(row["first"], row["last"]),
                inventory=f"номенклатура {row['year']}", index=row["index"], units=1,
                term=_term(row), note=_note(row),
            )
            for position, row in enumerate(rows, 1)
        ),
        total=len(rows), total_words=_total(len(rows)), years=_years(years),
        inventories=tuple(f"№ {row['number']} {_INVENTORIES[row['kind']]} за {row['year']} год"
                          f" ({row['protocol']})" for row in approved),
        voters=tuple(forms.Voter(name=one["name"], vote=_vote(one["is_for"]),
                                 remark=one["remark"] or "") for one in await acts.votes(act_id)),
        protocol=found["protocol"], archive_protocol=found["archive_protocol"],
        approved_on=_day(found["approved_on"]),
        executed_at=_day(found["executed_at"] and found["executed_at"].astimezone(clock.MOSCOW)),
        outcome=_outcome(rows), method=found["method"],
        backups_until=_day(found["backups_until"]),
    )  # fmt: skip
    return await render_apart("destruction_act", paper, made_at=_made(found["updated_at"]))


def _outcome(rows: list[db.Row]) -> str:
    documents = sum(row["destroyed"] for row in rows)
    kept = sum(row["kept_for_others"] for row in rows)
    said = f"дел {len(rows)}, документов {documents}"
    return said + (f", из них содержание остаётся у других держателей: {kept}" if kept else "")


def _vote(is_for: bool | None) -> str:
    return "не голосовал" if is_for is None else "за" if is_for else "против"


def _total(number: int) -> str:
    return f"{number} ({numerals.in_words(number)}) {numerals.of(number, numerals.CASES)}"


def _term(row: db.Row) -> str:
    basis = cases.basis_of(row)
    return cases.term_of(row).said() + (f", {basis}" if basis else "")


def _note(row: db.Row) -> str:
    parts = [row["note"]]
    if row.get("is_carried"):
        parts.append("Переходящее")
    if row["is_electronic"]:
        parts.append("В электронном виде")
    if row.get("appraisal"):
        parts.append(f"Решение: {row['appraisal']}")
    return ". ".join(part for part in parts if part)


def _dates(first: date | None, last: date | None) -> str:
    if first is None or last is None:
        return ""
    return _day(first) if first == last else f"{_day(first)} – {_day(last)}"


def _years(years: list[int]) -> str:
    return "" if not years else str(years[0]) if len(years) == 1 else f"{years[0]}–{years[-1]}"


def _day(value: date | None) -> str:
    return "" if value is None else f"{value:%d.%m.%Y}"


def _made(value: datetime) -> datetime:
    return datetime.combine(value.date(), time(), value.tzinfo)


async def _name(actor: Actor) -> str:
    found = await organizations.get(organization_id=actor.home_id)
    return str(found["name"])
