"""The way of one delivery to one recipient, as data; pure."""

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
    D.FAILED: frozenset({D.QUEUED, *_ENDED}),
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
