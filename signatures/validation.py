"""The three-valued validation of one file: bytes and trust in, a report out.

Plain data both ways, no network, no database, no clock but `at`: fit for a sandboxed process.
Whatever the bytes do to the parsers below, the answer is a report.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import Any

from asn1crypto import cms, ocsp
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.dss import DocumentSecurityStore

from core import clock
from core.errors import ServiceError
from signatures import evidence_check
from signatures.chains import Evidence
from signatures.cms import normalize_cms
from signatures.digests import digest, is_known
from signatures.embedded import Signatures, broken
from signatures.hexstrings import quick_hex
from signatures.inputs import Collected
from signatures.integrity import MAX_SIGNERS, are_attributes
from signatures.reasons import REASONS
from signatures.report import Input, Report, SignatureReport, unique
from signatures.signers import Moment, check_signer
from signatures.trust import NOBODY, TrustStore, of_request

log = logging.getLogger(__name__)

_RANGE = re.compile(rb"/ByteRange\s*\[")


def validate_bytes(request: dict[str, Any]) -> dict[str, Any]:
    """The door for worker processes: a dictionary in, the report as a dictionary out.

    `data` and `signature` are bytes, `digests` names to bytes, `roots`, `others` and `crls`
    lists of DER, `at` ISO 8601; all but one of `data` and `signature` may be left out.
    `evidence_records` are DER too, `algorithm_ends` names to ISO 8601.
    """
    store = of_request(request)
    at = request.get("at")
    ends = request.get("algorithm_ends") or {}
    return validate(
        request.get("data"),
        signature=request.get("signature"),
        digests=request.get("digests"),
        trust=store,
        at=datetime.fromisoformat(at) if at else None,
        records=tuple(request.get("evidence_records") or ()),
        ends={name: datetime.fromisoformat(end) for name, end in ends.items()},
    ).as_dict()


def validate(
    data: bytes | None,
    *,
    signature: bytes | None = None,
    digests: Mapping[str, bytes] | None = None,
    trust: TrustStore = NOBODY,
    at: datetime | None = None,
    records: tuple[bytes, ...] = (),
    ends: Mapping[str, datetime] | None = None,
) -> Report:
    """The detached signature over the file if one is given, else those inside the PDF.

    `records` (RFC 4998) over the signature, or over the PDF, prove when it existed: what was good
    then and has expired since is still good. `ends` says until when algorithms are relied on.
    """
    moment = at or clock.now()
    proven = evidence_check.proven(
        records, signature or data or b"", trust=trust, at=moment, ends=ends
    )
    report = _validate(data, signature, digests, trust, moment, proven.moments)
    if records:
        report = replace(report, inputs=tuple(sorted({*report.inputs, *map(_record, records)})))
    if proven.missed and report.verdict == "indeterminate":
        missed = (*report.file_reasons, "evidence_renewal_missed")
        return replace(report, file_reasons=unique(missed))
    return report


def _record(der: bytes) -> Input:
    return Input("evidence_record", digest("sha256", der).hex(), "archive")


def _validate(
    data: bytes | None,
    signature: bytes | None,
    digests: Mapping[str, bytes] | None,
    trust: TrustStore,
    moment: datetime,
    proofs: tuple[datetime, ...],
) -> Report:
    if signature is not None:
        return validate_detached(
            signature, data=data, digests=digests, trust=trust, at=moment, proofs=proofs
        )
    if data is not None and b"%PDF-" in data[:1024]:
        return validate_pdf(data, trust=trust, at=moment, proofs=proofs)
    if data is not None and data.startswith((b"\x30", b"-----BEGIN ")):
        try:
            normalize_cms(data)
        except ServiceError:
            pass
        else:
            return Report((), moment, ("attached_instead_of_detached",))
    return Report((), moment, ("no_signature",))


def validate_detached(
    signature: bytes,
    *,
    data: bytes | None = None,
    digests: Mapping[str, bytes] | None = None,
    trust: TrustStore = NOBODY,
    at: datetime | None = None,
    proofs: tuple[datetime, ...] = (),
) -> Report:
    """Every signer of a detached CMS against the file, or against digests of it by name.

    `digests_needed` says which digests a file too big for memory must bring.
    """
    moment = at or clock.now()
    try:
        signed = cms.ContentInfo.load(normalize_cms(signature))["content"]
        known = dict(digests or {})

        def digest_of(name: str) -> bytes:
            if name not in known:
                known[name] = digest(name, data) if data is not None and is_known(name) else b""
            return known[name]

        when = Moment(trust, moment, proofs=proofs)
        collected = Collected(trust)
        collected.take_signed(signed)
        infos = list(signed["signer_infos"])
        found = tuple(
            collected.qualified(_detached(signed, info, digest_of, when, data))
            for info in infos[:MAX_SIGNERS]
        )
        findings: tuple[str, ...] = () if found else ("no_signature",)
        if len(infos) > MAX_SIGNERS:
            findings += ("too_many_signers",)
        if data is not None and are_attributes(data):
            findings += ("attributes_as_document",)
        return Report(found, moment, findings, collected.all())
    except ServiceError as problem:
        code = problem.error_code if problem.error_code in REASONS else "not_parseable"
        return Report((), moment, (code,))
    except Exception as problem:
        return _failed(problem, moment)


def _detached(
    signed: cms.SignedData, info: cms.SignerInfo, digest_of: Any, when: Moment, data: bytes | None
) -> SignatureReport:
    try:
        found = check_signer(signed, info, digest_of=digest_of, moment=when)
    except Exception as problem:
        return broken("CMS", problem)
    whole = found.intact and found.valid
    return replace(
        found,
        coverage="entire_file" if whole else "none",
        signed_bytes=len(data) if data is not None and whole else None,
    )


def digests_needed(signature: bytes) -> tuple[str, ...]:
    """Names of the digests of the file that `validate_detached` will ask for.

    Raises `signature_unreadable`. Algorithms that are not accepted anyway are left out.
    """
    signed = cms.ContentInfo.load(normalize_cms(signature))["content"]
    names = [info["digest_algorithm"]["algorithm"].native for info in signed["signer_infos"]]
    return unique([name for name in names if is_known(name)])


def validate_pdf(
    data: bytes,
    *,
    trust: TrustStore = NOBODY,
    at: datetime | None = None,
    proofs: tuple[datetime, ...] = (),
) -> Report:
    """Every signature and document time stamp inside a PDF, earliest first."""
    moment = at or clock.now()
    try:
        with quick_hex():
            return _validate_pdf(data, Moment(trust, moment, proofs=proofs))
    except Exception as problem:
        # Hostile bytes: the parser's exception, whichever it is, must not become ours.
        return _failed(problem, moment)


def _failed(problem: Exception, at: datetime) -> Report:
    log.info("validation gave up: %s", type(problem).__name__)
    return Report((), at, ("not_parseable",))


def _validate_pdf(data: bytes, moment: Moment) -> Report:
    at = moment.at
    reader = PdfFileReader(BytesIO(data), strict=False)
    if reader.encrypted:
        return Report((), at, ("encrypted",))
    fields = list(enumerate_sig_fields(reader, filled_status=True))
    if not fields:
        return Report((), at, ("no_signature",))
    findings: tuple[str, ...] = ("hybrid_reference",) if _has_two_readings(reader) else ()
    if len(_RANGE.findall(data)) > len(fields) + _usage_rights(reader):
        findings += ("signature_hidden",)
    collected = Collected(moment.trust)
    found = Signatures(reader, data, replace(moment, evidence=_evidence(reader)), collected).report(
        fields
    )
    if all(one.level == "DocTimeStamp" for one in found):
        findings += ("no_signature",)
    return Report(found, at, findings, collected.all())


def _has_two_readings(reader: PdfFileReader) -> bool:
    """Whether a table and the stream beside it place one object differently.

    Office programs write both, the stream adding what the table calls free (ISO 32000-2 section
    7.5.8.4); every program of this century reads that alike.
    """
    for number in range(reader.xrefs.total_revisions):
        table = reader.xrefs.get_xref_data(number)
        if table.hybrid is not None:
            beside = table.hybrid.xref_data.explicit_refs_in_revision
            if beside & table.explicit_refs_in_revision:
                return True
    return False


def _usage_rights(reader: PdfFileReader) -> int:
    """Signatures of a program's maker that switch functions on and say nothing of the text."""
    if "/Perms" not in reader.root:
        return 0
    return sum(1 for key in ("/UR", "/UR3") if key in reader.root["/Perms"])


def _evidence(reader: PdfFileReader) -> Evidence:
    """Certificates and revocation data of the document security store, if there is one."""
    if "/DSS" not in reader.root:
        return Evidence()
    try:
        store = DocumentSecurityStore.read_dss(reader)
        return Evidence(
            certificates=tuple(store.load_certs()),
            crls=tuple(ref.get_object().data for ref in store.crls),
            ocsps=tuple(ocsp.OCSPResponse.load(ref.get_object().data) for ref in store.ocsps),
        )
    except Exception as problem:
        log.info("security store ignored: %s", type(problem).__name__)
        return Evidence()
