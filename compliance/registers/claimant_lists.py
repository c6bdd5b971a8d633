"""Lists of claimants from outside, as lawyers pass them on: CSV or XLSX, row by row."""

import contextlib
import uuid
from dataclasses import dataclass, field

from compliance.registers import claimants
from compliance.registers.claimants import ClaimantCard
from compliance.registers.importing import day_in, require_no_formulas
from core import db, sandbox
from core.actor import Actor
from core.errors import InvalidInput, ServiceError, TooLarge
from directory.importing.sheets import MAX_BYTES, SheetRow
from directory.importing.sheets import read as read_sheet

MAX_LIST = MAX_BYTES
MAX_ROWS = 5_000
_SECONDS = 60.0

COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("name", "имя", "наименование", "заявитель"),
    "aliases": ("aliases", "другие имена", "псевдонимы"),
    "note": ("note", "примечание"),
    "since": ("since", "с"),
    "until": ("until", "по"),
}
"""Our field and the headings it goes by; other names are separated by | or ;."""
_FIELDS = {heading: name for name, headings in COLUMNS.items() for heading in headings}


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of one row; `row` counts from 1 with the heading."""

    row: int
    name: str
    status: str
    """created, known (the claimant is there already), refused."""
    code: str = ""
    reason: str = ""
    """In Russian, for the person who prepared the table."""
    claimant_id: uuid.UUID | None = None


@dataclass(slots=True)
class Report:
    """The whole list."""

    rows: list[RowReport] = field(default_factory=list)
    created: int = 0
    known: int = 0
    refused: int = 0
    dry_run: bool = False


class _DryRun(Exception):
    """Rolls the transaction of a row back."""


async def import_list(actor: Actor, *, data: bytes, dry_run: bool = False) -> Report:
    """Propose every claimant of a table; each waits for another lawyer, as all do.

    Needs a lawyer. The same table again changes nothing. Raises for the table as a whole what
    `sheets.read` raises, `column_missing`, `too_many_rows`; a row's problem is in the report.
    """
    actor.require("lawyer")
    rows: list[SheetRow] = await sandbox.pool().run(
        read_sheet, data, timeout=_SECONDS, into=list[SheetRow]
    )
    if not rows or not any(_FIELDS.get(heading) == "name" for heading in rows[0].cells):
        raise InvalidInput(
            "В таблице нет строк или столбца «имя».",
            "The table has no rows or no column `name`.",
            code="column_missing", columns=["имя"],
        )  # fmt: skip
    if len(rows) > MAX_ROWS:
        raise TooLarge(
            f"В таблице больше {MAX_ROWS} строк. Разделите её.",
            f"The table has more than {MAX_ROWS} rows. Split it.",
            code="too_many_rows", limit=MAX_ROWS,
        )  # fmt: skip
    report = Report(dry_run=dry_run)
    for row in rows:
        one = await _row(actor, row, dry_run=dry_run)
        report.rows.append(one)
        setattr(report, one.status, getattr(report, one.status) + 1)
    return report


async def _row(actor: Actor, row: SheetRow, *, dry_run: bool) -> RowReport:
    values = {_FIELDS[head]: cell for head, cell in row.cells.items() if head in _FIELDS and cell}
    name = values.get("name", "").strip()
    claimant_id: uuid.UUID | None = None
    try:
        require_no_formulas(values)
        card = _card(values, name)
        claimants.check(card)
        with contextlib.suppress(_DryRun):
            async with db.transaction():
                claimant_id = await claimants.enter(actor, card)
                if dry_run:
                    claimant_id = None
                    raise _DryRun
    except ServiceError as problem:
        status = "known" if problem.error_code == "claimant_known" else "refused"
        return RowReport(row.number, name, status, problem.error_code, problem.message_ru)
    return RowReport(row.number, name, "created", claimant_id=claimant_id)


def _card(values: dict[str, str], name: str) -> ClaimantCard:
    aliases = values.get("aliases", "").replace(";", "|").split("|")
    return ClaimantCard(
        name=name, aliases=tuple(one.strip() for one in aliases if one.strip()),
        note=values.get("note", ""), since=day_in(values, "since"), until=day_in(values, "until"),
    )  # fmt: skip
