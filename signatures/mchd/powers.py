"""Do the powers cover an act? By rules that people keep as data; what no rule knows is unclear."""

import re
from dataclasses import dataclass
from typing import Literal

from signatures.mchd.model import Power

EVERYTHING = "*"
"""In a rule's acts: it covers every act."""

_CLAUSE = re.compile(r"[.;\n]+")
_WORD = re.compile(r"\w+")
_LIMITING = ("исключ", "кроме", "огранич", "запре")
_NEGATION = ("не", "без")
"""Words after which a clause may say the opposite of what its nouns say."""


@dataclass(frozen=True, slots=True)
class PowerRule:
    """One row of the table: what a power with this code, or with these words, lets one sign.

    `pattern` is a code of the classifier, or beginnings of words that must all stand in one clause
    of the text («подпис писем»).
    """

    by: Literal["code", "text"]
    pattern: str
    acts: tuple[str, ...]


def covering(powers: tuple[Power, ...], *, act: str, rules: tuple[PowerRule, ...]) -> str | None:
    """None when a power surely covers `act`, else the finding that says why not.

    `powers_not_covering` only when every power is known to the rules and none covers; free text
    is never known to the end. Silence of the rules is `powers_unclear`, never a refusal.
    """
    if not powers:
        return "powers_unclear"
    limited = unknown = False
    for power in powers:
        acts = _acts_of(power, rules)
        if act in acts or EVERYTHING in acts:
            if not power.limits:
                return None
            limited = True
        elif not power.code or not acts:
            unknown = True
    if limited:
        return "powers_limited"
    return "powers_unclear" if unknown else "powers_not_covering"


def _acts_of(power: Power, rules: tuple[PowerRule, ...]) -> frozenset[str]:
    found: set[str] = set()
    if power.code:
        for rule in rules:
            if rule.by == "code" and rule.pattern.casefold() == power.code.casefold():
                found.update(rule.acts)
        return frozenset(found)
    for clause in _clauses(power.name):
        for rule in rules:
            if rule.by == "text" and _stands_in(rule.pattern, clause):
                found.update(rule.acts)
    return frozenset(found)


def _clauses(text: str) -> list[list[str]]:
    """Clauses as words; where a text excepts anything, nothing of it is taken for granted."""
    clauses = [_WORD.findall(one.casefold().replace("ё", "е")) for one in _CLAUSE.split(text)]
    for words in clauses:
        if any(word in _NEGATION or word.startswith(_LIMITING) for word in words):
            return []
    return clauses


def _stands_in(pattern: str, words: list[str]) -> bool:
    stems = _WORD.findall(pattern.casefold().replace("ё", "е"))
    return bool(stems) and all(any(word.startswith(stem) for word in words) for stem in stems)
