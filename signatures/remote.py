"""The half of signing that parses a PDF, for worker processes: plain data in and out."""

from datetime import datetime
from typing import Any

from signatures import pdf


def prepare(data: bytes, *, certificate: bytes, chain: list[bytes], at: str) -> dict[str, Any]:
    """`pdf.prepare` as a map of `state` and `document`; no key comes near the parser."""
    prepared = pdf.prepare(
        data,
        certificate=certificate,
        chain=tuple(chain),
        signing_time=datetime.fromisoformat(at),
    )
    return {"state": prepared.state(), "document": prepared.document}
