"""The room's tables as Piccolo sees them; keys, checks, indexes stand in the migrations."""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table


class LogKey(Table, tablename="log_key"):
    """Who the log is: its name, signing key, secret of its salts (ключ доказательного журнала)."""

    id = UUID(primary_key=True)
    origin = Text()
    public_key = Bytea()
    sealed_key = Bytea()
    sealed_salt = Bytea()
    created_at = Timestamptz()


class LogState(Table, tablename="log_state"):
    """How far the log has come (состояние доказательного журнала)."""

    id = SmallInt(primary_key=True)
    size = BigInt()
    taken_below = BigInt()
    open_xacts = Array(base_column=BigInt())
    checked = BigInt()
    is_adopting = Boolean()


class LogLeaf(Table, tablename="log_leaf"):
    """Which event is which leaf (запись доказательного журнала)."""

    leaf = BigInt(primary_key=True)
    event_id = UUID(default=None)


class LogTile(Table, tablename="log_tile"):
    """A row of hashes of the tree, or of entries (плитка дерева доказательного журнала)."""

    level = SmallInt(primary_key=True)
    number = BigInt()
    data = Bytea()


class LogCheckpoint(Table, tablename="log_checkpoint"):
    """A signed head of the tree (контрольная точка доказательного журнала)."""

    size = BigInt(primary_key=True)
    root = Bytea()
    note = Text()
    is_adopted = Boolean()
    at = Timestamptz()


class LogStamp(Table, tablename="log_stamp"):
    """A time stamp of a checkpoint (отметка времени контрольной точки)."""

    size = BigInt(primary_key=True)
    token = Bytea()
    at = Timestamptz()


class LogWitness(Table, tablename="log_witness"):
    """Somebody who cosigns our checkpoints (свидетель доказательного журнала)."""

    id = UUID(primary_key=True)
    name = Text()
    url = Text()
    public_key = Bytea()
    status = Text()
    seen_size = BigInt()
    asked_at = Timestamptz(null=True)
    last_success_at = Timestamptz(null=True)
    last_error = Text(null=True)
    last_error_at = Timestamptz(null=True)
    is_refused = Boolean()
    added_by = UUID(null=True)
    added_at = Timestamptz()
    updated_at = Timestamptz()


class LogCosignature(Table, tablename="log_cosignature"):
    """A witness's signature under a checkpoint (подпись свидетеля)."""

    size = BigInt(primary_key=True)
    witness_id = UUID(default=None)
    line = Text()
    at = Timestamptz()


class LogCheck(Table, tablename="log_check"):
    """One comparison of the log with the event tables (сверка доказательного журнала)."""

    id = UUID(primary_key=True)
    kind = Text()
    size = BigInt()
    leaves = BigInt()
    erased = BigInt()
    findings = Integer()
    examples = JSONB()
    started_at = Timestamptz()
    ended_at = Timestamptz()
