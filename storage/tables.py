"""The table of blobs; the constraints themselves stand in the migration's SQL."""

from piccolo.columns import UUID, BigInt, Bytea, Text, Timestamptz
from piccolo.table import Table


class Blob(Table, tablename="blob"):
    """Файл в хранилище: содержимое, один раз на всю систему (bytes, kept once by content).

    A row exists only for an object that lies whole in the store; objects without a row are
    orphans of broken uploads and are swept.
    """

    id = UUID(primary_key=True, default=None)
    sha256 = Bytea(unique=True)
    """32 bytes; equal content is one row."""
    size = BigInt()
    media_type = Text()
    """The true type by content, never what the sender said."""
    key = Text(unique=True)
    """Random, so that a key tells nothing; ``gone/…`` once the bytes were destroyed by an act."""
    created_at = Timestamptz(default=None)
    fixity_checked_at = Timestamptz(null=True, default=None)
    """When the bytes were last read whole and found to match `sha256`."""
    fixity_tried_at = Timestamptz(null=True, default=None)
    """When they were last read at all; the next check begins with the oldest."""


class BlobDamage(Table, tablename="blob_damage"):
    """Повреждение файла в хранилище: чего нет или что изменилось (bytes lost or changed)."""

    blob_id = UUID(primary_key=True, default=None)
    kind = Text()
    """lost or changed."""
    found_at = Timestamptz(default=None)
    seen_at = Timestamptz(default=None)
