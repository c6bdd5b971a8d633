"""The XML of a power of attorney as a small tree; runs in the sandbox."""

from core.sandbox import trees
from core.sandbox.trees import Node

__all__ = ["Node", "read"]

MAX_BYTES = 2 << 20

_WORDS = {
    "xml_too_large": (
        "Файл XML слишком велик для доверенности. Проверьте, тот ли файл выбран.",
        "The XML is too large for a power of attorney. Check that it is the right file.",
    ),
    "xml_depth": (
        "Файл XML вложен слишком глубоко. Выгрузите доверенность заново.",
        "The XML is nested too deeply. Export the power of attorney again.",
    ),
    "broken_xml": (
        "Файл не читается как XML. Выгрузите доверенность заново и не открывайте её в редакторах.",
        "The file is not well-formed XML. Export the power of attorney again, do not edit it.",
    ),
    "xml_dtd": (
        "Файл XML содержит запрещённое описание типа (DTD). Такой файл не принимается.",
        "The XML holds a document type declaration. Such a file is not taken.",
    ),
}


def read(data: bytes) -> Node:
    """The root element.

    Raises HostileInput: `xml_too_large`, `xml_dtd`, `xml_depth`, `broken_xml`.
    """
    return trees.read(data, words=_WORDS, limits=trees.TreeLimits(size=MAX_BYTES))
