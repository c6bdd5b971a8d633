"""The mark of a signature on a copy: what it says, and that it overlaps nothing on any page."""

import io
from datetime import date

import numpy as np
import pypdfium2
import pytest
import typst

from core.sandbox.errors import HostileInput
from docflow.documents.marks.drawing import MarkFacts
from docflow.documents.marks.editions import edition_on
from docflow.documents.marks.marking import marked_copy
from signatures.authority import Subject, create_authority
from signatures.pdf import sign_pdf
from tests.unit.test_signatures_roundtrip import small_pdf

pytestmark = pytest.mark.slow

DAY = date(2026, 1, 12)
CHAIRMAN = MarkFacts(
    certificate="01d9f0a2b4c6e8f000112233445566778899aabb", owner="Смирнов Пётр Ильич",
    since=date(2025, 9, 1), until=date(2026, 12, 1),
)  # fmt: skip
ACCOUNTANT = MarkFacts(
    certificate="02aa33", owner="Кузнецова Анна Андреевна",
    since=date(2025, 9, 1), until=date(2026, 9, 1),
)  # fmt: skip
LONG = MarkFacts(
    certificate="7f" * 24, owner="Константинопольская-Преображенская " * 3,
    since=date(2025, 9, 1), until=date(2026, 9, 1),
)  # fmt: skip
WORDS = "Просим довести до сведения первичных профсоюзных организаций срок отчёта о работе.\n\n"
SIGNED = "#v(1cm)\n#grid(columns:(1fr,auto),[Председатель],[П. И. Смирнов])\n"
SECOND = "#v(1cm)\n#grid(columns:(1fr,auto),[Главный бухгалтер],[А. А. Кузнецова])\n"
EXECUTOR = "#v(1fr)\nИсполнитель: Кузнецова А. А., тел. 000-00-00\n"


def _letter(body: str, *, paper: str = "a4", flipped: str = "false") -> bytes:
    look = f'#set page(paper:"{paper}",flipped:{flipped})\n#set text(lang:"ru",size:12pt)\n'
    return bytes(typst.compile((look + body).encode(), format="pdf"))


def _turned(data: bytes, rotation: int, crop: tuple[int, ...] | None = None) -> bytes:
    with pypdfium2.PdfDocument(data) as document:
        for page in document:
            page.set_rotation(rotation)
            if crop:
                page.set_cropbox(*crop)
        written = io.BytesIO()
        document.save(written)
    return written.getvalue()


def _grey(data: bytes, page: int) -> np.ndarray:
    with pypdfium2.PdfDocument(data) as document:
        return np.array(document[page].render(scale=1, grayscale=True).to_numpy()).squeeze()


def _text(data: bytes, page: int) -> str:
    with pypdfium2.PdfDocument(data) as document:
        return document[page].get_textpage().get_text_range().replace("\u200b", "")


def _assert_nothing_lost(before: bytes, after: bytes) -> None:
    """No pixel that held ink holds less of it: marks lie on bare paper only."""
    with pypdfium2.PdfDocument(before) as document:
        pages = len(document)
    for page in range(pages):
        old, new = _grey(before, page), _grey(after, page)
        assert not np.any((old < 128) & (new != old))


LETTER = _letter(WORDS * 6 + SIGNED + EXECUTOR)
PAGES = {
    "portrait": LETTER,
    "landscape": _letter(WORDS * 4 + SIGNED, flipped="true"),
    "a5": _letter(WORDS * 2 + SIGNED, paper="a5"),
    "turned-90": _turned(LETTER, 90),
    "turned-180": _turned(LETTER, 180),
    "turned-270": _turned(LETTER, 270),
    "cropped": _turned(LETTER, 0, (50, 100, 560, 780)),
    "cropped-turned": _turned(LETTER, 90, (50, 100, 560, 780)),
    "bare": _letter(" "),
    "many": _letter((WORDS * 12 + "#pagebreak()\n") * 4 + SIGNED),
}


@pytest.mark.parametrize("name", sorted(PAGES))
@pytest.mark.parametrize("marks", [[CHAIRMAN], [CHAIRMAN, ACCOUNTANT], [CHAIRMAN, LONG, LONG]])
def test_marks_overlap_nothing(name: str, marks: list[MarkFacts]) -> None:
    data = PAGES[name]
    made = marked_copy(data, marks=marks, day=DAY)
    _assert_nothing_lost(data, made)
    with pypdfium2.PdfDocument(made) as document:
        last = _text(made, len(document) - 1)
    assert last.count("ЭЛЕКТРОННОЙ ПОДПИСЬЮ") == len(marks)
    assert "01D9F0A2B4C6E8F000112233445566778899AABB" in "".join(last.split())
    assert "Смирнов Пётр Ильич" in last
    assert "с 01.09.2025 по 01.12.2026" in last
    assert "Копия электронного документа" in last


def test_a_full_page_gets_a_sheet_added() -> None:
    full = _letter("#set page(margin:8mm)\n" + "#text(size:9pt)[" + WORDS * 70 + "]")
    with pypdfium2.PdfDocument(full) as document:
        pages = len(document)
    head = _letter("#set page(margin:5mm)\n#rect(width:100%,height:100%,fill:luma(90))")
    for data, count in ((head, 1), (full, pages)):
        made = marked_copy(data, marks=[CHAIRMAN, ACCOUNTANT], day=DAY)
        _assert_nothing_lost(data, made)
        with pypdfium2.PdfDocument(made) as document:
            added = len(document) - count
        assert added == (1 if data is head else added)
        if added:
            assert "Отметки об электронной подписи" in _text(made, count)


def test_the_mark_stands_on_the_signers_line() -> None:
    made = marked_copy(_letter(WORDS * 5 + SIGNED + SECOND + EXECUTOR),
                       marks=[CHAIRMAN, ACCOUNTANT], day=DAY)  # fmt: skip
    with pypdfium2.PdfDocument(made) as document:
        text = document[0].get_textpage()
        for name, full in (("И. Смирнов", "Смирнов Пётр"), ("А. Кузнецова", "Кузнецова Анна")):
            heights = []
            for words in (name, full):
                at, _ = text.search(words).get_next()
                heights.append(text.get_charbox(at)[1])
            assert abs(heights[0] - heights[1]) < 60


def test_a_page_that_leaves_its_clipping_open() -> None:
    content = b"0.5 0 0 -0.5 0 99 cm q 0 0 9 9 re W n 1 0 0 rg 0 0 5 5 re f"
    data = small_pdf(1, content).replace(b"[0 0 99 99]", b"[0 0 595 842]")
    made = marked_copy(data, marks=[CHAIRMAN], day=DAY)
    with pypdfium2.PdfDocument(made) as document:
        assert len(document) == 2
    assert "Смирнов Пётр Ильич" in _text(made, 1)


def test_a_copy_carries_no_signature() -> None:
    key = create_authority("Root").issue(Subject("x")).key()
    signed = sign_pdf(LETTER, key=key)
    made = marked_copy(signed, marks=[CHAIRMAN], day=DAY)
    for word in (b"/ByteRange", b"/AcroForm", b"/Widget", b"/Contents <"):
        assert word not in made


@pytest.mark.parametrize(
    ("day", "code", "title"),
    [
        (date(2018, 1, 1), "ГОСТ Р 7.0.97-2016", "Документ подписан"),
        (date(2025, 8, 17), "ГОСТ Р 7.0.97-2016", "Документ подписан"),
        (date(2025, 8, 18), "ГОСТ Р 7.0.97-2025", "ДОКУМЕНТ ПОДПИСАН"),
    ],
)
def test_the_edition_in_force_is_data(day: date, code: str, title: str) -> None:
    assert edition_on(day).code == code
    assert title in _text(marked_copy(LETTER, marks=[CHAIRMAN], day=day), 0)


def test_markup_in_a_name_is_only_text() -> None:
    owner = "#panic() Иванов $x$ {certificate} \\ *x*"
    facts = MarkFacts(certificate="01", owner=owner, since=DAY, until=DAY)
    assert "#panic() Иванов $x$ {certificate}" in _text(
        marked_copy(LETTER, marks=[facts], day=DAY), 0
    )


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"hello", small_pdf()[:150]])
def test_what_is_no_pdf(data: bytes) -> None:
    with pytest.raises(HostileInput) as caught:
        marked_copy(data, marks=[CHAIRMAN], day=DAY)
    assert caught.value.error_code == "broken_pdf"
