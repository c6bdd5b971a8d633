"""The room's tables as Piccolo sees them; keys, checks, indexes stand in the migrations."""

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Bytea, Date, Text, Timestamptz
from piccolo.table import Table


class Erasure(Table, tablename="erasure"):
    """An act by which a person's data is erased (акт об уничтожении персональных данных)."""

    id = UUID(primary_key=True)
    person_id = UUID(default=None)
    organization_id = UUID(default=None)
    status = Text()
    ground = Text()
    basis = Text()
    due_on = Date()
    proposed_by = UUID(default=None)
    sealed = Bytea()
    is_replay = Boolean()
    stopped_by = Text(null=True)
    remains = JSONB()
    created_at = Timestamptz()
    updated_at = Timestamptz()
    registered_at = Timestamptz(null=True)
    done_at = Timestamptz(null=True)


class ErasureMember(Table, tablename="erasure_member"):
    """A member of the commission that approves an act (член комиссии по уничтожению)."""

    erasure_id = UUID(primary_key=True)
    account_id = UUID(default=None)
    approved_at = Timestamptz(null=True)


class ErasureDocument(Table, tablename="erasure_document"):
    """What the commission decided of a document that names the person (решение по документу)."""

    erasure_id = UUID(primary_key=True)
    document_id = UUID(default=None)
    decision = Text()
    ground = Text()


class ErasureStep(Table, tablename="erasure_step"):
    """A step of an act that is done, and how much it touched (этап уничтожения)."""

    erasure_id = UUID(primary_key=True)
    step = Text()
    number = BigInt()
    done_at = Timestamptz()


class ErasureObject(Table, tablename="erasure_object"):
    """Bytes in the store that an act has yet to remove (объект к удалению)."""

    erasure_id = UUID(primary_key=True)
    key = Text()


class SubjectRequest(Table, tablename="subject_request"):
    """What somebody asks about their own data (запрос субъекта персональных данных)."""

    id = UUID(primary_key=True)
    person_id = UUID(default=None)
    organization_id = UUID(default=None)
    kind = Text()
    status = Text()
    reference = Text()
    received_on = Date()
    due_on = Date()
    extended_on = Date(null=True)
    notice = Text(null=True)
    answer = Text(null=True)
    export_id = UUID(null=True)
    erasure_id = UUID(null=True)
    entered_by = UUID(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()
    answered_at = Timestamptz(null=True)
