"""Text out of office documents (OOXML, OpenDocument): a ZIP of XML, both hostile until read."""

import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from core.sandbox.archives import ZipLimits, inspect_zip
from core.sandbox.errors import HostileInput

_LIMITS = ZipLimits(total_bytes=256 << 20, nesting=2)
_MAX_DEPTH = 256
_OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where a format keeps its text: members to read, elements that hold it, breaks after."""

    members: re.Pattern[str]
    holders: frozenset[str]
    """Local names whose character data is text."""
    breaks: frozenset[str]
    """Local names after which a new line begins."""


DIALECTS = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": Dialect(
        re.compile(r"word/(document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml"),
        frozenset({"t", "delText"}),
        frozenset({"p", "br", "tab", "cr"}),
    ),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": Dialect(
        re.compile(r"xl/(sharedStrings|comments\d*|worksheets/[^/]+)\.xml"),
        frozenset({"t", "v"}),
        frozenset({"si", "c", "comment"}),
    ),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": Dialect(
        re.compile(r"ppt/(slides|notesSlides)/[^/]+\.xml"),
        frozenset({"t"}),
        frozenset({"p", "br"}),
    ),
    **dict.fromkeys(
        (
            "application/vnd.oasis.opendocument.text",
            "application/vnd.oasis.opendocument.spreadsheet",
            "application/vnd.oasis.opendocument.presentation",
        ),
        Dialect(
            re.compile(r"(content|styles)\.xml"),
            frozenset({"p", "h"}),
            frozenset({"p", "h", "tab", "line-break", "s"}),
        ),
    ),
}
"""Media type and where its text lies; a new format is one entry."""


def office_text(data: bytes, media_type: str, *, max_chars: int) -> tuple[str, list[str]]:
    """All text of a document, in reading order of its members, and codes of what is amiss.

    Raises HostileInput: broken_office, xml_dtd, xml_depth, broken_xml, or what `inspect_zip`
    says of the archive.
    """
    if data.startswith(_OLE_START):
        raise _protected()
    found = inspect_zip(data, _LIMITS)
    dialect = DIALECTS[media_type]
    gathered = _Gathered(dialect, max_chars)
    names = [member["name"] for member in found["members"]]
    parts = sorted((name for name in names if dialect.members.fullmatch(name)), key=_order)
    if not parts:
        raise HostileInput(
            "Это не документ указанного формата. Сохраните его заново в офисной программе.",
            "This is not a document of its declared format. Save it again in its program.",
            code="broken_office",
        )
    problems = ["macros"] if any(name.endswith("vbaProject.bin") for name in names) else []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for part in parts:
            gathered.read(archive.read(part), part)
            if gathered.is_full:
                problems.append("text_truncated")
                break
    return gathered.text(), problems


def _order(name: str) -> tuple[bool, int, str]:
    """The main part first, then numbered parts by number, not by letter."""
    number = re.search(r"(\d+)\.xml$", name)
    is_main = name in ("word/document.xml", "content.xml", "xl/sharedStrings.xml")
    return (not is_main, int(number[1]) if number and len(number[1]) < 9 else 0, name)


def _protected() -> HostileInput:
    return HostileInput(
        "Документ защищён паролем или сохранён в старом формате. Снимите пароль и сохраните его "
        "как DOCX, XLSX или ODT.",
        "The document has a password or an old format. Remove it and save as DOCX, XLSX or ODT.",
        code="office_encrypted",
    )


@dataclass(slots=True)
class _Gathered:
    """Text as it comes out of the parser; holds no tree, so depth and breadth cost nothing."""

    dialect: Dialect
    max_chars: int
    pieces: list[str] = field(default_factory=list)
    chars: int = 0
    depth: int = 0
    held: int = 0
    """How many text-holding elements are open."""
    skipping: bool = False
    """Inside a cell whose value is only an index of a shared string."""

    @property
    def is_full(self) -> bool:
        return self.chars >= self.max_chars

    def read(self, data: bytes, part: str) -> None:
        """Take in one XML member."""
        self.depth = self.held = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartDoctypeDeclHandler = _refuse_dtd
        parser.EntityDeclHandler = _refuse_dtd
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(data, True)
        except expat.ExpatError as problem:
            raise HostileInput(
                "Документ повреждён. Откройте его в офисной программе, сохраните заново "
                "и отправьте ещё раз.",
                "The document is broken. Open it, save it again and send it once more.",
                code="broken_xml",
                part=part[:200],
                problem=str(problem),
            ) from problem
        self._break()

    def text(self) -> str:
        """Everything gathered, cut to the limit."""
        return "".join(self.pieces)[: self.max_chars].strip()

    def _start(self, name: str, attributes: dict[str, Any]) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise HostileInput(
                "Документ устроен слишком сложно. Сохраните его заново в офисной программе.",
                "The document is nested too deeply. Save it again in its program.",
                code="xml_depth",
            )
        local = name.rpartition(" ")[2]
        if local == "c":
            self.skipping = attributes.get("t") == "s"
        if local in self.dialect.holders and not (self.skipping and local == "v"):
            self.held += 1

    def _end(self, name: str) -> None:
        self.depth -= 1
        local = name.rpartition(" ")[2]
        if local in self.dialect.holders and not (self.skipping and local == "v"):
            self.held -= 1
        if local in self.dialect.breaks:
            self._break()

    def _characters(self, text: str) -> None:
        if self.held and not self.is_full:
            self.pieces.append(text)
            self.chars += len(text)

    def _break(self) -> None:
        if self.pieces and self.pieces[-1] != "\n":
            self.pieces.append("\n")
            self.chars += 1


def _refuse_dtd(*_: Any) -> None:
    """No office program writes a DTD; those who do mean entity bombs and files of ours."""
    raise HostileInput(
        "Документ содержит запрещённое описание типа (DTD). Сохраните его заново "
        "в офисной программе.",
        "The document holds a document type declaration. Save it again in its program.",
        code="xml_dtd",
    )
