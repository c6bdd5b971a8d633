"""Editions of ГОСТ Р 7.0.97 as data: text, look and place of the mark, and since when."""

import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path

import msgspec

_FILE = Path(__file__).with_name("editions.toml")


class Look(msgspec.Struct, frozen=True):
    """Width in millimetres, type in points, colour as #rrggbb."""

    width: float
    type: float
    ink: str


class Place(msgspec.Struct, frozen=True):
    """Free room around a mark, margin of the sheet, reach from the signature; millimetres."""

    gap: float
    edge: float
    reach: float


class Edition(msgspec.Struct, frozen=True):
    """One edition of the standard."""

    code: str
    valid_from: date
    title: str
    lines: tuple[tuple[str, str], ...]
    look: Look
    place: Place


class Copy(msgspec.Struct, frozen=True):
    """The words that say that a paper is a copy; beginnings of lines that are no signature."""

    executor: tuple[str, ...]
    heading: str
    note: str
    sheet: str


class _Editions(msgspec.Struct, frozen=True):
    edition: tuple[Edition, ...]
    copy: Copy


@lru_cache(maxsize=1)
def _known() -> _Editions:
    return msgspec.convert(tomllib.loads(_FILE.read_text(encoding="utf-8")), _Editions)


def edition_on(day: date) -> Edition:
    """The edition in force on a day; before the first one, the first."""
    known = sorted(_known().edition, key=lambda one: one.valid_from)
    return next((one for one in reversed(known) if one.valid_from <= day), known[0])


def copy_words() -> Copy:
    """What a copy says of itself, whatever the edition."""
    return _known().copy
