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


class Organization(Table, tablename="organization"):
    """An organization of any level, or an outside body (организация)."""

    id = UUID(primary_key=True)
    code = Text()
    kind = Text()
    name = Text()
    short_name = Text()
    branch_code = Text(null=True)
    region_code = Text(null=True)
    district_code = Text(null=True)
    inn = Text(null=True)
    ogrn = Text(null=True)
    kpp = Text(null=True)
    address = Text()
    phone = Text()
    email = Text()
    time_zone = Text()
    channels = Array(base_column=Text())
    status = Text()
    opened_on = Date()
    closed_on = Date(null=True)
    merged_into_id = UUID(null=True)
    is_archive_source = Boolean()
    demo = Boolean()
    confirmed_at = Timestamptz(null=True)
    external_ids = JSONB()
    created_at = Timestamptz()
    updated_at = Timestamptz()


class OrganizationLink(Table, tablename="organization_link"):
    """Who is under whom, on which line, from when to when (подчинённость)."""

    id = UUID(primary_key=True)
    parent_id = UUID(default=None)
    child_id = UUID(default=None)
    line = Text()
    valid_from = Date()
    valid_to = Date(null=True)


class Person(Table, tablename="person"):
    """A person known to the directory (физическое лицо)."""

    id = UUID(primary_key=True)
    last_name = Text()
    first_name = Text()
    middle_name = Text()
    email = Text()
    phone = Text()
    demo = Boolean()
    created_at = Timestamptz()
    erased_at = Timestamptz(null=True)
    blocked_at = Timestamptz(null=True)
    blocked = Bytea(null=True)


class Post(Table, tablename="post"):
    """Who holds which post where, from when to when (должность)."""

    id = UUID(primary_key=True)
    person_id = UUID(default=None)
    organization_id = UUID(default=None)
    kind = Text()
    title = Text()
    valid_from = Date()
    valid_to = Date(null=True)


class Consent(Table, tablename="consent"):
    """A person's consent to a use of their data (согласие на обработку персональных данных)."""

    id = UUID(primary_key=True)
    person_id = UUID(default=None)
    purpose = Text()
    text_version = Text()
    given_at = Timestamptz()
    withdrawn_at = Timestamptz(null=True)


class Account(Table, tablename="account"):
    """How a person signs in (учётная запись)."""

    id = UUID(primary_key=True)
    person_id = UUID(default=None)
    login = Text()
    password_hash = Text()
    totp_secret = Bytea(null=True)
    totp_confirmed_at = Timestamptz(null=True)
    totp_last_step = BigInt()
    failed_count = Integer()
    locked_until = Timestamptz(null=True)
    status = Text()
    language = Text()
    created_at = Timestamptz()


class RoleGrant(Table, tablename="role_grant"):
    """A role of an account in an organization (роль)."""

    id = UUID(primary_key=True)
    account_id = UUID(default=None)
    organization_id = UUID(default=None)
    role = Text()
    granted_by = UUID(null=True)
    granted_at = Timestamptz()
    revoked_at = Timestamptz(null=True)


class Session(Table, tablename="session"):
    """A person's time signed in (сеанс)."""

    id = UUID(primary_key=True)
    token_hash = Bytea()
    account_id = UUID(default=None)
    organization_id = UUID(null=True)
    csrf_hash = Bytea()
    second_factor = Boolean()
    created_at = Timestamptz()
    seen_at = Timestamptz()
    expires_at = Timestamptz()
    ended_at = Timestamptz(null=True)


class ApiToken(Table, tablename="api_token"):
    """A key of a program (токен)."""

    id = UUID(primary_key=True)
    token_hash = Bytea()
    name = Text()
    account_id = UUID(default=None)
    organization_id = UUID(default=None)
    scopes = Array(base_column=Text())
    created_at = Timestamptz()
    expires_at = Timestamptz()
    used_at = Timestamptz(null=True)
    revoked_at = Timestamptz(null=True)


class Invitation(Table, tablename="invitation"):
    """A way in for somebody new (приглашение)."""

    id = UUID(primary_key=True)
    token_hash = Bytea()
    organization_id = UUID(default=None)
    role = Text()
    email = Text()
    person_id = UUID(null=True)
    invited_by = UUID(default=None)
    created_at = Timestamptz()
    expires_at = Timestamptz()
    used_at = Timestamptz(null=True)
    revoked_at = Timestamptz(null=True)


class PersonCertificate(Table, tablename="person_certificate"):
    """Whose certificate it is, and for which organization (сертификат подписанта)."""

    id = UUID(primary_key=True)
    person_id = UUID(default=None)
    organization_id = UUID(default=None)
    sha256 = Bytea()
    snils = Text()
    inn = Text()
    source = Text()
    registered_by = UUID(null=True)
    registered_at = Timestamptz()
    withdrawn_at = Timestamptz(null=True)


class ProcessingPurpose(Table, tablename="processing_purpose"):
    """What personal data is processed for, by version (цель обработки персональных данных)."""

    code = Text(primary_key=True)
    version = Integer()
    title = Text()
    title_en = Text()
    basis = Text()
    law = Text()
    subjects = Text()
    categories = Text()
    actions = Text()
    recipients = Text()
    kept = Text()
    is_open = Boolean()
    changed_by = UUID(null=True)
    changed_at = Timestamptz()


class ConsentText(Table, tablename="consent_text"):
    """A version of the words people consent to (текст согласия)."""

    purpose = Text(primary_key=True)
    version = Integer()
    text = Text()
    published_by = UUID(null=True)
    published_at = Timestamptz()
