"""The room's tables as Piccolo sees them; keys, checks and indexes stand in the migrations."""

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


class Picture(Table, tablename="picture"):
    """A picture of the register with its source and who vouches for it (изображение реестра)."""

    id = UUID(primary_key=True, default=None)
    organization_id = UUID(default=None)
    kind = Text()
    status = Text()
    blob_id = UUID(default=None)
    sha256 = Bytea()
    media_type = Text()
    size = BigInt()
    width = Integer()
    height = Integer()
    title = Text()
    author = Text()
    source = Text()
    snapshot_blob_id = UUID(null=True)
    carries_rights = Boolean()
    evidence = JSONB()
    found_by = UUID(default=None)
    found_at = Timestamptz(default=None)
    approved_by = UUID(null=True)
    approved_at = Timestamptz(null=True)
    retired_reason = Text(null=True)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class PictureHash(Table, tablename="picture_hash"):
    """What a picture of the register is looked up by (перцептивный хеш изображения)."""

    picture_id = UUID(primary_key=True, default=None)
    canon = Text()
    pdq = Bytea()
    quality = Integer()
    phash = Text()
    dhash = Text()


class PictureFeatures(Table, tablename="picture_features"):
    """What a picture of the register is compared by (локальные признаки изображения)."""

    picture_id = UUID(primary_key=True, default=None)
    canon = Text()
    content = Bytea()


class Licence(Table, tablename="licence"):
    """A right to use one picture, and where it is written (лицензия)."""

    id = UUID(primary_key=True, default=None)
    organization_id = UUID(default=None)
    picture_id = UUID(default=None)
    status = Text()
    kind = Text()
    holder = Text()
    number = Text()
    public = Text(null=True)
    grantee_id = UUID(null=True)
    reach = Text()
    line = Text(null=True)
    channels = Array(base_column=Text())
    territories = Array(base_column=Text())
    since = Date(null=True)
    until = Date(null=True)
    attribution = Text()
    max_seats = Integer(null=True)
    allows_changes = Boolean()
    allows_commercial = Boolean()
    revoked_on = Date(null=True)
    revoked_reason = Text(null=True)
    document_blob_id = UUID(null=True)
    proposals = JSONB()
    created_by = UUID(default=None)
    created_at = Timestamptz(default=None)
    confirmed_by = UUID(null=True)
    confirmed_at = Timestamptz(null=True)
    updated_at = Timestamptz(default=None)


class LicenceSeat(Table, tablename="licence_seat"):
    """One of the users a licence counts (место по лицензии)."""

    id = UUID(primary_key=True, default=None)
    licence_id = UUID(default=None)
    seat = Text()
    taken_by = UUID(default=None)
    taken_at = Timestamptz(default=None)
    released_at = Timestamptz(null=True)


class OwnWork(Table, tablename="own_work"):
    """A picture by one's own author, with the consent (собственное произведение)."""

    id = UUID(primary_key=True, default=None)
    organization_id = UUID(default=None)
    picture_id = UUID(default=None)
    author = Text()
    person_id = UUID(null=True)
    consent_blob_id = UUID(default=None)
    reach = Text()
    channels = Array(base_column=Text())
    since = Date(null=True)
    until = Date(null=True)
    withdrawn_on = Date(null=True)
    attribution = Text()
    created_by = UUID(default=None)
    created_at = Timestamptz(default=None)
    confirmed_by = UUID(null=True)
    confirmed_at = Timestamptz(null=True)
    updated_at = Timestamptz(default=None)


class Claimant(Table, tablename="claimant"):
    """Somebody known to sue, for the whole federation (заявитель претензий)."""

    id = UUID(primary_key=True, default=None)
    organization_id = UUID(default=None)
    status = Text()
    name = Text()
    aliases = Array(base_column=Text())
    note = Text()
    since = Date(null=True)
    until = Date(null=True)
    created_by = UUID(default=None)
    created_at = Timestamptz(default=None)
    approved_by = UUID(null=True)
    approved_at = Timestamptz(null=True)
    updated_at = Timestamptz(default=None)


class ClaimantWork(Table, tablename="claimant_work"):
    """A work a claimant sues for (произведение заявителя претензий)."""

    id = UUID(primary_key=True, default=None)
    claimant_id = UUID(default=None)
    picture_id = UUID(default=None)
    since = Date(null=True)
    until = Date(null=True)
    created_by = UUID(default=None)
    created_at = Timestamptz(default=None)
    approved_by = UUID(null=True)
    approved_at = Timestamptz(null=True)


class RegisterChange(Table, tablename="register_change"):
    """One change of the registers, in the order of commit (изменение реестра)."""

    id = BigInt(primary_key=True)
    at = Timestamptz(default=None)
    change = Text()
    subject_kind = Text()
    subject_id = UUID(default=None)
    picture_id = UUID(null=True)
    content = Bytea()
    digest = Bytea()


class PicturePrint(Table, tablename="picture_print"):
    """Hashes of a picture that was checked (отпечаток проверенного изображения)."""

    blob_id = UUID(primary_key=True, default=None)
    sha256 = Bytea()
    canon = Text()
    hashes = Bytea()
    created_at = Timestamptz(default=None)
    features = Bytea()
    sketches = Bytea()
    sketch_canon = Text()


class PictureCheck(Table, tablename="picture_check"):
    """One check: the case and its verdict, byte for byte (проверка изображения)."""

    id = UUID(primary_key=True, default=None)
    organization_id = UUID(default=None)
    account_id = UUID(default=None)
    blob_id = UUID(default=None)
    sha256 = Bytea()
    file_name = Text()
    origin = Text()
    previous_id = UUID(null=True)
    channel = Text()
    used_on = Date(default=None)
    outcome = Text()
    turns_on = Date(null=True)
    pictures = Array(base_column=UUID())
    case_json = Bytea()
    verdict_json = Bytea()
    rules = Text()
    register_change_id = BigInt()
    register_digest = Bytea()
    evidence = JSONB()
    matches = JSONB()
    created_at = Timestamptz(default=None)


class PictureReview(Table, tablename="picture_review"):
    """A lawyer's look at a check (рассмотрение юристом)."""

    id = UUID(primary_key=True, default=None)
    organization_id = UUID(default=None)
    check_id = UUID(default=None)
    status = Text()
    sha256 = Bytea()
    channel = Text()
    outcome = Text()
    question = Text()
    asked_by = UUID(default=None)
    asked_at = Timestamptz(default=None)
    due_on = Date(default=None)
    escalated_at = Timestamptz(null=True)
    decided_by = UUID(null=True)
    decided_at = Timestamptz(null=True)
    reason = Text(null=True)
    document_blob_id = UUID(null=True)
    until = Date(null=True)
    updated_at = Timestamptz(default=None)


class PictureUse(Table, tablename="picture_use"):
    """One publication of a picture (использование изображения)."""

    id = UUID(primary_key=True, default=None)
    organization_id = UUID(default=None)
    channel = Text()
    place = Text()
    published_at = Timestamptz(default=None)
    withdrawn_at = Timestamptz(null=True)
    blob_id = UUID(default=None)
    check_id = UUID(default=None)
    last_check_id = UUID(default=None)
    outcome = Text()
    turns_on = Date(null=True)
    pictures = Array(base_column=UUID())
    judged_at = Timestamptz(default=None)
    created_by = UUID(default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class LookbackState(Table, tablename="lookback_state"):
    """Up to which change published pictures were judged again (состояние перепроверки)."""

    id = Integer(primary_key=True)
    register_change_id = BigInt()
    updated_at = Timestamptz(default=None)


class Publication(Table, tablename="publication"):
    """A page, a post or a newspaper issue with its pictures (публикация)."""

    id = UUID(primary_key=True, default=None)
    organization_id = UUID(default=None)
    kind = Text()
    status = Text()
    channel = Text()
    place = Text()
    title = Text()
    planned_on = Date(default=None)
    is_commercial = Boolean(null=True, default=None)
    territory = Text()
    file_blob_id = UUID(null=True)
    file_name = Text(null=True)
    report = JSONB()
    version = Integer()
    created_by = UUID(default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)
    published_by = UUID(null=True)
    published_at = Timestamptz(null=True)
    withdrawn_by = UUID(null=True)
    withdrawn_at = Timestamptz(null=True)
    withdrawn_reason = Text(null=True)


class PublicationPicture(Table, tablename="publication_picture"):
    """A picture of a publication and where in it it stands (изображение публикации)."""

    id = UUID(primary_key=True, default=None)
    publication_id = UUID(default=None)
    blob_id = UUID(default=None)
    sha256 = Bytea()
    file_name = Text()
    position = Integer()
    places = JSONB()
    caption = Text()
    is_changed = Boolean()
    seat = Text(null=True)
    check_id = UUID(null=True)
    problem = JSONB(null=True)
    use_id = UUID(null=True)
    created_at = Timestamptz(default=None)


class PermitKey(Table, tablename="permit_key"):
    """A key that permits are signed with (ключ разрешений)."""

    id = UUID(primary_key=True, default=None)
    kid = Text()
    status = Text()
    public_key = Bytea()
    sealed = Bytea()
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)
    active_since = Timestamptz(null=True)
    retired_at = Timestamptz(null=True)


class Permit(Table, tablename="permit"):
    """A signed word to an outside site that it may show a picture (разрешение на публикацию)."""

    id = UUID(primary_key=True, default=None)
    organization_id = UUID(default=None)
    account_id = UUID(default=None)
    check_id = UUID(default=None)
    use_id = UUID(default=None)
    key_id = UUID(default=None)
    valid_from = Timestamptz(default=None)
    valid_until = Timestamptz(default=None)
    token = Text()
    created_at = Timestamptz(default=None)
