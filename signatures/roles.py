"""In what role somebody signs, and how the signed bytes say so.

CAdES and PAdES have the attribute commitment-type-indication (ETSI EN 319 122-1 section 5.2.3);
PAdES allows it or the entry Reason, never both (EN 319 142-1 section 6.3).
"""

from dataclasses import dataclass, replace
from typing import Literal

Role = Literal["approving", "certifying", "endorsing", "sealing"]
"""утверждающая, заверяющая (автора), согласующая (виза), печать организации"""

COMMITMENTS: dict[str, str] = {
    "approving": "1.2.840.113549.1.9.16.6.5",  # id-cti-ets-proofOfApproval, RFC 5126
    "certifying": "1.2.840.113549.1.9.16.6.6",  # id-cti-ets-proofOfCreation, RFC 5126
    # The standards know no visa; an identifier made from a UUID needs no registration (X.667).
    "endorsing": "2.25.297204733905478243602853946195118324217",
}

_REASONS = {"endorsing": "Согласовано"}


@dataclass(frozen=True, slots=True)
class Words:
    """What the signature dictionary says to a reader; shown by viewers, proves nothing."""

    name: str | None = None
    reason: str | None = None
    location: str | None = None


NO_WORDS = Words()


@dataclass(frozen=True, slots=True)
class Statement:
    """What a PDF signature says of its role: an entry, an attribute, a certification."""

    words: Words
    commitment: str | None
    certifies: bool


def statement(role: Role | None, words: Words = NO_WORDS) -> Statement:
    """How a PDF signature states its role; a reason given by the caller takes the entry."""
    reason = words.reason or _REASONS.get(role or "")
    commitment = None if reason else COMMITMENTS.get(role or "")
    return Statement(replace(words, reason=reason), commitment, role == "certifying")
