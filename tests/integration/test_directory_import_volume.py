"""An import of ten thousand rows ends while somebody waits for it."""

import time

import pytest

from core.actor import RULE
from directory.cards import Card
from directory.importing.verbs import import_file
from directory.organizations import create
from directory.states import OrganizationKind

ROWS = 10_000
SECONDS = 20
"""The goal on two cores, shared with whatever else runs there."""

HEADING = ("Код", "Вид", "Наименование", "Вышестоящая", "Регион", "Эл. почта", "Председатель")


def registry(rows: int) -> bytes:
    """A regional organization, local ones and their primaries, each with a chairman."""
    lines = [HEADING, ("r-1", "региональная организация", "Региональная", "u-1", "38", "", "")]
    for number in range(rows - 1):
        local = number // 50 * 50
        kind = "местная организация" if number == local else "первичная организация"
        above = "r-1" if number == local else f"o-{local}"
        lines.append(
            (f"o-{number}", kind, f"Организация № {number}", above, "38",
             f"o{number}@example.org", f"Иванова{number} Анна Петровна")
        )  # fmt: skip
    return "\n".join(";".join(line) for line in lines).encode()


@pytest.mark.slow
async def test_ten_thousand_rows(database, record_property):
    card = Card(code="u-1", kind=OrganizationKind.UNION, name="Профсоюз")
    await create(RULE, card=card)
    data, spent = registry(ROWS), {}
    for run in ("first", "second"):
        begun = time.monotonic()
        report = await import_file(RULE, data=data)
        spent[run] = round(time.monotonic() - begun, 1)
        taken = report.created if run == "first" else report.unchanged
        assert (taken, report.problems) == (ROWS, [])
    record_property("seconds", spent)
    assert max(spent.values()) < SECONDS
