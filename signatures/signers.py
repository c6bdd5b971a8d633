"""One signer of a CMS: integrity, algorithm, attributes, time stamp, certificate, chain.

Order and sub-indications follow EN 319 102-1 sections 5.2 and 5.5 as far as the form goes.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from asn1crypto import cms, core, tsp, x509

from signatures import digests
from signatures.algorithms import algorithm_codes, algorithm_name, are_parameters_plain
from signatures.chains import NOTHING, Chain, Evidence, are_authentic, check_chain
from signatures.integrity import (
    Integrity,
    check_integrity,
    find_certificate,
    is_bound,
    signing_time_of,
    tokens_of,
    values_of,
)
from signatures.keys import may_sign
from signatures.ocsp_answers import stapled
from signatures.reasons import WARNINGS
from signatures.report import SignatureReport, StampReport, unique
from signatures.subjects import extras_of, identifiers_of, subject_of
from signatures.trust import TrustStore

__all__ = ["Moment", "check_signer", "check_token", "subject_of"]

DigestOf = Callable[[str], bytes]

_SKEW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """When is judged, by whose trust, and with what the file itself brings along."""

    trust: TrustStore
    at: datetime
    evidence: Evidence = NOTHING
    proofs: tuple[datetime, ...] = ()


def _shell_codes(signed: cms.SignedData, info: cms.SignerInfo, kind: str) -> tuple[str, ...]:
    """What stands around the signed attributes and is signed by nobody (RFC 5652 section 5)."""
    named = {one["algorithm"].native for one in signed["digest_algorithms"]}
    is_sound = (
        info["digest_algorithm"]["algorithm"].native in named
        and signed["version"].native in ("v1", "v3", "v4", "v5")
        and info["version"].native in ("v1", "v3")
        and signed["encap_content_info"]["content_type"].native == kind
        and all(map(are_parameters_plain, signed["digest_algorithms"]))
        and are_parameters_plain(info["digest_algorithm"])
        and are_parameters_plain(info["signature_algorithm"])
    )
    return () if is_sound else ("not_parseable",)


def _own_evidence(signed: cms.SignedData, info: cms.SignerInfo, more: Evidence) -> Evidence:
    crls, ocsps = list(more.crls), list(more.ocsps)
    if isinstance(signed["crls"], cms.RevocationInfoChoices):
        crls.extend(one.chosen.dump() for one in signed["crls"] if one.name == "")
        ocsps.extend(stapled(signed["crls"]))
    try:
        for kept in values_of(info["signed_attrs"], "adobe_revocation_info_archival"):
            crls.extend(one.dump() for one in kept["crl"] or ())
            ocsps.extend(kept["ocsp"] or ())
    except (ValueError, KeyError):
        pass
    return Evidence(more.certificates, tuple(crls), tuple(ocsps))


def check_token(
    signed: cms.SignedData, *, imprint_of: DigestOf, moment: Moment
) -> tuple[StampReport, x509.Certificate | None]:
    """A time-stamp token (RFC 3161) against what it should be a stamp of."""
    info = signed["signer_infos"][0]
    content = signed["encap_content_info"]["content"]
    stamp: tsp.TSTInfo = content.parsed
    time = stamp["gen_time"].native
    certificate, every = find_certificate(signed, info)
    if certificate is None:
        return StampReport(time, "", False, False, ("timestamp_invalid",)), None
    imprint = stamp["message_imprint"]
    expected = imprint_of(imprint["hash_algorithm"]["algorithm"].native)
    fits = expected != b"" and expected == imprint["hashed_message"].native
    digest = _digest(info["digest_algorithm"]["algorithm"].native, bytes(content))
    made = check_integrity(info, certificate, content_type="tst_info", digest=digest)
    codes = [*_faults(made), *_shell_codes(signed, info, "tst_info")]
    intact = fits and made.intact and made.valid
    if not intact:
        codes.append("timestamp_invalid")
    extended = certificate.extended_key_usage_value
    if extended is None or extended.native != ["time_stamping"]:
        codes.append("timestamp_untrusted")
    codes.extend(algorithm_codes(info, certificate))
    brought = moment.evidence
    evidence = Evidence(brought.certificates + every, brought.crls, brought.ocsps)
    own = Moment(moment.trust, moment.at, evidence)
    chain = _judge_chain(certificate, moment=own, proofs=moment.proofs)
    if chain.code is not None:
        codes.append("timestamp_untrusted")
        codes.append(chain.code)
    elif not are_authentic(every, trust=moment.trust):
        codes.append("timestamp_untrusted")
    found = unique(codes)
    report = StampReport(time, certificate.subject.human_friendly, intact, not found, found)
    return report, certificate


def _digest(name: str, data: bytes) -> bytes:
    """The hash, or nothing for one that is not known here; nothing never fits."""
    return digests.digest(name, data) if digests.is_known(name) else b""


def _faults(made: Integrity) -> tuple[str, ...]:
    """What speaks against a time stamp; that it is broken at all is said in one word."""
    told = {"digest_mismatch", "signature_broken", *WARNINGS}
    return tuple(code for code in made.codes if code not in told)


def _is_key_in_use(certificate: x509.Certificate, at: datetime) -> bool:
    """Authorities let a key live shorter than its certificate (RFC 5280, 2.5.29.16)."""
    period = certificate.private_key_usage_period_value
    if period is None:
        return True
    begin, end = period["not_before"].native, period["not_after"].native
    return not ((begin is not None and at < begin) or (end is not None and at > end))


def _stamp_of(info: cms.SignerInfo, moment: Moment) -> StampReport | None:
    value = info["signature"].native
    last = None
    for token in tokens_of(info):
        last, _ = check_token(token, imprint_of=lambda name: _digest(name, value), moment=moment)
        if last.trusted:
            break
    return last


def _judge_chain(leaf: x509.Certificate, *, moment: Moment, proofs: Iterable[datetime]) -> Chain:
    """The chain now; if that fails by time only, at the earliest proven moment of the past."""
    chain = check_chain(leaf, trust=moment.trust, at=moment.at, evidence=moment.evidence)
    proven = min(proofs, default=None)
    if proven is None or chain.code not in ("certificate_expired", "revoked"):
        return chain
    if chain.revoked_at is not None and chain.revoked_at <= proven:
        return chain
    past = check_chain(
        leaf, trust=moment.trust, at=proven, evidence=moment.evidence, retrospective=True
    )
    return past if past.code is None else chain


def check_signer(
    signed: cms.SignedData,
    info: cms.SignerInfo,
    *,
    digest_of: DigestOf,
    moment: Moment,
    claimed: datetime | None = None,
) -> SignatureReport:
    """All that can be said of one signer of a detached CMS over the bytes behind `digest_of`."""
    certificate, every = find_certificate(signed, info)
    algorithm = algorithm_name(info, certificate)
    is_cades = is_bound(info)
    blank = SignatureReport(
        signer="",
        format="CAdES" if is_cades else "CMS",
        level="B-B" if is_cades else "",
        algorithm=algorithm,
        intact=False,
        valid=False,
        trusted=False,
        coverage="",
        reasons=(),
    )
    if certificate is None:
        return _with(blank, reasons=("signer_certificate_missing",))
    blank = _with(blank, **_face(certificate))
    codes = list(algorithm_codes(info, certificate))
    if "unsupported_algorithm" in codes:
        return _with(blank, reasons=tuple(codes))
    codes.extend(_shell_codes(signed, info, "data"))
    if not isinstance(signed["encap_content_info"]["content"], core.Void):
        codes.append("attached_instead_of_detached")
    digest = digest_of(info["digest_algorithm"]["algorithm"].native)
    made = check_integrity(info, certificate, content_type="data", digest=digest)
    codes.extend(made.codes)
    evidence = _own_evidence(signed, info, moment.evidence)
    own = Moment(
        moment.trust,
        moment.at,
        Evidence(evidence.certificates + every, evidence.crls, evidence.ocsps),
        moment.proofs,
    )
    return _judge(blank, info, certificate, made=made, codes=codes, moment=own, claimed=claimed)


def _judge(
    blank: SignatureReport,
    info: cms.SignerInfo,
    certificate: x509.Certificate,
    *,
    made: Integrity,
    codes: list[str],
    moment: Moment,
    claimed: datetime | None,
) -> SignatureReport:
    stamp = _stamp_of(info, moment)
    proofs = list(moment.proofs)
    if stamp is not None:
        codes.extend(stamp.reasons)
        if stamp.trusted:
            proofs.append(stamp.time)
    signing_time = signing_time_of(info) or claimed
    latest = moment.at + _SKEW
    if (signing_time and signing_time > latest) or (stamp and stamp.time > latest):
        codes.append("signed_after_moment")
    if not may_sign(certificate):
        codes.append("certificate_usage")
    used_at = stamp.time if stamp is not None and stamp.trusted else signing_time or moment.at
    if not _is_key_in_use(certificate, used_at):
        codes.append("key_period_ended")
    chain = Chain("untrusted")
    if made.valid:
        chain = _judge_chain(certificate, moment=moment, proofs=proofs)
    if chain.code is not None:
        codes.append(chain.code)
    elif not are_authentic(moment.evidence.certificates, trust=moment.trust):
        codes.append("chain_invalid")
    return _with(
        blank,
        intact=made.intact,
        valid=made.valid,
        trusted=chain.code is None,
        reasons=unique([code for code in codes if code not in WARNINGS]),
        warnings=unique([code for code in codes if code in WARNINGS]),
        signing_time=signing_time,
        revoked_at=chain.revoked_at,
        timestamp=stamp,
        level="B-T" if stamp is not None and blank.level else blank.level,
    )


def _face(certificate: x509.Certificate) -> dict[str, Any]:
    subject = subject_of(certificate)
    return {
        "signer": subject.get("common_name") or certificate.subject.human_friendly,
        "subject": subject,
        "identifiers": asdict(identifiers_of(certificate)),
        **extras_of(certificate),
        "certificate_sha256": certificate.sha256.hex(),
        "certificate_serial": f"{certificate.serial_number:x}",
        "issuer": _issuer_name(certificate.issuer.dump()),
        "not_before": certificate.not_valid_before,
        "not_after": certificate.not_valid_after,
    }


@lru_cache(maxsize=1024)
def _issuer_name(der: bytes) -> str:
    return str(x509.Name.load(der).human_friendly)


def _with(report: SignatureReport, **changes: Any) -> SignatureReport:
    values = {name: getattr(report, name) for name in report.__dataclass_fields__}
    return SignatureReport(**{**values, **changes})
