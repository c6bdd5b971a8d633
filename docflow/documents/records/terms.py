"""How long a case is kept; pure.

The term comes from an article of a retention list; the same article may read one way for sources of
a state archive and another way for everybody else. An organization may lengthen a term by its
expert commission and never shorten it. Years run from 1 January of the year after the case was
closed in office work (Rosarchiv orders 236 and 237 of 20.12.2019, read second-hand: see
docs/records.md).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

TermKind = Literal[
    "permanent", "until_liquidation", "years", "until_need", "until_replaced", "conditional"
]
KINDS: tuple[str, ...] = get_args(TermKind)
LONG = 10
"""Years above which a case goes to the archive with an inventory of its own."""

WORDS = {
    "permanent": ("постоянно", "permanent"),
    "until_liquidation": ("до ликвидации организации", "until the organization ends"),
    "until_need": ("до минования надобности", "until need passes"),
    "until_replaced": ("до замены новыми", "until replaced"),
    "conditional": ("по условию статьи", "on the article's condition"),
}


@dataclass(frozen=True, slots=True)
class Term:
    """A term as it stands in the fourth column (срок хранения)."""

    kind: str
    years: int | None = None
    needs_decision: bool = False
    """«ЭПК»: when the term is over the commission decides, part may stay for ever."""

    def said(self, *, russian: bool = True) -> str:
        """The term in words: «5 лет ЭПК»."""
        if self.years is None:
            return WORDS[self.kind][0 if russian else 1]
        if russian:
            return f"{self.years} {_of_years(self.years)}{' ЭПК' if self.needs_decision else ''}"
        return f"{self.years} years{', decided by the commission' if self.needs_decision else ''}"


def _of_years(number: int) -> str:
    if number % 10 == 1 and number % 100 != 11:
        return "год"
    return "года" if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else "лет"


def of_article(article: dict[str, Any], *, is_archive_source: bool) -> Term:
    """The term an article gives such an organization."""
    if not is_archive_source and article["other_kind"] is not None:
        return Term(
            article["other_kind"], article["other_years"], bool(article["other_needs_decision"])
        )
    return Term(article["term_kind"], article["years"], article["needs_decision"])


def is_shorter(asked: Term, least: Term) -> bool:
    """Would `asked` let go of a case earlier than `least` does, or without the decision it wants?

    Terms that hang on an event are only equal to themselves; anything fixed that outlives
    everything is longer.
    """
    if asked.kind == "permanent":
        return False
    if least.kind in ("permanent", "until_liquidation"):
        return asked.kind != least.kind
    if least.needs_decision and not asked.needs_decision:
        return asked.kind == "years"
    if asked.kind == "until_liquidation":
        return False
    if asked.kind == least.kind == "years":
        return (asked.years or 0) < (least.years or 0)
    return asked.kind != least.kind


def expires_on(term: Term, *, closed_on: date) -> date | None:
    """The first day on which it may be destroyed; None where no day can be told.

    Closed on 3 February 2026 and kept for 5 years: 1 January 2032.
    """
    if term.years is None:
        return None
    return date(closed_on.year + 1 + term.years, 1, 1)


def group(term_kind: str, years: int | None) -> Literal["permanent", "long", "short"]:
    """The row of the final note a case is counted in (итоговая запись)."""
    if term_kind in ("permanent", "until_liquidation"):
        return "permanent"
    return "long" if (years or 0) > LONG else "short"
