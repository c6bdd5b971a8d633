"""The half of signing that parses a PDF, for worker processes: plain data in and out."""

from datetime import datetime
from typing import Any

from signatures import chains, dss, pdf, trust
from signatures.prepared import STAMP_ROOM
from signatures.revocation_data import ValidationData
from signatures.roles import Role


def prepare(
    data: bytes,
    *,
    certificate: bytes,
    chain: list[bytes],
    at: str,
    role: Role | None = None,
    room: int = 24 * 1024,
) -> dict[str, Any]:
    """`pdf.prepare` as a map of `state` and `document`; no key comes near the parser."""
    prepared = pdf.prepare(
        data,
        certificate=certificate,
        chain=tuple(chain),
        role=role,
        signing_time=datetime.fromisoformat(at),
        room=room,
    )
    return {"state": prepared.state(), "document": prepared.document}


def add_validation_data(data: bytes, validation: ValidationData) -> bytes:
    """`dss.add_validation_data`."""
    return dss.add_validation_data(data, validation)


def place_stamp(
    data: bytes, validation: ValidationData | None, *, room: int = STAMP_ROOM
) -> dict[str, Any]:
    """`dss.place_stamp` as a map of `document`, `digest`, `start` and `end`."""
    place = dss.place_stamp(data, validation=validation, room=room)
    return {
        "document": place.buffer.getvalue(),
        "digest": place.digest,
        "start": place.start,
        "end": place.end,
    }


def revocation_for(chain: list[bytes], request: dict[str, Any]) -> ValidationData:
    """`chains.revocation_for` by the trust and `at` of a request for validation."""
    at = datetime.fromisoformat(request["at"])
    return ValidationData(*chains.revocation_for(tuple(chain), trust.of_request(request), at=at))
