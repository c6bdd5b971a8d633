"""Lists that the law may change, from `lists.toml` or the file an installation names."""

import os
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from core.errors import InvalidInput


class Bounds(msgspec.Struct, frozen=True):
    """Clocks and lengths."""

    delivery_hours: int
    message_bytes: int
    comment: int
    reason: int
    contact: int
    designation: int


class Refusals(msgspec.Struct, frozen=True):
    """Reasons why a document may be refused (причины отказа)."""

    source: str
    reasons: tuple[str, ...]
    closed_in: tuple[str, ...]
    """Versions in which no other reason may be written."""


class Named(msgspec.Struct, frozen=True):
    """Words allowed in one place."""

    source: str
    kinds: tuple[str, ...]
    answer: str = ""


class Groups(msgspec.Struct, frozen=True):
    """What 2.x calls the document and its annexes."""

    source: str
    document: str
    attachment: str


class Classifiers(msgspec.Struct, frozen=True):
    """Codes DK, DP, DC of 2.7.1."""

    source: str
    document_kind: str
    ordinary: str
    names: dict[str, str]


class Restricted(msgspec.Struct, frozen=True):
    """By what restricted content is known."""

    source: str
    ids: tuple[str, ...]
    words: tuple[str, ...]


class Version(msgspec.Struct, frozen=True):
    """One edition of the format."""

    namespace: str
    encoding: str
    is_written: bool = False
    aliases: tuple[str, ...] = ()
    passport_namespace: str = ""
    passport_version: str = ""
    description: str = ""
    """Name of the description file; empty: by the kind of message."""


class Lists(msgspec.Struct, frozen=True):
    """All of `lists.toml`."""

    edition: str
    limits: Bounds
    refusals: Refusals
    signatures: Named
    links: Named
    groups: Groups
    classifiers: Classifiers
    restricted: Restricted
    header_types: dict[str, str]
    events: dict[str, str]
    versions: dict[str, Version]

    def version(self, text: str) -> tuple[str, Version] | None:
        """The edition a message calls itself, by its name or another spelling of it."""
        for name, version in self.versions.items():
            if text == name or text in version.aliases:
                return name, version
        return None


@lru_cache(maxsize=4)
def load(path: str = "") -> Lists:
    """The lists of this file, else of the one MEDO_LISTS names, else our own.

    Raises InvalidInput `medo_lists` for a file that does not hold them.
    """
    chosen = path or os.environ.get("MEDO_LISTS") or str(Path(__file__).with_name("lists.toml"))
    try:
        found: dict[str, Any] = tomllib.loads(Path(chosen).read_text(encoding="utf-8"))
        return msgspec.convert(found, Lists)
    except (OSError, ValueError) as problem:
        raise InvalidInput(
            f"Файл перечней МЭДО не читается: {problem}. Возьмите за образец lists.toml.",
            f"The file of lists for МЭДО cannot be read: {problem}. Take lists.toml as a pattern.",
            code="medo_lists",
        ) from problem


@lru_cache(maxsize=1)
def namespaces() -> frozenset[str]:
    """Every namespace of any edition."""
    every = load().versions.values()
    return frozenset(
        {one.namespace for one in every} | {one.passport_namespace for one in every}
    ) - {""}
