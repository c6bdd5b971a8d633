"""The life of a document, as data; pure."""

from collections.abc import Mapping
from enum import StrEnum


class DocumentStatus(StrEnum):
    """Where a document stands (состояние документа)."""

    DRAFT = "draft"
    """being written (проект)"""
    SIGNING = "signing"
    """waits for a signature (на подписании)"""
    SIGNED = "signed"
    """every signature its kind asks for is there (подписан)"""
    REGISTERED = "registered"
    """has its number; content and card are frozen (зарегистрирован)"""
    SENT = "sent"
    """dispatched to recipients (отправлен)"""
    CLOSED = "closed"
    """filed (в деле)"""
    RECALLED = "recalled"
    """taken back by its sender; number and trace stay (отозван)"""
    DISCARDED = "discarded"
    """a draft given up before it had a number (снят)"""
    DESTROYED = "destroyed"
    """destroyed by an act; only number, date and act are left (уничтожен по акту)"""


S = DocumentStatus

TRANSITIONS: Mapping[DocumentStatus, frozenset[DocumentStatus]] = {
    S.DRAFT: frozenset({S.SIGNING, S.SIGNED, S.REGISTERED, S.DISCARDED}),
    S.SIGNING: frozenset({S.DRAFT, S.SIGNED, S.DISCARDED}),
    S.SIGNED: frozenset({S.DRAFT, S.REGISTERED, S.DISCARDED}),
    S.REGISTERED: frozenset({S.SENT, S.CLOSED, S.RECALLED}),
    S.SENT: frozenset({S.CLOSED, S.RECALLED}),
    S.CLOSED: frozenset({S.DESTROYED}),
    S.RECALLED: frozenset({S.DESTROYED}),
    S.DISCARDED: frozenset(),
    S.DESTROYED: frozenset(),
}

EDITABLE = frozenset({S.DRAFT})
"""Only a draft's card and files change; later a correction is a document of its own."""

NUMBERED = frozenset({S.REGISTERED, S.SENT, S.CLOSED, S.RECALLED, S.DESTROYED})


class SessionStatus(StrEnum):
    """Where a signing session stands (сеанс подписания)."""

    OPEN = "open"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


SESSION_TRANSITIONS: Mapping[SessionStatus, frozenset[SessionStatus]] = {
    SessionStatus.OPEN: frozenset(
        {SessionStatus.FINISHED, SessionStatus.CANCELLED, SessionStatus.EXPIRED}
    ),
    SessionStatus.FINISHED: frozenset(),
    SessionStatus.CANCELLED: frozenset(),
    SessionStatus.EXPIRED: frozenset(),
}


class StepStatus(StrEnum):
    """Where one expected signature stands (этап подписания)."""

    WAITING = "waiting"
    """its turn has not come"""
    DUE = "due"
    """may be signed now"""
    SIGNED = "signed"
    SKIPPED = "skipped"
    """the document was signed without it"""


STEP_TRANSITIONS: Mapping[StepStatus, frozenset[StepStatus]] = {
    StepStatus.WAITING: frozenset({StepStatus.DUE, StepStatus.SKIPPED}),
    StepStatus.DUE: frozenset({StepStatus.SIGNED, StepStatus.WAITING, StepStatus.SKIPPED}),
    StepStatus.SIGNED: frozenset({StepStatus.WAITING}),
    StepStatus.SKIPPED: frozenset(),
}
