"""One signer of a CMS: integrity, algorithm, attributes, time stamp, certificate, chain.

Order and sub-indications follow EN 319 102-1 sections 5.2 and 5.5 as far as the form goes.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from asn1crypto import cms, core, tsp, x509
from pyhanko.sign.general import (
    CMSStructuralError,
    MultivaluedAttributeError,
    NonexistentAttributeError,
    check_ess_certid,
    find_unique_cms_attribute,
)
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import (
    extract_self_reported_ts,
    extract_tst_data_iter,
    get_signing_cert_attr,
    validate_sig_integrity,
)

from signatures.chains import (
    NOTHING,
    Chain,
    Evidence,
    are_authentic,
    certificates_of,
    check_chain,
)
from signatures.keys import may_sign
from signatures.ocsp_answers import stapled
from signatures.report import SignatureReport, StampReport, unique
from signatures.trust import TrustStore
from signatures.verifier import VERIFIER

DigestOf = Callable[[str], bytes]

_DIGESTS = {"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"}
_WEAK_DIGESTS = {"md2", "md5", "sha1", "sha224"}
_SKEW = timedelta(days=1)

_FIELDS = {
    "2.5.4.3": "common_name",
    "2.5.4.4": "surname",
    "2.5.4.42": "given_name",
    "2.5.4.10": "organization",
    "2.5.4.12": "title",
    "2.5.4.6": "country",
    "1.2.840.113549.1.9.1": "email",
    "1.2.643.3.131.1.1": "inn",
    "1.2.643.100.4": "inn_le",
    "1.2.643.100.1": "ogrn",
    "1.2.643.100.5": "ogrnip",
    "1.2.643.100.3": "snils",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """When is judged, by whose trust, and with what the file itself brings along."""

    trust: TrustStore
    at: datetime
    evidence: Evidence = NOTHING
    proofs: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class _Core:
    intact: bool
    valid: bool
    codes: tuple[str, ...]


@lru_cache(maxsize=4096)
def _subject(der: bytes) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for rdn in x509.Name.load(der).chosen:
        for pair in rdn:
            name = _FIELDS.get(pair["type"].dotted)
            if name is not None:
                found[name] = str(pair["value"].native)
    return tuple(found.items())


def subject_of(certificate: x509.Certificate) -> dict[str, str]:
    """The named fields of the subject, Russian identifiers included."""
    return dict(_subject(certificate.subject.dump()))


def _find_certificate(
    signed: cms.SignedData, info: cms.SignerInfo
) -> tuple[x509.Certificate | None, tuple[x509.Certificate, ...]]:
    choices = signed["certificates"]
    every = certificates_of(choices) if isinstance(choices, cms.CertificateSet) else ()
    sid = info["sid"]
    for one in every:
        if sid.name == "issuer_and_serial_number":
            if (
                one.serial_number == sid.chosen["serial_number"].native
                and one.issuer == sid.chosen["issuer"]
            ):
                return one, every
        elif one.key_identifier == sid.chosen.native:
            return one, every
    return None, every


def _algorithm_codes(info: cms.SignerInfo, certificate: x509.Certificate) -> tuple[str, ...]:
    digest = info["digest_algorithm"]["algorithm"].native
    if digest in _WEAK_DIGESTS:
        return ("weak_algorithm",)
    kind = certificate.public_key.algorithm
    if digest not in _DIGESTS or kind not in ("rsa", "rsassa_pss", "ec"):
        return ("unsupported_algorithm",)
    if kind != "ec" and certificate.public_key.bit_size < 2048:
        return ("weak_algorithm",)
    try:
        own = info["signature_algorithm"].hash_algo
    except ValueError:
        own = digest
    return () if own == digest else ("unsupported_algorithm",)


def _algorithm_name(info: cms.SignerInfo, certificate: x509.Certificate | None) -> str:
    digest = str(info["digest_algorithm"]["algorithm"].native)
    mechanism = str(info["signature_algorithm"]["algorithm"].native)
    if certificate is None or certificate.public_key.algorithm not in ("rsa", "ec"):
        return f"{mechanism}-{digest}"
    key = certificate.public_key
    if key.algorithm == "ec":
        return f"ecdsa-{key.curve[1]}-{digest}"
    return f"{'rsa-pss' if mechanism == 'rsassa_pss' else 'rsa'}-{key.bit_size}-{digest}"


def _verify(
    info: cms.SignerInfo, certificate: x509.Certificate, *, content_type: str, digest: bytes
) -> _Core:
    try:
        intact, valid = validate_sig_integrity(
            info, certificate, content_type, digest, sig_validator=VERIFIER
        )
    except (SignatureValidationError, CMSStructuralError):
        return _Core(False, False, ("not_parseable",))
    codes = []
    if not intact:
        codes.append("digest_mismatch")
    if not valid:
        codes.append("signature_broken")
    return _Core(intact, valid, tuple(codes))


def _shell_codes(signed: cms.SignedData, info: cms.SignerInfo, kind: str) -> tuple[str, ...]:
    """What stands around the signed attributes and is signed by nobody (RFC 5652 section 5)."""
    named = {one["algorithm"].native for one in signed["digest_algorithms"]}
    is_sound = (
        info["digest_algorithm"]["algorithm"].native in named
        and signed["version"].native in ("v1", "v3", "v4", "v5")
        and info["version"].native in ("v1", "v3")
        and signed["encap_content_info"]["content_type"].native == kind
    )
    return () if is_sound else ("not_parseable",)


def _binding_codes(info: cms.SignerInfo, certificate: x509.Certificate) -> tuple[str, ...]:
    attributes = info["signed_attrs"]
    if isinstance(attributes, core.Void) or not len(attributes):
        return ("no_signed_attributes",)
    try:
        named = get_signing_cert_attr(attributes)
        if named is not None and not check_ess_certid(certificate, named["certs"][0]):
            return ("signing_certificate_mismatch",)
    except (SignatureValidationError, ValueError, KeyError):
        return ("signing_certificate_mismatch",)
    return ()


def is_bound(info: cms.SignerInfo) -> bool:
    """Whether the signature names its certificate, as CAdES and PAdES demand."""
    try:
        return get_signing_cert_attr(info["signed_attrs"]) is not None
    except (SignatureValidationError, ValueError, KeyError):
        return False


def _own_evidence(signed: cms.SignedData, info: cms.SignerInfo, more: Evidence) -> Evidence:
    crls, ocsps = list(more.crls), list(more.ocsps)
    if isinstance(signed["crls"], cms.RevocationInfoChoices):
        crls.extend(one.chosen.dump() for one in signed["crls"] if one.name == "")
        ocsps.extend(stapled(signed["crls"]))
    try:
        kept = find_unique_cms_attribute(info["signed_attrs"], "adobe_revocation_info_archival")
        crls.extend(one.dump() for one in kept["crl"] or ())
        ocsps.extend(kept["ocsp"] or ())
    except (NonexistentAttributeError, MultivaluedAttributeError, ValueError, KeyError):
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
    certificate, every = _find_certificate(signed, info)
    if certificate is None:
        return StampReport(time, "", False, False, ("timestamp_invalid",)), None
    imprint = stamp["message_imprint"]
    fits = (
        imprint_of(imprint["hash_algorithm"]["algorithm"].native)
        == imprint["hashed_message"].native
    )
    digest = hashlib.new(
        info["digest_algorithm"]["algorithm"].native,
        content.native_bytes if hasattr(content, "native_bytes") else bytes(content),
    ).digest()
    made = _verify(info, certificate, content_type="tst_info", digest=digest)
    codes = [*_binding_codes(info, certificate), *_shell_codes(signed, info, "tst_info")]
    if not (fits and made.intact and made.valid):
        codes.append("timestamp_invalid")
    extended = certificate.extended_key_usage_value
    if extended is None or extended.native != ["time_stamping"]:
        codes.append("timestamp_untrusted")
    codes.extend(_algorithm_codes(info, certificate))
    chain = check_chain(
        certificate,
        trust=moment.trust,
        at=moment.at,
        evidence=Evidence(
            moment.evidence.certificates + every, moment.evidence.crls, moment.evidence.ocsps
        ),
    )
    if chain.code is not None:
        codes.append("timestamp_untrusted")
        codes.append(chain.code)
    elif not are_authentic(every, trust=moment.trust):
        codes.append("timestamp_untrusted")
    intact = fits and made.intact and made.valid
    found = unique(codes)
    report = StampReport(time, certificate.subject.human_friendly, intact, not found, found)
    return report, certificate


def _stamp_of(info: cms.SignerInfo, moment: Moment) -> StampReport | None:
    value = info["signature"].native
    last = None
    for token in extract_tst_data_iter(info, signed=False):
        last, _ = check_token(
            token, imprint_of=lambda name: hashlib.new(name, value).digest(), moment=moment
        )
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
    certificate, every = _find_certificate(signed, info)
    algorithm = _algorithm_name(info, certificate)
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
    codes = list(_algorithm_codes(info, certificate))
    if "unsupported_algorithm" in codes:
        return _with(blank, reasons=tuple(codes))
    codes.extend(_binding_codes(info, certificate))
    codes.extend(_shell_codes(signed, info, "data"))
    if not isinstance(signed["encap_content_info"]["content"], core.Void):
        codes.append("attached_instead_of_detached")
    digest = digest_of(info["digest_algorithm"]["algorithm"].native)
    made = _verify(info, certificate, content_type="data", digest=digest)
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
    made: _Core,
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
    signing_time = extract_self_reported_ts(info) or claimed
    latest = moment.at + _SKEW
    if (signing_time and signing_time > latest) or (stamp and stamp.time > latest):
        codes.append("signed_after_moment")
    if not may_sign(certificate):
        codes.append("certificate_usage")
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
        reasons=unique(codes),
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


def is_whole(cms_der: bytes, *, digest: bytes, algorithm: str) -> bool:
    """Whether every signer of this CMS really signed `digest`; trust is not looked at."""
    signed = cms.ContentInfo.load(cms_der)["content"]
    infos = list(signed["signer_infos"])
    for info in infos:
        certificate, _ = _find_certificate(signed, info)
        if certificate is None or info["digest_algorithm"]["algorithm"].native != algorithm:
            return False
        made = _verify(info, certificate, content_type="data", digest=digest)
        if not (made.intact and made.valid) or _binding_codes(info, certificate):
            return False
    return bool(infos)
