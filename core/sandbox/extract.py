"""What a file says: text for search, pages, oddities. Runs inside the sandbox, on any bytes."""

import ctypes
import re
import unicodedata
from contextlib import closing
from itertools import pairwise
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from core.sandbox.archives import inspect_zip
from core.sandbox.errors import HostileInput
from core.sandbox.images import inspect_image
from core.sandbox.office import DIALECTS, office_text

__all__ = ["extract_text", "inspect_image", "inspect_pdf", "inspect_zip"]

MAX_CHARS = 2_000_000
MAX_PAGES = 5000
_PASSWORD_ERRORS = (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)
_XFA_FORMS = (pdfium.FORMTYPE_XFA_FULL, pdfium.FORMTYPE_XFA_FOREGROUND)


def extract_text(data: bytes, media_type: str) -> dict[str, Any]:
    """The text of a file for full-text search: ``{"text", "pages", "problems"}``.

    `pages` is None where a format has none. `problems` are codes of what the file may have and
    the reader should know: pdf_encrypted, pdf_javascript, pdf_attachments, pdf_xfa,
    no_text_layer, too_many_pages, text_truncated, macros, not_text, no_text_reader. Raises
    HostileInput for a file that is not what it says (broken_pdf, broken_zip, xml_dtd …).
    """
    kind = media_type.partition(";")[0].strip().lower()
    if kind == "application/pdf":
        found = inspect_pdf(data)
        return {name: found[name] for name in ("text", "pages", "problems")}
    if kind in DIALECTS:
        text, problems = office_text(data, kind, max_chars=MAX_CHARS)
        return _answer(text, problems)
    if kind in ("application/zip", "application/x-zip-compressed"):
        names = [member["name"] for member in inspect_zip(data)["members"]]
        return _answer("\n".join(names)[:MAX_CHARS], [])
    if kind.startswith("image/"):
        inspect_image(data)
        return _answer("", ["no_text_layer"])
    if kind.startswith("text/") or kind in ("application/json", "application/xml"):
        return _plain_text(data)
    return _answer("", ["no_text_reader"])


def inspect_pdf(data: bytes) -> dict[str, Any]:
    """Pages, text and oddities of a PDF: ``{"pages", "encrypted", "text", "problems"}``.

    One that opens only with a password has no pages and no text, and says pdf_encrypted. Raises
    HostileInput (broken_pdf) for anything that PDFium cannot open.
    """
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as problem:
        if getattr(problem, "err_code", None) in _PASSWORD_ERRORS:
            return {"pages": None, "encrypted": True, "text": "", "problems": ["pdf_encrypted"]}
        raise _broken_pdf(str(problem)) from problem
    with closing(document):
        pages = len(document)
        if pages == 0:
            raise _broken_pdf("no pages")
        encrypted = pdfium.FPDF_GetSecurityHandlerRevision(document) != -1
        text, problems = _pdf_text(document, pages)
        problems += _pdf_oddities(document)
        if encrypted:
            problems.append("pdf_encrypted")
        return {"pages": pages, "encrypted": encrypted, "text": text, "problems": problems}


def _pdf_text(document: pypdfium2.PdfDocument, pages: int) -> tuple[str, list[str]]:
    """The text layer, page after page, up to the limits."""
    problems = ["too_many_pages"] if pages > MAX_PAGES else []
    pieces: list[str] = []
    chars = 0
    is_broken = False
    for index in range(min(pages, MAX_PAGES)):
        try:
            piece = _page_text(document, index)
        except pypdfium2.PdfiumError:
            is_broken = True
            continue
        pieces.append(piece)
        chars += len(piece)
        if chars > MAX_CHARS:
            problems.append("text_truncated")
            break
    text = _clean("\n".join(pieces))
    if is_broken:
        problems.append("pdf_broken_pages")
    if not text:
        problems.append("no_text_layer")
    return text, problems


def _page_text(document: pypdfium2.PdfDocument, index: int) -> str:
    with closing(document[index]) as page, closing(page.get_textpage()) as layer:
        count = min(layer.count_chars(), MAX_CHARS)
        if count <= 0:
            return ""
        # PDFium writes UTF-16 code units and a closing zero; asking it for a range is bounded.
        buffer = (ctypes.c_ushort * (count + 1))()
        written = pdfium.FPDFText_GetText(layer, 0, count, buffer)
        return bytes(buffer)[: max(written - 1, 0) * 2].decode("utf-16-le", "replace")


def _pdf_oddities(document: pypdfium2.PdfDocument) -> list[str]:
    """What a document to be signed should rather not have."""
    found = {
        "pdf_javascript": pdfium.FPDFDoc_GetJavaScriptActionCount(document) > 0,
        "pdf_attachments": pdfium.FPDFDoc_GetAttachmentCount(document) > 0,
        "pdf_xfa": pdfium.FPDF_GetFormType(document) in _XFA_FORMS,
    }
    return [code for code, holds in found.items() if holds]


def _broken_pdf(problem: str) -> HostileInput:
    return HostileInput(
        "Файл PDF повреждён или пуст. Сохраните документ заново в исходной программе (лучше "
        "в PDF/A) и отправьте ещё раз.",
        "The PDF is broken or empty. Save it again in its program (best as PDF/A) and send it "
        "once more.",
        code="broken_pdf",
        problem=problem[:200],
    )


_COMMON_LETTERS = frozenset("оеаинтсрвлкмдпу")
_RARE_LETTERS = frozenset("фщъэцшюхжё")
_QUOTES = frozenset("«»—–№…“”")
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def decoded(data: bytes) -> str | None:
    """Bytes of a text file as text: by BOM, as UTF-8, or as the likeliest Russian code page.

    None when these bytes are no text.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, "replace")
    if b"\x00" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as problem:
        # Cut in the middle of a letter is still UTF-8.
        if problem.start > 0 and problem.end >= len(data) > problem.start >= len(data) - 3:
            return data[: problem.start].decode("utf-8")
    sample = data[:20_000]
    likeliest = max(("cp1251", "koi8-r", "cp866"), key=lambda name: _likeness(sample, name))
    return data.decode(likeliest, "replace")


def _likeness(sample: bytes, encoding: str) -> int:
    """How much the sample looks like Russian: common letters, no capitals after small ones."""
    text = sample.decode(encoding, "replace")
    folded = text.casefold()
    score = sum(2 for letter in folded if letter in _COMMON_LETTERS)
    score -= sum(2 for letter in folded if letter in _RARE_LETTERS)
    # Line-drawing and other signs where letters should be, and capitals after small letters.
    score -= 3 * sum(not (one.isalnum() or one.isascii() or one in _QUOTES) for one in text)
    score -= 3 * sum(one.islower() and two.isupper() for one, two in pairwise(text))
    return score


def _plain_text(data: bytes) -> dict[str, Any]:
    text = decoded(data[: MAX_CHARS * 4])
    if text is None:
        return _answer("", ["not_text"])
    problems = ["text_truncated"] if len(data) > MAX_CHARS * 4 or len(text) > MAX_CHARS else []
    return _answer(_clean(text), problems)


def _clean(text: str) -> str:
    """Without control characters, which PostgreSQL (NUL) and readers do not want; NFC; cut."""
    text = text[:MAX_CHARS].replace("\r\n", "\n").replace("\r", "\n").replace("\ufffe", "")
    return unicodedata.normalize("NFC", _CONTROLS.sub("", text)).strip()


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Unicode's categories Cc and Cs, but for line feed and tab."""


def _answer(text: str, problems: list[str]) -> dict[str, Any]:
    return {"text": _clean(text), "pages": None, "problems": problems}
