"""The way of one МЭДО message, as data; pure."""

from collections.abc import Mapping
from enum import StrEnum


class MessageStatus(StrEnum):
    """Where a message stands (состояние сообщения МЭДО)."""

    WAITING = "waiting"
    """has its uid, is not in the transport's folder yet (ждёт отправки)"""
    BLOCKED = "blocked"
    """cannot go until a person does something; the reason says what (остановлено)"""
    CANCELLED = "cancelled"
    """recalled before it went (отменено)"""
    SENT = "sent"
    """in the transport's folder, no receipt yet (отправлено)"""
    DELIVERED = "delivered"
    """their transport has it (доставлено)"""
    REGISTERED = "registered"
    """their office gave it a number (зарегистрировано адресатом)"""
    ANSWERED = "answered"
    """their letter in answer has come (получен ответ)"""
    REFUSED = "refused"
    """their office does not register it (отказано в регистрации)"""
    FAILED = "failed"
    """a receipt says that it was not delivered (не доставлено)"""
    TAKEN = "taken"
    """received and entered as a document (принято)"""
    QUARANTINED = "quarantined"
    """received and kept, waits for a person; the reason says why (карантин)"""
    RESTRICTED = "restricted"
    """marked as restricted: put apart unread (ограниченного распространения)"""
    DUPLICATE = "duplicate"
    """the same message came before (повтор)"""
    MATCHED = "matched"
    """an answer of transport or office to something we sent (сопоставлено)"""
    UNMATCHED = "unmatched"
    """answers nothing we know of (не сопоставлено)"""
    RETURNED = "returned"
    """we refused to take it in (возвращено отправителю)"""


S = MessageStatus

TRANSITIONS: Mapping[MessageStatus, frozenset[MessageStatus]] = {
    S.WAITING: frozenset({S.SENT, S.BLOCKED, S.CANCELLED}),
    S.BLOCKED: frozenset({S.WAITING, S.CANCELLED}),
    S.CANCELLED: frozenset(),
    S.SENT: frozenset({S.DELIVERED, S.REGISTERED, S.ANSWERED, S.REFUSED, S.FAILED}),
    S.DELIVERED: frozenset({S.REGISTERED, S.ANSWERED, S.REFUSED}),
    S.REGISTERED: frozenset({S.ANSWERED}),
    S.FAILED: frozenset({S.WAITING, S.DELIVERED, S.REGISTERED, S.ANSWERED, S.REFUSED}),
    S.ANSWERED: frozenset(),
    S.REFUSED: frozenset(),
    S.TAKEN: frozenset(),
    S.QUARANTINED: frozenset({S.TAKEN, S.MATCHED, S.RETURNED}),
    S.RESTRICTED: frozenset(),
    S.DUPLICATE: frozenset(),
    S.MATCHED: frozenset(),
    S.UNMATCHED: frozenset({S.MATCHED}),
    S.RETURNED: frozenset(),
}
"""A late word counts: a body may register what a receipt called undeliverable."""

CHANNEL = "medo"
