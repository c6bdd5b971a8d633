"""A small tree out of hostile XML: no DTD, no entities, bounded depth, breadth and length.

Runs in the sandbox. The tree serves reading only: signatures are checked over the file's bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from core.sandbox.errors import HostileInput

MAX_BYTES = 2 << 20
MAX_DEPTH = 48
MAX_ELEMENTS = 20_000
MAX_ATTRIBUTES = 64
MAX_TEXT = 200_000
"""Characters of text in all elements together."""


@dataclass(slots=True)
class Node:
    """One element; names come without their namespace, which stands apart."""

    name: str
    namespace: str
    attributes: dict[str, str]
    children: list["Node"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The element's own text, without outer blanks."""
        return "".join(self.pieces).strip()

    def get(self, name: str) -> str:
        """An attribute without outer blanks, empty when it is not there."""
        return self.attributes.get(name, "").strip()

    def first(self, *names: str) -> "Node | None":
        """The first child of one of these names."""
        return next((child for child in self.children if child.name in names), None)

    def all(self, *names: str) -> Iterator["Node"]:
        """All children of these names."""
        return (child for child in self.children if child.name in names)

    def descend(self, *names: str) -> "Node | None":
        """Down a path of names, the first of each."""
        found: Node | None = self
        for name in names:
            found = found.first(name) if found is not None else None
        return found


def read(data: bytes) -> Node:
    """The root element.

    Raises HostileInput: `xml_too_large`, `xml_dtd`, `xml_depth`, `broken_xml`.
    """
    if len(data) > MAX_BYTES:
        raise _too_large()
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = _refuse_dtd
    parser.EntityDeclHandler = _refuse_dtd
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as problem:
        raise _broken(str(problem)) from problem
    if builder.root is None:
        raise _broken("no element")
    return builder.root


class _Builder:
    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._elements = 0
        self._chars = 0

    def start(self, name: str, attributes: dict[str, Any]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS or len(attributes) > MAX_ATTRIBUTES:
            raise _too_large()
        if len(self._open) >= MAX_DEPTH:
            raise HostileInput(
                "Файл XML вложен слишком глубоко. Выгрузите доверенность заново.",
                "The XML is nested too deeply. Export the power of attorney again.",
                code="xml_depth",
            )
        namespace, _, local = name.rpartition(" ")
        if self.root is not None and namespace not in ("", self.root.namespace):
            # Another vocabulary's element (a signature, a note) is never taken for one of the form.
            local = f"{{{namespace[:80]}}}{local}"
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        node = Node(local, namespace, plain)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, _: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        self._chars += len(text)
        if self._chars > MAX_TEXT:
            raise _too_large()
        self._open[-1].pieces.append(text)


def _too_large() -> HostileInput:
    return HostileInput(
        "Файл XML слишком велик для доверенности. Проверьте, тот ли файл выбран.",
        "The XML is too large for a power of attorney. Check that it is the right file.",
        code="xml_too_large",
    )


def _broken(problem: str) -> HostileInput:
    return HostileInput(
        "Файл не читается как XML. Выгрузите доверенность заново и не открывайте её в редакторах.",
        "The file is not well-formed XML. Export the power of attorney again, do not edit it.",
        code="broken_xml",
        problem=problem[:200],
    )


def _refuse_dtd(*_: Any) -> None:
    """No program that makes powers of attorney writes a DTD; those who do mean entity bombs."""
    raise HostileInput(
        "Файл XML содержит запрещённое описание типа (DTD). Такой файл не принимается.",
        "The XML holds a document type declaration. Such a file is not taken.",
        code="xml_dtd",
    )
