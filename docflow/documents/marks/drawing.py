"""Marks as pieces of vector graphics, drawn by Typst with its own fonts."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from docflow.documents.marks.editions import Edition, copy_words

_TEMPLATE = Path(__file__).with_name("mark.typ")
_BREAK = "\u200b"
NOTE_WIDTH = 165
"""Millimetres; the printed width of a sheet of A4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkFacts:
    """One signature as its mark tells it."""

    certificate: str
    """Serial number, hexadecimal."""
    owner: str
    since: date
    until: date


def drawn(
    marks: list[MarkFacts], *, edition: Edition, sha256: str, note_width: float = NOTE_WIDTH
) -> bytes:
    """A PDF of one piece a page: each mark, the note, the label «Копия», the sheet's heading."""
    import typst  # noqa: PLC0415 - seven megabytes that only a copy needs

    words = copy_words()
    data = {
        "title": edition.title,
        "marks": [[_row(line, mark) for line in edition.lines] for mark in marks],
        "ink": edition.look.ink,
        "type": edition.look.type,
        "width": edition.look.width,
        "note": words.note.format(sha256=_breakable(sha256)),
        "note_width": note_width,
        "heading": words.heading,
        "sheet": words.sheet,
    }
    made: bytes = typst.compile(
        _TEMPLATE,
        root=_TEMPLATE.parent,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        # As JSON among the inputs, never inside the source: a name cannot become code.
        sys_inputs={"data": msgspec.json.encode(data).decode()},
    )
    return made


def _row(line: tuple[str, str], mark: MarkFacts) -> list[str]:
    text = line[1].format(
        certificate=_breakable(mark.certificate.upper()),
        owner=_breakable(mark.owner),
        since=f"{mark.since:%d.%m.%Y}",
        until=f"{mark.until:%d.%m.%Y}",
    )
    return [line[0], text]


def _breakable(text: str) -> str:
    """Words longer than a line of the mark may be broken anywhere, short ones stay whole."""
    return " ".join(
        word if len(word) <= 24 else _BREAK.join(word[at : at + 4] for at in range(0, len(word), 4))
        for word in text.split()
    )


@lru_cache(maxsize=1)
def _fonts() -> Any:
    import typst  # noqa: PLC0415 - as above

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
