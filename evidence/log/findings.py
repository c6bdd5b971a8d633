"""What a check of the log can find, and what it tells."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

EXAMPLES = 100
"""Findings told one by one; the rest is counted."""

CODES = {
    "event_changed": ("событие изменено", "an event was changed"),
    "event_deleted": ("событие удалено", "an event was deleted"),
    "event_unlogged": ("событие вставлено в обход журнала", "an event was slipped in unlogged"),
    "event_backdated": ("событие записано задним числом", "an event was written for an older time"),
    "detail_changed": ("сведения события изменены", "the detail of an event was changed"),
    "detail_missing": ("сведения события удалены без акта", "a detail was deleted without an act"),
    "detail_added": ("сведения события добавлены", "a detail was added to an event"),
    "leaf_missing": ("запись журнала потеряна", "a leaf of the log was lost"),
    "leaf_surplus": ("лишняя запись журнала", "the log has a leaf too many"),
    "entries_missing": ("записи дерева потеряны", "entries of the tree were lost"),
    "tile_changed": ("плитка дерева изменена", "a tile of the tree was changed"),
    "checkpoint_missing": ("последней контрольной точки нет", "the last checkpoint is not there"),
    "checkpoint_changed": ("точка не сходится с деревом", "a checkpoint is not the tree's"),
    "checkpoint_unsigned": ("подпись точки неверна", "a checkpoint's signature is wrong"),
    "checkpoint_adopted": ("точка освобождена от сверки времени", "a checkpoint was exempted"),
    "stamp_wrong": ("отметка времени не о контрольной точке", "a stamp is not over its checkpoint"),
    "cosignature_wrong": ("подпись свидетеля неверна", "a witness's signature is wrong"),
    "log_restarted": ("журнал начинали заново", "the log was begun anew"),
    "log_shorter": ("журнал короче предъявленной точки", "the log is shorter than the head shown"),
    "log_rewritten": ("журнал не тот, что в этой точке", "this is not the log of that head"),
}  # fmt: skip
"""Each finding in Russian and English."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was logged; `about` names the event, leaf, tile or size."""

    code: str
    about: str
    leaf: int | None = None

    @property
    def told(self) -> tuple[str, str]:
        """In Russian and English."""
        return CODES[self.code]


@dataclass(slots=True)
class Report:
    """What a check found; good when `findings` is zero."""

    kind: str
    size: int
    leaves: int = 0
    erased: int = 0
    """Events whose detail was erased by an act."""
    findings: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[Finding] = field(default_factory=list)

    def add(self, code: str, about: object, leaf: int | None = None) -> None:
        """Note a finding."""
        self.findings += 1
        self.counts[code] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(Finding(code, str(about), leaf))


def as_plain(report: Report) -> dict[str, Any]:
    """The report as plain values, findings told in both languages."""
    return {
        "ok": report.findings == 0, "kind": report.kind, "size": report.size,
        "leaves": report.leaves, "erased": report.erased, "findings": report.findings,
        "counts": dict(report.counts),
        "examples": [
            {"code": one.code, "about": one.about, "leaf": one.leaf, "ru": one.told[0],
             "en": one.told[1]} for one in report.examples
        ],
    }  # fmt: skip
