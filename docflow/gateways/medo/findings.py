"""Remarks on a message, gathered while it is read; their words are in `words.toml`."""

import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from docflow.gateways.medo.messages import Finding

_MOST = 200
_LONGEST = 200


@lru_cache(maxsize=1)
def words() -> dict[str, tuple[str, str]]:
    """Russian and English by code."""
    text = Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
    return {code: (ru, en) for code, (ru, en) in tomllib.loads(text).items()}


def finding(code: str, where: str = "", **facts: object) -> Finding:
    """The remark of this code, its words filled in with facts cut to a length people read."""
    ru, en = words()[code]
    shown = {name: _shown(fact) for name, fact in facts.items()}
    return Finding(code=code, ru=ru.format(**shown), en=en.format(**shown), where=_shown(where))


def _shown(fact: object) -> str:
    text = "".join(letter if letter.isprintable() else "�" for letter in str(fact))
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


@dataclass(slots=True)
class Notes:
    """What was noticed so far."""

    warnings: list[Finding] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)
    """Codes of what may be there at the next look."""

    def warn(self, code: str, where: str = "", **facts: object) -> None:
        """Read in spite of it."""
        _add(self.warnings, code, where, **facts)

    def refuse(self, code: str, where: str = "", **facts: object) -> None:
        """It stands against taking the message in."""
        _add(self.errors, code, where, **facts)

    def lack(self, code: str) -> None:
        """The folder may still be on its way."""
        if code not in self.lacks:
            self.lacks.append(code)


def _add(into: list[Finding], code: str, where: str, **facts: object) -> None:
    if len(into) < _MOST:
        into.append(finding(code, where, **facts))
    elif len(into) == _MOST:
        into.append(finding("too_many_findings"))
