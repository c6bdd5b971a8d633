"""An OCSP responder (RFC 6960) for the demo and the tests, beside `authority`."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from core import clock
from signatures.authority import Authority, Subject, new_private_key

Said = Literal["good", "revoked", "unknown"]
_STATUS = {
    "good": ocsp.OCSPCertStatus.GOOD,
    "revoked": ocsp.OCSPCertStatus.REVOKED,
    "unknown": ocsp.OCSPCertStatus.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Responder:
    """Answers for one authority, as itself or with a certificate the authority gave it."""

    authority: Authority
    certificate: x509.Certificate
    private: Any = field(repr=False)

    def answer(
        self,
        certificate: x509.Certificate,
        *,
        said: Said = "good",
        this_update: datetime | None = None,
        next_update: datetime | None = None,
        revoked_at: datetime | None = None,
        issuer: x509.Certificate | None = None,
    ) -> bytes:
        """An answer in DER about one certificate, good for an hour unless told otherwise."""
        since = this_update or clock.now() - timedelta(minutes=1)
        gone = (revoked_at or since) if said == "revoked" else None
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=certificate,
                issuer=issuer or self.authority.certificate,
                algorithm=hashes.SHA1(),  # noqa: S303  # a name, and what most clients know
                cert_status=_STATUS[said],
                this_update=since,
                next_update=next_update or since + timedelta(hours=1),
                revocation_time=gone,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self.certificate)
        )
        if self.certificate != self.authority.certificate:
            builder = builder.certificates([self.certificate])
        made = builder.sign(self.private, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.DER)


def own_responder(authority: Authority) -> Responder:
    """The authority answers itself."""
    return Responder(authority, authority.certificate, authority.private)


def delegated_responder(
    authority: Authority,
    *,
    is_exempt: bool = True,
    is_meant: bool = True,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> Responder:
    """A responder the authority certified; `is_exempt` puts id-pkix-ocsp-nocheck in.

    `is_meant` false leaves the extended key usage out, which makes a wrong responder.
    """
    private = new_private_key("ec")
    since = not_before or clock.now() - timedelta(hours=2)
    builder = (
        x509.CertificateBuilder(
            issuer_name=authority.name,
            subject_name=Subject("Docflow demo OCSP").name(),
            public_key=private.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=since,
            not_valid_after=not_after or since + timedelta(days=30),
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )  # fmt: skip
    if is_meant:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
        builder = builder.add_extension(purpose, critical=False)
    if is_exempt:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    return Responder(authority, builder.sign(authority.private, hashes.SHA256()), private)
