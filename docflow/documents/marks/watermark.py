"""The reader's name over every page of a restricted document; runs in the sandbox, on any bytes."""

import io
from contextlib import closing
from pathlib import Path

import msgspec
import pypdfium2
import pypdfium2.raw as pdfium

from core.sandbox.errors import HostileInput

_TEMPLATE = Path(__file__).with_name("watermark.typ")
_SMALLEST, _LARGEST = 72, 5000
"""Points a side; a sheet beyond that is drawn over with the size of the bound."""


def watermarked(data: bytes, *, words: str, only: int | None = None) -> bytes:
    """A copy of the PDF with `words` across every page; of the page `only` (from 1) alone if given.

    The copy holds the pages as they look: no signatures, forms, scripts, files. Raises HostileInput
    (`broken_pdf`); an `only` that is not there gives the first page of nothing, an empty answer.
    """
    try:
        with (
            closing(pypdfium2.PdfDocument(data)) as source,
            closing(pypdfium2.PdfDocument.new()) as copy,
        ):
            if only is not None and not 1 <= only <= len(source):
                return b""
            _flatten(source, only)
            copy.import_pages(source, None if only is None else [only - 1])
            if not len(copy):
                raise pypdfium2.PdfiumError("no pages")
            _cover(copy, words)
            written = io.BytesIO()
            copy.save(written)
            return written.getvalue()
    except pypdfium2.PdfiumError as problem:
        raise HostileInput(
            "Копию сделать не удалось: файл PDF повреждён.",
            "No copy can be made: the PDF is damaged.",
            code="broken_pdf",
        ) from problem


def _flatten(source: pypdfium2.PdfDocument, only: int | None) -> None:
    """Make what annotations and filled fields show a part of the pages."""
    source.init_forms()
    for number in range(len(source)) if only is None else [only - 1]:
        page = source[number]
        if pdfium.FPDFPage_GetAnnotCount(page):
            page.flatten()
        page.close()


def _cover(copy: pypdfium2.PdfDocument, words: str) -> None:
    drawn: dict[tuple[int, int], pypdfium2.PdfXObject] = {}
    for page in copy:
        for number in reversed(range(pdfium.FPDFPage_GetAnnotCount(page))):
            pdfium.FPDFPage_RemoveAnnot(page, number)
        left, low, right, high = page.get_bbox()
        size = (_bounded(right - left), _bounded(high - low))
        if size not in drawn:
            with closing(pypdfium2.PdfDocument(_sheet(words, *size))) as sheet:
                drawn[size] = sheet.page_as_xobject(0, copy)
        placed = drawn[size].as_pageobject()
        placed.set_matrix(pypdfium2.PdfMatrix(1, 0, 0, 1, left, low))
        page.insert_obj(placed)
        page.gen_content()
        page.close()


def _bounded(side: float) -> int:
    return int(min(max(side, _SMALLEST), _LARGEST))


def _sheet(words: str, width: int, height: int) -> bytes:
    import typst  # noqa: PLC0415 - seven megabytes that only a copy needs

    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
    # As JSON among the inputs, never inside the source: a name cannot become code.
    given = msgspec.json.encode({"words": words, "width": width, "height": height}).decode()
    made: bytes = typst.compile(
        _TEMPLATE, root=_TEMPLATE.parent, font_paths=fonts, ignore_system_fonts=True,
        format="pdf", sys_inputs={"data": given},
    )  # fmt: skip
    return made
