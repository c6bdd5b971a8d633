"""What of a person is looked for in texts, and how it is spelled; pure.

The same patterns are read by PostgreSQL and by Python: explicit letters instead of flags, no
look-behind but of one character. Names are met in any case of Russian grammar: a stem with up to
three letters after it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

MARK = "[удалено]"
"""What stands where something was erased."""

_LETTER = "A-Za-zА-Яа-яЁё"
_BEFORE, _AFTER = f"(?<![{_LETTER}0-9])", f"(?![{_LETTER}0-9])"
_GAP = r"[\s\u00a0,]+"
_ENDINGS = "аеёиоуыэюяйьъ"
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Known:
    """Values by which a person is known; every name as (last, first, middle)."""

    names: tuple[tuple[str, str, str], ...] = ()
    rare: tuple[str, ...] = ()
    """Last names nobody else in the directory bears: they are looked for alone."""
    given: tuple[tuple[str, str], ...] = ()
    """First and middle names that nobody else bears together: a way to address somebody."""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    """SNILS, INN and what else is digits."""
    phrases: tuple[str, ...] = ()
    """Log-in names and whatever the commission adds, looked for as they are."""

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Known":
        """From what `plain` gave."""
        names = tuple((one[0], one[1], one[2]) for one in told["names"])
        given = tuple((one[0], one[1]) for one in told["given"])
        rest = {name: tuple(told[name]) for name in cls.__dataclass_fields__
                if name not in ("names", "given")}  # fmt: skip
        return cls(names=names, given=given, **rest)


def stem(word: str) -> str:
    """The part of a name that stays when it is declined, in small letters."""
    small = word.lower()
    for _ in range(2):
        if len(small) > _SHORTEST and small[-1] in _ENDINGS:
            small = small[:-1]
    return small


def digits(text: str) -> str:
    """Only the digits; of a Russian phone number the ten that matter."""
    return "".join(sign for sign in text if sign.isdecimal())


def pattern(known: Known) -> str:
    """One regular expression for all of it; empty when nothing is known."""
    parts = [
        *(one for name in known.names for one in _of_name(*name)),
        *(_word(last) for last in known.rare),
        *(f"{_BEFORE}{_stemmed(one)}{_GAP}{_stemmed(two)}{_AFTER}" for one, two in known.given),
        *(_BEFORE + _letters(one) + _AFTER for one in (*known.emails, *known.phrases) if one),
        *(_phone(one) for one in known.phones if len(digits(one)) >= 7),
        *(_number(one) for one in known.numbers if len(digits(one)) >= 6),
    ]
    return "|".join(dict.fromkeys(parts))


def sieve(known: Known) -> str:
    """A short expression that is met wherever the pattern is, to rule out ten times as fast."""
    parts = [_letters(stem(name[0])) for name in known.names if name[0] and name[1]]
    parts += [_letters(stem(one)) for one in known.rare]
    parts += [_letters(stem(one)) for one, _ in known.given]
    parts += [_letters(one) for one in (*known.emails, *known.phrases) if one]
    for number in (*known.phones, *known.numbers):
        parts.append(r"[^0-9]{0,3}".join(digits(number)[-4:]))
    return "|".join(dict.fromkeys(one for one in parts if one))


def met_in(words: str, *, at: str, sieve_at: str) -> str:
    """SQL that is true where the pattern `at` is met in `words`; placeholders of our own text."""
    return f"(CASE WHEN {words} ~ {sieve_at} THEN {words} ~ {at} ELSE false END)"


def anchors(known: Known) -> list[bytes]:
    """Bytes of which at least one stands wherever the pattern matches, in UTF-8 or JSON escapes."""
    words = [stem(name[0]) for name in known.names] + [stem(one) for one in known.rare]
    words += [stem(one) for one, _ in known.given]
    words += [*known.emails, *known.phrases]
    found: set[bytes] = set()
    for word in words:
        for spelled in {word, word.lower(), word.upper(), word.capitalize()}:
            found |= {spelled.encode(), spelled.encode("ascii", "backslashreplace"),
                      spelled.encode("utf-16-be")}  # fmt: skip
    for number in (*known.phones, *known.numbers):
        found |= {form.encode() for form in _written(digits(number))}
    return sorted(one for one in found if len(one) >= _SHORTEST)


def _written(number: str) -> Iterable[str]:
    """How a number is commonly grouped; in bytes it is looked for in these forms only."""
    yield number
    if len(number) == 11:
        yield f"{number[:3]}-{number[3:6]}-{number[6:9]} {number[9:]}"
        yield f"{number[:3]}-{number[3:6]}-{number[6:9]}-{number[9:]}"
    if len(number) >= 10:
        local = number[-10:]
        yield local
        for code, first in (("({}) {}", 3), ("({}){}", 3), (" {} {}", 3), ("-{}-{}", 3)):
            tail = f"{local[first:6]}-{local[6:8]}-{local[8:]}"
            yield code.format(local[:first], tail).strip(" -")


def masked_text(text: str, shape: "re.Pattern[str]") -> str:
    """The text with a mark in each place."""
    return shape.sub(MARK, text)


def masked(value: Any, shape: "re.Pattern[str]", known: Known) -> Any:
    """A JSON value with marks in its texts, keys and numbers.

    Where the person was found in it, texts that are a single part of their name go as well:
    a report on a signature holds the parts apart.
    """
    changed = _walk(value, shape, frozenset())
    if changed == value:
        return value
    parts = {part.lower() for name in known.names for part in _parts(name) if part}
    return _walk(changed, shape, frozenset(parts))


def _parts(name: tuple[str, str, str]) -> Sequence[str]:
    last, first, middle = name
    return (last, first, middle, f"{first} {middle}".strip())


def _walk(value: Any, shape: "re.Pattern[str]", parts: frozenset[str]) -> Any:
    if isinstance(value, str):
        return MARK if value.strip().lower() in parts else shape.sub(MARK, value)
    if isinstance(value, dict):
        return {shape.sub(MARK, name): _walk(one, shape, parts) for name, one in value.items()}
    if isinstance(value, list):
        return [_walk(one, shape, parts) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return MARK if shape.search(str(value)) else value
    return value


def _of_name(last: str, first: str, middle: str) -> Iterable[str]:
    """The ways a full name is written; a last name alone is not enough to know somebody by."""
    if not last or not first:
        return
    whole, given = _stemmed(last), _stemmed(first)
    second = f"(?:{_GAP}{_stemmed(middle)})?" if middle else ""
    initial = _letter(first[0]) + r"\."
    initials = f"{initial}\\s*(?:{_letter(middle[0])}\\.)?" if middle else initial
    yield f"{_BEFORE}{whole}{_GAP}{given}{second}{_AFTER}"
    yield f"{_BEFORE}{given}{second}{_GAP}{whole}{_AFTER}"
    yield f"{_BEFORE}{whole}{_GAP}{initials}"
    yield f"{_BEFORE}{initials}\\s*{whole}{_AFTER}"


def _word(word: str) -> str:
    return f"{_BEFORE}{_stemmed(word)}{_AFTER}"


def _stemmed(word: str) -> str:
    return f"{_letters(stem(word))}[{_LETTER}]{{0,3}}"


def _letters(text: str) -> str:
    return "".join(_letter(sign) for sign in text)


def _letter(sign: str) -> str:
    """One character in either case; е and ё are one letter to those who write."""
    if sign.lower() in "её":
        return "[ЕеЁё]"
    if sign.isalpha():
        return f"[{sign.upper()}{sign.lower()}]" if sign.upper() != sign.lower() else sign
    return sign if sign.isalnum() or sign in " _@" else "\\" + sign


def _phone(phone: str) -> str:
    local = r"[^0-9]{0,3}".join(digits(phone)[-10:])
    return rf"(?<![0-9])(?:\+?[78][^0-9]{{0,3}})?\(?{local}(?![0-9])"


def _number(number: str) -> str:
    return "(?<![0-9])" + "[ -]?".join(digits(number)) + "(?![0-9])"
