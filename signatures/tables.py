"""The room's tables as Piccolo sees them; keys, checks, indexes stand in the migrations."""

from piccolo.columns import UUID, Boolean, Bytea, Text, Timestamptz
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
