"""Does a PDF say that it is PDF/A, and does anything plain contradict it? Runs in the sandbox.

This is no validation: veraPDF is one. Looked at are the claim in the XMP metadata (ISO 19005-1
section 6.7.11), encryption, the output intent, and whether the fonts of the pages are embedded.
"""

import io
import re
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

MAX_PAGES = 2_000
MAX_FONTS = 5_000
_PART = re.compile(r"pdfaid:part\s*(?:=\s*[\"']|>)\s*([1-4])")
_LEVEL = re.compile(r"pdfaid:conformance\s*(?:=\s*[\"']|>)\s*([ABUEFabuef])")
_FILES = ("/FontFile", "/FontFile2", "/FontFile3")


def claim(data: bytes) -> dict[str, Any]:
    """``{"part", "level", "problems"}``: part "1" to "4" or empty, problems as codes.

    `not_declared`, `encrypted`, `font_not_embedded`, `no_output_intent`, `script`, `unreadable`.
    """
    try:
        reader = PdfFileReader(io.BytesIO(data), strict=False)
        if reader.encrypted:
            return {"part": "", "level": "", "problems": ["encrypted"]}
        part, level = _declared(reader)
        problems = [] if part else ["not_declared"]
        problems += _contradictions(reader)
    except (PdfError, ValueError, KeyError, TypeError, IndexError, AttributeError,
            RecursionError, OSError):  # fmt: skip
        return {"part": "", "level": "", "problems": ["unreadable"]}
    return {"part": part, "level": level, "problems": problems}


def _declared(reader: PdfFileReader) -> tuple[str, str]:
    metadata = _at(reader.root, "/Metadata")
    if not isinstance(metadata, generic.StreamObject):
        return "", ""
    raw = bytes(metadata.data)[: 1 << 20]
    text = raw.decode("utf-16" if raw[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8", "replace")
    part, level = _PART.search(text), _LEVEL.search(text)
    return part.group(1) if part else "", level.group(1).upper() if level else ""


def _at(found: Any, name: str) -> Any:
    """An entry, its reference followed; None where it is not there."""
    return found[name] if name in found else None  # noqa: SIM401 - get() leaves references


def _contradictions(reader: PdfFileReader) -> list[str]:
    root = reader.root
    problems = []
    if "/OutputIntents" not in root:
        problems.append("no_output_intent")
    names = _at(root, "/Names")
    action = _at(root, "/OpenAction")
    if (isinstance(names, generic.DictionaryObject) and "/JavaScript" in names) or (
        isinstance(action, generic.DictionaryObject) and _at(action, "/S") == "/JavaScript"
    ):
        problems.append("script")
    if not all(_is_embedded(font) for font in _fonts(root["/Pages"])):
        problems.append("font_not_embedded")
    return problems


def _fonts(pages: Any) -> list[Any]:
    """The fonts of all pages, by walking the page tree with a bound."""
    found: list[Any] = []
    waiting, seen = [pages], 0
    while waiting and seen < MAX_PAGES and len(found) < MAX_FONTS:
        node = waiting.pop()
        seen += 1
        resources = _at(node, "/Resources")
        fonts = _at(resources, "/Font") if isinstance(resources, generic.DictionaryObject) else None
        if isinstance(fonts, generic.DictionaryObject):
            found += [fonts[name] for name in fonts]
        waiting += [one.get_object() for one in (_at(node, "/Kids") or ())]
    return found


def _is_embedded(font: Any) -> bool:
    if not isinstance(font, generic.DictionaryObject) or _at(font, "/Subtype") == "/Type3":
        return True
    if _at(font, "/Subtype") == "/Type0":
        return all(_is_embedded(one.get_object()) for one in (_at(font, "/DescendantFonts") or ()))
    descriptor = _at(font, "/FontDescriptor")
    return isinstance(descriptor, generic.DictionaryObject) and any(
        name in descriptor for name in _FILES
    )
