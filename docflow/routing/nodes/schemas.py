"""What nodes, disputes and recounts look like to administrators and clerks."""

import uuid
from datetime import date as Day
from datetime import datetime

import msgspec

from directory.selection import Selector


class NodeInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Our name and the address at which other nodes reach us."""

    name: str
    base_url: str


class PeerInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where another node answers; `allow_private`: in one's own network."""

    base_url: str
    allow_private: bool = False


class FingerprintInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fingerprint the other side's administrator has read out."""

    fingerprint: str


class RotationInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when the new key signs; a week from now when left out."""

    starts_at: datetime | None = None


class ServeInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which organizations live with this node."""

    selector: Selector


class ReleaseInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which organizations do not live here any more."""

    organizations: tuple[uuid.UUID, ...]


class DecisionInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With which of the two nodes the organization lives."""

    for_node: uuid.UUID


class ReconcileInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The moment of the backup this installation was restored from."""

    since: datetime


class ReconcileView(msgspec.Struct, frozen=True):
    """Messages both know, those only the other knows, what it sends and tells again."""

    known: int
    lost: int
    again: int
    reports: int
    is_complete: bool


class LostView(msgspec.Struct, frozen=True):
    """A message of ours that another node has and we do not know."""

    node_id: uuid.UUID
    node: str
    uid: uuid.UUID
    document_id: uuid.UUID
    organization_id: uuid.UUID | None
    number: str
    date: Day | None
    title: str
    recipients: int
    committed_at: datetime | None


class NodeMade(msgspec.Struct, frozen=True):
    """The node's id and the fingerprints to compare."""

    id: uuid.UUID
    fingerprints: list[str]


class Fingerprint(msgspec.Struct, frozen=True):
    """The fingerprint of a new key."""

    fingerprint: str


class KeyView(msgspec.Struct, frozen=True):
    """A key of a node and its term."""

    kid: str
    fingerprint: str
    valid_from: datetime
    valid_to: datetime
    confirmed_at: datetime | None
    revoked_at: datetime | None


class NodeView(msgspec.Struct, frozen=True):
    """A node: ours has the status `own`."""

    id: uuid.UUID
    name: str
    base_url: str
    status: str
    versions: list[int]
    allow_private: bool
    statement_number: int
    statement_at: datetime | None
    heard_at: datetime | None
    residents: int
    keys: list[KeyView]


class Number(msgspec.Struct, frozen=True):
    """How many organizations it concerned."""

    organizations: int


class ConflictView(msgspec.Struct, frozen=True):
    """An organization that two nodes say lives with them."""

    id: uuid.UUID
    organization_id: uuid.UUID
    code: str
    name: str
    holder_id: uuid.UUID
    holder: str
    claimant_id: uuid.UUID
    claimant: str
    status: str
    decided_for: uuid.UUID | None
    created_at: datetime


class NoteView(msgspec.Struct, frozen=True):
    """A note to a node that waits, with the reason and the next try."""

    id: uuid.UUID
    node_id: uuid.UUID
    node: str
    kind: str
    document_id: uuid.UUID | None
    status: str
    attempts: int
    next_attempt_at: datetime
    limit_at: datetime
    error_code: str | None
    error: str | None
    created_at: datetime


class RecountView(msgspec.Struct, frozen=True):
    """Recipients by state, counted from signed receipts and events, beside the control list."""

    recipients: int
    receipts: int
    unsound: int
    from_receipts: dict[str, int]
    from_deliveries: dict[str, int]
    agree: bool
    differences: list[uuid.UUID]
