"""What nodes tell each other, as JSON; described for other programs in docs/node.md.

Members that are not known here are passed over, so that a younger node may say more. Organizations
go by their permanent code, the same in every installation; documents, deliveries and hops by the
id the sender's installation gave them.
"""

import uuid
from datetime import date as Day
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec

from docflow.gateways.node.keys import KeyInfo
from docflow.gateways.node.problems import BadMessage
from docflow.gateways.node.signing import Proof

VERSIONS = (1, 2)
"""Versions of the protocol this program speaks, oldest first. What 2 added: hops, answers, recalls
with their reason in a receipt of their own."""

MAX_MANIFEST = 16 * 1024 * 1024
MAX_PARTS = 2000
T = TypeVar("T")


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a node is: the answer to anybody's question, and a part of each statement."""

    node: uuid.UUID
    name: str
    keys: tuple[KeyInfo, ...]
    versions: tuple[int, ...]
    time: datetime
    """The node's clock."""
    base_url: str = ""


class Signature(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A detached signature of a file (откреплённая подпись)."""

    sha256: str
    size: int
    role: str = "approving"


class File(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file of the document, exactly as it was signed."""

    sha256: str
    size: int
    role: Literal["main", "annex"] = "main"
    position: int = 0
    file_name: str = ""
    title: str = ""
    signatures: tuple[Signature, ...] = ()


class Card(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The registration card as its author has it."""

    id: uuid.UUID
    kind: str
    title: str
    number: str = ""
    date: Day | None = None
    addressee: str = ""
    mark: str = ""
    fields: dict[str, Any] = {}


class Recipient(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One final recipient: the sender's delivery, and to whom."""

    delivery: uuid.UUID
    to: str
    """Code of the organization."""
    due: Day | None = None
    via: uuid.UUID | None = None
    """The delivery of the chancery it goes through, in the sender's installation."""
    waits: bool = False
    """That chancery has not passed it on yet."""


class Hop(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A chancery that passed the letter on (этап прохождения)."""

    id: uuid.UUID
    organization: str
    number: str
    date: Day
    verdict: str
    passed_at: datetime
    resolution: str = ""
    passed: int = 0
    proof: Proof | None = None
    """The signed report of the chancery's node in which it was told."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """How the document belongs to another, by the id its author's node gave it."""

    kind: str
    document: uuid.UUID


class Manifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a message holds; the parts follow it or come one by one."""

    uid: uuid.UUID
    """The sender's, kept over every try."""
    version: int
    author: str
    """Code of the organization that wrote and dispatched the document."""
    made_at: datetime
    card: Card
    files: tuple[File, ...]
    recipients: tuple[Recipient, ...]
    dispatch: uuid.UUID
    urgent: bool = False
    links: tuple[Link, ...] = ()
    hops: tuple[Hop, ...] = ()
    answers: tuple[uuid.UUID, ...] = ()
    """Deliveries of the receiving node which this document answers."""

    def parts(self) -> dict[str, int]:
        """SHA-256 → size of every part, each once, in order of mention."""
        found: dict[str, int] = {}
        for one in self.files:
            found[one.sha256] = one.size
            found.update({signature.sha256: signature.size for signature in one.signatures})
        return found


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a message or a note, tied to what the receiver has committed (квитанция)."""

    uid: uuid.UUID
    sha256: str
    """Digest of the manifest, or of the note's content."""
    status: Literal["accepted", "duplicate", "refused"]
    time: datetime
    """The receiver's clock when it answered."""
    committed_at: datetime | None = None
    """When the receiver committed it; of a duplicate, the first time."""
    reason: str | None = None
    text: str | None = None
    document: uuid.UUID | None = None
    delivered: tuple[uuid.UUID, ...] = ()
    """Which of the sender's deliveries stand there as delivered."""
    waiting: tuple[uuid.UUID, ...] = ()
    """Which wait there for their chancery."""
    not_here: tuple[uuid.UUID, ...] = ()
    """Whose organization does not live there."""


class Need(msgspec.Struct, frozen=True):
    """A part the receiver still wants, from this byte on."""

    sha256: str
    have: int


class Needs(msgspec.Struct, frozen=True):
    """The answer to a manifest whose parts are not all there (202)."""

    uid: uuid.UUID
    needs: tuple[Need, ...]


class Had(msgspec.Struct, frozen=True):
    """How many bytes of a part the receiver has after a piece came."""

    sha256: str
    have: int


class Who(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The person who took note."""

    id: uuid.UUID
    last_name: str
    first_name: str = ""
    middle_name: str = ""
    post: str = ""


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where one of the addressee's deliveries stands there."""

    delivery: uuid.UUID
    status: Literal["delivered", "opened", "acknowledged", "executed", "refused", "recalled",
                    "void", "awaiting_relay"]  # fmt: skip
    delivered_at: datetime | None = None
    opened_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: Who | None = None
    executed_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    hop: Hop | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True, tag="report"):
    """Later states of deliveries of one document."""

    uid: uuid.UUID
    document: uuid.UUID
    """By the id its author's node gave it."""
    states: tuple[State, ...]


class Recall(msgspec.Struct, frozen=True, kw_only=True, tag="recall"):
    """The sender takes a document back."""

    uid: uuid.UUID
    document: uuid.UUID
    reason: str
    recalled_at: datetime


class Statement(msgspec.Struct, frozen=True, kw_only=True, tag="statement"):
    """Who lives at the node that speaks, all of them, and its keys; counted up, never down."""

    uid: uuid.UUID
    number: int
    issued_at: datetime
    identity: Identity
    serves: tuple[str, ...]


class Reconcile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A node that was restored from a backup asks what of it the other has (сверка)."""

    since: datetime
    have: tuple[uuid.UUID, ...] = ()
    """Messages of the other that the asker knows since then; what it lacks is sent again."""
    documents: tuple[uuid.UUID, ...] = ()
    """Documents of the asker on which it wants to be told anew."""


class KnownMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message of the asker as the other has committed it, with the receipt it gave."""

    uid: uuid.UUID
    document: uuid.UUID
    author: str
    kind: str
    number: str = ""
    date: Day | None = None
    title: str = ""
    receipt: Receipt


class Reconciled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer: what the other has of the asker, and what it now sends and tells again."""

    statement: int
    """Number of the last statement it has heard."""
    messages: tuple[KnownMessage, ...] = ()
    again: int = 0
    reports: int = 0


Note = Report | Recall | Statement
"""What is told beside documents; each with a uid, answered by a receipt."""


def encode(told: msgspec.Struct) -> bytes:
    """As it goes over the wire."""
    return msgspec.json.encode(told)


def decode(body: bytes, kind: type[T]) -> T:
    """What came, if it has the form; raises `BadMessage`."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeError, ValueError) as problem:
        raise BadMessage(reason=str(problem)[:200]) from problem


def decode_note(body: bytes) -> Note:
    """A note of whichever kind; raises `BadMessage`."""
    try:
        found: Note = msgspec.json.decode(body, type=Note)
    except (msgspec.DecodeError, RecursionError, UnicodeError, ValueError) as problem:
        raise BadMessage(reason=str(problem)[:200]) from problem
    return found


def common_version(theirs: tuple[int, ...], ours: tuple[int, ...]) -> int | None:
    """The newest version both sides speak."""
    return max(set(theirs) & set(ours), default=None)
