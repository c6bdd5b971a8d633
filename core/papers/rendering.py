"""Templates and data in, PDF/A-2b (ISO 19005-2) out."""

import asyncio
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from core.errors import InvalidInput
from core.papers.forms import FORMS, Paper
from core.sandbox import pool

_TEMPLATES = Path(__file__).parent / "templates"
_LISTS = ("control_list", "evidence_register", "case_plan", "case_inventory", "destruction_act")
_SECONDS = 120.0
_UNDATED = datetime(2000, 1, 1, tzinfo=UTC)


async def render(
    template: str, data: dict[str, Any] | Paper, *, made_at: datetime | None = None
) -> bytes:
    """A paper as PDF/A-2b with its fonts embedded; the same input gives the same bytes.

    `made_at` is the time of creation written into the file; PDF/A demands one, so without it a
    fixed date stands there. Runs in a thread. Raises InvalidInput when `data` does not fit.
    """
    paper = _checked(template, data)
    return await asyncio.to_thread(_compiled, template, paper, made_at or _UNDATED)


async def render_apart(template: str, data: dict[str, Any] | Paper, *, made_at: datetime) -> bytes:
    """The same in another process, for papers of thousands of lines.

    The typesetter keeps what it needed: only the end of a process gives that memory back, and the
    sandbox ends processes that have grown.
    """
    paper = msgspec.json.encode(_checked(template, data))
    printed: bytes = await pool().run(
        "core.papers.rendering:press", template, paper, made_at.isoformat(), timeout=_SECONDS
    )
    return bytes(printed)


def press(template: str, paper: bytes, made_at: str) -> bytes:
    """What `render_apart` runs in the other process."""
    data = msgspec.json.decode(paper, type=FORMS[template])
    return _compiled(template, data, datetime.fromisoformat(made_at))


def _checked(template: str, data: dict[str, Any] | Paper) -> Paper:
    if template not in FORMS:
        raise InvalidInput(
            "Такого бланка нет. Выберите один из имеющихся.",
            "No such template. Choose one of those there are.",
            code="unknown_template",
            template=template,
            known=sorted(FORMS),
        )
    try:
        # Checked and completed here, so that a template never meets a missing value.
        return msgspec.convert(msgspec.to_builtins(data), FORMS[template])
    except msgspec.ValidationError as problem:
        raise InvalidInput(
            "Не хватает данных для бланка. Заполните названное поле и повторите.",
            "The template lacks data. Fill in the named field and try again.",
            code="paper_data",
            problem=str(problem),
        ) from problem


def _compiled(template: str, paper: Paper, made_at: datetime) -> bytes:
    # Seven megabytes that only a process which prints papers needs.
    import typst  # noqa: PLC0415 - as said above

    result: bytes = typst.compile(
        _TEMPLATES / f"{template}.typ",
        root=_TEMPLATES,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        # As JSON among the inputs, never inside the source: a text cannot become code.
        sys_inputs={"data": msgspec.json.encode(paper).decode()},
        pdf_standards=["a-2b"],
        # Level b asks for no tags, and they make a list of thousands of rows five times as large.
        pdf_tags=template not in _LISTS,
        timestamp=int(made_at.timestamp()),
    )
    return result


@lru_cache(maxsize=1)
def _fonts() -> Any:
    """The fonts inside the typst package (Libertinus Serif has Cyrillic), none of the machine."""
    import typst  # noqa: PLC0415 - see `_compiled`

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
