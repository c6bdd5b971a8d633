"""A certificate before anybody signs with it: may it sign, is it trusted, whose is it.

For worker processes: plain data in and out.
"""

from datetime import datetime
from typing import Any

from asn1crypto import x509

from signatures.chains import Evidence, check_chain
from signatures.keys import check_certificate, read_certificate
from signatures.signers import subject_of
from signatures.trust import of_request


def look(
    certificate: bytes,
    *,
    chain: list[bytes],
    trust: dict[str, Any],
    at: str,
) -> dict[str, Any]:
    """What is known of a certificate at the moment `at` (ISO 8601), by trust as requests carry it.

    `chain_code` is None for a good chain, else the reason's code. Raises the codes of
    `read_certificate` and `check_certificate`, for a helping certificate too.
    """
    leaf = read_certificate(certificate)
    helping = tuple(read_certificate(der) for der in chain)
    moment = datetime.fromisoformat(at)
    check_certificate(leaf, at=moment)
    found = check_chain(
        leaf,
        trust=of_request(trust),
        at=moment,
        evidence=Evidence(certificates=helping),
    )
    return {
        **face(leaf),
        "chain_code": found.code,
        "revoked_at": found.revoked_at and found.revoked_at.isoformat(),
    }


def face(leaf: x509.Certificate) -> dict[str, Any]:
    """Who it names, who issued it and for how long."""
    subject = subject_of(leaf)
    issuer = x509.Name.load(leaf.issuer.dump())
    names = {pair["type"].native: pair["value"].native for rdn in issuer.chosen for pair in rdn}
    return {
        "subject": subject,
        "owner": subject.get("common_name") or leaf.subject.human_friendly,
        "issuer": str(names.get("common_name") or leaf.issuer.human_friendly),
        "serial": f"{leaf.serial_number:x}",
        "sha256": leaf.sha256.hex(),
        "not_before": leaf.not_valid_before.isoformat(),
        "not_after": leaf.not_valid_after.isoformat(),
        "key": str(leaf.public_key.algorithm),
    }
