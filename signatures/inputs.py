"""What a verdict was made from: certificates, lists, answers and time stamps, by SHA-256.

Only what can have mattered: what the file brings, and of the trust store what stands above a
certificate of the file or speaks in the name of one that does.
"""

import hashlib
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any

import msgspec
from asn1crypto import cms, x509

from core import clock
from signatures import ocsp_answers, revocation_lists
from signatures.certificates import certificate, certificates_of
from signatures.chains import Evidence
from signatures.integrity import tokens_of
from signatures.report import Input, SignatureReport
from signatures.trust import TrustStore

_OCSP_SIGNING = "ocsp_signing"


@dataclass(slots=True)
class Collected:
    """Gathered while one file is looked at."""

    trust: TrustStore
    certificates: dict[bytes, x509.Certificate] = field(default_factory=dict)
    items: dict[Input, None] = field(default_factory=dict)

    def take(self, kind: str, der: bytes) -> None:
        """Note something of the file; seen again it is the same."""
        self.items[Input(kind, hashlib.sha256(der).hexdigest(), "file")] = None

    def take_certificates(self, found: Iterable[x509.Certificate]) -> None:
        """Certificates of the file, from which the way up begins."""
        for one in found:
            self.certificates[one.sha256] = one
            self.items[Input("certificate", one.sha256.hex(), "file")] = None

    def take_signed(self, signed: cms.SignedData) -> None:
        """Certificates, lists and time stamps of a CMS, and those of the stamps in turn."""
        if isinstance(signed["certificates"], cms.CertificateSet):
            self.take_certificates(certificates_of(signed["certificates"]))
        if isinstance(signed["crls"], cms.RevocationInfoChoices):
            for one in signed["crls"]:
                self.take("revocation", one.chosen.dump())
        for info in signed["signer_infos"]:
            for token in tokens_of(info):
                self.take("timestamp", token.dump())
                self.take_signed(token)

    def take_evidence(self, evidence: Evidence) -> None:
        """The document security store."""
        self.take_certificates(evidence.certificates)
        for der in evidence.crls:
            self.take("crl", der)
        for one in evidence.ocsps:
            self.take("ocsp", one.dump())

    def all(self) -> tuple[Input, ...]:
        """Everything, in one order."""
        own = relevant(self.trust, self.certificates.values())
        kept = [
            *(Input("certificate", _sha(der), "root") for der in own.roots),
            *(Input("certificate", _sha(der), "store") for der in own.others),
            *(Input("crl", _sha(der), "store") for der in own.crls),
            *(Input("ocsp", _sha(der), "store") for der in own.ocsps),
            *(Input("crl", one.sha256, "store") for one in own.lists),
        ]
        return tuple(sorted({*self.items, *kept}))

    def qualified(self, found: SignatureReport) -> SignatureReport:
        """Say whether an authority accredited on the day of issue made the certificate.

        63-FZ article 11; nothing is said of a signature that leads to no root of ours.
        """
        leaf = self.certificates.get(bytes.fromhex(found.certificate_sha256 or ""))
        if leaf is None or not found.trusted or not self.trust.accredited:
            return found
        store = relevant(self.trust, [leaf])
        above = [certificate(der) for der in (*store.roots, *store.others)]
        issuers = [
            one
            for one in (*self.certificates.values(), *above)
            if one.subject.hashable == leaf.issuer.hashable
        ]
        names = {("certificate", one.sha256.hex()) for one in issuers}
        names |= {("key", one.key_identifier.hex()) for one in issuers if one.key_identifier}
        day = leaf.not_valid_before.astimezone(clock.MOSCOW).date()
        deciding = [
            one
            for one in self.trust.accredited
            if (one.kind, one.value.lower()) in names
            and one.since <= day
            and (one.until is None or day < one.until)
        ]
        if not deciding:
            return replace(found, qualified=False)
        period: dict[str, str] = {
            name: text
            for name, text in msgspec.to_builtins(asdict(deciding[0])).items()
            if text is not None
        }
        return replace(found, qualified=True, accreditation=period)


@lru_cache(maxsize=4096)
def _sha(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


@dataclass(frozen=True, slots=True)
class _Index:
    """A trust store by names."""

    roots: dict[str, list[bytes]]
    others: dict[str, list[bytes]]
    responders: dict[str, list[bytes]]
    serials: dict[int, list[bytes]]
    crls: dict[str, list[bytes]]
    ocsps: dict[int, list[bytes]]


@lru_cache(maxsize=8)
def _index(trust: TrustStore) -> _Index:
    found = _Index({}, {}, {}, {}, {}, {})
    for der in trust.roots:
        found.roots.setdefault(certificate(der).subject.hashable, []).append(der)
    for der in trust.others:
        one = certificate(der)
        found.others.setdefault(one.subject.hashable, []).append(der)
        found.serials.setdefault(one.serial_number, []).append(der)
        extended: Any = one.extended_key_usage_value
        if extended is not None and _OCSP_SIGNING in extended.native:
            found.responders.setdefault(one.issuer.hashable, []).append(der)
    for der in trust.crls:
        try:
            key = revocation_lists.load(der).issuer_key
        except ValueError:
            continue
        found.crls.setdefault(key, []).append(der)
    for answer in ocsp_answers.loaded(trust.ocsps):
        for single in answer.singles:
            found.ocsps.setdefault(single.serial, []).append(answer.der)
    return found


def relevant(trust: TrustStore, brought: Iterable[x509.Certificate]) -> TrustStore:
    """The part of the store that can bear on these certificates; their verdicts stay the same."""
    index = _index(trust)
    names: set[str] = set()
    certificates = list(brought)
    serials = {one.serial_number for one in certificates}
    roots: dict[bytes, None] = {}
    others = dict.fromkeys(der for serial in serials for der in index.serials.get(serial, ()))
    waiting = deque(one.issuer.hashable for one in certificates)
    waiting.extend(certificate(der).issuer.hashable for der in others)
    while waiting:
        name = waiting.popleft()
        if name in names:
            continue
        names.add(name)
        roots.update(dict.fromkeys(index.roots.get(name, ())))
        above = [*index.others.get(name, ()), *index.responders.get(name, ())]
        others.update(dict.fromkeys(above))
        waiting.extend(certificate(der).issuer.hashable for der in above)
    for der in (*roots, *others):
        serials.add(certificate(der).serial_number)
    return TrustStore(
        roots=tuple(sorted(roots)),
        others=tuple(sorted(others)),
        crls=tuple(sorted({der for name in names for der in index.crls.get(name, ())})),
        ocsps=tuple(sorted({der for one in serials for der in index.ocsps.get(one, ())})),
        lists=tuple(one for one in trust.lists if one.issuer_key in names),
        accredited=trust.accredited,
    )
