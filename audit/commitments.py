"""Salted commitments over canonical JSON (RFC 8785): what can be proved, and forgotten.

A commitment is SHA-256 over 32 bytes of salt and the canonical JSON. Who has neither salt nor
content learns nothing from it; once both are erased nobody can show what it stood for, while all
that was built on its 32 bytes still holds (architecture rule 9).
"""

import hashlib
import json
import secrets
from decimal import Decimal
from typing import Any

from core import canonical

SALT_BYTES = 32
_WHOLE = 2**53


def commitment(salt: bytes, content: bytes) -> bytes:
    """SHA-256 of the salt and the canonical bytes after it."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    return hashlib.sha256(salt + content).digest()


def of_detail(detail: dict[str, Any]) -> tuple[bytes, bytes]:
    """A fresh salt and the commitment for a detail that is about to be written."""
    salt = secrets.token_bytes(SALT_BYTES)
    return salt, commitment(salt, canonical_of_value(detail))


def canonical_of_value(value: Any) -> bytes:
    """The canonical bytes that a value will have once it was stored as `jsonb`."""
    return canonical_of_text(json.dumps(value, ensure_ascii=False, default=str))


def canonical_of_text(text: str) -> bytes:
    """The canonical bytes of stored JSON text, for any JSON that PostgreSQL stores.

    RFC 8785 knows numbers only as far as a double tells them apart. A number that is not whole or
    lies beyond 2**53 therefore stands as ``{"$number": "its decimal digits"}``.
    """
    return canonical.dumps(json.loads(text, parse_float=_exact, parse_int=_integer))


def _integer(digits: str) -> Any:
    # PostgreSQL stores integers of more digits than Python reads as int
    if len(digits) < 17 and abs(found := int(digits)) <= _WHOLE:
        return found
    return _exact(digits)


def _exact(digits: str) -> dict[str, str]:
    """The number as PostgreSQL's numeric prints it: without exponent, scale kept."""
    number = Decimal(digits)
    return {"$number": format(abs(number) if number == 0 else number, "f")}
