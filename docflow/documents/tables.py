"""The room's tables as Piccolo sees them; keys, checks, indexes stand in the migrations."""

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


class Document(Table, tablename="document"):
    """The registration card of a document (регистрационная карточка, РКК)."""

    id = UUID(primary_key=True)
    kind = Text()
    organization_id = UUID(default=None)
    status = Text()
    title = Text()
    addressee = Text()
    number = Text(null=True)
    date = Date(null=True)
    received_number = Text(null=True)
    received_date = Date(null=True)
    mark = Text()
    origin = Text()
    fields = JSONB()
    author_id = UUID(default=None)
    signatory_id = UUID(null=True)
    executor_id = UUID(null=True)
    due_on = Date(null=True)
    file_index = Text(null=True)
    retention_code = Text(null=True)
    retention_until = Date(null=True)
    version = Integer()
    created_at = Timestamptz()
    updated_at = Timestamptz()


class DocumentText(Table, tablename="document_text"):
    """What full-text search reads (полнотекстовый индекс)."""

    document_id = UUID(primary_key=True)
    card = Text()
    body = Text()


class DocumentFile(Table, tablename="document_file"):
    """One revision of one file of a document (файл документа)."""

    id = UUID(primary_key=True)
    document_id = UUID(default=None)
    role = Text()
    position = Integer()
    revision = Integer()
    title = Text()
    file_name = Text()
    blob_id = UUID(default=None)
    media_type = Text()
    size = BigInt()
    sha256 = Bytea()
    pages = Integer(null=True)
    is_current = Boolean()
    problems = Array(base_column=Text())
    created_by = UUID(default=None)
    created_at = Timestamptz()


class DocumentReader(Table, tablename="document_reader"):
    """Who may read a restricted document, by name or post (круг ознакомления)."""

    id = UUID(primary_key=True)
    document_id = UUID(default=None)
    organization_id = UUID(default=None)
    person_id = UUID(null=True)
    post = Text(null=True)
    may_take_original = Boolean()
    named_by = UUID(default=None)
    named_at = Timestamptz()
    struck_by = UUID(null=True)
    struck_at = Timestamptz(null=True)


class Quarantine(Table, tablename="quarantine"):
    """A file that was not taken, kept for those who look into it (карантин)."""

    id = UUID(primary_key=True)
    blob_id = UUID(default=None)
    organization_id = UUID(default=None)
    document_id = UUID(null=True)
    file_name = Text()
    reason = Text()
    created_by = UUID(default=None)
    created_at = Timestamptz()


class Signature(Table, tablename="signature"):
    """An electronic signature and what its check found (электронная подпись)."""

    id = UUID(primary_key=True)
    document_id = UUID(default=None)
    file_id = UUID(default=None)
    form = Text()
    role = Text()
    blob_id = UUID(null=True)
    account_id = UUID(null=True)
    signer = Text()
    certificate_sha256 = Bytea()
    signed_at = Timestamptz(null=True)
    verdict = Text()
    report = JSONB()
    checked_at = Timestamptz()
    evidenced_at = Timestamptz(null=True)


class SigningSession(Table, tablename="signing_session"):
    """Signing with a key of the client's, between its two requests (сеанс подписания)."""

    id = UUID(primary_key=True)
    document_id = UUID(default=None)
    file_id = UUID(default=None)
    account_id = UUID(default=None)
    role = Text()
    status = Text()
    form = Text()
    base_sha256 = Bytea()
    prepared = Bytea()
    prepared_blob_id = UUID(null=True)
    step_id = UUID(null=True)
    document_version = Integer()
    hash_algorithm = Text()
    hash = Bytea()
    attributes = Bytea()
    certificate = Bytea()
    warnings = JSONB()
    created_at = Timestamptz()
    expires_at = Timestamptz()
    updated_at = Timestamptz()
    finished_at = Timestamptz(null=True)


class SigningStep(Table, tablename="signing_step"):
    """One signature a document waits for, and when its turn comes (этап подписания)."""

    id = UUID(primary_key=True)
    document_id = UUID(default=None)
    position = Integer()
    role = Text()
    organization_id = UUID(default=None)
    person_id = UUID(null=True)
    post = Text(null=True)
    status = Text()
    account_id = UUID(null=True)
    certificate_sha256 = Bytea(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()


class Journal(Table, tablename="journal"):
    """A journal of registration (журнал регистрации)."""

    id = UUID(primary_key=True)
    organization_id = UUID(default=None)
    code = Text()
    title = Text()
    direction = Text()
    kinds = Array(base_column=Text())
    template = Text()
    scope = Array(base_column=Text())
    is_open = Boolean()
    created_at = Timestamptz()


class JournalCounter(Table, tablename="journal_counter"):
    """The last number given in a journal's period (счётчик журнала)."""

    journal_id = UUID(default=None)
    period = Text()
    last_ordinal = Integer()


class NumberLost(Table, tablename="number_lost"):
    """A number others have seen on a document that a restore has lost (утраченный номер)."""

    organization_id = UUID(primary_key=True)
    number = Text()
    year = Integer()
    created_at = Timestamptz()


class Registration(Table, tablename="registration"):
    """A document's number in one organization (регистрация)."""

    id = UUID(primary_key=True)
    document_id = UUID(default=None)
    organization_id = UUID(default=None)
    journal_id = UUID(default=None)
    period = Text()
    ordinal = Integer()
    number = Text()
    date = Date()
    registered_by = UUID(default=None)
    registered_at = Timestamptz()


class DocumentLink(Table, tablename="document_link"):
    """How two documents belong together (связь документов)."""

    id = UUID(primary_key=True)
    from_id = UUID(default=None)
    to_id = UUID(default=None)
    kind = Text()
    created_by = UUID(default=None)
    created_at = Timestamptz()


class PowerOfAttorney(Table, tablename="power_of_attorney"):
    """A machine-readable power of attorney as uploaded (машиночитаемая доверенность, МЧД)."""

    id = UUID(primary_key=True)
    organization_id = UUID(default=None)
    number = Text()
    xml_blob_id = UUID(default=None)
    signature_blob_id = UUID(default=None)
    sha256 = Bytea()
    content = JSONB()
    people = Array(base_column=Text())
    uploaded_by = UUID(default=None)
    uploaded_at = Timestamptz()


class PowerOfAttorneyCheck(Table, tablename="power_of_attorney_check"):
    """What one check of its signature found (проверка подписи доверенности)."""

    id = UUID(primary_key=True)
    power_id = UUID(default=None)
    verdict = Text()
    report = JSONB()
    checked_at = Timestamptz()


class PowerOfAttorneyStatus(Table, tablename="power_of_attorney_status"):
    """What somebody said of its being in force, and from when (сведения об отзыве доверенности)."""

    id = UUID(primary_key=True)
    power_id = UUID(default=None)
    status = Text()
    source = Text()
    effective_at = Timestamptz()
    ground = Text()
    recorded_by = UUID(null=True)
    recorded_at = Timestamptz()


class PowerRule(Table, tablename="power_rule"):
    """Which kinds of documents a power lets one sign (правило сопоставления полномочий)."""

    id = UUID(primary_key=True)
    organization_id = UUID(null=True)
    matched_by = Text()
    pattern = Text()
    kinds = Array(base_column=Text())
    added_by = UUID(null=True)
    added_at = Timestamptz()
    retired_at = Timestamptz(null=True)


class SignatureAuthority(Table, tablename="signature_authority"):
    """What was found of the signer's authority, once a check (проверка полномочий подписавшего)."""

    id = UUID(primary_key=True)
    signature_id = UUID(default=None)
    basis = Text()
    state = Text()
    reasons = Array(base_column=Text())
    is_of_organization = Boolean()
    power_id = UUID(null=True)
    person_id = UUID(null=True)
    revocation = Text(null=True)
    at = Timestamptz()
    checked_by = UUID(null=True)
    checked_at = Timestamptz()


class ArchiveStamp(Table, tablename="archive_stamp"):
    """One time stamp over the root of a hash tree of many objects (архивная отметка времени)."""

    id = UUID(primary_key=True)
    kind = Text()
    algorithm = Text()
    root = Bytea()
    token = Bytea()
    stamped_at = Timestamptz()
    algorithms = Array(base_column=Text())
    certificate_ends_at = Timestamptz()
    ends_at = Timestamptz()
    renew_before = Timestamptz()
    leaves = Integer()
    material = Array(base_column=Bytea())
    renewed_by = UUID(null=True)
    retired_at = Timestamptz(null=True)
    created_at = Timestamptz()


class ArchiveStampEntry(Table, tablename="archive_stamp_entry"):
    """An object's place under an archive stamp (место в дереве хешей)."""

    id = UUID(primary_key=True)
    stamp_id = UUID(default=None)
    blob_id = UUID(null=True)
    renewed_id = UUID(null=True)
    chain = Integer()
    after_id = UUID(null=True)
    path = Bytea()
    is_current = Boolean()


class EvidenceMaterial(Table, tablename="evidence_material"):
    """What a token is checked with later (сведения для проверки отметки времени)."""

    sha256 = Bytea(primary_key=True)
    kind = Text()
    der = Bytea()


class SignatureCheck(Table, tablename="signature_check"):
    """One check of a signature, never changed (проверка подписи)."""

    id = UUID(primary_key=True)
    signature_id = UUID(default=None)
    verdict = Text()
    policy = Text()
    report = JSONB()
    checked_at = Timestamptz()


class Appeal(Table, tablename="appeal"):
    """The clock of an appeal under 59-FZ on our card (срок рассмотрения обращения)."""

    id = UUID(primary_key=True)
    document_id = UUID(default=None)
    organization_id = UUID(default=None)
    status = Text()
    registered_on = Date()
    overdue_on = Date()
    extended_days = Integer()
    extension_notice = Text(null=True)
    portal_number = Text(null=True)
    portal_date = Date(null=True)
    answered_on = Date(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()


class LegalHold(Table, tablename="legal_hold"):
    """A word that nothing of this may be erased or destroyed (запрет на уничтожение)."""

    id = UUID(primary_key=True)
    kind = Text()
    subject_id = UUID(default=None)
    organization_id = UUID(default=None)
    reason = Text()
    until = Date(null=True)
    set_by = UUID(null=True)
    set_at = Timestamptz()
    lifted_by = UUID(null=True)
    lifted_at = Timestamptz(null=True)
    lift_reason = Text(null=True)
