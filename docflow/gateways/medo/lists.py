"""Lists that the law may change, from `lists.toml` or the file an installation names."""

import codecs
import os
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from core.errors import InvalidInput


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Clocks and lengths."""

    delivery_hours: int
    message_bytes: int
    comment: int
    reason: int
    contact: int
    designation: int


class Refusals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Reasons why a document may be refused (причины отказа)."""

    source: str
    reasons: tuple[str, ...]
    closed_in: tuple[str, ...]
    """Versions in which no other reason may be written."""


class Receipts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is acknowledged besides letters (квитанции)."""

    source: str
    for_notifications: tuple[str, ...] = ()
    """Versions whose notifications get a receipt."""


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words allowed in one place."""

    source: str
    kinds: tuple[str, ...]
    answer: str = ""


class Groups(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What 2.x calls the document and its annexes."""

    source: str
    document: str
    attachment: str


class Classifiers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes DK, DP, DC of 2.7.1."""

    source: str
    document_kind: str
    ordinary: str
    names: dict[str, str]


class Restricted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By what restricted content is known."""

    source: str
    ids: tuple[str, ...]
    words: tuple[str, ...]


class Version(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One edition of the format."""

    namespace: str
    encoding: str
    is_written: bool = False
    aliases: tuple[str, ...] = ()
    passport_namespace: str = ""
    passport_version: str = ""
    description: str = ""
    """Name of the description file; empty: by the kind of message."""


class Lists(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of `lists.toml`."""

    edition: str
    limits: Bounds
    refusals: Refusals
    receipts: Receipts
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
    """Our own lists, changed as this file says, or the one MEDO_LISTS names.

    Such a file holds only what differs: a value or a list in it goes before ours, the rest stays.
    Raises InvalidInput `medo_lists` for one that cannot be used, with the place in it.
    """
    chosen = path or os.environ.get("MEDO_LISTS", "")
    try:
        found = _table(Path(__file__).with_name("lists.toml"))
        if chosen:
            found = _over(found, _table(Path(chosen)))
        made = msgspec.convert(found, Lists)
        _check(made)
    except (OSError, ValueError, LookupError) as problem:
        raise InvalidInput(
            f"Файл перечней МЭДО {chosen} не подходит: {problem}. Возьмите за образец lists.toml:"
            " достаточно таблиц, которые отличаются.",
            f"The file of lists for МЭДО {chosen} cannot be used: {problem}. Take lists.toml as a"
            " pattern; the tables that differ are enough.",
            code="medo_lists",
        ) from problem
    return made


def _table(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8-sig"))


def _over(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Their tables laid over ours, value by value."""
    made = dict(ours)
    for name, one in theirs.items():
        mine = ours.get(name)
        made[name] = _over(mine, one) if isinstance(mine, dict) and isinstance(one, dict) else one
    return made


def _check(made: Lists) -> None:
    """What a file may say in the right shape and still leave us without."""
    refusals, bounds = made.refusals, made.limits
    if not refusals.reasons or not all(one.strip() for one in refusals.reasons):
        raise ValueError("[refusals] reasons: at least one, none of them empty")
    if long := [one for one in refusals.reasons if len(one) > bounds.reason]:
        raise ValueError(f"[refusals] reasons: above {bounds.reason} letters: {long[0][:60]}…")
    if min(msgspec.structs.astuple(bounds)) < 1:
        raise ValueError("[limits]: every limit is above zero")
    for name, one in made.versions.items():
        codecs.lookup(one.encoding)
        if one.is_written and not one.namespace:
            raise ValueError(f'[versions."{name}"] namespace: needed to write it')


@lru_cache(maxsize=1)
def namespaces() -> frozenset[str]:
    """Every namespace of any edition."""
    every = load().versions.values()
    return frozenset(
        {one.namespace for one in every} | {one.passport_namespace for one in every}
    ) - {""}
