"""The path from a signer's certificate to a trusted root (RFC 5280), revocation included.

The library builds and validates paths; `revocation` judges lists and answers. Certificates, lists
and signatures that were seen before are not parsed or verified again: all are pure functions of
their bytes. Nothing a file brings is kept beyond that.
"""

from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeVar

from asn1crypto import x509
from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    NotYetValidError,
    PathBuildingError,
    PathValidationError,
    ValidationError,
)
from pyhanko_certvalidator.ltv.poe import POEManager
from pyhanko_certvalidator.policy_decl import NO_REVOCATION, CertRevTrustPolicy
from pyhanko_certvalidator.registry import CertificateRegistry, SimpleTrustManager
from pyhanko_certvalidator.revinfo.manager import RevinfoManager
from pyhanko_certvalidator.validate import async_validate_path

from signatures import ocsp_answers, revocation, revocation_lists
from signatures.certificates import certificate as certificate  # others take them from here
from signatures.certificates import certificates_of as certificates_of
from signatures.ocsp_answers import Answer
from signatures.revocation_lists import RevocationList
from signatures.trust import ListFile, TrustStore
from signatures.verifier import VERIFIER

T = TypeVar("T")

# Revocation is ours (`revocation`): the library makes an object of each entry of a list.
_PATH_ONLY = CertRevTrustPolicy(NO_REVOCATION)
# How many certificates above one another may be asked who signed a list.
_DEEPEST = 2


@dataclass(frozen=True, slots=True)
class Chain:
    """The outcome: `code` is None for a good chain, else the reason.

    `path` goes from the leaf to the root, in DER. `used` names what decided: pairs of
    "certificate", "crl" or "ocsp" and a SHA-256 in hex; `sources` are the lists and answers.
    """

    code: str | None
    revoked_at: datetime | None = None
    detail: str = ""
    path: tuple[bytes, ...] = ()
    used: tuple[tuple[str, str], ...] = ()
    sources: tuple[RevocationList | Answer, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Revocation data and certificates that came with the file."""

    certificates: tuple[x509.Certificate, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[Any, ...] = ()


NOTHING = Evidence()


@dataclass(frozen=True, slots=True)
class _Anchors:
    manager: SimpleTrustManager
    others: tuple[x509.Certificate, ...]
    lists: dict[str, tuple[RevocationList | ListFile, ...]]
    answers: tuple[Answer, ...]


@lru_cache(maxsize=32)
def _anchors(trust: TrustStore) -> _Anchors:
    lists: dict[str, tuple[RevocationList | ListFile, ...]] = {}
    every: list[RevocationList | ListFile] = [*_readable(trust.crls), *trust.lists]
    for one in every:
        lists[one.issuer_key] = (*lists.get(one.issuer_key, ()), one)
    return _Anchors(
        SimpleTrustManager.build(trust_roots=[certificate(der) for der in trust.roots]),
        tuple(certificate(der) for der in trust.others),
        lists,
        ocsp_answers.loaded(trust.ocsps),
    )


def _readable(ders: Iterable[bytes]) -> Iterable[RevocationList]:
    for der in ders:
        try:
            yield revocation_lists.load(der)
        except ValueError:
            continue


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
    return _Judge(trust, at, evidence, retrospective).chain_of(leaf)


def revocation_for(
    chain: tuple[bytes, ...], trust: TrustStore, *, at: datetime
) -> tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]:
    """Certificates, lists and answers, in DER, that prove `chain[0]` good at `at`, to be embedded.

    `chain` begins with the leaf; the rest helps to find the path. Of a list and an answer the
    fresher one is taken. What could be proved is returned even where something is missing.
    """
    evidence = Evidence(certificates=tuple(map(certificate, chain[1:])))
    found = check_chain(certificate(chain[0]), trust=trust, at=at, evidence=evidence)
    lists = [one.der for one in found.sources if isinstance(one, RevocationList)]
    answers = [one.der for one in found.sources if isinstance(one, Answer)]
    return found.path, tuple(dict.fromkeys(lists)), tuple(dict.fromkeys(answers))


class _Judge:
    """One moment, one trust, one file's evidence: what several certificates are judged by."""

    def __init__(
        self, trust: TrustStore, at: datetime, evidence: Evidence, retrospective: bool
    ) -> None:
        self._anchors = anchors = _anchors(trust)
        self._at = at
        self._retrospective = retrospective
        self._brought = evidence.certificates
        self._evidence = evidence
        self._lists: dict[str, tuple[RevocationList, ...]] = {}
        self._answers = (*anchors.answers, *ocsp_answers.loaded(evidence.ocsps))
        self._registry = registry = CertificateRegistry.build(
            (*anchors.others, *evidence.certificates)
        )
        for root in anchors.manager.iter_certs():
            registry.register(root)
        self._context = ValidationContext(
            moment=at,
            revinfo_policy=_PATH_ONLY,
            trust_manager=anchors.manager,
            certificate_registry=registry,
            signature_validator=VERIFIER,
            time_tolerance=revocation.TOLERANCE,
            revinfo_manager=RevinfoManager(
                certificate_registry=registry,
                poe_manager=POEManager(),
                crls=(),
                ocsps=(),
                fetchers=None,
            ),
        )

    def chain_of(self, leaf: x509.Certificate, *, depth: int = 0) -> Chain:
        """The first path that holds, revocation included; else what the best one lacks."""
        return run(self._chain_of(leaf, depth))

    async def _chain_of(self, leaf: x509.Certificate, depth: int) -> Chain:
        failed: list[Chain] = []
        paths = self._context.path_builder.async_build_paths_lazy(leaf)
        try:
            async for path in paths:
                try:
                    await async_validate_path(self._context, path)
                except ValidationError as problem:
                    failed.append(_outcome(problem))
                    continue
                judged = self._unrevoked(list(path.iter_certs(include_root=True)), depth)
                if judged.code is None:
                    return judged
                failed.append(judged)
        except PathBuildingError as problem:
            failed.append(_outcome(problem))
        finally:
            await paths.cancel()  # type: ignore[no-untyped-call]  # reason: the library's own
        # A path whose every signature held says more than one that led nowhere.
        return max(failed, key=lambda one: len(one.path), default=Chain("untrusted"))

    def _unrevoked(self, path: list[x509.Certificate], depth: int) -> Chain:
        """The path, root first, after every certificate below the root was asked for."""
        upward = tuple(one.dump() for one in reversed(path))
        used = [("certificate", one.sha256.hex()) for one in reversed(path)]
        sources: list[RevocationList | Answer] = []
        for issuer, one in pairwise(path):
            status = self._status(one, issuer, path[0], depth)
            if status.source is not None:
                kind = "ocsp" if isinstance(status.source, Answer) else "crl"
                used.append((kind, status.source.sha256.hex()))
                sources.append(status.source)
            if status.code is not None:
                end = status.code, status.revoked_at
                return Chain(*end, "", upward, tuple(used), tuple(sources))
        return Chain(None, None, "", upward, tuple(used), tuple(sources))

    def _status(
        self, one: x509.Certificate, issuer: x509.Certificate, root: x509.Certificate, depth: int
    ) -> revocation.Status:
        lists = self._lists_of(issuer.subject.hashable)
        question = revocation.Question(
            one,
            issuer,
            self._at,
            self._retrospective,
            (*self._registry.retrieve_by_name(issuer.subject), *self._brought),
            is_issuer=lambda other: self._leads_to(other, root, depth + 1),
            is_unrevoked=lambda responder: self._listed(responder, issuer, lists).code is None,
        )
        return revocation.status_of(question, lists=lists, answers=self._answers)

    def _listed(
        self,
        responder: x509.Certificate,
        issuer: x509.Certificate,
        lists: tuple[RevocationList, ...],
    ) -> revocation.Status:
        """A responder is asked for in lists only: not in answers, and not in its own."""
        question = revocation.Question(responder, issuer, self._at, self._retrospective)
        return revocation.status_of(question, lists=lists)

    def _leads_to(self, other: x509.Certificate, root: x509.Certificate, depth: int) -> bool:
        if other.sha256 == root.sha256:
            return True
        if depth > _DEEPEST:
            return False
        found = self.chain_of(other, depth=depth)
        return found.code is None and found.path[-1] == root.dump()

    def _lists_of(self, issuer_key: str) -> tuple[RevocationList, ...]:
        if issuer_key not in self._lists:
            known = self._anchors.lists.get(issuer_key, ())
            own = [one for one in self._brought_lists() if one.issuer_key == issuer_key]
            self._lists[issuer_key] = (*_opened(known), *own)
        return self._lists[issuer_key]

    def _brought_lists(self) -> Iterable[RevocationList]:
        return _readable(self._evidence.crls)


def _opened(lists: Iterable[RevocationList | ListFile]) -> Iterable[RevocationList]:
    for one in lists:
        yield revocation_lists.from_file(one.path, one.sha256) if isinstance(one, ListFile) else one


_CODES: tuple[tuple[type[Exception], str], ...] = (
    (ExpiredError, "certificate_expired"),
    (NotYetValidError, "certificate_not_yet_valid"),
    (DisallowedAlgorithmError, "weak_algorithm"),
    (PathValidationError, "chain_invalid"),
    (PathBuildingError, "untrusted"),
)


def _outcome(problem: Exception) -> Chain:
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
    issuer_name = one.issuer.hashable
    named = [other for other in known if other.subject.hashable == issuer_name]
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
