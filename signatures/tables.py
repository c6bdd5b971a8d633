"""The room's tables as Piccolo sees them; keys, checks, indexes stand in the migrations."""

from piccolo.columns import (
    UUID,
    BigInt,
    Boolean,
    Bytea,
    Date,
    Integer,
    Numeric,
    Text,
    Timestamptz,
)
from piccolo.table import Table


class TrustAnchor(Table, tablename="trust_anchor"):
    """A certificate or revocation list this installation relies on (доверенный сертификат)."""

    id = UUID(primary_key=True)
    kind = Text()
    der = Bytea()
    sha256 = Bytea()
    is_test = Boolean()
    added_by = UUID(null=True)
    added_at = Timestamptz()
    status = Text()
    note = Text()
    proposer_person_id = UUID(null=True)
    confirmed_by = UUID(null=True)
    confirmer_person_id = UUID(null=True)
    confirmed_at = Timestamptz(null=True)
    retired_by = UUID(null=True)
    retired_at = Timestamptz(null=True)
    reason = Text()
    updated_at = Timestamptz()


class RevocationSource(Table, tablename="revocation_source"):
    """An address from which a revocation list is fetched (источник списка отзыва)."""

    id = UUID(primary_key=True)
    url = Text()
    name = Text()
    origin = Text()
    anchor_id = UUID(null=True)
    status = Text()
    next_attempt_at = Timestamptz()
    last_attempt_at = Timestamptz(null=True)
    last_success_at = Timestamptz(null=True)
    attempts = Integer()
    last_error = Text(null=True)
    etag = Text(null=True)
    added_by = UUID(null=True)
    added_at = Timestamptz()
    updated_at = Timestamptz()


class RevocationListRow(Table, tablename="revocation_list"):
    """A list as its issuer signed it, kept for ever (список отозванных сертификатов)."""

    id = UUID(primary_key=True)
    sha256 = Bytea()
    blob_id = UUID(default=None)
    size = BigInt()
    issuer = Text()
    issuer_key = Text()
    issuer_sha256 = Bytea()
    key_sha256 = Bytea()
    scope = Text()
    number = Numeric(null=True)
    this_update = Timestamptz()
    next_update = Timestamptz()
    entries = Integer()
    source_id = UUID(null=True)
    imported_by = UUID(null=True)
    imported_at = Timestamptz()


class RevocationState(Table, tablename="revocation_state"):
    """Which list of an issuer's key counts now (действующий список отзыва)."""

    key_sha256 = Bytea(primary_key=True)
    scope = Text()
    list_id = UUID(default=None)
    next_update = Timestamptz()
    alarmed_at = Timestamptz(null=True)


class RevokedCertificate(Table, tablename="revoked_certificate"):
    """An entry of a list, from the list that first had it (отозванный сертификат)."""

    key_sha256 = Bytea(primary_key=True)
    scope = Text()
    serial = Bytea()
    revoked_at = Timestamptz()
    reason = Text(null=True)
    list_id = UUID(default=None)
    gone_list_id = UUID(null=True)


class OcspAnswer(Table, tablename="ocsp_answer"):
    """A responder's signed word on certificates, kept for ever (ответ службы OCSP)."""

    id = UUID(primary_key=True)
    sha256 = Bytea()
    der = Bytea()
    serial = Bytea()
    status = Text()
    this_update = Timestamptz()
    next_update = Timestamptz()
    imported_by = UUID(null=True)
    imported_at = Timestamptz()


class AccreditedAuthority(Table, tablename="accredited_authority"):
    """A period of an authority's accreditation (аккредитованный удостоверяющий центр)."""

    id = UUID(primary_key=True)
    name = Text()
    inn = Text(null=True)
    ogrn = Text(null=True)
    known_by = Text()
    value = Bytea()
    accredited_from = Date()
    suspended_on = Date(null=True)
    revoked_on = Date(null=True)
    source = Text()
    imported_by = UUID(null=True)
    imported_at = Timestamptz()
    updated_at = Timestamptz()


class StampService(Table, tablename="stamp_service"):
    """A time-stamp authority that is asked, in order (служба отметок времени)."""

    id = UUID(primary_key=True)
    name = Text()
    url = Text()
    position = Integer()
    status = Text()
    last_success_at = Timestamptz(null=True)
    last_error = Text(null=True)
    last_error_at = Timestamptz(null=True)
    added_by = UUID(null=True)
    added_at = Timestamptz()
    updated_at = Timestamptz()


class TrustState(Table, tablename="trust_state"):
    """One row that changes whenever trust does (версия хранилища доверия)."""

    id = Integer(primary_key=True)
    version = BigInt()


class SealingKey(Table, tablename="sealing_key"):
    """The signing key of an organization, sealed (ключ подписи организации)."""

    id = UUID(primary_key=True)
    organization_id = UUID(default=None)
    source = Text()
    material = Bytea()
    certificate_sha256 = Bytea()
    added_by = UUID(null=True)
    added_at = Timestamptz()
    retired_at = Timestamptz(null=True)


class AlgorithmLife(Table, tablename="algorithm_life"):
    """Until when an algorithm is relied on, as the operator set it (срок доверия к алгоритму)."""

    name = Text(primary_key=True)
    ends_at = Timestamptz(null=True)
    tree_rank = Integer(null=True)
    source = Text()
    set_by = UUID(null=True)
    set_at = Timestamptz()
