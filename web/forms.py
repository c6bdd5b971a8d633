"""What people filled in, made into what the verbs take."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias

from multidict import MultiMapping

from core.errors import InvalidInput
from directory.selection import Selector
from directory.states import OrganizationKind
from docflow.documents.cards import CardInput
from docflow.documents.kinds import kind_of
from docflow.routing.dispatch import DispatchInput
from web import words
from web.pages import id_of

OF_CARD = frozenset({"addressee", "due_on", "file_index"})
"""Required fields that stand in the card itself; the others go into `fields`."""


NOT_SHOWN = ("origin", "signatory_id", "executor_id", "received_number", "received_date")
"""Fields of the card that programs fill and the form leaves alone."""

Fields: TypeAlias = MultiMapping[Any]
"""A form or a query: names with one value or several."""


def day(text: str | None, *, field: str) -> date | None:
    """A date as browsers send it (ISO) or as people write it (dd.mm.yyyy)."""
    given = (text or "").strip()
    if not given:
        return None
    try:
        if "." in given:
            numbers = [int(part) for part in given.split(".")]
            return date(numbers[2], numbers[1], numbers[0])
        return date.fromisoformat(given)
    except (ValueError, IndexError):
        raise InvalidInput(
            f"Дата «{given}» не распознана. Запишите её так: 31.12.2026.",
            f"The date {given!r} is not understood. Write it as 31.12.2026.",
            code="bad_date", field=field,
        ) from None  # fmt: skip


def extra_fields(kind: str) -> Sequence[str]:
    """Fields a kind requires beyond the common ones."""
    return [name for name in kind_of(kind).required if name not in {*OF_CARD, "executor_id"}]


def card(
    fields: Mapping[str, str], *, kind: str, known: Mapping[str, Any] | None = None
) -> CardInput:
    """The card as the form has it; what the form does not show stays as `known` has it."""
    shown = {name: fields.get(name, "").strip() for name in extra_fields(kind)}
    hidden = known or {}
    kept = {name: hidden[name] for name in NOT_SHOWN if name in hidden}
    return CardInput(
        kind=kind,
        title=fields.get("title", ""),
        addressee=fields.get("addressee", "").strip(),
        mark="dsp" if fields.get("mark") == "dsp" else "none",
        due_on=day(fields.get("due_on"), field="due_on"),
        file_index=fields.get("file_index", "").strip() or None,
        fields={**hidden.get("fields", {}), **shown},
        **kept,
    )


def wanted(fields: Fields, *, home: uuid.UUID) -> DispatchInput:
    """Recipients, way and deadlines as the form has them."""
    try:
        kinds = tuple(OrganizationKind(one) for one in fields.getall("kinds", []))
    except ValueError:
        raise InvalidInput(code="unknown_level", field="kinds") from None
    selector = Selector(
        subtree_of=home if fields.get("subtree") else None,
        kinds=kinds,
        districts=tuple(fields.getall("districts", [])),
        regions=tuple(str(fields.get("regions") or "").replace(",", " ").split()),
        include=tuple(one for text in fields.getall("include", []) if (one := id_of(text))),
    )
    deadlines = {
        level: chosen
        for level in words.LEVELS
        if (chosen := day(fields.get(f"due_{level}"), field=f"due_{level}"))
    }
    return DispatchInput(
        selector=selector,
        mode="chancery" if fields.get("mode") == "chancery" else "direct",
        deadlines=deadlines,
        urgent=bool(fields.get("urgent")),
    )


def is_chosen(fields: Fields) -> bool:
    """Has the form named any recipients yet?"""
    names = ("subtree", "kinds", "districts", "include")
    return any(fields.getall(name, []) for name in names) or bool(fields.get("regions"))
