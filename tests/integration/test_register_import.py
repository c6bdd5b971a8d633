"""Folders with a table, and scans: what is read is proposed, what is bad is named row by row."""

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from compliance.checking import checks
from compliance.checking.checks import UseInput
from compliance.reading import ocr
from compliance.registers import catalogue, importing, licences, scans
from compliance.registers.licences import Terms
from core import db
from core.errors import ServiceError
from tests import ground, painted

pytestmark = pytest.mark.slow

FONTS = sorted(Path("/usr/share/fonts").rglob("DejaVuSans.ttf"))


@pytest.fixture
async def office(database: str) -> painted.Office:
    return await painted.an_office(await ground.an_organization("union"))


def archive(table: str, files: dict[str, bytes], *, name: str = "список.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(name, table.encode("cp1251"))
        for path, content in files.items():
            made.writestr(path, content)
    return out.getvalue()


HEAD = "Файл;Название;Автор;Источник;Лицензия;Правообладатель;По;Каналы;Документ;Снимок страницы\n"
TABLE = HEAD + (
    "мост.jpg;Мост;И. Петров;https://example.org;договор;ООО «Фото»;31.12.2027;"
    "сайт, газета;договор.jpg;страница.html\n"
    "b.jpg;Поле;;;CC BY 4.0;;;;;\n"
    "нет.jpg;Нет такого;;;;;;;;\n"
    "текст.jpg;Не картинка;;;;;;;;\n"
    "c.jpg;Плохая дата;;;договор;А;32.13.2027;;;\n"
    "d.jpg;Плохая лицензия;;;вроде можно;;;;;\n"
    "e.jpg;=1+1;;;;;;;;\n"
    "мост.jpg;Мост ещё раз;;;;;;;;\n"
    "f.jpg;Без правообладателя;;;договор;;;;;\n"
)


def files() -> dict[str, bytes]:
    return {
        "мост.jpg": painted.jpeg(painted.scene(41)), "b.jpg": painted.jpeg(painted.scene(42)),
        "текст.jpg": b"no picture", "c.jpg": painted.jpeg(painted.scene(43)),
        "d.jpg": painted.jpeg(painted.scene(44)), "e.jpg": painted.jpeg(painted.scene(45)),
        "f.jpg": painted.jpeg(painted.scene(46)), "договор.jpg": painted.scan(),
        "страница.html": painted.page(), "лишний.jpg": painted.jpeg(painted.scene(47)),
    }  # fmt: skip


async def counted() -> int:
    return int(await db.value("SELECT count(*) FROM picture"))


async def test_a_folder_row_by_row(office: painted.Office) -> None:
    data = archive(TABLE, files())
    tried = await importing.import_archive(office.editor, data=data, dry_run=True)
    assert (tried.created, await counted()) == (3, 0), "the second of one file is seen later"
    report = await importing.import_archive(office.editor, data=data)
    told = {row.row: (row.status, row.code) for row in report.rows}
    assert told == {
        2: ("created", ""), 3: ("created", ""), 4: ("refused", "file_missing"),
        5: ("refused", "not_a_picture"), 6: ("refused", "row_invalid"),
        7: ("refused", "row_invalid"), 8: ("refused", "row_invalid"), 9: ("known", ""),
        10: ("refused", "licence_terms"),
    }  # fmt: skip
    assert (await counted(), report.unused) == (2, ["лишний.jpg"])
    bridge = report.rows[0]
    assert bridge.picture_id is not None
    (licence,) = await catalogue.licences_of(office.editor, bridge.picture_id)
    assert (licence["holder"], licence["channels"], licence["confirmed_at"]) == (
        "ООО «Фото»", ["site", "newspaper"], None,
    )  # fmt: skip
    assert licence["has_document"]
    again = await importing.import_archive(office.editor, data=data)
    assert (again.created, again.known, await counted()) == (0, 3, 2)


async def test_archives_that_cannot_be_taken(office: painted.Office) -> None:
    good = painted.jpeg(painted.scene(48))
    codes = []
    for data in (
        b"", b"PK\x03\x04 no archive", archive(TABLE, files())[:-30],
        archive("Название\nМост\n", {"a.jpg": good}), archive(HEAD, {"a.jpg": good}),
        archive("Файл\na.jpg\n", {"a.jpg": good, "второй.csv": b"a"}),
        archive("Файл\na.jpg\n", {"../a.jpg": good}),
    ):  # fmt: skip
        with pytest.raises(ServiceError) as told:
            await importing.import_archive(office.editor, data=data)
        codes.append(told.value.error_code)
    assert codes == [
        "broken_zip", "broken_zip", "broken_zip", "column_missing", "sheet_empty",
        "table_missing", "zip_path_traversal",
    ]  # fmt: skip
    assert await counted() == 0


def contract(*lines: str) -> bytes:
    """A page as a scanner gives it."""
    page = Image.new("L", (1240, 1754), 246)
    draw, font = ImageDraw.Draw(page), ImageFont.truetype(str(FONTS[0]), 28)
    for at, line in enumerate(lines):
        draw.text((110, 140 + 70 * at), line, font=font, fill=25)
    out = io.BytesIO()
    page.rotate(0.3, fillcolor=246).save(out, "JPEG", quality=80)
    return out.getvalue()


LINES = (
    "ЛИЦЕНЗИОННЫЙ ДОГОВОР № 14/2026",
    "г. Иркутск, дата: 15.01.2026",
    "Лицензиар: ООО «Сибирский фотоархив»",
    "Произведение: «Мост через Ангару»",
    "Срок действия: с 01.02.2026 по 31.12.2027",
    "Способы использования: сайт, газета, социальные сети",
    "Территория: Россия",
    "Указание авторства: Фото: И. Петров / Сибирский фотоархив",
    "Переработка запрещена",
)


@pytest.mark.skipif(not FONTS or ocr.engine() is None, reason="no fonts or no tesseract here")
async def test_a_scanned_contract_becomes_proposals(office: painted.Office) -> None:
    data = painted.jpeg(painted.scene(49))
    picture_id = await painted.a_picture(office, data)
    licence_id, found = await scans.add_scanned(
        office.editor,
        picture_id,
        document=contract(*LINES),  # type: ignore[arg-type]  # reason: id
    )
    values = {one["field"]: one["value"] for one in found}
    assert values["number"] == "14/2026"
    assert "Сибирский фотоархив" in values["holder"]
    assert (values["since"], values["until"]) == ("2026-02-01", "2027-12-31")
    assert "Мост через Ангару" in values["work"]
    assert {one["value"] for one in found if one["field"] == "channel"} == {
        "site", "newspaper", "social",
    }  # fmt: skip
    for one in found:
        left, top, right, bottom = one["box"]
        assert one["page"] == 1
        assert 0 <= left < right <= 3000
        assert 0 <= top < bottom
    pending = await checks.check(office.editor, data=data, use=UseInput("site"))
    answer = await checks.show(office.editor, pending)
    assert "licence_unconfirmed" in {one.code for one in answer.verdict.reasons}
    assert answer.outcome != "clear"
    terms = Terms("contract", holder="ООО «Сибирский фотоархив»", number="14/2026")
    await licences.confirm(office.other, licence_id, terms=terms)
    sure = await checks.check(office.editor, data=data, use=UseInput("site"))
    assert (await checks.show(office.editor, sure)).outcome == "clear"


@pytest.mark.skipif(not FONTS or ocr.engine() is None, reason="no fonts or no tesseract here")
async def test_a_stock_invoice_in_english_and_a_blank_page(office: painted.Office) -> None:
    picture_id = await painted.a_picture(office, painted.jpeg(painted.scene(50)))
    licence_id, found = await scans.add_scanned(
        office.editor, picture_id,  # type: ignore[arg-type]  # reason: id
        document=contract(
            "INVOICE No. SSTK-0A1B2", "Date: 3 March 2026", "Seller: Example Stock Images Ltd",
            "Image ID: 1234567890", "Standard licence, editorial use only", "Users: 5",
        ),
    )  # fmt: skip
    row = await db.row("SELECT * FROM licence WHERE id = $1", licence_id)
    assert row is not None
    assert (row["kind"], row["max_seats"], row["allows_commercial"]) == ("stock", 5, False)
    assert {"number", "holder", "work", "dated"} <= {one["field"] for one in found}
    for document, code in ((painted.scan(), "scan_unreadable"), (b"text", "scan_type")):
        with pytest.raises(ServiceError) as told:
            await scans.add_scanned(office.editor, picture_id, document=document)  # type: ignore[arg-type]  # reason: id
        assert told.value.error_code == code
