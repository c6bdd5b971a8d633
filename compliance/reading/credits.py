"""Credit lines: «Фото: А. Смирнов / ТАСС», «© Иван Петров», "Photo by X on Unsplash", marks.

A line counts only when something announces it (a word, ©, an agency, a stock or an open licence);
a name alone on a shop sign is no credit.
"""

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from compliance.reading.lexicon import (
    in_one_script,
    in_script,
    is_name_word,
    is_part_of_known,
    is_stop,
    named,
)
from compliance.verdicts.attribution import read_public
from compliance.verdicts.case import Credit

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class CreditLine:
    """One credit found in text, and where it stood on the picture."""

    text: str
    role: str = "author"
    """`author`, `holder` (after ©), `provider` (agency, press service, stock)."""
    name: str | None = None
    agency: str | None = None
    stock: str | None = None
    licence: str | None = None
    year: int | None = None
    box: Box | None = None
    """Left, top, width, height in pixels of the picture as shown."""
    confidence: float | None = None
    """Of the recognition, 0 to 1."""

    def as_dict(self) -> dict[str, Any]:
        """What is known, for the wire."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def as_credit(self) -> Credit:
        """The same for a verdict's case."""
        return Credit(
            "ocr", author=self.name, agency=self.agency, stock=self.stock, licence=self.licence,
            year=self.year, text=self.text,
        )  # fmt: skip


_PHOTO = re.compile(
    r"(?:\b(?:авторы?\s+(?:фото\w*|снимк\w+|изображени\w+|иллюстраци\w+|рисунк\w+)|"
    r"ф[оo0]т[оo0](?:граф\w*|графи\w+)?|\w[оo0]\w{1,2}[оo0](?=\s*:)|снимок|иллюстрация|рисунок|инфографика|коллаж|"
    r"(?:ph|f)[o0]t[o0](?:graph|grapher|s)?|image|picture|illustration|credit)\b"
    r"\s*(?:credit|by|by:|предоставлен[оаы]?)?)\s*[:;.—–\-=]*\s*(?=\S)",
    re.IGNORECASE,
)
_COPYRIGHT = re.compile(
    r"(?:©|\(\s*[cсCС]\s*\)|\bcopyright\b|(?<!\w)[@®](?=\s*[A-ZА-ЯЁ\d]))\s*[:.]?\s*", re.IGNORECASE
)
_GIVEN = re.compile(
    r"(?:предоставлен[оаы]?(?=\s)|courtesy(?:\s+of)?|источник(?:\s+фото)?|source)\s*[:—–-]?\s*"
    r"(?=\S)", re.IGNORECASE,
)  # fmt: skip
_PRESS = re.compile(r"(?i:пресс[\s-]?служб\w*)(?:\s+[А-ЯЁA-Z«\"][\w«»\"-]*){0,6}")
_MISREAD_I = re.compile(r"\bl(?=[a-z]*[bcdfghjkmnpqrstvwxz])(?=[b-df-hj-np-tv-z])")
"""A capital I read as l: no word of a name begins with l and a consonant."""
_LICENCE_WORDS = re.compile(
    r"\bCC[\s-]*(?:BY(?:[\s-]*(?:NC|SA|ND))*|0)(?:\s*\d\.\d)?", re.IGNORECASE
)
_PRESS_HEAD = re.compile(r"(?=\bпресс[\s-]?служб)", re.IGNORECASE)
_YEAR = re.compile(r"\b(19[5-9]\d|20[0-4]\d)\b")
_OPEN = re.compile(r"\bCC[\s-]*(?:BY|0)\b|СС[\s-]*ВУ|creativecommons|public domain", re.IGNORECASE)
_SITE = re.compile(r"\b(?:www\.)?((?:[a-zа-яё0-9-]{2,}\.)+(?:ru|com|org|net|рф|su|info|by|kz))\b",
                   re.IGNORECASE)  # fmt: skip
_BREAKS = re.compile(r"\s*[/|\\,;•·—–]\s*|\s+(?:on|для|via|из архива|специально для)\s+|\s-\s")
_ORGANIZATION = re.compile(
    r"\b(?:ООО|ОАО|ПАО|АО|ЗАО|ИА|ГБУ|МБУ|АНО|ФГУП)\s+[«\"]?[^\s«»\"][^«»\"/|,;]{1,40}[»\"]?"
    r"|[«\"][^«»\"]{3,40}[»\"]"
)


def credits_in(text: str) -> tuple[CreditLine, ...]:
    """Every credit in a piece of text, line by line."""
    found: dict[tuple[Any, ...], CreditLine] = {}
    for line in text.splitlines():
        one = credit_in(line)
        if one is not None:
            key = (one.name, one.agency, one.stock, one.licence)
            found.setdefault(key, one)
    return tuple(found.values())


def credit_in(line: str) -> CreditLine | None:
    """The credit a line gives, or None when it gives none."""
    plain = _MISREAD_I.sub("I", in_one_script(" ".join(line.split())))
    if len(plain) < 3 or len(plain) > 300:
        return None
    announced, role, rest = _announced(plain)
    known = dict(reversed(named(plain if announced is None else rest or plain)))
    public = read_public(plain) if _OPEN.search(plain) else None
    found = CreditLine(
        text=line.strip(), role=role, agency=known.get("agency"), stock=known.get("stock"),
        licence=public.name if public else None, year=_year(plain),
    )  # fmt: skip
    if announced is not None:
        found = _with_name(found, rest)
    elif not (found.stock or found.licence or _is_bare_agency(found, plain)):
        return None
    elif found.agency or found.stock:
        found = replace(_with_name(found, plain), role="provider")
    return found if any((found.name, found.agency, found.stock, found.licence)) else None


def _announced(plain: str) -> tuple[str | None, str, str]:
    for pattern, role in (
        (_PHOTO, "author"),
        (_COPYRIGHT, "holder"),
        (_GIVEN, "provider"),
        (_PRESS_HEAD, "provider"),
    ):
        match = pattern.search(plain)
        if match is not None and match.start() <= max(12, len(plain) // 2):
            rest = plain[match.end() :]
            more = _COPYRIGHT.match(rest)
            return match[0], role, rest[more.end() :] if more else rest
    return None, "author", plain


def _year(text: str) -> int | None:
    found = _YEAR.search(text)
    return int(found[1]) if found else None


def _is_bare_agency(found: CreditLine, plain: str) -> bool:
    """An agency's name all alone, or with one other part: a mark, not a headline."""
    if found.agency is None:
        return False
    return len(plain.split()) <= 2 or bool(re.search(r"\S\s*[/|]\s*\S", plain))


def _with_name(found: CreditLine, rest: str) -> CreditLine:
    press = _PRESS.search(rest)
    if press is not None:
        return replace(found, name=press[0].strip(" .,"), role="provider")
    rest = _LICENCE_WORDS.sub(" ", rest)
    for part in _BREAKS.split(_YEAR.sub(" ", rest)):
        name = _name(part)
        if name is None or _is_known(name):
            continue
        return replace(found, name=name)
    site = _SITE.search(rest)
    if site is not None and found.agency is None and found.stock is None:
        return replace(found, name=site[1], role="provider")
    return found


def _is_known(name: str) -> bool:
    return bool(named(name, loose=True)) or is_part_of_known(name)


def _name(part: str) -> str | None:
    """«А. Смирнов», «Анна Смирнова», "JOHN DOE", «ООО „Ромашка“»; None for other words."""
    organization = _ORGANIZATION.search(part)
    if organization is not None:
        return organization[0].strip(" .,")
    words = re.sub(r"[©@®|‘’“”`_~^]|\(.*?\)", " ", part).replace(".", ". ").split()
    taken: list[str] = []
    for word in words:
        if not is_name_word(word):
            if taken:
                break
            continue
        if taken and _is_scrap(word, taken[-1]):
            break
        taken.append(word.strip(",;:'\"«»()"))
        if len(taken) == 4:
            break
    bare = [word for word in taken if len(word.strip(".")) > 1]
    if not bare or is_stop(taken) or len(words) - len(taken) > 4:
        return None
    if len(taken) == 1 and len(bare[0]) < 4:
        return None
    if len(taken[-1]) > 3:
        taken[-1] = taken[-1].rstrip(".")
    return re.sub(r"(?<=\b\w\.) (?=\w\.)", "", " ".join(_as_the_surname(taken)))


def _is_scrap(word: str, before: str) -> bool:
    """«ТА» after «А. Смирнов»: what is left of an agency whose stroke was lost."""
    return (
        word.isupper() and word.isalpha() and 2 <= len(word) <= 4
        and len(before) > 2 and not before.isupper()
    )  # fmt: skip


def _as_the_surname(words: list[str]) -> list[str]:
    """Initials in the script of the longest word: they look the same and are read as either."""
    surname = max(words, key=len)
    is_russian = bool(re.search(r"[А-ЯЁа-яё]", surname))
    return [in_script(one, is_russian=is_russian) if len(one) <= 2 else one for one in words]
