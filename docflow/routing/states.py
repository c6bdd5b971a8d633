"""The ways of a delivery to its recipient and of a message on its channel, as data; pure."""

from collections.abc import Mapping
from enum import StrEnum


class DeliveryStatus(StrEnum):
    """Where a delivery stands (состояние отправки). Four answers are never mixed: delivered,
    opened, acknowledged, executed.
    """

    AWAITING_RELAY = "awaiting_relay"
    """a chancery above has not passed it on yet (ждёт канцелярию)"""
    QUEUED = "queued"
    """handed to its channel, no word yet (в очереди)"""
    DELIVERED = "delivered"
    """a system says it arrived (доставлено)"""
    OPENED = "opened"
    """somebody there has opened it (открыто)"""
    ACKNOWLEDGED = "acknowledged"
    """a named person has taken note (ознакомлен)"""
    EXECUTED = "executed"
    """answered (исполнено)"""
    REFUSED = "refused"
    """the recipient does not take it, with a reason (отказ)"""
    FAILED = "failed"
    """the channel gave up; waits for a person (не доставлено)"""
    RECALLED = "recalled"
    """taken back by the sender (отозвано)"""
    VOID = "void"
    """the recipient ceased to exist meanwhile (адресат прекращён)"""


D = DeliveryStatus

_ENDED = {D.RECALLED, D.VOID}

TRANSITIONS: Mapping[DeliveryStatus, frozenset[DeliveryStatus]] = {
    D.AWAITING_RELAY: frozenset({D.QUEUED, D.DELIVERED, *_ENDED}),
    D.QUEUED: frozenset({D.DELIVERED, D.ACKNOWLEDGED, D.REFUSED, D.FAILED, *_ENDED}),
    D.DELIVERED: frozenset({D.OPENED, D.ACKNOWLEDGED, D.EXECUTED, D.REFUSED, *_ENDED}),
    D.OPENED: frozenset({D.ACKNOWLEDGED, D.EXECUTED, D.REFUSED, *_ENDED}),
    D.ACKNOWLEDGED: frozenset({D.EXECUTED, *_ENDED}),
    # a receipt that comes after we gave up still counts
    D.FAILED: frozenset({D.QUEUED, D.DELIVERED, D.ACKNOWLEDGED, D.REFUSED, *_ENDED}),
    D.EXECUTED: frozenset(),
    D.REFUSED: frozenset(),
    D.RECALLED: frozenset(),
    D.VOID: frozenset(),
}

FINAL = frozenset(status for status, ways in TRANSITIONS.items() if not ways)

OPEN = frozenset(status for status in D if D.RECALLED in TRANSITIONS[status])
"""What a recall or the end of a recipient still reaches."""

SILENT = (D.AWAITING_RELAY, D.QUEUED, D.DELIVERED, D.OPENED, D.FAILED)
"""Neither acknowledged nor answered: these are asked for when the day has passed."""

ARRIVED = (D.DELIVERED, D.OPENED, D.ACKNOWLEDGED, D.EXECUTED)
"""The recipient has it in hand."""


class ConsignmentStatus(StrEnum):
    """Where a message on an outside channel stands (состояние отправления)."""

    WAITING = "waiting"
    """waits for its turn or its next try (ждёт)"""
    SENDING = "sending"
    """a carrier has it, for as long as its lease runs (отправляется)"""
    SENT = "sent"
    """handed over, the receipt is due (ждёт квитанцию)"""
    DONE = "done"
    """every delivery in it has its answer (завершено)"""
    FAILED = "failed"
    """no channel is left for some of it; waits for a person (ждёт человека)"""
    VOID = "void"
    """nothing in it needs to go any more (не требуется)"""


C = ConsignmentStatus

CONSIGNMENT_TRANSITIONS: Mapping[ConsignmentStatus, frozenset[ConsignmentStatus]] = {
    C.WAITING: frozenset({C.SENDING, C.SENT, C.DONE, C.FAILED, C.VOID}),
    C.SENDING: frozenset({C.WAITING, C.SENT, C.DONE, C.FAILED, C.VOID}),
    C.SENT: frozenset({C.WAITING, C.DONE, C.FAILED, C.VOID}),
    C.FAILED: frozenset({C.WAITING, C.DONE, C.VOID}),
    C.DONE: frozenset(),
    C.VOID: frozenset(),
}
"""A receipt may overtake our own record of the sending, so it is taken in every open state."""


class AttemptStatus(StrEnum):
    """How one try went (попытка)."""

    CLAIMED = "claimed"
    """under way (идёт)"""
    SENT = "sent"
    """handed over (передано)"""
    FAILED = "failed"
    """did not get through, or the process died (не удалась)"""
    REFUSED = "refused"
    """the other side does not take it (отказ)"""


ATTEMPT_TRANSITIONS: Mapping[AttemptStatus, frozenset[AttemptStatus]] = {
    AttemptStatus.CLAIMED: frozenset(
        {AttemptStatus.SENT, AttemptStatus.FAILED, AttemptStatus.REFUSED}
    ),
    AttemptStatus.SENT: frozenset(),
    AttemptStatus.FAILED: frozenset(),
    AttemptStatus.REFUSED: frozenset(),
}


class ProlongationStatus(StrEnum):
    """Where a request for a later day stands (просьба о продлении срока)."""

    PENDING = "pending"
    """waits for the sender; nobody is told above meanwhile (на рассмотрении)"""
    GRANTED = "granted"
    """the delivery has a new day (продлён)"""
    REFUSED = "refused"
    """the old day stays (отказано)"""
    WITHDRAWN = "withdrawn"
    """taken back by who asked (отозвана)"""
    LAPSED = "lapsed"
    """not decided by the day it asked for (не рассмотрена)"""


_P = ProlongationStatus

PROLONGATION_TRANSITIONS: Mapping[ProlongationStatus, frozenset[ProlongationStatus]] = {
    _P.PENDING: frozenset({_P.GRANTED, _P.REFUSED, _P.WITHDRAWN, _P.LAPSED}),
    _P.GRANTED: frozenset(),
    _P.REFUSED: frozenset(),
    _P.WITHDRAWN: frozenset(),
    _P.LAPSED: frozenset(),
}
