"""The states of nodes, of what they send us and of what we tell them, as data; pure."""

from collections.abc import Mapping
from enum import StrEnum

CHANNEL = "node"


class NodeStatus(StrEnum):
    """Whether anything is exchanged with a node (состояние узла)."""

    OWN = "own"
    """this installation"""
    WAITING = "waiting"
    """its key waits for an administrator's confirmation (ждёт подтверждения)"""
    ACTIVE = "active"
    """messages go and come (действует)"""
    SUSPENDED = "suspended"
    """an administrator has stopped the exchange (приостановлен)"""


N = NodeStatus

NODE_TRANSITIONS: Mapping[NodeStatus, frozenset[NodeStatus]] = {
    N.OWN: frozenset(),
    N.WAITING: frozenset({N.ACTIVE, N.SUSPENDED}),
    N.ACTIVE: frozenset({N.SUSPENDED}),
    N.SUSPENDED: frozenset({N.ACTIVE}),
}


class MessageStatus(StrEnum):
    """What we answered a message with (состояние входящего сообщения)."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """not taken; sent again under its uid it is judged anew"""


MESSAGE_TRANSITIONS: Mapping[MessageStatus, frozenset[MessageStatus]] = {
    MessageStatus.ACCEPTED: frozenset(),
    MessageStatus.REFUSED: frozenset({MessageStatus.ACCEPTED, MessageStatus.REFUSED}),
}


class NoteStatus(StrEnum):
    """Where a note to a node stands (состояние служебного сообщения)."""

    WAITING = "waiting"
    """goes out, or is tried again at its time"""
    DONE = "done"
    """the node has committed it and said so"""
    FAILED = "failed"
    """refused there, or silent past its limit; waits for a person"""
    VOID = "void"
    """a newer one says it all"""


W = NoteStatus

NOTE_TRANSITIONS: Mapping[NoteStatus, frozenset[NoteStatus]] = {
    W.WAITING: frozenset({W.DONE, W.FAILED, W.VOID}),
    W.FAILED: frozenset({W.WAITING, W.VOID}),
    W.DONE: frozenset(),
    W.VOID: frozenset(),
}


class ConflictStatus(StrEnum):
    """Where a dispute over an organization stands (состояние спора о размещении)."""

    OPEN = "open"
    DECIDED = "decided"
    """an administrator has decided; the same claim does not open it again"""
    WITHDRAWN = "withdrawn"
    """one of the two does not claim it any more"""


C = ConflictStatus

CONFLICT_TRANSITIONS: Mapping[ConflictStatus, frozenset[ConflictStatus]] = {
    C.OPEN: frozenset({C.DECIDED, C.WITHDRAWN}),
    C.DECIDED: frozenset({C.WITHDRAWN}),
    C.WITHDRAWN: frozenset(),
}
