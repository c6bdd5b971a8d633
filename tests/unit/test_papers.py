"""Papers are PDF/A with everything inside, in Russian, and the same each time."""

import ctypes
import re
from datetime import UTC, datetime
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from core.errors import InvalidInput
from core.papers import FORMS, ControlList, ControlRow, Letter, Total, render
from core.sandbox.extract import inspect_pdf
from docflow.gateways.paper.sheets import qr_svg

LETTER: dict[str, Any] = {
    "organization": "Областной комитет Профсоюза",
    "address": ["ул. Советская, д. 12, г. Кострома, 156000"],
    "date": "14.03.2025",
    "number": "01-12/245",
    "addressee": ["Председателям районных организаций"],
    "title": "О проведении Первомайской акции",
    "body": ["Просим организовать участие.", "Ёлка, съезд, объём: «кавычки» — тире."],
    "annexes": ["Форма на 1 л.", "Список на 2 л."],
    "signer_post": "Председатель",
    "signer_name": "А. В. Смирнов",
    "executor": "Кузнецова Е. В.",
    "executor_phone": "(4942) 31-22-46",
}
MINUTES: dict[str, Any] = {
    "organization": "Костромская областная организация",
    "body_name": "Президиум",
    "kind": "Протокол",
    "date": "14 марта 2025 г.",
    "number": "7",
    "agenda": ["Об акции"],
    "decisions": [
        {"subject": "Об акции", "heard": ["Смирнова А. В."], "decided": ["Участвовать."],
         "vote": "Принято единогласно."},
    ],
    "signers": [{"post": "Председательствующий", "name": "А. В. Смирнов"}],
}  # fmt: skip


def control_list(count: int) -> ControlList:
    rows = tuple(
        ControlRow(recipient=f"Школа № {n}", state="Доставлено", at="15.03.2025 09:12")
        for n in range(count)
    )
    return ControlList(
        organization="Областной комитет",
        document_number="01-12/245",
        document_title="Об акции",
        made_at="20.03.2025 10:15",
        total=count,
        totals=(Total(label="Доставлено", count=count),),
        rows=rows,
    )


DOSSIER: dict[str, Any] = {
    "organization": "Костромская областная организация",
    "title": "Досье использования изображения",
    "made_at": "20.03.2025 10:15",
    "verdict": "Публикация разрешена",
    "verdict_code": "clear",
    "verdict_note": "Ответ изменится 01.04.2025.",
    "sections": [
        {"heading": "Использование", "facts": [
            {"label": "Где", "value": "https://example.org/" + "long-address-" * 12},
            {"label": "SHA-256", "value": "ab" * 32, "is_code": True}]},
        {"heading": "Заявители", "note": "Совпадений нет."},
    ],
    "reasons": [{"rule": "201", "text": "Лицензия действует.", "to_do": "Публикуйте."}],
    "files": [{"name": "case.json", "what": "Дело", "size": "2 КБ", "sha256": "cd" * 32}],
    "rates": [{"copies": "Обрезка", "missed": "0,4 %", "bounds": "0,2–1,0 %", "trials": "1 000"}],
    "rates_note": "Измерено 20.03.2025.",
    "json_sha256": "ef" * 32,
}  # fmt: skip
ANSWER_SHEETS: dict[str, Any] = {
    "organization": "Костромская областная организация",
    "made_at": "20.03.2025 10:15",
    "sheets": [{
        "recipient": "ППО школы № 5", "recipient_code": "07-44-001-0005", "title": "Об акции",
        "number": "01-12/245", "date": "14.03.2025", "code": "482 1930 5763",
        "qr": qr_svg("https://docflow.test/ack/48219305763"),
        "link": "https://docflow.test/ack/48219305763", "due": "01.05.2025",
        "mark": "Для служебного пользования",
    }],
}  # fmt: skip
CALL_LIST: dict[str, Any] = {
    "organization": "Костромская областная организация",
    "made_at": "20.03.2025 10:15",
    "calls": [{
        "recipient": "ППО школы № 5", "recipient_code": "07-44-001-0005",
        "phone": "+7 (4942) 55-00-00", "person": "Председатель: Иванова А. П.",
        "number": "01-12/245", "title": "Об акции", "code": "482 1930 5763", "local_time": "МСК",
    }],
}  # fmt: skip
REGISTER: dict[str, Any] = {
    "organization": "Костромская областная организация",
    "title": "Реестр пакета доказательств",
    "number": "019a0000-0000-7000-8000-000000000001", "volume": 1, "volumes": 2,
    "kind": "период", "subject": "с 01.03.2025 по 20.03.2025", "purpose": "Проверка",
    "basis": "Запрос № 17", "recipient": "Комиссия", "made_at": "20.03.2025 10:15",
    "documents": 2, "uses": 0, "lacks": 1, "checkpoint": "4711",
    "lines": [{
        "position": n, "number": f"01-12/{n}", "title": "О совещании", "state": "отправлен",
        "signatures": ["Смирнов П. И. — действительна"], "sha256": "ab" * 32,
        "lacks": ["содержимое файла утрачено хранилищем"], "recipients": 3,
        "place": "documents/019a0000-0000-7000-8000-000000000002",
    } for n in (1, 2)],
}  # fmt: skip
CASE_PLAN: dict[str, Any] = {
    "organization": "Костромская областная организация", "year": 2026, "state": "",
    "approved_on": "19.12.2025", "agreement": "Протокол ЭК от 18.12.2025 № 4",
    "sections": [{"name": "01. Аппарат", "rows": [{
        "index": "01-01", "title": "Постановления президиума", "units": "1",
        "term": "до ликвидации организации, ст. 19а", "note": "В электронном виде"}]}],
    "counts": [{"label": "ИТОГО", "cases": 1, "carried": 0, "decision": 0}],
}  # fmt: skip
CASE_INVENTORY: dict[str, Any] = {
    "organization": "Костромская областная организация", "number": "3",
    "kind": "дел постоянного хранения", "year": 2026, "state": "Проект", "approved_on": "",
    "protocol": "", "total_words": "1 (одно) дело",
    "rows": [{"position": 1, "index": "01-01", "title": "Постановления президиума",
              "dates": "14.01.2026 – 20.12.2026", "documents": 12, "term": "постоянно, ст. 19а",
              "note": ""}],
}  # fmt: skip
DESTRUCTION_ACT: dict[str, Any] = {
    "organization": "Костромская областная организация", "number": "2", "date": "20.03.2025",
    "state": "Проект", "basis": "Перечень, приказ № 236", "total": 1,
    "total_words": "1 (одно) дело", "years": "2015", "inventories": [], "protocol": "",
    "archive_protocol": "", "approved_on": "", "executed_at": "", "outcome": "",
    "method": "Удаление", "backups_until": "20.06.2025",
    "voters": [{"name": "Иванова Мария", "vote": "за", "remark": ""}],
    "rows": [{"position": 1, "title": "Переписка", "dates": "14.01.2015", "units": 1,
              "inventory": "номенклатура 2015", "index": "01-02", "term": "5 лет, ст. 19б",
              "note": ""}],
}  # fmt: skip
SAMPLES = {
    "letter": LETTER, "minutes": MINUTES, "control_list": control_list(5),
    "picture_dossier": DOSSIER, "answer_sheets": ANSWER_SHEETS, "call_list": CALL_LIST,
    "evidence_register": REGISTER, "case_plan": CASE_PLAN, "case_inventory": CASE_INVENTORY,
    "destruction_act": DESTRUCTION_ACT,
}  # fmt: skip


def words(data: bytes) -> str:
    return " ".join(inspect_pdf(data)["text"].split())


def embedded_fonts(data: bytes) -> dict[str, bool]:
    document = pypdfium2.PdfDocument(data)
    found: dict[str, bool] = {}
    for page in document:
        for item in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT]):
            font = pdfium.FPDFTextObj_GetFont(item)
            name = ctypes.create_string_buffer(200)
            pdfium.FPDFFont_GetBaseFontName(font, name, 200)
            found[name.value.decode()] = pdfium.FPDFFont_GetIsEmbedded(font) == 1
    document.close()
    return found


@pytest.mark.parametrize("name", FORMS)
async def test_every_template_is_pdf_a_with_fonts_inside(name: str) -> None:
    data = await render(name, SAMPLES[name])
    assert re.search(rb"pdfaid:part>2<", data)
    assert re.search(rb"pdfaid:conformance>B<", data)
    fonts = embedded_fonts(data)
    assert fonts
    assert all(fonts.values())
    assert all("Libertinus" in font or "DejaVuSansMono" in font for font in fonts)


@pytest.mark.parametrize("name", FORMS)
async def test_same_input_same_bytes(name: str) -> None:
    first = await render(name, SAMPLES[name])
    assert first == await render(name, SAMPLES[name])
    later = await render(name, SAMPLES[name], made_at=datetime(2025, 3, 14, 9, 0, tzinfo=UTC))
    assert later != first
    assert b"20250314090000" in later


async def test_letter_says_what_it_was_told() -> None:
    text = words(await render("letter", LETTER))
    for expected in (
        "Областной комитет Профсоюза", "01-12/245", "О проведении Первомайской акции",
        "Ёлка, съезд, объём: «кавычки» — тире.", "Приложение:", "Список на 2 л.",
        "А. В. Смирнов", "(4942) 31-22-46",
    ):  # fmt: skip
        assert expected in text


async def test_minutes_say_what_they_were_told() -> None:
    text = words(await render("minutes", MINUTES))
    for expected in ("ПРОТОКОЛ", "Повестка дня", "СЛУШАЛИ:", "ПОСТАНОВИЛИ:", "1.1. Участвовать."):
        assert expected in text


async def test_dossier_says_what_it_was_told() -> None:
    text = words(await render("picture_dossier", DOSSIER))
    for expected in (
        "Досье использования изображения", "Публикация разрешена", "201", "Совпадений нет.",
        "ab" * 32, "cd" * 32, "ef" * 32, "0,2–1,0 %", "case.json",
    ):  # fmt: skip
        assert expected in text.replace("\u200b", "")


async def test_control_list_has_every_row_and_page_numbers() -> None:
    data = await render("control_list", control_list(300))
    text = words(data)
    pages = inspect_pdf(data)["pages"]
    assert pages > 3
    assert all(f"Школа № {number}" in text for number in range(300))
    assert f"стр. {pages} из {pages}" in text


@pytest.mark.parametrize(
    "text",
    ["#panic(1)", "$x^2", "*b* _i_ `c`", '") #read("/etc/passwd")', "\\", '#import "x"', "<a> @b"],
)
async def test_text_never_becomes_code(text: str) -> None:
    fields = {"title": text, "organization": text, "executor": text, "signer_name": text}
    shown = words(await render("letter", LETTER | fields | {"body": [text], "annexes": [text]}))
    assert text in shown


async def test_wrong_data_is_an_error_with_words() -> None:
    without = {name: value for name, value in LETTER.items() if name != "body"}
    for wrong in (without, LETTER | {"body": "not a list"}, LETTER | {"title": 5}):
        with pytest.raises(InvalidInput) as caught:
            await render("letter", wrong)
        assert caught.value.error_code == "paper_data"
    with pytest.raises(InvalidInput) as caught:
        await render("../letter", LETTER)
    assert caught.value.error_code == "unknown_template"


async def test_margins_of_the_standard() -> None:
    """ГОСТ Р 7.0.97-2016: left 20, right 10, top 20, bottom 20 mm at least."""
    long = LETTER | {"body": ["Слово " * 400] * 3}
    document = pypdfium2.PdfDocument(await render("letter", long))
    millimetre = 72 / 25.4
    for page in document:
        width, _ = page.get_size()
        boxes = [item.get_bounds() for item in page.get_objects([pdfium.FPDF_PAGEOBJ_TEXT])]
        assert min(box[0] for box in boxes) >= 20 * millimetre - 1
        assert max(box[2] for box in boxes) <= width - 10 * millimetre + 1
        assert min(box[1] for box in boxes) >= 20 * millimetre - 1
    assert len(document) > 1
    document.close()


def test_letter_can_be_a_dataclass() -> None:
    fields = {name: tuple(v) if isinstance(v, list) else v for name, v in LETTER.items()}
    assert Letter(**fields).reply_to_number == ""
