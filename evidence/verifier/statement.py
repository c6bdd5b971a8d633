"""The statement: what the package says it is, and whose signature closes it.

`package.json` holds the digests of both lists; `package.p7s` is a detached CMS signature
(RFC 5652) over its bytes: `openssl cms -verify` reads it, too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from evidence.verifier.archive import FORM, SHA256_LIST, SIGNATURE, STATEMENT, STREEBOG_LIST
from evidence.verifier.cms import TIME_STAMP, Cms, check_signer, check_token
from evidence.verifier.findings import MALFORMED, Bad, Report, Unknown


def check_statement(
    report: Report, read: Callable[[str], bytes], signer: str, trust: Iterable[x509.Certificate]
) -> None:
    """Is the statement about these lists, and who signed it?"""
    content = read(STATEMENT)
    said = json.loads(content)
    report.facts["package"] = said
    for name, lists in (("sha256", SHA256_LIST), ("streebog256", STREEBOG_LIST)):
        if said["manifest"][name] != hashlib.sha256(read(lists)).hexdigest():
            raise Bad("statement", lists)
    if said["form"] != FORM or said["members"] != report.facts.get("members"):
        raise Bad("statement", STATEMENT)
    try:
        cms = Cms(read(SIGNATURE))
        (one,) = cms.signers
        certificate = check_signer(cms, one, lambda name: hashlib.new(name, content).digest())
    except (Bad, Unknown, *MALFORMED) as problem:
        raise Bad("package_signature", SIGNATURE) from problem
    report.facts["signer"] = _described(certificate)
    stamp = one.unsigned.get(TIME_STAMP)
    if stamp is not None:
        report.facts["signer"]["stamped_at"] = check_token(stamp.raw, one.signature)
    if signer and signer.replace(":", "").lower() != report.facts["signer"]["sha256"]:
        raise Bad("signer_differs", report.facts["signer"]["sha256"])
    roots = list(trust)
    if roots and not _leads_to(certificate, cms.certificates, roots):
        raise Bad("signer_untrusted", report.facts["signer"]["sha256"])
    if not roots and not signer:
        report.add(report.notes, "signer_not_compared", report.facts["signer"]["sha256"])
    for gap in said.get("lacks", []):
        report.add(report.notes, "declared_gap", str(gap))


def _described(certificate: bytes) -> dict[str, Any]:
    found = {"sha256": hashlib.sha256(certificate).hexdigest(), "subject": "", "stamped_at": None}
    with contextlib.suppress(ValueError):
        found["subject"] = x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
    return found


def _leads_to(leaf: bytes, others: Iterable[bytes], roots: list[x509.Certificate]) -> bool:
    """Is the certificate one of the roots, or issued below one through those of the signature?"""
    line = x509.load_der_x509_certificate(leaf)
    above = [*roots, *map(x509.load_der_x509_certificate, others)]
    for _ in range(10):
        if line in roots:
            return True
        for one in above:
            try:
                line.verify_directly_issued_by(one)
            except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
                continue
            if one != line:
                line = one
                break
        else:
            return False
    return False
