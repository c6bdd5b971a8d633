"""Tables from outside: CSV and XLSX as rows of text; hostile files end in a clear refusal.

Nothing in a cell is ever carried out: a formula stays text, and its row is refused later.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import InvalidInput, TooLarge, UnsupportedType

MAX_ROWS = 200_000
MAX_COLUMNS = 64
MAX_CELL = 2_000
MAX_BYTES = 20 * 1024 * 1024
MAX_UNPACKED = 256 * 1024 * 1024
"""An XLSX is a ZIP; this is what its members may say they unpack to (zipfile reads no further)."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: its number in the file, counted from 1 with the heading, and text by heading."""

    number: int
    cells: dict[str, str]


def read(data: bytes) -> list[SheetRow]:
    """The rows below the heading, empty ones left out; blocks, so call it off the event loop.

    Text is UTF-8 (with or without a mark) or Windows-1251; the separator is the commonest of
    semicolon, comma and tab in the heading. Raises `InvalidInput` (`sheet_empty`,
    `sheet_broken`, `heading_repeated`), `TooLarge`, `UnsupportedType` `encoding_unknown`.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(code="sheet_too_large", limit=MAX_BYTES)
    lines = _xlsx(data) if data[:4] == b"PK\x03\x04" else _csv(data)
    heading: list[str] = []
    rows: list[SheetRow] = []
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_COLUMNS or any(len(cell) > MAX_CELL for cell in line):
            raise TooLarge(
                f"Строка {number}: больше {MAX_COLUMNS} столбцов или {MAX_CELL} знаков в ячейке.",
                f"Row {number}: more than {MAX_COLUMNS} columns or {MAX_CELL} signs in a cell.",
                code="row_too_large", row=number,
            )  # fmt: skip
        if not any(line):
            continue
        if not heading:
            heading = [cell.strip().lower() for cell in line]
            _check_heading(heading)
            continue
        if len(rows) >= MAX_ROWS:
            raise TooLarge(
                f"В таблице больше {MAX_ROWS} строк. Разделите файл.",
                f"The table has more than {MAX_ROWS} rows. Split the file.",
                code="too_many_rows", limit=MAX_ROWS,
            )  # fmt: skip
        pairs = zip(heading, line, strict=False)
        rows.append(SheetRow(number, {name: cell.strip() for name, cell in pairs if name}))
    if not rows:
        raise InvalidInput(
            "В файле нет строк с данными.", "The file has no rows of data.", code="sheet_empty"
        )
    return rows


def _check_heading(heading: list[str]) -> None:
    named = [name for name in heading if name]
    if len(named) != len(set(named)):
        raise InvalidInput(
            "Заголовки столбцов повторяются.", "Column headings repeat.", code="heading_repeated"
        )


def _csv(data: bytes) -> Iterator[list[str]]:
    text = _decoded(data)
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as problem:
        raise _broken(str(problem)) from problem


def _decoded(data: bytes) -> str:
    if b"\x00" in data:
        raise _unknown_encoding()
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unknown_encoding()


def _unknown_encoding() -> UnsupportedType:
    return UnsupportedType(
        "Кодировка не распознана. Сохраните таблицу как CSV UTF-8 или XLSX.",
        "Unknown encoding. Save the table as CSV UTF-8 or XLSX.",
        code="encoding_unknown",
    )


def _xlsx(data: bytes) -> Iterator[list[str]]:
    # Only the sandboxed process that reads a workbook carries the library for it.
    import openpyxl  # noqa: PLC0415 - as said above
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415 - as said above

    try:
        _refuse_bomb(data)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what a file says of its own size is not believed
        for row in sheet.iter_rows(max_col=MAX_COLUMNS + 1, max_row=MAX_ROWS + 2):
            line = [_text(cell.value) for cell in row]
            while line and not line[-1]:  # rows come padded to the widest one allowed
                line.pop()
            yield line
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError,
            TypeError, AttributeError, EOFError, SyntaxError, OSError) as problem:  # fmt: skip
        raise _broken(type(problem).__name__) from problem


def _refuse_bomb(data: bytes) -> None:
    """Bound what unpacks, and let no XML declare entities (the document type comes first)."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if len(members) > 1_000 or sum(each.file_size for each in members) > MAX_UNPACKED:
            raise TooLarge(
                "Таблица XLSX распаковывается в слишком большой объём.",
                "The XLSX unpacks to too much.",
                code="zip_bomb", limit=MAX_UNPACKED,
            )  # fmt: skip
        for each in members:
            if each.filename.endswith((".xml", ".rels")):
                with archive.open(each) as member:
                    start = member.read(65_536).replace(b"\x00", b"").upper()
                if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
                    raise _broken("document type declaration")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a code or an INN kept as a number
    return str(value)


def _broken(why: str) -> InvalidInput:
    return InvalidInput(
        "Таблица повреждена или это не таблица. Сохраните её заново как CSV UTF-8 или XLSX.",
        f"The table is broken or is none ({why}). Save it again as CSV UTF-8 or XLSX.",
        code="sheet_broken",
    )
