"""Whom a certificate names; for worker processes, since certificates come from anybody."""

from dataclasses import asdict
from typing import Any

from signatures.keys import read_certificate
from signatures.subjects import identifiers_of, subject_of


def look(certificate: bytes) -> dict[str, Any]:
    """Fingerprint, subject and numbers of a certificate in DER. Raises `certificate_unreadable`."""
    read = read_certificate(certificate)
    return {
        "sha256": bytes(read.sha256),
        "subject": subject_of(read),
        "identifiers": asdict(identifiers_of(read)),
    }
