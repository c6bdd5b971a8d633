"""The log on the wire."""

import uuid
from datetime import datetime
from typing import Any

import msgspec


class LogView(msgspec.Struct):
    """How the log is; `troubles` holds codes of what is not well."""

    size: int
    checkpoint_at: datetime | None
    waiting_since: datetime | None
    unstamped: int
    unstamped_since: datetime | None
    has_authority: bool
    witnesses: int
    refusing: int
    findings: int
    troubles: list[str]


class CheckpointView(msgspec.Struct):
    """A signed head; `cosigned` carries the witnesses' signatures too."""

    size: int
    root: str
    note: str
    cosigned: str
    at: datetime
    stamped_size: int | None
    """The first checkpoint from this one on that has a time stamp."""


class ProofView(msgspec.Struct):
    """That an event is in the log: `entry` is SHA-256 of `salt` and `event`. Bytes are in hex."""

    event_id: uuid.UUID
    leaf: int
    size: int
    event: str
    salt: str
    entry: str
    path: list[str]
    proof: str
    """The same as C2SP tlog-proof has it, checkpoint included."""


class ConsistencyView(msgspec.Struct):
    """That the tree of `new_size` begins with the tree of `old_size`; hashes in hex."""

    old_size: int
    new_size: int
    path: list[str]


class CheckView(msgspec.Struct):
    """One comparison of the log with the event tables; good when `findings` is zero."""

    id: uuid.UUID
    kind: str
    size: int
    leaves: int
    erased: int
    findings: int
    examples: list[dict[str, Any]]
    started_at: datetime
    ended_at: datetime


class WitnessInput(msgspec.Struct):
    """A witness: its address, and its key as it tells it itself at `/vkey`."""

    url: str
    key: str


class WitnessView(msgspec.Struct):
    """A witness and how asking it went; `is_refused`: it has seen another log than ours."""

    id: uuid.UUID
    name: str
    url: str
    key: str
    status: str
    seen_size: int
    last_success_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    is_refused: bool


class Made(msgspec.Struct):
    """The id of what was made."""

    id: uuid.UUID
