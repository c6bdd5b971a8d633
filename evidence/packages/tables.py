"""The room's tables as Piccolo sees them; keys, checks, indexes stand in the migrations."""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Bytea,
    Date,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.table import Table


class EvidenceExport(Table, tablename="evidence_export"):
    """One handing out of evidence: what, why, on what ground, to whom (выгрузка доказательств)."""

    id = UUID(primary_key=True)
    kind = Text()
    subject_id = UUID(null=True)
    since = Date(null=True)
    until = Date(null=True)
    organization_id = UUID(default=None)
    actor_kind = Text()
    requested_by = UUID(default=None)
    level = Text()
    purpose = Text()
    basis = Text()
    recipient = Text()
    status = Text()
    items = Integer()
    items_done = Integer()
    members = BigInt()
    bytes = BigInt()
    log_size = BigInt(null=True)
    statement_sha256 = Bytea(null=True)
    error_code = Text(null=True)
    error = Text(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()
    ready_at = Timestamptz(null=True)
    expires_at = Timestamptz(null=True)


class EvidenceItem(Table, tablename="evidence_item"):
    """One thing a package tells of, in its order (предмет пакета доказательств)."""

    export_id = UUID(primary_key=True)
    position = Integer()
    kind = Text()
    subject_id = UUID(null=True)
    number = Integer(null=True)
    line = JSONB(null=True)
    lacks = Array(base_column=Text())


class EvidenceMember(Table, tablename="evidence_member"):
    """One file inside a package, with its digests (файл пакета доказательств)."""

    export_id = UUID(primary_key=True)
    start = BigInt()
    name = Text()
    size = BigInt()
    crc = BigInt()
    sha256 = Bytea()
    streebog256 = Bytea()


class EvidencePart(Table, tablename="evidence_part"):
    """A stretch of a package's bytes in the store (часть пакета доказательств)."""

    export_id = UUID(primary_key=True)
    start = BigInt()
    size = BigInt()
    blob_id = UUID(default=None)


class EvidenceKey(Table, tablename="evidence_key"):
    """The key by which this installation signs packages (ключ подписи пакетов)."""

    id = UUID(primary_key=True)
    certificate = Bytea()
    sealed = Bytea()
    created_at = Timestamptz()
    retired_at = Timestamptz(null=True)
