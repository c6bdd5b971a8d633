"""A registry of ten thousand rows is taken in whole, and taken in again it costs less."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from core.actor import RULE
from directory.cards import Card
from directory.importing.verbs import import_file
from directory.organizations import create
from directory.states import OrganizationKind

ROWS = 10_000

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
    """Statistics are gathered while the rows are not yet committed, as autovacuum may at any
    moment: PostgreSQL then takes the tables for empty, and a careless join is quadratic."""
    card = Card(code="u-1", kind=OrganizationKind.UNION, name="Профсоюз")
    await create(RULE, card=card)
    data, spent = registry(ROWS), {}
    for run, around in (("first", _analyzing(database)), ("second", contextlib.nullcontext())):
        begun = time.monotonic()
        async with around:
            report = await import_file(RULE, data=data)
        spent[run] = time.monotonic() - begun
        taken = report.created if run == "first" else report.unchanged
        assert (taken, report.problems) == (ROWS, [])
    record_property("seconds", spent)
    assert spent["second"] < spent["first"], "nothing was to be done"


@contextlib.asynccontextmanager
async def _analyzing(database: str) -> AsyncIterator[None]:
    """Gather statistics again and again; the last time before the import ends."""
    server = os.environ["DOCFLOW_TEST_SUPERUSER"].rpartition("/")[0]
    owner = await asyncpg.connect(f"{server}/{database.rpartition('/')[2]}")

    async def again_and_again() -> None:
        while True:
            await owner.execute("ANALYZE organization, organization_link, person, post")
            await asyncio.sleep(0.2)

    gathering = asyncio.create_task(again_and_again())
    try:
        yield
    finally:
        gathering.cancel()
        await asyncio.wait([gathering])
        await owner.close()
