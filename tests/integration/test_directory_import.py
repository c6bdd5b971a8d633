"""Import of organizations: bad rows are named, good rows stand, a second run changes nothing."""

import io
import zipfile

import openpyxl
import pytest

from core import db
from core.actor import RULE
from core.errors import InvalidInput, ServiceError
from directory.cards import Card
from directory.importing.verbs import import_file
from directory.organizations import create
from directory.states import OrganizationKind

HEADING = ["Код", "Вид", "Наименование", "Вышестоящая", "ИНН", "Регион", "Эл. почта",
           "Председатель", "Телефон председателя"]  # fmt: skip
GOOD = [
    ["p-1", "первичная организация", "ППО «Школа № 1»", "l-1", "", "38", "p1@example.org",
     "Иванова Анна Петровна", "+7 (3952) 001234"],
    ["l-1", "местная организация", "Местная", "r-1", "", "38", "", "Петров Иван", ""],
    ["r-1", "региональная организация", "Региональная", "u-1", "3899000178", "38", "", "", ""],
]  # fmt: skip


@pytest.fixture
async def union(database):
    card = Card(code="u-1", kind=OrganizationKind.UNION, name="Профсоюз")
    return await create(RULE, card=card)


def sheet_csv(rows, *, encoding="utf-8", delimiter=";") -> bytes:
    lines = ["\t".join(row) if delimiter == "\t" else delimiter.join(row) for row in rows]
    return "\r\n".join(lines).encode(encoding)


def sheet_xlsx(rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        sheet_csv([HEADING, *GOOD]),
        sheet_csv([HEADING, *GOOD], encoding="utf-8-sig", delimiter=","),
        sheet_csv([HEADING, *GOOD], encoding="cp1251", delimiter="\t"),
        sheet_xlsx([HEADING, *GOOD]),
    ],
    ids=["utf-8", "utf-8-sig", "cp1251", "xlsx"],
)
async def test_second_run_changes_nothing(union, data):
    rehearsal = await import_file(RULE, data=data, dry_run=True)
    assert (rehearsal.created, rehearsal.problems) == (3, [])
    assert await db.value("SELECT count(*) FROM organization") == 1
    first = await import_file(RULE, data=data)
    assert (first.created, first.changed, first.problems) == (3, 0, [])
    count = await db.value("SELECT count(*) FROM event")
    second = await import_file(RULE, data=data)
    assert (second.created, second.changed, second.unchanged) == (0, 0, 3)
    assert await db.value("SELECT count(*) FROM event") == count
    assert await db.value("SELECT count(*) FROM person") == 2


async def test_bad_rows_are_named_and_good_rows_stand(union):
    bad = [
        ["b-1", "полк", "Полк", "u-1", "", "38", "", "", ""],
        ["b-2", "региональная организация", "С чужим ИНН", "u-1", "3899000179", "", "", "", ""],
        ["b-3", "местная организация", "Без головы", "нет такой", "", "", "", "", ""],
        ["b-4", "первичная организация", "=HYPERLINK(1)", "l-1", "", "", "", "", ""],
        ["b-5", "местная организация", "Круг 1", "b-6", "", "", "", "", ""],
        ["b-6", "местная организация", "Круг 2", "b-5", "", "", "", "", ""],
        ["p-1", "первичная организация", "Повтор", "l-1", "", "", "", "", ""],
        ["b-7", "первичная организация", "Под негодной", "b-3", "", "", "", "", ""],
        ["b-8", "региональная организация", "ИНН занят", "u-1", "3899000178", "", "", "", ""],
        ["b-9", "первичная организация", "", "l-1", "", "", "", "", ""],
    ]
    report = await import_file(RULE, data=sheet_csv([HEADING, *GOOD, *bad]))
    assert report.created == 3
    assert [(each.row, each.code) for each in report.problems] == [
        (5, "kind_unknown"), (6, "inn_invalid"), (7, "parent_unknown"), (8, "formula"),
        (9, "hierarchy_cycle"), (10, "hierarchy_cycle"), (11, "code_repeated"),
        (12, "parent_unknown"), (13, "inn_taken"), (14, "name_empty"),
    ]  # fmt: skip
    assert all(each.reason for each in report.problems)
    names = await db.rows("SELECT code FROM organization ORDER BY code")
    assert [row["code"] for row in names] == ["l-1", "p-1", "r-1", "u-1"]


async def test_only_differing_cells_are_changed(union):
    await import_file(RULE, data=sheet_csv([HEADING, *GOOD]))
    changed = [[*GOOD[0][:6], "new@example.org", *GOOD[0][7:]], *GOOD[1:]]
    report = await import_file(RULE, data=sheet_csv([HEADING, *changed]))
    assert (report.created, report.changed, report.unchanged) == (0, 1, 2)
    row = await db.row("SELECT email, name FROM organization WHERE code = 'p-1'")
    assert row == {"email": "new@example.org", "name": "ППО «Школа № 1»"}


def _bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(5):
            archive.writestr(f"xl/worksheets/sheet{index}.xml", bytes(60 * 1024 * 1024))
    return target.getvalue()


def _with_entities() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("xl/workbook.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "sheet_empty"),
        (sheet_csv([HEADING]), "sheet_empty"),
        (sheet_csv([["Имя"], ["x"]]), "column_missing"),
        (sheet_csv([["Код", "Код"], ["x", "y"]]), "heading_repeated"),
        (b"PK\x03\x04broken", "sheet_broken"),
        (b"\x00\x01\x02", "encoding_unknown"),
        (_bomb(), "zip_bomb"),
        (_with_entities(), "sheet_broken"),
    ],
    ids=["empty", "heading", "columns", "repeated", "broken", "binary", "bomb", "entities"],
)  # fmt: skip
async def test_hostile_file_is_refused(union, data, code):
    with pytest.raises(ServiceError) as refused:
        await import_file(RULE, data=data)
    assert refused.value.error_code == code
    assert await db.value("SELECT count(*) FROM organization") == 1


async def test_error_tells_the_missing_columns(union):
    with pytest.raises(InvalidInput) as refused:
        await import_file(RULE, data=sheet_csv([["Код"], ["x"]]))
    assert refused.value.details["columns"] == ["вид", "наименование"]
