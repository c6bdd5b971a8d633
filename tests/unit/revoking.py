"""Lists made to order, and a chain judged by them."""

from datetime import datetime, timedelta

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from core import clock
from signatures.authority import Authority, Issued, trust_of
from signatures.chains import Chain, Evidence, check_chain
from signatures.trust import TrustStore

NOW = clock.now().replace(microsecond=0)
HOUR = timedelta(hours=1)


def judged(leaf: Issued, store: TrustStore, *ocsps: bytes, at: datetime | None = None) -> Chain:
    certificate = asn1.Certificate.load(leaf.der)
    return check_chain(certificate, trust=store, at=at or NOW, evidence=Evidence(ocsps=ocsps))


def only(authority: Authority, *crls: bytes) -> TrustStore:
    return trust_of(authority, crls=crls)


def a_list(
    authority: Authority,
    *extensions: tuple[x509.ExtensionType, bool],
    revoked: tuple[tuple[int, x509.ReasonFlags | None], ...] = (),
    since: datetime | None = None,
) -> bytes:
    moment = since or NOW - HOUR
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=authority.name, last_update=moment, next_update=moment + timedelta(days=7)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    for serial, reason in revoked:
        entry = x509.RevokedCertificateBuilder(serial, moment - HOUR)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), False)
        builder = builder.add_revoked_certificate(entry.build())
    made = builder.sign(authority.private, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def point(**told: object) -> tuple[x509.ExtensionType, bool]:
    parts: dict[str, object] = {
        "full_name": None, "relative_name": None, "only_contains_user_certs": False,
        "only_contains_ca_certs": False, "only_some_reasons": None, "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }  # fmt: skip
    return x509.IssuingDistributionPoint(**{**parts, **told}), True  # type: ignore[arg-type]  # reason: by name


def turned(der: bytes) -> bytes:
    return der[:-1] + bytes([der[-1] ^ 1])
