"""What an act of erasure can be, on what grounds data is erased and how fast; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ErasureStatus(StrEnum):
    """How far an act is."""

    PROPOSED = "proposed"
    """waits for the commission"""
    APPROVED = "approved"
    """waits for its execution, or for a legal hold to be lifted"""
    EXECUTING = "executing"
    DONE = "done"
    CANCELLED = "cancelled"


S = ErasureStatus

TRANSITIONS: Mapping[ErasureStatus, frozenset[ErasureStatus]] = {
    S.PROPOSED: frozenset({S.APPROVED, S.CANCELLED}),
    S.APPROVED: frozenset({S.EXECUTING, S.CANCELLED}),
    S.EXECUTING: frozenset({S.DONE}),
    S.DONE: frozenset(),
    S.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Term:
    """How many days the law gives, and which."""

    days: int
    is_working: bool
    source: str
    ru: str
    en: str


ERASE: Mapping[str, Term] = {
    "unlawful": Term(
        10, True, "152-ФЗ, ст. 21 ч. 3",
        "неправомерная обработка", "the data was processed unlawfully",
    ),
    "purpose_reached": Term(
        30, False, "152-ФЗ, ст. 21 ч. 4",
        "цель обработки достигнута", "the purpose has been reached",
    ),
    "consent_withdrawn": Term(
        30, False, "152-ФЗ, ст. 21 ч. 5",
        "согласие отозвано", "the consent was withdrawn",
    ),
    "not_needed": Term(
        7, True, "152-ФЗ, ст. 14 ч. 1, ст. 20 ч. 3",
        "данные получены незаконно или не нужны для заявленной цели",
        "the data was obtained unlawfully or is not needed for its purpose",
    ),
    "ceased": Term(
        10, True, "152-ФЗ, ст. 21 ч. 5.1",
        "субъект потребовал прекратить обработку", "the person demanded that processing stop",
    ),
}  # fmt: skip
"""Grounds of erasure with their terms; a lawyer has to confirm them for each edition of the law."""


REQUESTS: Mapping[str, Term] = {
    "access": Term(
        10, True, "152-ФЗ, ст. 20 ч. 1", "все сведения обо мне", "everything about me",
    ),
    "correct": Term(
        7, True, "152-ФЗ, ст. 20 ч. 3", "исправить сведения", "correct the data",
    ),
    "erase": Term(
        7, True, "152-ФЗ, ст. 20 ч. 3", "удалить сведения", "erase the data",
    ),
    "stop": Term(
        10, True, "152-ФЗ, ст. 21 ч. 5.1", "прекратить обработку", "stop processing",
    ),
    "withdraw": Term(
        30, False, "152-ФЗ, ст. 21 ч. 5", "отозвать согласие", "withdraw the consent",
    ),
}  # fmt: skip
"""What a person may ask for, with the term of the answer; to be confirmed for each edition."""

EXTENDED = Term(
    5, True, "152-ФЗ, ст. 20 ч. 1, ст. 21 ч. 5.1", "продление с уведомлением", "prolonged by notice"
)
MAY_EXTEND = frozenset({"access", "stop"})


class RequestStatus(StrEnum):
    """How far a request is."""

    OPEN = "open"
    ANSWERED = "answered"
    REFUSED = "refused"


R = RequestStatus

REQUEST_TRANSITIONS: Mapping[RequestStatus, frozenset[RequestStatus]] = {
    R.OPEN: frozenset({R.ANSWERED, R.REFUSED}),
    R.ANSWERED: frozenset(),
    R.REFUSED: frozenset(),
}
