"""The three-valued validation of one file: bytes and trust in, a report out.

Plain data both ways, no network, no database, no clock but `at`: fit for a sandboxed process.
Whatever the bytes do to the parsers below, the answer is a report.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from asn1crypto import cms, ocsp, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from core import clock
from core.errors import ServiceError
from signatures.chains import Evidence
from signatures.cms import normalize_cms
from signatures.coverage import Span, coverage_of, signed_span
from signatures.digests import digest, is_known, start
from signatures.hexstrings import quick_hex
from signatures.integrity import MAX_SIGNERS, are_attributes
from signatures.reasons import REASONS
from signatures.report import Report, SignatureReport, unique
from signatures.signers import Moment, check_signer, check_token
from signatures.trust import NOBODY, TrustStore, of_request

log = logging.getLogger(__name__)

_PADES = "/ETSI.CAdES.detached"
_SUBFILTERS = {_PADES, "/adbe.pkcs7.detached"}
_STAMP = "/ETSI.RFC3161"
_RANGE = re.compile(rb"/ByteRange\s*\[")


def validate_bytes(request: dict[str, Any]) -> dict[str, Any]:
    """The door for worker processes: a dictionary in, the report as a dictionary out.

    `data` and `signature` are bytes, `digests` names to bytes, `roots`, `others` and `crls`
    lists of DER, `at` ISO 8601; all but one of `data` and `signature` may be left out.
    """
    store = of_request(request)
    at = request.get("at")
    return validate(
        request.get("data"),
        signature=request.get("signature"),
        digests=request.get("digests"),
        trust=store,
        at=datetime.fromisoformat(at) if at else None,
    ).as_dict()


def validate(
    data: bytes | None,
    *,
    signature: bytes | None = None,
    digests: Mapping[str, bytes] | None = None,
    trust: TrustStore = NOBODY,
    at: datetime | None = None,
) -> Report:
    """The detached signature over the file if one is given, else those inside the PDF."""
    if signature is not None:
        return validate_detached(signature, data=data, digests=digests, trust=trust, at=at)
    moment = at or clock.now()
    if data is not None and b"%PDF-" in data[:1024]:
        return validate_pdf(data, trust=trust, at=moment)
    if data is not None and data[:1] == b"\x30":
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

        when = Moment(trust, moment)
        infos = list(signed["signer_infos"])
        found = tuple(
            _detached(signed, info, digest_of, when, data) for info in infos[:MAX_SIGNERS]
        )
        findings: tuple[str, ...] = () if found else ("no_signature",)
        if len(infos) > MAX_SIGNERS:
            findings += ("too_many_signers",)
        if data is not None and are_attributes(data):
            findings += ("attributes_as_document",)
        return Report(found, moment, findings)
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
        return _broken("CMS", problem)
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


def validate_pdf(data: bytes, *, trust: TrustStore = NOBODY, at: datetime | None = None) -> Report:
    """Every signature and document time stamp inside a PDF, earliest first."""
    moment = at or clock.now()
    try:
        with quick_hex():
            return _validate_pdf(data, trust=trust, at=moment)
    except Exception as problem:
        # Hostile bytes: the parser's exception, whichever it is, must not become ours.
        return _failed(problem, moment)


def _failed(problem: Exception, at: datetime) -> Report:
    log.info("validation gave up: %s", type(problem).__name__)
    return Report((), at, ("not_parseable",))


def _broken(
    kind: str, problem: Exception | None = None, code: str = "not_parseable"
) -> SignatureReport:
    if problem is not None:
        log.info("signature gave up: %s", type(problem).__name__)
    return SignatureReport(
        signer="",
        format=kind,
        level="",
        algorithm="",
        intact=False,
        valid=False,
        trusted=False,
        coverage="none",
        reasons=(code,),
    )


def _validate_pdf(data: bytes, *, trust: TrustStore, at: datetime) -> Report:
    reader = PdfFileReader(BytesIO(data), strict=False)
    if reader.encrypted:
        return Report((), at, ("encrypted",))
    fields = list(enumerate_sig_fields(reader, filled_status=True))
    if not fields:
        return Report((), at, ("no_signature",))
    findings: tuple[str, ...] = ("hybrid_reference",) if reader.xrefs.hybrid_xrefs_present else ()
    if len(_RANGE.findall(data)) > len(fields) + _usage_rights(reader):
        findings += ("signature_hidden",)
    found = _Signatures(reader, data, Moment(trust, at, _evidence(reader))).report(fields)
    if all(one.level == "DocTimeStamp" for one in found):
        findings += ("no_signature",)
    return Report(found, at, findings)


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


class _Signatures:
    """The signatures of one open PDF, which bear on one another by their order."""

    def __init__(self, reader: PdfFileReader, data: bytes, moment: Moment) -> None:
        self._reader = reader
        self._data = data
        self._view = memoryview(data)
        self._moment = moment

    def report(self, fields: list[Any]) -> tuple[SignatureReport, ...]:
        opened = [self._open(name, field) for name, _, field in fields]
        broken = [one for one in opened if isinstance(one, SignatureReport)]
        good = [one for one in opened if not isinstance(one, SignatureReport)]
        good.sort(key=lambda one: one[2].total)
        ends = [span.total for _, embedded, span in good if not _is_stamp(embedded)]
        last = max(ends, default=0)
        stamps = [self._one(*one, last=last) for one in good if _is_stamp(one[1])]
        made = {stamp.field_name: stamp for stamp in stamps}
        for name, embedded, span in good:
            if not _is_stamp(embedded):
                later = [
                    stamp
                    for stamp in stamps
                    if (stamp.signed_bytes or 0) > span.total and stamp.verdict == "valid"
                ]
                made[name] = self._one(name, embedded, span, last=last, later=later)
        return tuple(broken) + tuple(made[name] for name, _, _ in good)

    def _open(self, name: str, field: Any) -> Any:
        try:
            embedded = EmbeddedPdfSignature(self._reader, field, name)
            subfilter = str(embedded.sig_object.get("/SubFilter", ""))
            if subfilter not in _SUBFILTERS and subfilter != _STAMP:
                return replace(_broken("PDF", code="unsupported_format"), field_name=str(name))
            span = signed_span(embedded, self._data)
            if span is None:
                return replace(_broken("PDF", code="byte_range_malformed"), field_name=str(name))
        except Exception as problem:
            return replace(_broken("PDF", problem), field_name=str(name))
        return name, embedded, span

    def _digest_of(self, span: Span) -> Any:
        known: dict[str, bytes] = {}

        def digest(name: str) -> bytes:
            if name not in known:
                hashed = start(name, self._view[: span.start])
                hashed.update(self._view[span.end : span.total])
                known[name] = hashed.digest()
            return known[name]

        return digest

    def _one(
        self,
        name: str,
        embedded: EmbeddedPdfSignature,
        span: Span,
        *,
        last: int,
        later: list[SignatureReport] | None = None,
    ) -> SignatureReport:
        is_stamp = _is_stamp(embedded)
        try:
            if is_stamp:
                found = self._stamp(embedded, span)
            else:
                found = self._signature(embedded, span, later or [])
            coverage, codes = coverage_of(embedded, span, self._data, is_last=span.total >= last)
        except Exception as problem:
            return replace(
                _broken("PDF", problem),
                field_name=str(name),
                level="DocTimeStamp" if is_stamp else "",
            )
        return replace(
            found,
            field_name=str(name),
            coverage=coverage,
            reasons=unique(found.reasons + codes),
            signed_bytes=span.total,
        )

    def _signature(
        self, embedded: EmbeddedPdfSignature, span: Span, later: list[SignatureReport]
    ) -> SignatureReport:
        proofs = tuple(one.timestamp.time for one in later if one.timestamp is not None)
        when = replace(self._moment, proofs=proofs)
        found = check_signer(
            embedded.signed_data,
            embedded.signer_info,
            digest_of=self._digest_of(span),
            moment=when,
            claimed=_claimed(embedded),
        )
        is_pades = embedded.sig_object.get("/SubFilter") == _PADES
        level = found.level
        if level == "B-T" and (self._moment.evidence.crls or self._moment.evidence.ocsps):
            level = "B-LTA" if later else "B-LT"
        return replace(found, format="PAdES" if is_pades else "PDF CMS", level=level)

    def _stamp(self, embedded: EmbeddedPdfSignature, span: Span) -> SignatureReport:
        stamp, certificate = check_token(
            embedded.signed_data, imprint_of=self._digest_of(span), moment=self._moment
        )
        blank = _broken("PDF timestamp")
        codes = stamp.reasons if stamp.intact else (*stamp.reasons, "digest_mismatch")
        return replace(
            blank,
            signer=stamp.authority,
            level="DocTimeStamp",
            algorithm=str(embedded.md_algorithm),
            intact=stamp.intact,
            valid=stamp.intact,
            trusted=stamp.trusted,
            reasons=unique(codes),
            signing_time=stamp.time,
            timestamp=stamp,
            certificate_sha256=_fingerprint(certificate),
        )


def _is_stamp(embedded: EmbeddedPdfSignature) -> bool:
    return bool(embedded.sig_object.get("/SubFilter") == _STAMP)


def _fingerprint(certificate: x509.Certificate | None) -> str | None:
    return certificate.sha256.hex() if certificate is not None else None


def _claimed(embedded: EmbeddedPdfSignature) -> datetime | None:
    """The time in the signature dictionary; a claim, and often a sloppy one."""
    try:
        stated: datetime = generic.parse_pdf_date(embedded.sig_object["/M"], strict=False)
    except Exception:
        return None
    return stated if stated.tzinfo is not None else stated.replace(tzinfo=UTC)
