"""The path from a signer's certificate to a trusted root (RFC 5280), revocation included.

Certificates, lists and CRL signatures that were seen before are not parsed or verified again:
both are pure functions of their bytes. Nothing a file brings is kept beyond that.
"""

from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from asn1crypto import crl, x509
from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator import ValidationContext, find_valid_path
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    InsufficientRevinfoError,
    NotYetValidError,
    PathBuildingError,
    PathValidationError,
    RevokedError,
    StaleRevinfoError,
    ValidationError,
)
from pyhanko_certvalidator.ltv.poe import POEManager
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import CertificateRegistry, SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer
from pyhanko_certvalidator.revinfo.manager import RevinfoManager

from signatures.trust import TrustStore
from signatures.verifier import VERIFIER

T = TypeVar("T")

# Files of strangers must not fill the memory: nothing bigger than this is remembered for them.
_KEPT = 8 * 1024

_NOW = CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("require"))
_THEN = CertRevTrustPolicy(
    RevocationCheckingPolicy.from_legacy("require"), retroactive_revinfo=True
)


@dataclass(frozen=True, slots=True)
class Chain:
    """The outcome: `code` is None for a good chain, else the reason."""

    code: str | None
    revoked_at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Revocation data and certificates that came with the file."""

    certificates: tuple[x509.Certificate, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[Any, ...] = ()


NOTHING = Evidence()


@lru_cache(maxsize=4096)
def _certificate(der: bytes) -> x509.Certificate:
    return x509.Certificate.load(der)


def certificate(der: bytes) -> x509.Certificate:
    """The parsed certificate; the same object for the same bytes, unless it is outsized."""
    return _certificate(der) if len(der) <= _KEPT else x509.Certificate.load(der)


def _list(der: bytes) -> CRLContainer:
    return CRLContainer(crl.CertificateList.load(der))


@dataclass(frozen=True, slots=True)
class _Anchors:
    manager: SimpleTrustManager
    others: tuple[x509.Certificate, ...]
    crls: tuple[CRLContainer, ...]


@lru_cache(maxsize=32)
def _anchors(trust: TrustStore) -> _Anchors:
    return _Anchors(
        SimpleTrustManager.build(trust_roots=[certificate(der) for der in trust.roots]),
        tuple(certificate(der) for der in trust.others),
        tuple(_list(der) for der in trust.crls),
    )


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that never waits for the outside; nothing here fetches anything."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise RuntimeError("a certificate check tried to wait")


def check_chain(
    leaf: x509.Certificate,
    *,
    trust: TrustStore,
    at: datetime,
    evidence: Evidence,
    retrospective: bool = False,
) -> Chain:
    """Whether `leaf` leads to a root of `trust` at `at`, nothing on the way being revoked.

    Every certificate below the root needs a fresh CRL or OCSP answer. `retrospective` looks
    back to a proven moment and so accepts lists issued after it, but none issued after the
    leaf's own end, when an entry may already have been dropped (RFC 5280 section 3.3).
    """
    if not trust.roots:
        return Chain("untrusted")
    context = _context(leaf, trust=trust, at=at, evidence=evidence, retrospective=retrospective)
    try:
        paths = context.path_builder.async_build_paths_lazy(leaf)
        run(find_valid_path(leaf, paths, validation_context=context))
    except (ValidationError, PathBuildingError) as problem:
        return _outcome(problem)
    return Chain(None)


def _context(
    leaf: x509.Certificate,
    *,
    trust: TrustStore,
    at: datetime,
    evidence: Evidence,
    retrospective: bool,
) -> ValidationContext:
    anchors = _anchors(trust)
    registry = CertificateRegistry.build((*anchors.others, *evidence.certificates))
    for root in anchors.manager.iter_certs():
        registry.register(root)
    crls = [*anchors.crls, *(_list(der) for der in evidence.crls)]
    if retrospective:
        end = leaf.not_valid_after
        crls = [one for one in crls if _issued(one) <= end]
    return ValidationContext(
        moment=at,
        revinfo_policy=_THEN if retrospective else _NOW,
        trust_manager=anchors.manager,
        certificate_registry=registry,
        signature_validator=VERIFIER,
        time_tolerance=timedelta(seconds=1),
        revinfo_manager=RevinfoManager(
            certificate_registry=registry,
            poe_manager=POEManager(),
            crls=crls,
            ocsps=[one for ocsp in evidence.ocsps for one in OCSPContainer.load_multi(ocsp)],
            fetchers=None,
        ),
    )


def _issued(container: CRLContainer) -> datetime:
    moment: datetime = container.crl_data["tbs_cert_list"]["this_update"].native
    return moment


_CODES: tuple[tuple[type[Exception], str], ...] = (
    (StaleRevinfoError, "revocation_stale"),
    (InsufficientRevinfoError, "revocation_missing"),
    (ExpiredError, "certificate_expired"),
    (NotYetValidError, "certificate_not_yet_valid"),
    (DisallowedAlgorithmError, "weak_algorithm"),
    (PathValidationError, "chain_invalid"),
    (PathBuildingError, "untrusted"),
)


def _outcome(problem: Exception) -> Chain:
    if isinstance(problem, RevokedError):
        if problem.is_side_validation:
            return Chain("chain_invalid", detail=str(problem))
        return Chain("revoked", revoked_at=problem.revocation_dt, detail=str(problem))
    for kind, code in _CODES:
        if isinstance(problem, kind):
            return Chain(code, detail=str(problem))
    return Chain("chain_invalid", detail=str(problem))


def are_authentic(certificates: Iterable[x509.Certificate], *, trust: TrustStore) -> bool:
    """Whether no certificate that came along is a damaged copy.

    They are outside the signed bytes; one that names a known issuer must carry its signature.
    """
    brought = tuple(certificates)
    anchors = _anchors(trust)
    known = (*brought, *anchors.others, *anchors.manager.iter_certs())
    return all(_is_authentic(one, known) for one in brought)


def _is_authentic(one: x509.Certificate, known: tuple[x509.Certificate, ...]) -> bool:
    named = [other for other in known if other.subject == one.issuer]
    for issuer in named:
        try:
            VERIFIER.validate_signature(
                bytes(one["signature_value"]),
                one["tbs_certificate"].dump(),
                issuer.public_key,
                one["signature_algorithm"],
            )
        except InvalidSignature:
            continue
        return True
    return not named and not any(
        other.serial_number == one.serial_number
        and other.public_key.dump() == one.public_key.dump()
        and other.dump() != one.dump()
        for other in known
    )


def certificates_of(choices: Iterable[Any]) -> tuple[x509.Certificate, ...]:
    """The X.509 certificates among the choices of a CMS, parsed once."""
    return tuple(
        certificate(choice.chosen.dump()) for choice in choices if choice.name == "certificate"
    )
