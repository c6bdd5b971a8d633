"""Nothing gets stuck silently: what is said of every state in which something can stay.

Each room says of its tables with a status which states are ends, in which a thing may rest for
ever, and for all others who has to act, until when, which job moves it on or tells, and the SQL
that finds what stayed too long. A test reads the schema and holds that no state was forgotten.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from core.actor import Actor

Owner = Literal[
    "service", "sender", "author", "signatory", "relay", "recipient", "administrator", "lawyer",
    "editor",
]  # fmt: skip

OWNERS: Mapping[Owner, tuple[str, str]] = {
    "service": ("служба сама", "the service itself"),
    "sender": ("делопроизводитель отправителя", "the sender's clerk"),
    "author": ("делопроизводитель автора", "the author's clerk"),
    "signatory": ("подписант", "the signatory"),
    "relay": ("канцелярия, через которую идёт документ", "the chancery on the way"),
    "recipient": ("получатель", "the recipient"),
    "administrator": ("администратор", "an administrator"),
    "lawyer": ("юрист", "a lawyer"),
    "editor": ("редактор", "the editor"),
}
"""Who has to act, for people."""

Retry = Callable[[Actor, uuid.UUID], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Watch:
    """A way to stay too long in some states (наблюдение)."""

    code: str
    """Stable name: in the API, on the page, in the metrics."""
    states: tuple[str, ...]
    ru: str
    """What it is and what to do."""
    en: str
    owner: Owner
    limit: timedelta | str
    """After so long it is stuck; or the column that holds the moment or day."""
    sweep: str
    """The job that moves it on or tells; its name in `core.jobs.JOBS`."""
    sql: str = ""
    """Finds the stuck: ``id, organization_id, document_id, since, code, note, next_at``; ``$1`` is
    now, ``$2`` the limit as an interval (null for a column). Empty: seen elsewhere, see `seen`."""
    seen: str = ""
    """Where people see it, when it is not in the list of stuck things (a list of its own)."""
    retry: Retry | None = None
    """What a person can do about it there and then."""
    may_retry: tuple[str, ...] = ("clerk", "administrator")
    """Roles that are offered it; the verb itself decides."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A table whose rows move through states (машина состояний)."""

    table: str
    ends: frozenset[str]
    column: str = "status"
    rests: Mapping[str, str] = field(default_factory=dict)
    """States that are no end, yet nothing is due in them: state → why."""
    watches: tuple[Watch, ...] = ()


def said_of(machine: Machine) -> list[str]:
    """Every state that something is said of, repeated when two things are."""
    return [
        *machine.ends, *machine.rests,
        *{state for watch in machine.watches for state in watch.states},
    ]  # fmt: skip
