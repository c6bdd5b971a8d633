"""A small tree out of hostile XML: no DTD, no entities, bounded depth, breadth and length.

Runs in the sandbox. The tree serves reading only: signatures are checked over the file's bytes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from core.sandbox.errors import HostileInput


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeLimits:
    """What a document may come to."""

    size: int = 2 << 20
    """Bytes, or characters where text is read."""
    depth: int = 48
    elements: int = 20_000
    attributes: int = 64
    """Of one element."""
    text: int = 200_000
    """Characters of text and attributes in all elements together."""


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
        # Asked for every part of a form: a generator here costs three times as much.
        for child in self.children:
            if child.name in names:
                return child
        return None

    def all(self, *names: str) -> Iterator["Node"]:
        """All children of these names."""
        return (child for child in self.children if child.name in names)

    def descend(self, *names: str) -> "Node | None":
        """Down a path of names, the first of each."""
        found: Node | None = self
        for name in names:
            found = found.first(name) if found is not None else None
        return found


Words = Mapping[str, tuple[str, str]]
"""Russian and English for `xml_too_large`, `xml_depth`, `xml_dtd`, `broken_xml`."""


def read(
    data: bytes | str,
    *,
    words: Words,
    limits: TreeLimits | None = None,
    vocabularies: frozenset[str] = frozenset(),
    with_namespaces: bool = True,
) -> Node:
    """The root element; text is taken as it is, whatever encoding it declares.

    An element of a namespace that is neither the root's nor among `vocabularies` keeps it in its
    name. Without `with_namespaces` prefixes are cut off unlooked at, declared or not.

    Raises HostileInput: `xml_too_large`, `xml_dtd`, `xml_depth`, `broken_xml` (its `truncated` is
    true when the text merely ends too early).
    """
    builder = _Builder(words, limits or TreeLimits(), vocabularies, with_namespaces)
    if len(data) > builder.limits.size:
        raise builder.refused("xml_too_large")
    parser = expat.ParserCreate(namespace_separator=" " if with_namespaces else None)
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = builder.refuse_dtd
    parser.EntityDeclHandler = builder.refuse_dtd
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as problem:
        truncated = getattr(problem, "code", 0) in _ENDS_EARLY
        raise builder.refused(
            "broken_xml", problem=str(problem)[:200], truncated=truncated
        ) from problem
    if builder.root is None:
        raise builder.refused("broken_xml", problem="no element", truncated=True)
    return builder.root


_ENDS_EARLY = tuple(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


class _Builder:
    def __init__(
        self, words: Words, limits: TreeLimits, vocabularies: frozenset[str], has_spaces: bool
    ) -> None:
        self.root: Node | None = None
        self.limits = limits
        self._words = words
        self._vocabularies = vocabularies | {""}
        self._separator = " " if has_spaces else ":"
        self._open: list[Node] = []
        self._elements = 0
        self._chars = 0
        self._local: dict[str, str] = {}
        self._split: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: dict[str, Any]) -> None:
        # Half of reading a small message was this function: names are taken apart once each.
        self._elements += 1
        if self._elements > self.limits.elements or len(attributes) > self.limits.attributes:
            raise self.refused("xml_too_large")
        if len(self._open) >= self.limits.depth:
            raise self.refused("xml_depth")
        local, namespace = self._split.get(name) or self._taken_apart(name)
        plain: dict[str, str] = {}
        for key, one in attributes.items():
            bare = self._local.get(key)
            if bare is None:
                bare = self._local[key] = key.rpartition(self._separator)[2]
            plain[bare] = one
            self._chars += len(one)
        if self._chars > self.limits.text:
            raise self.refused("xml_too_large")
        node = Node(local, namespace, plain)
        if self.root is None:
            self.root = node
            self._split.clear()  # its namespace decides from here on what is foreign
        else:
            self._open[-1].children.append(node)
        self._open.append(node)

    def _taken_apart(self, name: str) -> tuple[str, str]:
        namespace, _, local = name.rpartition(self._separator)
        if namespace not in self._vocabularies and self._is_foreign(namespace):
            # Another vocabulary's element (a signature, a note) is never taken for one of the form.
            local = f"{{{namespace[:80]}}}{local}"
        self._split[name] = local, namespace
        return local, namespace

    def _is_foreign(self, namespace: str) -> bool:
        if self.root is None or self._separator == ":":
            return False
        return namespace != self.root.namespace

    def end(self, _: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        self._chars += len(text)
        if self._chars > self.limits.text:
            raise self.refused("xml_too_large")
        self._open[-1].pieces.append(text)

    def refused(self, code: str, **details: Any) -> HostileInput:
        ru, en = self._words[code]
        return HostileInput(ru, en, code=code, **details)

    def refuse_dtd(self, *_: Any) -> None:
        """No program that writes these forms writes a DTD; those who do mean entity bombs."""
        raise self.refused("xml_dtd")
