"""Import of organizations (импорт справочника): each row by itself, the report names the bad ones.

The file is one transaction. Rows that raise no question are written many at a time
(`importing.bulk`); each other row is a savepoint of its own: a bad one is undone and named, the
good ones stand. A second run of the same file finds everything equal and changes nothing.
"""

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import asyncpg

from audit import events
from core import clock, db, sandbox
from core.actor import Actor
from core.errors import ServiceError
from directory import links, organizations, people
from directory.cards import plain
from directory.importing import bulk
from directory.importing.columns import BadRow, Entry, check_headings, entry
from directory.importing.sheets import MAX_BYTES, SheetRow, read
from directory.states import Line, PostKind

__all__ = ["MAX_BYTES", "Report", "RowProblem", "import_file"]

BATCH = 1_000
"""New organizations written at a time."""
READING_SECONDS = 60.0


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
    as a whole cannot be read (it is read in the sandbox); everything else is in the report.
    """
    actor.require("administrator")
    rows: list[SheetRow] = await sandbox.pool().run(
        read, data, timeout=READING_SECONDS, into=list[SheetRow]
    )
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
    await links.lock_hierarchy()  # what is known now stays so until the end
    known = await bulk.load(actor, entries)
    waiting: list[Entry] = []
    for each in _superiors_first(entries, report):
        if bulk.is_same(known, each):
            report.unchanged += 1
        elif bulk.is_certain(known, each):
            bulk.note(known, each, clock.new_id())
            waiting.append(each)
            if len(waiting) == BATCH:
                await _write(actor, connection, known, waiting, report)
        else:
            await _write(actor, connection, known, waiting, report)
            await _take_apart(actor, connection, each, known, report)
    await _write(actor, connection, known, waiting, report)


async def _write(
    actor: Actor,
    connection: asyncpg.Connection,
    known: bulk.Known,
    waiting: list[Entry],
    report: Report,
) -> None:
    if not waiting:
        return
    try:
        async with connection.transaction():
            await bulk.create_all(actor, known, waiting)
        report.created += len(waiting)
    except asyncpg.UniqueViolationError:  # somebody entered one of them in this moment
        for each in waiting:
            bulk.forget(known, each)
        for each in waiting:
            await _take_apart(actor, connection, each, known, report)
    waiting.clear()


async def _take_apart(
    actor: Actor, connection: asyncpg.Connection, each: Entry, known: bulk.Known, report: Report
) -> None:
    """One row through the verbs, in a savepoint of its own."""
    try:
        async with connection.transaction():
            outcome, organization_id = await _take(actor, each, known)
    except BadRow as bad:
        report.problems.append(RowProblem(each.number, bad.field, bad.code, bad.reason))
    except ServiceError as problem:
        name = str(problem.details.get("field", "parent"))
        report.problems.append(
            RowProblem(each.number, name, problem.error_code, problem.message_ru)
        )
    else:
        setattr(report, outcome, getattr(report, outcome) + 1)
        if outcome == "created":
            bulk.note(known, each, organization_id)


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


async def _take(actor: Actor, each: Entry, known: bulk.Known) -> tuple[str, uuid.UUID]:
    """Create or correct one organization; answers which counter grows, and the id."""
    parents: dict[Line, uuid.UUID] = {}
    for line, code in each.parents.items():
        if code not in known.organizations:
            raise BadRow(
                f"parent_{line}", "parent_unknown",
                f"Вышестоящей организации «{code}» нет в справочнике или её строка с ошибкой.",
            )  # fmt: skip
        parents[line] = known.organizations[code]["id"]
    found = known.organizations.get(each.card.code)
    if found is None:
        row = await organizations.create(actor, card=each.card, parents=parents)
        await _seat(actor, row["id"], each)
        return "created", row["id"]
    await links.require_authority(actor, found["id"])
    changed = await _correct(actor, found["id"], each, parents)
    return ("changed" if changed else "unchanged"), found["id"]


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
