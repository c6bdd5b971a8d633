"""The signatures inside one PDF, which bear on one another by their order."""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from asn1crypto import x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signatures.coverage import Span, coverage_of, signed_span
from signatures.digests import start
from signatures.inputs import Collected
from signatures.report import SignatureReport, unique
from signatures.signers import Moment, check_signer, check_token

log = logging.getLogger(__name__)

_PADES = "/ETSI.CAdES.detached"
_SUBFILTERS = {_PADES, "/adbe.pkcs7.detached"}
_STAMP = "/ETSI.RFC3161"


def broken(
    kind: str, problem: Exception | None = None, code: str = "not_parseable"
) -> SignatureReport:
    """A signature of which nothing can be said but why."""
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


class Signatures:
    """Those of one open PDF."""

    def __init__(
        self, reader: PdfFileReader, data: bytes, moment: Moment, collected: Collected
    ) -> None:
        self._reader = reader
        self._data = data
        self._view = memoryview(data)
        self._moment = moment
        self._collected = collected
        collected.take_evidence(moment.evidence)

    def report(self, fields: list[Any]) -> tuple[SignatureReport, ...]:
        """Those that cannot be read first, then the others as they were made."""
        opened = [self._open(name, field) for name, _, field in fields]
        broken = [one for one in opened if isinstance(one, SignatureReport)]
        good = [one for one in opened if not isinstance(one, SignatureReport)]
        good.sort(key=lambda one: one[2].total)
        ends = [span.total for _, embedded, span in good if not _is_stamp(embedded)]
        last = max(ends, default=0)
        stamps = [self._one(*one, last=last) for one in good if _is_stamp(one[1])]
        stamped = iter(stamps)
        made = []
        for name, embedded, span in good:
            if _is_stamp(embedded):
                made.append(next(stamped))
            else:
                later = [
                    stamp
                    for stamp in stamps
                    if (stamp.signed_bytes or 0) > span.total and stamp.verdict == "valid"
                ]
                made.append(self._one(name, embedded, span, last=last, later=later))
        return (*broken, *made)

    def _open(self, name: str, field: Any) -> Any:
        try:
            embedded = EmbeddedPdfSignature(self._reader, field, name)
            subfilter = str(embedded.sig_object.get("/SubFilter", ""))
            if subfilter not in _SUBFILTERS and subfilter != _STAMP:
                return replace(broken("PDF", code="unsupported_format"), field_name=str(name))
            span = signed_span(embedded, self._data)
            if span is None:
                return replace(broken("PDF", code="byte_range_malformed"), field_name=str(name))
            self._collected.take_signed(embedded.signed_data)
        except Exception as problem:
            return replace(broken("PDF", problem), field_name=str(name))
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
                broken("PDF", problem),
                field_name=str(name),
                level="DocTimeStamp" if is_stamp else "",
            )
        return replace(
            self._collected.qualified(found),
            field_name=str(name),
            coverage=coverage,
            reasons=unique(found.reasons + codes),
            signed_bytes=span.total,
        )

    def _signature(
        self, embedded: EmbeddedPdfSignature, span: Span, later: list[SignatureReport]
    ) -> SignatureReport:
        proofs = tuple(one.timestamp.time for one in later if one.timestamp is not None)
        when = replace(self._moment, proofs=self._moment.proofs + proofs)
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
        blank = broken("PDF timestamp")
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
