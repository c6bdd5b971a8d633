"""What a line most likely says, out of several readings of it, each with errors of its own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from compliance.reading.credits import CreditLine, credit_in
from compliance.reading.lexicon import distance
from compliance.verdicts.attribution import folded

_LEAST = 40.0
"""Mean confidence below which a reading is not believed."""
_SURE = 78.0
"""Mean confidence at which one reading is enough."""
_FIELDS = ("name", "agency", "stock", "licence", "year")
_LETTERS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Word:
    """One word as recognized, its confidence of 100, its place along the strip."""

    text: str
    confidence: float
    left: int
    width: int


@dataclass(frozen=True, slots=True)
class Reading:
    """One preparation of one line, read."""

    words: tuple[Word, ...]
    box: tuple[int, int, int, int]
    turn: int

    @property
    def text(self) -> str:
        """The words with single spaces."""
        return " ".join(word.text for word in self.words)

    @property
    def confidence(self) -> float:
        """The mean by letters."""
        letters = sum(len(word.text) for word in self.words)
        return sum(word.confidence * len(word.text) for word in self.words) / max(letters, 1)


def likeness(reading: Reading) -> float:
    """How much of it is text rather than what an edge looks like: sure letters, in words."""
    sure = sum(
        len(_LETTERS.findall(word.text)) * word.confidence / 100
        for word in reading.words
        if word.confidence > 25
    )
    found = credit_in(reading.text)
    return min(sure, 20.0) + (10.0 if found is not None else 0.0)


def is_worth(readings: Sequence[Reading]) -> bool:
    """Whether a closer look may give more: something like words."""
    return max((likeness(one) for one in readings), default=0.0) >= 2.5


def merged(russian: Sequence[Word], latin: Sequence[Word]) -> tuple[Word, ...]:
    """Of each place the word of the script that read it more surely."""
    if not russian or not latin:
        return tuple(russian or latin)
    spans: list[tuple[list[Word], list[Word]]] = []
    for word in sorted((*russian, *latin), key=lambda one: one.left):
        side = 0 if any(word is one for one in russian) else 1
        if spans and _reach(spans[-1]) > word.left + 0.3 * min(word.width, 20):
            spans[-1][side].append(word)
        else:
            spans.append(([word], []) if side == 0 else ([], [word]))
    chosen_words: list[Word] = []
    for one, other in spans:
        chosen_words.extend(one if _weight(one) >= _weight(other) else other)
    return tuple(chosen_words)


def _reach(span: tuple[list[Word], list[Word]]) -> float:
    return max(word.left + word.width for word in (*span[0], *span[1]))


def _weight(words: Sequence[Word]) -> float:
    letters = sum(len(word.text) for word in words)
    return sum(word.confidence * len(word.text) for word in words) / max(letters, 1)


def chosen(lines: Sequence[Sequence[Reading]]) -> tuple[CreditLine, ...]:
    """The credits of a picture, one a line of print, surest first."""
    found = [credit for group in _places(lines) if (credit := _credit(group)) is not None]
    found.sort(key=lambda one: (-_said(one), -(one.confidence or 0.0)))
    kept: list[CreditLine] = []
    for one in found:
        if not any(_is_part(one, other) for other in kept):
            kept.append(one)
    return tuple(sorted(kept, key=lambda one: -(one.confidence or 0.0)))


def _places(lines: Sequence[Sequence[Reading]]) -> list[list[Reading]]:
    """Readings by place: a line cut out twice, or in two pieces that overlap, is one line."""
    places: list[list[Reading]] = []
    for readings in lines:
        if not readings:
            continue
        for place in places:
            if place[0].turn == readings[0].turn and _overlap(place[0].box, readings[0].box) > 0.4:
                place.extend(readings)
                break
        else:
            places.append(list(readings))
    return places


def _overlap(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / max(min(one[2] * one[3], other[2] * other[3]), 1)


def _said(one: CreditLine) -> int:
    return sum(len(str(getattr(one, name) or "")) for name in _FIELDS)


def _is_part(one: CreditLine, other: CreditLine) -> bool:
    """Whether a credit says less of the same line, seen twice or cut short."""
    return all(
        (own := getattr(one, name)) is None
        or own == (more := getattr(other, name))
        or (isinstance(own, str) and isinstance(more, str) and _is_cut(own, more))
        for name in _FIELDS
    )


def _is_cut(short: str, whole: str) -> bool:
    """«А. Сми» of «А. Смирнов», «Смирнов» too; a letter may be misread."""
    little, much = folded(short), folded(whole)
    if any(word.startswith(little.split()[-1]) for word in much.split() if little):
        return True
    return little in much or distance(little, much) <= max(len(much) // 5, 1)


def _credit(readings: Sequence[Reading]) -> CreditLine | None:
    parsed = [
        (reading, credit)
        for reading in readings
        if reading.confidence >= _LEAST and (credit := credit_in(reading.text)) is not None
    ]
    if not parsed:
        return None
    values = {name: _voted(parsed, name) for name in _FIELDS}
    if not any(values[name] for name in ("name", "agency", "stock", "licence")):
        return None
    reading, best = max(parsed, key=lambda one: (_agreement(one[1], values), one[0].confidence))
    box = _around([one.box for one, _ in parsed])
    return replace(best, **values, box=box, confidence=round(reading.confidence / 100, 2))


def _around(boxes: Sequence[tuple[int, int, int, int]]) -> tuple[int, int, int, int]:
    left, top = min(one[0] for one in boxes), min(one[1] for one in boxes)
    right, bottom = max(one[0] + one[2] for one in boxes), max(one[1] + one[3] for one in boxes)
    return left, top, right - left, bottom - top


def _agreement(credit: CreditLine, values: dict[str, Any]) -> int:
    return sum(getattr(credit, name) == values[name] for name in _FIELDS)


def _voted(parsed: Sequence[tuple[Reading, CreditLine]], name: str) -> Any:
    """The value most readings agree on, a letter or two apart; None when too few have one."""
    votes: dict[Any, float] = {}
    most: dict[Any, float] = {}
    for reading, credit in parsed:
        value = getattr(credit, name)
        if value is not None:
            votes[value] = votes.get(value, 0.0) + reading.confidence
            most[value] = max(most.get(value, 0.0), reading.confidence)
    if not votes:
        return None
    support = {
        value: sum(
            weight * (1.0 if other == value else 0.4)
            for other, weight in votes.items()
            if other == value or _alike(value, other)
        )
        for value in votes
    }
    best = max(support, key=lambda value: (support[value], most[value]))
    if most[best] < _SURE and support[best] < 2 * _LEAST + 20:
        return None
    return _fullest(best, votes, most)


def _fullest(best: Any, votes: dict[Any, float], most: dict[Any, float]) -> Any:
    """The same with what recognition loses and never makes up: an end, dots over ё, a tail of щ."""
    if not isinstance(best, str):
        return best
    sure = [value for value in votes if most[value] >= _SURE and votes[value] >= 0.2 * votes[best]]
    for value in sorted(sure, key=lambda one: -votes[one]):
        if len(value) > len(best) + 1 and value.startswith(best):
            best = value
        elif value != best and value.translate(_PLAINER) == best.translate(_PLAINER):
            marks = sum(one in _MARKED for one in value) - sum(one in _MARKED for one in best)
            best = value if marks > 0 else best
    return best


_MARKED = "ЁёЙйЩщ"
_PLAINER = str.maketrans(_MARKED, "ЕеИиШш")


def _alike(one: Any, other: Any) -> bool:
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    return distance(one, other) <= max(len(one), len(other)) // 5


def shown_text(lines: Sequence[Sequence[Reading]]) -> str:
    """What is surely print, a line each, from the top; for people and for search."""
    shown: list[tuple[int, str]] = []
    for readings in lines:
        best = max(readings, key=lambda one: one.confidence, default=None)
        if best is None or best.confidence < 60 or len(_LETTERS.findall(best.text)) < 4:
            continue
        if best.text not in (text for _, text in shown):
            shown.append((best.box[1], best.text))
    return "\n".join(text for _, text in sorted(shown))
