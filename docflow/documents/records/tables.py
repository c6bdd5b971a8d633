"""The tables of the records schedule; keys, checks, indexes stand in the migration."""

from piccolo.columns import JSONB, UUID, Array, Boolean, Bytea, Date, Integer, Text, Timestamptz
from piccolo.table import Table


class RetentionList(Table, tablename="retention_list"):
    """An edition of a list of retention terms (перечень сроков хранения)."""

    id = UUID(primary_key=True)
    code = Text()
    edition = Text()
    title = Text()
    source = Text()
    valid_from = Date()
    valid_to = Date(null=True)
    sha256 = Bytea()
    loaded_by = UUID(null=True)
    loaded_at = Timestamptz()


class RetentionArticle(Table, tablename="retention_article"):
    """A term for a kind of documents, as the list has it (статья перечня)."""

    id = UUID(primary_key=True)
    list_id = UUID(default=None)
    article = Text()
    item = Text()
    title = Text()
    term_kind = Text()
    years = Integer(null=True)
    needs_decision = Boolean()
    other_kind = Text(null=True)
    other_years = Integer(null=True)
    other_needs_decision = Boolean(null=True)
    note = Text()
    mark = Text()
    confirmed_source = Text(null=True)
    confirmed_by = UUID(null=True)
    confirmed_at = Timestamptz(null=True)


class FilePlan(Table, tablename="file_plan"):
    """An organization's cases of one year (номенклатура дел)."""

    id = UUID(primary_key=True)
    organization_id = UUID(default=None)
    year = Integer()
    status = Text()
    copied_from_id = UUID(null=True)
    agreement = Text()
    approved_by = UUID(null=True)
    approved_on = Date(null=True)
    summary = JSONB(null=True)
    created_by = UUID(default=None)
    created_at = Timestamptz()
    updated_at = Timestamptz()


class CaseInventory(Table, tablename="case_inventory"):
    """A list of closed cases that are kept (опись дел)."""

    id = UUID(primary_key=True)
    organization_id = UUID(default=None)
    year = Integer()
    kind = Text()
    number = Text()
    status = Text()
    protocol = Text()
    approved_by = UUID(null=True)
    approved_on = Date(null=True)
    created_by = UUID(default=None)
    created_at = Timestamptz()
    updated_at = Timestamptz()


class RecordCase(Table, tablename="record_case"):
    """A case documents are filed in (дело)."""

    id = UUID(primary_key=True)
    plan_id = UUID(default=None)
    organization_id = UUID(default=None)
    year = Integer()
    index = Text()
    section = Text()
    title = Text()
    status = Text()
    article_id = UUID(null=True)
    protocol = Text()
    term_kind = Text()
    years = Integer(null=True)
    needs_decision = Boolean()
    is_personnel = Boolean()
    is_electronic = Boolean()
    is_carried = Boolean()
    note = Text()
    reason = Text()
    previous_id = UUID(null=True)
    appraisal = Text()
    opened_on = Date(null=True)
    closed_on = Date(null=True)
    expires_on = Date(null=True)
    inventory_id = UUID(null=True)
    created_by = UUID(default=None)
    created_at = Timestamptz()
    updated_at = Timestamptz()


class CommissionMember(Table, tablename="commission_member"):
    """Somebody who sits in the expert commission (член экспертной комиссии)."""

    id = UUID(primary_key=True)
    organization_id = UUID(default=None)
    account_id = UUID(default=None)
    is_chair = Boolean()
    basis = Text()
    since = Timestamptz()
    until = Timestamptz(null=True)


class DestructionAct(Table, tablename="destruction_act"):
    """What is to be destroyed and by whose word (акт о выделении к уничтожению)."""

    id = UUID(primary_key=True)
    organization_id = UUID(default=None)
    year = Integer()
    number = Integer()
    date = Date()
    status = Text()
    basis = Text()
    method = Text()
    backups_until = Date()
    protocol = Text()
    archive_protocol = Text()
    members = Array(base_column=UUID())
    reason = Text()
    drafted_by = UUID(default=None)
    approved_by = UUID(null=True)
    approved_on = Date(null=True)
    executed_by = UUID(null=True)
    executed_at = Timestamptz(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()


class DestructionLine(Table, tablename="destruction_line"):
    """A case in an act of destruction (позиция акта)."""

    id = UUID(primary_key=True)
    act_id = UUID(default=None)
    case_id = UUID(default=None)
    position = Integer()
    status = Text()
    documents = Integer()
    destroyed = Integer()
    kept_for_others = Integer()
    reason = Text()
    updated_at = Timestamptz()


class DestructionVote(Table, tablename="destruction_vote"):
    """How a member voted on an act (голос члена экспертной комиссии)."""

    id = UUID(primary_key=True)
    act_id = UUID(default=None)
    account_id = UUID(default=None)
    is_for = Boolean()
    remark = Text()
    voted_at = Timestamptz()


class CaseFiling(Table, tablename="case_filing"):
    """A document in a case, and the note of it that outlives it (документ в деле)."""

    id = UUID(primary_key=True)
    case_id = UUID(default=None)
    document_id = UUID(default=None)
    organization_id = UUID(default=None)
    status = Text()
    number = Text()
    date = Date()
    kind = Text()
    act_id = UUID(null=True)
    destroyed_at = Timestamptz(null=True)
    is_erased = Boolean()
    filed_by = UUID(default=None)
    filed_at = Timestamptz()
    updated_at = Timestamptz()
