"""The signed revision of a PDF: what a reader is to be shown, and not what came after it."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import NotFound


def signed_revision(
    data: bytes, signatures: Sequence[Mapping[str, Any]], *, field_name: str | None = None
) -> bytes:
    """The file as it was when that signature, or the last one that is intact, was made.

    `signatures` are those of a report. Certificate and trust play no part: what was signed is
    shown, whatever the signature is worth. Raises NotFound where no signature speaks for the file.
    """
    ends = [
        int(one["signed_bytes"])
        for one in signatures
        if one["intact"] and one["valid"] and one["signed_bytes"]
        and one["level"] != "DocTimeStamp"
        and (field_name is None or one["field_name"] == field_name)
    ]  # fmt: skip
    if not ends or max(ends) > len(data):
        raise NotFound(
            "В файле нет подписи, которая его охватывает. Откройте сам файл.",
            "No signature in this file speaks for it. Open the file itself.",
            code="no_signed_revision",
        )
    return data[: max(ends)]
