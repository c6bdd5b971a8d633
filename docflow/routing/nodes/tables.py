"""The tables of nodes as Piccolo sees them; keys, checks, indexes stand in the migrations."""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    Date,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.table import Table


class Node(Table, tablename="node"):
    """An installation that takes part in the exchange, ours or another (узел обмена)."""

    id = UUID(primary_key=True)
    name = Text()
    base_url = Text()
    status = Text()
    versions = Array(base_column=Integer())
    organization_id = UUID(null=True)
    allow_private = Boolean()
    statement_number = BigInt()
    statement_sha256 = Bytea(null=True)
    statement_at = Timestamptz(null=True)
    heard_at = Timestamptz(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()


class NodeKey(Table, tablename="node_key"):
    """A public key of a node, and the sealed secret of ours (ключ узла)."""

    kid = Text(primary_key=True)
    node_id = UUID(default=None)
    public = Bytea()
    sealed = Bytea(null=True)
    valid_from = Timestamptz()
    valid_to = Timestamptz()
    confirmed_by = UUID(null=True)
    confirmed_at = Timestamptz(null=True)
    revoked_at = Timestamptz(null=True)
    created_at = Timestamptz()


class NodeResidence(Table, tablename="node_residence"):
    """Which node serves an organization (размещение организации на узле)."""

    organization_id = UUID(primary_key=True)
    node_id = UUID(default=None)
    created_at = Timestamptz()


class NodeConflict(Table, tablename="node_conflict"):
    """Two nodes say that an organization lives with them (спор о размещении)."""

    id = UUID(primary_key=True)
    organization_id = UUID(default=None)
    holder_id = UUID(default=None)
    claimant_id = UUID(default=None)
    status = Text()
    decided_for = UUID(null=True)
    decided_by = UUID(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()


class NodeMessage(Table, tablename="node_message"):
    """A message or note of another node, and what we answered (входящее сообщение узла)."""

    id = UUID(primary_key=True)
    node_id = UUID(default=None)
    uid = UUID(default=None)
    kind = Text()
    version = Integer()
    sha256 = Bytea()
    content = Bytea()
    is_inline = Boolean()
    base = Text()
    signature = Text()
    kid = Text()
    status = Text()
    reason = Text(null=True)
    tries = Integer()
    origin_id = UUID(null=True)
    document_id = UUID(null=True)
    dispatch_id = UUID(null=True)
    receipt = Bytea()
    created_at = Timestamptz()
    updated_at = Timestamptz()


class NodeDocument(Table, tablename="node_document"):
    """A document that came from a node, by the id it has there (документ другого узла)."""

    node_id = UUID(primary_key=True)
    origin_id = UUID(default=None)
    document_id = UUID(default=None)
    sha256 = Bytea()


class NodeDelivery(Table, tablename="node_delivery"):
    """A delivery here that another node waits to hear of (отправка другого узла)."""

    delivery_id = UUID(primary_key=True)
    node_id = UUID(default=None)
    origin_id = UUID(default=None)
    document_id = UUID(default=None)
    told_status = Text()
    told_hop = Boolean()


class NodePart(Table, tablename="node_part"):
    """A part of a message as far as it has come (принимаемая часть сообщения)."""

    node_id = UUID(primary_key=True)
    sha256 = Bytea()
    size = BigInt()
    have = BigInt()
    blob_id = UUID(null=True)
    updated_at = Timestamptz()


class NodeOutgoing(Table, tablename="node_outgoing"):
    """The frozen manifest of a message to a node (исходящее сообщение узлу)."""

    consignment_id = UUID(primary_key=True)
    node_id = UUID(default=None)
    document_id = UUID(default=None)
    version = Integer()
    manifest = Bytea()
    created_at = Timestamptz()


class NodeCarried(Table, tablename="node_carried"):
    """A delivery of ours a node was told of, and may report on (отправка, вверенная узлу)."""

    delivery_id = UUID(primary_key=True)
    node_id = UUID(default=None)
    document_id = UUID(default=None)


class NodeNote(Table, tablename="node_note"):
    """A report, recall or statement on its way to a node (служебное сообщение узлу)."""

    id = UUID(primary_key=True)
    node_id = UUID(default=None)
    kind = Text()
    document_id = UUID(null=True)
    body = Bytea()
    status = Text()
    attempts = Integer()
    next_attempt_at = Timestamptz()
    limit_at = Timestamptz()
    error_code = Text(null=True)
    error = Text(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()


class NodeReceipt(Table, tablename="node_receipt"):
    """A signed receipt or report as it came, never changed (квитанция узла)."""

    id = UUID(primary_key=True)
    node_id = UUID(default=None)
    uid = UUID(default=None)
    kind = Text()
    document_id = UUID(null=True)
    base = Text()
    signature = Text()
    kid = Text()
    body = Bytea()
    received_at = Timestamptz()


class NodeHop(Table, tablename="node_hop"):
    """A passing on that a chancery on another node told of (этап прохождения на другом узле)."""

    id = UUID(primary_key=True)
    delivery_id = UUID(null=True)
    document_id = UUID(default=None)
    organization_id = UUID(default=None)
    number = Text()
    date = Date()
    resolution = Text()
    verdict = Text()
    passed = Integer()
    passed_at = Timestamptz()
    told = JSONB()


class NodeLost(Table, tablename="node_lost"):
    """A message of ours that another node has and a restore has lost (утраченное отправление)."""

    node_id = UUID(primary_key=True)
    uid = UUID(default=None)
    document_id = UUID(default=None)
    organization_id = UUID(null=True)
    number = Text()
    date = Date(null=True)
    title = Text()
    recipients = Integer()
    committed_at = Timestamptz(null=True)
    told = JSONB()
    created_at = Timestamptz()
