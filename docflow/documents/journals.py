"""Journals (журналы регистрации) and the numbers they give: never twice, never with a hole.

A journal has a template and a scope. The scope names the variables that start the count anew:
``{year}`` for «01-12/345», the sitting for «20-1» and «24-1-Р», the convocation for «VII-4».
"""

import re
import uuid
from collections.abc import Mapping
from datetime import date

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound

VARIABLES = frozenset({"n", "year", "yy", "index", "sitting", "convocation"})
"""`n` is the number the journal counts; the others are given or follow from the date."""

_PLACE = re.compile(r"\{(\w+)(?::(roman|0[1-9]))?\}")
_VALUE = re.compile(r"[0-9A-Za-zА-Яа-яЁё./-]{1,20}")

DEFAULTS = (
    ("out", "Исходящие документы", "out", "{index}/{n}",
     ("letter", "circular", "appeal", "report", "extract")),
    ("in", "Входящие документы", "in", "вх-{n}", ("*",)),
    ("internal", "Внутренние документы", "internal", "{n}", ("order", "minutes")),
    ("decisions", "Постановления", "internal", "{sitting}-{n}", ("resolution",)),
)  # fmt: skip
"""What an organization starts with; its clerks may open others."""


async def open_journal(
    actor: Actor, *, code: str, title: str, direction: str, kinds: list[str], template: str,
    scope: list[str],
) -> uuid.UUID:  # fmt: skip
    """Open a journal of the actor's organization.

    `template` is text with ``{n}`` once and any of `VARIABLES`, ``{convocation:roman}`` for Roman
    figures, ``{n:04}`` for leading zeros. Raises `template_invalid` saying what is wrong with it.
    """
    actor.require("administrator", "clerk")
    _check_template(template, scope)
    if direction not in ("in", "out", "internal"):
        raise InvalidInput(code="unknown_value", field="direction")
    journal_id = clock.new_id()
    async with db.transaction():
        added = await db.execute(
            """INSERT INTO journal (id, organization_id, code, title, direction, kinds, template,
                                    scope, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING""",
            journal_id, actor.home_id, code, title, direction, kinds, template, scope, clock.now(),
        )  # fmt: skip
        if not added:
            raise Conflict(
                f"Журнал с кодом «{code}» уже есть.",
                f"There is a journal with the code {code!r} already.",
                code="journal_exists",
            )
        await events.record(
            actor, "journal.opened", subject=("journal", journal_id),
            data={"template": template, "scope": scope, "kinds": kinds},
        )  # fmt: skip
    return journal_id


async def journals_of(organization_id: uuid.UUID) -> list[db.Row]:
    """The journals of an organization with the last number given in each count."""
    return await db.rows(
        """SELECT j.id, j.code, j.title, j.direction, j.kinds, j.template, j.scope, j.is_open,
                  coalesce(sum(c.last_ordinal), 0)::integer AS numbers
           FROM journal AS j LEFT JOIN journal_counter AS c ON c.journal_id = j.id
           WHERE j.organization_id = $1 GROUP BY j.id ORDER BY j.code""",
        organization_id,
    )  # fmt: skip


async def journal_for(organization_id: uuid.UUID, *, direction: str, kind: str) -> db.Row:
    """The open journal that numbers such documents; the default ones appear at first use.

    Raises `journal_ambiguous` when several fit: then the clerk names one.
    """
    found = await _fitting(organization_id, direction, kind)
    if not found:
        await db.execute_many(
            """INSERT INTO journal (id, organization_id, code, title, direction, kinds, template,
                                    scope, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING""",
            [
                (clock.new_id(), organization_id, code, title, way, list(kinds), template,
                 ["year", "sitting"] if "{sitting}" in template else ["year"], clock.now())
                for code, title, way, template, kinds in DEFAULTS
            ],
        )  # fmt: skip
        found = await _fitting(organization_id, direction, kind)
    if len(found) != 1:
        raise InvalidInput(
            "Подходит несколько журналов или ни одного. Укажите журнал.",
            "Several journals fit, or none. Name the journal.",
            code="journal_ambiguous",
            journals=[row["code"] for row in found],
        )
    return found[0]


async def _fitting(organization_id: uuid.UUID, direction: str, kind: str) -> list[db.Row]:
    """Journals made for this kind by name; those for every kind only where there is none."""
    found = await db.rows(
        """SELECT * FROM journal WHERE organization_id = $1 AND direction = $2 AND is_open
           AND ($3 = ANY(kinds) OR '*' = ANY(kinds)) ORDER BY code""",
        organization_id, direction, kind,
    )  # fmt: skip
    named = [row for row in found if kind in row["kinds"]]
    return named or found


async def journal(organization_id: uuid.UUID, journal_id: uuid.UUID) -> db.Row:
    """One open journal of the organization."""
    found = await db.row(
        "SELECT * FROM journal WHERE id = $1 AND organization_id = $2", journal_id, organization_id
    )
    if found is None:
        raise NotFound(journal_id=str(journal_id))
    if not found["is_open"]:
        raise Conflict("Журнал закрыт.", "The journal is closed.", code="journal_closed")
    return found


async def take_number(
    chosen: db.Row, *, on: date, variables: Mapping[str, str]
) -> tuple[str, int, str]:
    """The next number of a journal: (period, ordinal, number).

    Belongs inside the transaction that registers: the counter's row is held until it ends, so
    that numbers come in the order of commits, and a rollback gives its number back (rule 4).
    """
    known = {"year": str(on.year), "yy": f"{on.year % 100:02}", "index": "01-01", **variables}
    for name, text in known.items():
        if name not in VARIABLES - {"n"} or not _VALUE.fullmatch(text):
            raise InvalidInput(
                f"Переменная номера {name}: недопустимое значение «{text}».",
                f"Number variable {name}: value {text!r} is not allowed.",
                code="number_variable",
                field=name,
            )
    needed = {name for name, _ in _PLACE.findall(chosen["template"])} | set(chosen["scope"])
    if missing := sorted(needed - set(known) - {"n"}):
        raise InvalidInput(
            f"Для номера укажите: {', '.join(missing)}.",
            f"The number needs: {', '.join(missing)}.",
            code="number_variable_missing",
            fields=missing,
        )
    period = "/".join(f"{name}={known[name]}" for name in chosen["scope"]) or "all"
    ordinal = await db.value(
        """INSERT INTO journal_counter AS c (journal_id, period, last_ordinal) VALUES ($1, $2, 1)
           ON CONFLICT (journal_id, period) DO UPDATE SET last_ordinal = c.last_ordinal + 1
           RETURNING last_ordinal""",
        chosen["id"], period,
    )  # fmt: skip
    return period, ordinal, render(chosen["template"], {**known, "n": str(ordinal)})


def render(template: str, values: Mapping[str, str]) -> str:
    """The number a template gives for these values."""

    def place(found: re.Match[str]) -> str:
        text, form = values[found[1]], found[2]
        if form == "roman":
            return roman(int(text)) if text.isdigit() else text
        return text.zfill(int(form)) if form else text

    return _PLACE.sub(place, template)


def roman(number: int) -> str:
    """Roman figures, as convocations of councils are counted («VII»)."""
    if not 0 < number < 4000:
        raise InvalidInput(code="number_variable", field="convocation")
    steps = (
        (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
        (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
    )  # fmt: skip
    text = ""
    for size, figure in steps:
        count, number = divmod(number, size)
        text += figure * count
    return text


def _check_template(template: str, scope: list[str]) -> None:
    names = [name for name, _ in _PLACE.findall(template)]
    rest = _PLACE.sub("", template)
    sound = (
        names.count("n") == 1
        and set(names) <= VARIABLES
        and "{" not in rest
        and "}" not in rest
        and len(template) <= 60
        and set(scope) <= VARIABLES - {"n"}
        # Two counts must never give the same number: what restarts the count is in the number,
        # but for the year, which stands beside it as the date.
        and set(scope) - {"year"} <= set(names)
    )
    if not sound:
        raise InvalidInput(
            "Шаблон номера: ровно одно {n}; прочие переменные: year, yy, index, sitting, "
            "convocation; всё, что начинает счёт заново, кроме года, должно входить в номер.",
            "Number template: {n} exactly once; other variables: year, yy, index, sitting, "
            "convocation; what restarts the count, but for the year, must be in the number.",
            code="template_invalid",
            field="template",
        )
