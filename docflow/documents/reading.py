"""What is read of a file at arm's length, in one go; runs inside the sandbox."""

from typing import Any

from core.sandbox.extract import extract_text
from signatures.validation import validate_bytes


def read_signed(data: bytes, media_type: str, request: dict[str, Any]) -> dict[str, Any]:
    """Text, pages and oddities of a signed file, and the report on its signatures as `report`.

    `request` is what `validate_bytes` takes, but for the data, which travel once for both.
    """
    read = extract_text(data, media_type)
    return {**read, "report": validate_bytes({**request, "data": data})}
