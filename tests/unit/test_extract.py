"""Files built to harm, files that are broken, and files that are only Russian."""

import io
import os
import stat
import struct
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pypdfium2
import pytest

from core.papers import render
from core.sandbox import HostileInput, Sandbox
from core.sandbox.archives import ZipLimits, inspect_zip
from core.sandbox.extract import decoded, extract_text, inspect_image, inspect_pdf
from core.sandbox.office import DIALECTS

DOCX, XLSX, PPTX, ODT = list(DIALECTS)[:4]
CORPORA = Path(os.environ.get("DOCFLOW_CORPORA", "../shared/corpora"))
CORPUS = sorted(CORPORA.rglob("*.pdf"))
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def packed(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def docx(body: str, *, head: str = "") -> bytes:
    xml = f'<?xml version="1.0"?>{head}<w:document {W}><w:body>{body}</w:body></w:document>'
    return packed(("word/document.xml", xml.encode()))


def code_of(function: object, *args: object) -> str:
    with pytest.raises(HostileInput) as caught:
        function(*args)  # type: ignore[operator]
    assert caught.value.message_ru
    assert caught.value.message_en
    return caught.value.error_code


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    pool = Sandbox(workers=1, preload=["core.sandbox.extract"])
    yield pool
    await pool.close()


# --- archives


def test_good_archive(tmp_path: Path) -> None:
    data = packed(("письмо.txt", b"abc"), ("a/", b""), ("a/b.txt", b"x" * 5000))
    found = inspect_zip(data)
    assert [member["name"] for member in found["members"]] == ["письмо.txt", "a/b.txt"]
    assert found["total"] == 5003
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    assert inspect_zip(str(path)) == found


def test_name_of_a_russian_archiver() -> None:
    data = packed(("AAAAAA.txt", b"abc")).replace(b"AAAAAA", "Письмо".encode("cp866"))
    assert inspect_zip(data)["members"][0]["name"] == "Письмо.txt"


def test_bomb_by_ratio() -> None:
    assert code_of(inspect_zip, packed(("zeros", bytes(30 << 20)))) == "zip_bomb"


def test_bomb_by_size_and_count() -> None:
    data = packed(*((f"{number}", os.urandom(2000)) for number in range(30)))
    assert code_of(inspect_zip, data, ZipLimits(total_bytes=50_000)) == "zip_bomb"
    assert code_of(inspect_zip, data, ZipLimits(members=29)) == "zip_bomb"


def test_nested_bombs() -> None:
    once = packed(("a", b"payload"))
    twice = packed(("b.zip", once))
    thrice = packed(("c.bin", twice))
    assert inspect_zip(thrice)["nested"] == ["c.bin", "c.bin/b.zip"]
    assert code_of(inspect_zip, packed(("d.dat", thrice))) == "zip_bomb"
    wide = packed(*((f"{n}.zip", packed(("x", os.urandom(3000)))) for n in range(20)))
    assert code_of(inspect_zip, wide, ZipLimits(total_bytes=90_000)) == "zip_bomb"
    assert code_of(inspect_zip, packed(("in.zip", packed(("z", bytes(30 << 20)))))) == "zip_bomb"


def test_members_that_share_their_bytes() -> None:
    """Two entries of the directory that point to one local header."""
    data = packed(("a", b"x" * 100))
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry = data[start:end]
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(entry) * 2, start, 0)
    assert code_of(inspect_zip, data[:start] + entry + entry + tail) == "zip_bomb"


@pytest.mark.parametrize(
    "name",
    ["../x", "a/../../x", "/etc/passwd", "..\\x", "C:/x", "C:x", "a\x01b", "x" * 1100, "a\\b"],
)
def test_path_traversal(name: str) -> None:
    assert code_of(inspect_zip, packed((name, b"x"))) == "zip_path_traversal"


def test_name_with_a_hidden_end() -> None:
    data = packed(("good.txt.exe", b"x")).replace(b"good.txt.exe", b"good.txt\x00exe")
    assert code_of(inspect_zip, data) == "zip_path_traversal"


@pytest.mark.parametrize("second", ["a.txt", "A.TXT", "a.txt/b"])
def test_duplicate_names(second: str) -> None:
    # zipfile itself warns of equal names, so the second is written under another of equal length.
    placeholder = "?" * len(second)
    data = packed(("a.txt", b"1"), (placeholder, b"2"))
    data = data.replace(placeholder.encode(), second.encode())
    assert code_of(inspect_zip, data) == "zip_duplicate_name"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices(kind: int) -> None:
    info = zipfile.ZipInfo("link")
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    assert code_of(inspect_zip, packed((info, b"/etc/passwd"))) == "zip_symlink"


def test_encrypted_unsupported_and_broken() -> None:
    data = bytearray(packed(("a", b"abc")))
    central = data.index(b"PK\x01\x02")
    encrypted = data.copy()
    encrypted[central + 8] |= 1
    assert code_of(inspect_zip, bytes(encrypted)) == "zip_encrypted"
    rare = data.copy()
    rare[central + 10] = 9
    assert code_of(inspect_zip, bytes(rare)) == "zip_unsupported"
    stored = packed(("a", os.urandom(500)))
    damaged = bytearray(stored)
    damaged[100] ^= 0xFF
    for broken in (bytes(damaged), stored[:300], b"", b"PK\x03\x04", b"no zip at all"):
        assert code_of(inspect_zip, broken) == "broken_zip"


def test_no_cut_of_an_archive_gives_a_traceback() -> None:
    data = packed(("a.txt", b"abc" * 50), ("b.zip", packed(("c", b"d"))))
    for at in range(0, len(data), 3):
        changed = bytearray(data)
        changed[at] ^= 0x55
        for variant in (bytes(changed), data[:at]):
            try:
                inspect_zip(variant)
            except HostileInput:
                continue


# --- office


def test_docx_text() -> None:
    body = (
        "<w:p><w:r><w:t>О проведении</w:t></w:r><w:r><w:t> акции</w:t></w:r></w:p>"
        "<w:p><w:r><w:t>1 Мая &amp; далее</w:t></w:r></w:p>"
    )
    found = extract_text(docx(body), DOCX)
    assert found == {
        "text": "О проведении акции\n1 Мая & далее",
        "pages": None,
        "problems": [],
    }


def test_xlsx_as_a_program_writes_it() -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Организация", "Членов"])
    sheet.append(["Школа № 5", 4217])
    out = io.BytesIO()
    book.save(out)
    found = extract_text(out.getvalue(), XLSX)
    assert found["text"].split("\n")[:3] == ["Организация", "Членов", "Школа № 5"]
    # The number of a cell is text, the index of a shared string is not.
    assert found["text"].split("\n")[3:] == ["4217"]


def test_odt_text() -> None:
    xml = (
        '<o:document-content xmlns:o="urn:o" xmlns:text="urn:text"><text:h>Заголовок</text:h>'
        "<text:p>Текст <text:span>внутри</text:span></text:p><o:meta>не текст</o:meta>"
        "</o:document-content>"
    )
    found = extract_text(packed(("content.xml", xml.encode())), ODT)
    assert found["text"] == "Заголовок\nТекст внутри"


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE d [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]>',
        f'<!DOCTYPE d [<!ENTITY l0 "lol">{LAUGHS}]>',
        "<!DOCTYPE d>",
    ],
)
def test_entity_attacks(head: str) -> None:
    body = "<w:p><w:r><w:t>&x;&l9;</w:t></w:r></w:p>"
    assert code_of(extract_text, docx(body, head=head), DOCX) == "xml_dtd"


def test_deep_broken_and_wrong_documents() -> None:
    assert code_of(extract_text, docx("<w:p>" * 300 + "</w:p>" * 300), DOCX) == "xml_depth"
    assert code_of(extract_text, docx("<w:p>"), DOCX) == "broken_xml"
    assert code_of(extract_text, packed(("a.txt", b"x")), DOCX) == "broken_office"
    assert code_of(extract_text, b"not a zip", DOCX) == "broken_zip"
    assert code_of(extract_text, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), DOCX) == (
        "office_encrypted"
    )
    zeros = "<w:p><w:r><w:t>" + " " * (20 << 20) + "</w:t></w:r></w:p>"
    assert code_of(extract_text, docx(zeros), DOCX) == "zip_bomb"


def test_long_text_is_cut_and_macros_are_named() -> None:
    words = os.urandom(1 << 20).hex()
    found = extract_text(docx(f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>"), DOCX)
    assert len(found["text"]) == 2_000_000
    assert found["problems"] == ["text_truncated"]
    data = packed(
        ("word/document.xml", f"<w:d {W}><w:t>x</w:t></w:d>".encode()), ("word/vbaProject.bin", b"")
    )
    assert extract_text(data, DOCX)["problems"] == ["macros"]


# --- plain text

RUSSIAN = "Уважаемые коллеги! Направляем «Положение» № 5 о порядке проведения акции."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_encodings(encoding: str) -> None:
    assert decoded(RUSSIAN.encode(encoding)) == RUSSIAN


@pytest.mark.parametrize("encoding", ["koi8-r", "cp866"])
def test_old_encodings(encoding: str) -> None:
    plain = RUSSIAN.translate({ord(sign): '"' for sign in "«»№"})
    assert decoded(plain.encode(encoding)) == plain
    assert decoded(plain.upper().encode("cp1251")) == plain.upper()


def test_text_that_is_none() -> None:
    assert extract_text(b"\x00\x01\x02", "text/plain") == {
        "text": "",
        "pages": None,
        "problems": ["not_text"],
    }
    assert extract_text(b"a\x07b\r\nc", "text/plain; charset=x")["text"] == "ab\nc"
    assert extract_text(b"", "text/plain")["text"] == ""
    assert extract_text(b"?", "application/x-unknown")["problems"] == ["no_text_reader"]


# --- pictures


def test_pictures_by_header() -> None:
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480)
    assert inspect_image(png) == {"width": 640, "height": 480}
    jpeg = (
        b"\xff\xd8\xff\xe0"
        + struct.pack(">H", 4)
        + b"ab\xff\xc0"
        + struct.pack(">HBHH", 11, 8, 300, 200)
    )
    assert inspect_image(jpeg) == {"width": 200, "height": 300}
    assert inspect_image(b"GIF89a" + struct.pack("<HH", 3, 4)) == {"width": 3, "height": 4}
    assert inspect_image(b"RIFF") == {"width": None, "height": None}
    large = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 40_000, 40_000)
    assert code_of(inspect_image, large) == "image_too_large"
    for broken in (png[:18], jpeg[:12], b"\xff\xd8\xff" + b"\xff" * 50, b"\xff\xd8\xff\x00"):
        assert code_of(inspect_image, broken) == "broken_image"


# --- PDF


def blank_pdf(pages: int) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(100, 100).close()
    out = io.BytesIO()
    document.save(out)
    document.close()
    return out.getvalue()


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"%PDF-1.7\n%%EOF", b"MZ\x90", bytes(5000)])
async def test_broken_pdf(sandbox: Sandbox, data: bytes) -> None:
    with pytest.raises(HostileInput) as caught:
        await sandbox.run(extract_text, data, "application/pdf")
    assert caught.value.error_code == "broken_pdf"
    assert "PDF" in caught.value.message_ru


async def test_cut_and_changed_pdf(sandbox: Sandbox) -> None:
    """Any damage ends in an answer or in a clear error, and the worker answers on."""
    data = blank_pdf(3)
    for at in range(10, len(data), 97):
        changed = bytearray(data)
        changed[at] ^= 0xFF
        for variant in (data[:at], bytes(changed)):
            try:
                await sandbox.run(inspect_pdf, variant)
            except HostileInput:
                continue


def test_pdf_without_text() -> None:
    found = inspect_pdf(blank_pdf(3))
    assert found == {"pages": 3, "encrypted": False, "text": "", "problems": ["no_text_layer"]}


async def test_pdf_with_russian_text() -> None:
    minutes = {
        "organization": "Профсоюз", "body_name": "Президиум", "kind": "Постановление",
        "date": "1", "number": "2", "signers": [],
        "decisions": [{"subject": "Об отчёте", "decided": ["Утвердить отчёт."]}],
    }  # fmt: skip
    found = extract_text(await render("minutes", minutes), "application/pdf")
    assert found["pages"] == 1
    assert "Утвердить отчёт." in found["text"]
    assert found["problems"] == []


def encrypted_pdf(user: str) -> bytes:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(blank_pdf(2))))
    writer.encrypt(owner_pass="owner", user_pass=user)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_encrypted_pdf() -> None:
    locked = inspect_pdf(encrypted_pdf("secret"))
    assert locked == {"pages": None, "encrypted": True, "text": "", "problems": ["pdf_encrypted"]}
    opened = inspect_pdf(encrypted_pdf(""))
    assert opened["pages"] == 2
    assert opened["encrypted"]
    assert "pdf_encrypted" in opened["problems"]


@pytest.mark.slow
async def test_every_pdf_of_the_corpus(sandbox: Sandbox) -> None:
    if not CORPUS:
        pytest.skip(f"no corpora at {CORPORA}: set DOCFLOW_CORPORA")
    readable = 0
    for path in CORPUS:
        try:
            found = await sandbox.run(inspect_pdf, path.read_bytes())
        except HostileInput as problem:
            if problem.error_code != "broken_pdf":
                pytest.fail(f"{path.name}: {problem}")
        else:
            readable += found["encrypted"] or found["pages"] > 0
    assert readable > len(CORPUS) * 0.8
