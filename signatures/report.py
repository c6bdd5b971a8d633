"""What a validation answers: frozen, plain, the same in Python and on the wire."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from signatures.reasons import REASONS, WARNINGS, Verdict, verdict_of, worst_of


def _moment(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value else None


def unique(codes: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """The codes in their first order, each once."""
    return tuple(dict.fromkeys(codes))


POLICY = "docflow-2026.11"
"""The rules a verdict was made by; a change that could change verdicts gets a new name."""


@dataclass(frozen=True, slots=True, order=True)
class Input:
    """What entered a verdict: certificate, crl, ocsp, revocation, timestamp, evidence_record.

    `source` is "root" or "store" for the trust store, "file" for what the file brought, "archive"
    for a record kept beside it.
    """

    kind: str
    sha256: str
    source: str


@dataclass(frozen=True, slots=True)
class StampReport:
    """One time stamp: `trusted` only if intact, authentic and from a trusted authority."""

    time: datetime
    authority: str
    intact: bool
    trusted: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """What is known of one signature; `coverage` says which bytes it speaks for."""

    signer: str
    format: str
    level: str
    algorithm: str
    intact: bool
    valid: bool
    trusted: bool
    coverage: str
    reasons: tuple[str, ...]
    subject: dict[str, str] = field(default_factory=dict)
    signing_time: datetime | None = None
    certificate_sha256: str | None = None
    certificate_serial: str | None = None
    issuer: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    revoked_at: datetime | None = None
    timestamp: StampReport | None = None
    field_name: str | None = None
    signed_bytes: int | None = None
    identifiers: dict[str, str] = field(default_factory=dict)
    """INN, OGRN, SNILS in digits only; `subject` has them as the certificate spells them."""
    sign_tool: str = ""
    policies: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """What is odd and changes no verdict."""
    qualified: bool | None = None
    """Issued by an authority accredited on that day; None where it is not known."""
    accreditation: dict[str, str] | None = None
    """The period of accreditation that decided."""
    checked_by_certified_means: bool = False
    """63-FZ article 11: this program is not certified by the FSB."""
    authority: str = "not_checked"
    """Whether the signer had the authority to sign; the room of documents knows."""

    @property
    def verdict(self) -> Verdict:
        """Valid only without any finding and with all three flags up."""
        found = verdict_of(self.reasons)
        if found == "valid" and not (self.intact and self.valid and self.trusted):
            return "indeterminate"
        return found

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; times in ISO 8601 UTC, reasons with their words."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        for name in ("signing_time", "not_before", "not_after", "revoked_at"):
            plain[name] = _moment(getattr(self, name))
        if self.timestamp is not None:
            plain["timestamp"]["time"] = _moment(self.timestamp.time)
            plain["timestamp"]["reasons"] = _reasons(self.timestamp.reasons)
        plain["reasons"] = _reasons(self.reasons)
        plain["policies"] = list(self.policies)
        plain["warnings"] = [WARNINGS[code].as_dict() for code in self.warnings]
        plain["verdict"] = self.verdict
        plain["technically_valid"] = self.verdict == "valid"
        return plain


def _reasons(codes: tuple[str, ...]) -> list[dict[str, str]]:
    return [REASONS[code].as_dict() for code in codes]


@dataclass(frozen=True, slots=True)
class Report:
    """The answer for one file: the worst of its signatures and of the file itself."""

    signatures: tuple[SignatureReport, ...]
    at: datetime
    file_reasons: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """No signature, no `valid`."""
        worst = worst_of((verdict_of(self.file_reasons), *(s.verdict for s in self.signatures)))
        return "indeterminate" if worst == "valid" and not self.signatures else worst

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every finding of the file and of its signatures, each once."""
        found = list(self.file_reasons)
        for signature in self.signatures:
            found.extend(signature.reasons)
        return unique(found)

    @property
    def qualified(self) -> bool | None:
        """Only if every signature is; time stamps of the document do not count."""
        flags = [one.qualified for one in self.signatures if one.level != "DocTimeStamp"]
        if False in flags:
            return False
        return None if None in flags or not flags else True

    def as_dict(self) -> dict[str, Any]:
        """The shape promised by `docflow validate --json`."""
        inputs = [msgspec.to_builtins(one) for one in self.inputs]
        return {
            "verdict": self.verdict,
            "reasons": _reasons(self.reasons),
            "at": _moment(self.at),
            "technically_valid": self.verdict == "valid",
            "qualified": self.qualified,
            "checked_by_certified_means": False,
            "authority": "not_checked",
            "policy": POLICY,
            "inputs": inputs,
            "signatures": [
                # Each stands for itself once it is stored with its document.
                {**signature.as_dict(), "policy": POLICY, "inputs": inputs}
                for signature in self.signatures
            ],
        }
