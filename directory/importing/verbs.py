"""Import of organizations (импорт справочника): each row by itself, the report names the bad ones.

The file is one transaction, each row a savepoint: a bad row is undone and named, the good ones
stand. A second run of the same file finds everything equal and changes nothing.
"""

import asyncio
import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import asyncpg

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import ServiceError
from directory import links, organizations, people
from directory.cards import plain
from directory.importing.columns import BadRow, Entry, check_headings, entry
from directory.importing.sheets import read
from directory.states import Line, PostKind


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row was not taken; `row` counts from 1 with the heading."""

    row: int
    field: str
    code: str
    reason: str
    """In Russian, for the person who prepared the file."""


@dataclass(slots=True)
class Report:
    """What an import did, or with `dry_run` would do."""

    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    dry_run: bool = False
    problems: list[RowProblem] = field(default_factory=list)


class _DryRun(Exception):
    """Rolls the transaction of a dry run back."""


async def import_file(actor: Actor, *, data: bytes, dry_run: bool = False) -> Report:
    """Enter and correct organizations from a CSV or XLSX file.

    Rows are known by `code`. Cells left empty change nothing. A superior may stand in the same
    file, in any order; a chairman's name that differs starts a new term today. Needs an
    administrator with authority over what is touched. Raises as `sheets.read` does when the file
    as a whole cannot be read; everything else is in the report.
    """
    actor.require("administrator")
    rows = await asyncio.to_thread(read, data)
    check_headings(rows[0])
    report = Report(rows=len(rows), dry_run=dry_run)
    entries: dict[str, Entry] = {}
    for row in rows:
        try:
            found = entry(row)
            if found.card.code in entries:
                raise BadRow("code", "code_repeated", "Этот код уже был в файле выше.")
            entries[found.card.code] = found
        except BadRow as bad:
            report.problems.append(RowProblem(row.number, bad.field, bad.code, bad.reason))
    try:
        async with db.transaction() as connection:
            await _apply(actor, connection, entries, report)
            await _record(actor, data, report)
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    report.problems.sort(key=lambda problem: problem.row)
    return report


async def _apply(
    actor: Actor, connection: asyncpg.Connection, entries: Mapping[str, Entry], report: Report
) -> None:
    wanted = {code for e in entries.values() for code in (e.card.code, *e.parents.values())}
    known = {
        row["code"]: row["id"]
        for row in await db.rows(
            "SELECT code, id FROM organization WHERE code = ANY ($1::text[])", list(wanted)
        )
    }
    for each in _superiors_first(entries, report):
        try:
            async with connection.transaction():
                outcome = await _take(actor, each, known)
        except BadRow as bad:
            report.problems.append(RowProblem(each.number, bad.field, bad.code, bad.reason))
        except ServiceError as problem:
            name = str(problem.details.get("field", "parent"))
            report.problems.append(
                RowProblem(each.number, name, problem.error_code, problem.message_ru)
            )
        else:
            known[each.card.code] = outcome[1]
            setattr(report, outcome[0], getattr(report, outcome[0]) + 1)


def _superiors_first(entries: Mapping[str, Entry], report: Report) -> Iterator[Entry]:
    """The entries, superiors before subordinates; those in a circle go to the report."""
    waiting = {
        code: {parent for parent in each.parents.values() if parent in entries}
        for code, each in entries.items()
    }
    below: dict[str, list[str]] = {}
    for code, parents in waiting.items():
        for parent in parents:
            below.setdefault(parent, []).append(code)
    ready = [code for code, parents in waiting.items() if not parents]
    for code in ready:  # grows while it is walked
        yield entries[code]
        for child in below.get(code, ()):
            waiting[child].discard(code)
            if not waiting[child]:
                ready.append(child)
    for code in entries.keys() - set(ready):
        report.problems.append(
            RowProblem(
                entries[code].number, "parent", "hierarchy_cycle",
                "Вышестоящие организации в файле замкнуты в круг (или ведут в такой круг).",
            )
        )  # fmt: skip


async def _take(actor: Actor, each: Entry, known: Mapping[str, uuid.UUID]) -> tuple[str, uuid.UUID]:
    """Create or correct one organization; answers which counter grows, and the id."""
    parents: dict[Line, uuid.UUID] = {}
    for line, code in each.parents.items():
        if code not in known:
            raise BadRow(
                f"parent_{line}", "parent_unknown",
                f"Вышестоящей организации «{code}» нет в справочнике или её строка с ошибкой.",
            )  # fmt: skip
        parents[line] = known[code]
    organization_id = known.get(each.card.code)
    if organization_id is None:
        row = await organizations.create(actor, card=each.card, parents=parents)
        await _seat(actor, row["id"], each)
        return "created", row["id"]
    changed = await _correct(actor, organization_id, each, parents)
    return ("changed" if changed else "unchanged"), organization_id


async def _correct(
    actor: Actor, organization_id: uuid.UUID, each: Entry, parents: Mapping[Line, uuid.UUID]
) -> bool:
    before = await organizations.get(organization_id=organization_id)
    if before["kind"] != each.card.kind:
        raise BadRow("kind", "kind_differs", "Вид существующей организации не меняется.")
    if before["status"] != "active":
        raise BadRow("code", "organization_closed", "Организация с этим кодом закрыта.")
    given = {
        name: plain(getattr(each.card, name)) for name in each.given & organizations.CONTACT_FIELDS
    }
    changed = any(before[name] != value for name, value in given.items())
    if changed:
        await organizations.update(actor, organization_id=organization_id, changes=given)
    above = await links.superiors(organization_id=organization_id, on=clock.today())
    current = {row["line"]: row["id"] for row in above}
    for line, parent_id in parents.items():
        if current.get(line) != parent_id:
            changed = True
            await links.move(
                actor, child_id=organization_id, line=line, new_parent_id=parent_id,
                as_of=clock.today(),
            )  # fmt: skip
    return await _seat(actor, organization_id, each) or changed


async def _seat(actor: Actor, organization_id: uuid.UUID, each: Entry) -> bool:
    """Seat the chairman the file names; answers whether anything differed."""
    if each.chairman is None:
        return False
    present = await people.chairman(actor, organization_id=organization_id, purpose="import")
    if present is not None:
        name = (present["last_name"], present["first_name"], present["middle_name"])
        if name == each.chairman:
            return await people.change_contacts(
                actor, person_id=present["person_id"],
                email=each.chairman_email or None, phone=each.chairman_phone or None,
            )  # fmt: skip
    last_name, first_name, middle_name = each.chairman
    person_id = await people.create(
        actor, last_name=last_name, first_name=first_name, middle_name=middle_name,
        email=each.chairman_email, phone=each.chairman_phone,
    )  # fmt: skip
    await people.appoint(
        actor, person_id=person_id, organization_id=organization_id, kind=PostKind.CHAIRMAN,
        since=clock.today(),
    )  # fmt: skip
    return True


async def _record(actor: Actor, data: bytes, report: Report) -> None:
    if not report.created and not report.changed:
        return
    await events.record(
        actor, "directory.import", subject=("import", clock.new_id()),
        data={"sha256": hashlib.sha256(data).hexdigest(), "rows": report.rows,
              "created": report.created, "changed": report.changed,
              "bad": len(report.problems)},
    )  # fmt: skip
