"""Journals (журналы регистрации) and the numbers they give: never twice, never with a hole.

A journal has a template and a scope. The scope names the variables that start the count anew:
``{year}`` for «01-12/345», the sitting for «20-1» and «24-1-Р», the convocation for «VII-4».
"""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import date

from audit import events
from core import clock, db, idempotency
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from docflow.documents import cards
from docflow.documents.kinds import DOCUMENT_KINDS, kind_of

VARIABLES = frozenset({"n", "year", "yy", "index", "sitting", "convocation"})
"""`n` is the number the journal counts; the others are given or follow from the date."""

_PLACE = re.compile(r"\{(\w+)(?::(roman|0[1-9]))?\}")
_WORD = re.compile(r"[0-9A-Za-zА-Яа-яЁё]{1,20}")
_INDEX = re.compile(r"[0-9A-Za-zА-Яа-яЁё./-]{1,20}")
"""Only the index of the номенклатура has signs between its letters and digits («01-12»)."""
_FIXED = frozenset({"year", "yy"})
"""Always as wide as they are, so that they need no sign beside them."""

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
    scope: list[str], key: str | None = None,
) -> uuid.UUID:  # fmt: skip
    """Open a journal of the actor's organization; the same `key` leads to the same journal.

    `template` is text with ``{n}`` once and any of `VARIABLES`, ``{convocation:roman}`` for Roman
    figures, ``{n:04}`` for leading zeros. Raises `template_invalid` saying what is wrong with it.
    """
    actor.require("administrator", "clerk")
    for name, text, most in (("code", code, 60), ("title", title, 500)):
        cards.require_text(text, most=most, field=name)
        if not text.strip():
            raise InvalidInput(
                f"Заполните поле {name}.", f"Fill in {name}.", code="field_missing", field=name
            )
    if unknown := sorted(set(kinds) - {*DOCUMENT_KINDS, "*"}):
        kind_of(unknown[0])
    _check_template(template, scope)
    if direction not in ("in", "out", "internal"):
        raise InvalidInput(
            "direction: in, out или internal.", "direction: in, out or internal.",
            code="unknown_value", field="direction",
        )  # fmt: skip
    rest = (direction, kinds, template, scope)
    request = idempotency.request_hash("journal", json.dumps([code, title, *rest]))
    journal_id, _ = await idempotency.once(
        scope=actor.home_id, key=key, request=request,
        create=lambda: _open(actor, code, title, rest),
    )  # fmt: skip
    return journal_id


async def _open(
    actor: Actor, code: str, title: str, rest: tuple[str, list[str], str, list[str]]
) -> uuid.UUID:
    _, kinds, template, scope = rest
    journal_id = clock.new_id()
    async with db.transaction():
        added = await db.execute(
            """INSERT INTO journal (id, organization_id, code, title, direction, kinds, template,
                                    scope, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING""",
            journal_id, actor.home_id, code, title, *rest, clock.now(),
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
        form = _INDEX if name == "index" else _WORD
        if name not in VARIABLES - {"n"} or not form.fullmatch(text):
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
    period = _period(chosen, known)
    while True:
        ordinal = await _next_ordinal(chosen["id"], period)
        number = render(chosen["template"], {**known, "n": str(ordinal)})
        if not await _is_lost(chosen["organization_id"], number, on):
            return period, ordinal, number


async def _next_ordinal(journal_id: uuid.UUID, period: str) -> int:
    return int(await db.value(
        """INSERT INTO journal_counter AS c (journal_id, period, last_ordinal) VALUES ($1, $2, 1)
           ON CONFLICT (journal_id, period) DO UPDATE SET last_ordinal = c.last_ordinal + 1
           RETURNING last_ordinal""",
        journal_id, period,
    ))  # fmt: skip


async def _is_lost(organization_id: uuid.UUID, number: str, on: date) -> bool:
    return bool(await db.value(
        """SELECT true FROM number_lost WHERE organization_id = $1 AND number = $2
           AND year = $3""",
        organization_id, number, on.year,
    ))  # fmt: skip


async def mark_lost(organization_id: uuid.UUID, *, number: str, on: date) -> None:
    """A number that others have seen and a restore has lost: it is passed over from now on."""
    await db.execute(
        """INSERT INTO number_lost (organization_id, number, year, created_at)
           VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING""",
        organization_id, number, on.year, clock.now(),
    )  # fmt: skip


def _period(chosen: db.Row, known: Mapping[str, str]) -> str:
    """Which count this is, by what stands in the number: «4» and «IV» may be one convocation."""
    places = {found[1]: found[0] for found in _PLACE.finditer(chosen["template"])}
    shown = {
        name: render(places[name], known) if name in places else known[name]
        for name in chosen["scope"]
    }
    return "/".join(f"{name}={text}" for name, text in shown.items()) or "all"


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
        raise InvalidInput(
            f"Римскими цифрами пишутся числа от 1 до 3999, а не {number}.",
            f"Roman figures are for 1 to 3999, not {number}.",
            code="number_variable",
            field="convocation",
        )
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
        and _is_unambiguous(template)
    )
    if not sound:
        raise InvalidInput(
            "Шаблон номера: ровно одно {n}; прочие переменные: year, yy, index, sitting, "
            "convocation; всё, что начинает счёт заново, кроме года, должно входить в номер; между "
            "переменными нужен знак: «{sitting}-{n}».",
            "Number template: {n} exactly once; other variables: year, yy, index, sitting, "
            "convocation; what restarts the count, but for the year, must be in the number; "
            "variables need a sign between them: {sitting}-{n}.",
            code="template_invalid",
            field="template",
        )


def _is_unambiguous(template: str) -> bool:
    """Can a number be read in one way only? «1» and «11» must not meet «11» and «1» in «111»."""
    bare = _PLACE.sub(lambda found: "" if found[1] in _FIXED else "\0", template)
    between = bare.split("\0")[1:-1]
    names = [name for name, _ in _PLACE.findall(template)]
    is_apart = all(any(not sign.isalnum() for sign in text) for text in between)
    return is_apart and names.count("index") <= 1
