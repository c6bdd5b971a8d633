"""A certificate authority of one's own, for the demo and the tests: never for real documents.

Root and issuing authority are made once; leaves cost one signature each, so thousands are cheap.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from core import clock
from signatures.keys import SigningKey, from_private_key
from signatures.trust import TrustStore

KeyKind = Literal["ec", "ec384", "rsa"]

_SHA256 = hashes.SHA256()
_OIDS = {
    "common_name": NameOID.COMMON_NAME,
    "surname": NameOID.SURNAME,
    "given_name": NameOID.GIVEN_NAME,
    "title": NameOID.TITLE,
    "organization": NameOID.ORGANIZATION_NAME,
    "email": NameOID.EMAIL_ADDRESS,
    "inn": ObjectIdentifier("1.2.643.3.131.1.1"),
    "inn_le": ObjectIdentifier("1.2.643.100.4"),
    "ogrn": ObjectIdentifier("1.2.643.100.1"),
    "snils": ObjectIdentifier("1.2.643.100.3"),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate names; fields as in order of the FSB no. 795 of 27.12.2011."""

    common_name: str
    surname: str = ""
    given_name: str = ""
    title: str = ""
    organization: str = ""
    email: str = ""
    inn: str = ""
    inn_le: str = ""
    ogrn: str = ""
    snils: str = ""

    def name(self) -> x509.Name:
        """The distinguished name with the fields that are filled."""
        return x509.Name(
            [
                x509.NameAttribute(oid, value)
                for key, oid in _OIDS.items()
                if (value := getattr(self, key))
            ]
        )


def new_private_key(kind: KeyKind) -> Any:
    """A fresh RSA-2048, P-256 or P-384 key."""
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP384R1() if kind == "ec384" else ec.SECP256R1())


def _usage(**yes: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: yes.get(name, False) for name in names})


_SIGNER_USAGE = _usage(digital_signature=True, content_commitment=True)
_ISSUER_USAGE = _usage(key_cert_sign=True, crl_sign=True)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its private key and the certificates above it, root excluded."""

    certificate: x509.Certificate
    private: Any = field(repr=False)
    chain: tuple[bytes, ...]

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def key(self) -> SigningKey:
        """Ready to sign."""
        return from_private_key(
            self.private,
            asn1_x509.Certificate.load(self.der),
            tuple(asn1_x509.Certificate.load(der) for der in self.chain),
        )

    def as_pkcs12(self, passphrase: bytes) -> bytes:
        """The file a person would be handed."""
        return pkcs12.serialize_key_and_certificates(
            None,
            self.private,
            self.certificate,
            [x509.load_der_x509_certificate(der) for der in self.chain],
            serialization.BestAvailableEncryption(passphrase),
        )


@dataclass(frozen=True)
class Authority:
    """One level of the authority; `parent` is None for the root."""

    name: x509.Name
    certificate: x509.Certificate
    private: Any = field(repr=False)
    parent: "Authority | None" = None

    @property
    def der(self) -> bytes:
        """The authority's certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @cached_property
    def _chain(self) -> tuple[bytes, ...]:
        return () if self.parent is None else (self.der, *self.parent._chain)

    @cached_property
    def _key_id(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self.private.public_key())

    def issue(
        self,
        subject: Subject,
        *,
        kind: KeyKind = "ec",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        usage: x509.KeyUsage | None = None,
        extended: tuple[ObjectIdentifier, ...] = (),
        private: Any = None,
    ) -> Issued:
        """A leaf certificate with a fresh key, or for `private`; valid a year unless told."""
        own = private or new_private_key(kind)
        since = not_before or clock.now() - timedelta(minutes=5)
        builder = (
            x509.CertificateBuilder(
                issuer_name=self.name,
                subject_name=subject.name(),
                public_key=own.public_key(),
                serial_number=x509.random_serial_number(),
                not_valid_before=since,
                not_valid_after=(not_after or since + timedelta(days=365)),
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage or _SIGNER_USAGE, critical=True)
            .add_extension(self._key_id, critical=False)
        )
        if extended:
            builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=True)
        return Issued(builder.sign(self.private, _SHA256), own, self._chain)

    def crl(
        self,
        *,
        revoked: Iterable[tuple[x509.Certificate, datetime]] = (),
        this_update: datetime | None = None,
        next_update: datetime | None = None,
        number: int = 1,
    ) -> bytes:
        """A revocation list in DER, good for 30 days unless told otherwise."""
        since = this_update or clock.now() - timedelta(minutes=5)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(since)
            .next_update(next_update or since + timedelta(days=30))
            .add_extension(self._key_id, critical=False)
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        for certificate, moment in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(certificate.serial_number)
                .revocation_date(moment)
                .build()
            )
        return builder.sign(self.private, _SHA256).public_bytes(serialization.Encoding.DER)

    def ocsp(
        self,
        certificate: x509.Certificate,
        *,
        revoked_at: datetime | None = None,
        this_update: datetime | None = None,
        next_update: datetime | None = None,
    ) -> bytes:
        """An OCSP answer (RFC 6960) on one certificate, signed by the authority itself, in DER."""
        since = this_update or clock.now() - timedelta(minutes=5)
        answer = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=certificate,
                issuer=self.certificate,
                algorithm=hashes.SHA1(),  # noqa: S303 - names a certificate, protects nothing
                cert_status=(
                    ocsp.OCSPCertStatus.REVOKED if revoked_at else ocsp.OCSPCertStatus.GOOD
                ),
                this_update=since,
                next_update=next_update or since + timedelta(days=7),
                revocation_time=revoked_at,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.NAME, self.certificate)
            .sign(self.private, _SHA256)
        )
        return answer.public_bytes(serialization.Encoding.DER)

    def stamping_key(self, name: str = "Docflow demo TSA", *, kind: KeyKind = "ec") -> SigningKey:
        """A key for a time-stamp authority under this one, ready to sign."""
        return self.stamping(name, kind=kind).key()

    def stamping(self, name: str = "Docflow demo TSA", *, kind: KeyKind = "ec") -> Issued:
        """A time-stamp authority under this one (RFC 3161 section 2.3)."""
        return self.issue(
            Subject(common_name=name),
            kind=kind,
            usage=_usage(digital_signature=True),
            extended=(ExtendedKeyUsageOID.TIME_STAMPING,),
            not_after=self.certificate.not_valid_after_utc,
            not_before=self.certificate.not_valid_before_utc,
        )


def create_authority(
    common_name: str,
    *,
    parent: Authority | None = None,
    kind: KeyKind = "ec",
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> Authority:
    """A root (without `parent`) or an issuing authority below one; valid ten years."""
    private = new_private_key(kind)
    name = Subject(common_name=common_name, organization="Docflow demo").name()
    since = not_before or clock.now() - timedelta(days=1)
    signer = parent.private if parent else private
    certificate = (
        x509.CertificateBuilder(
            issuer_name=parent.name if parent else name,
            subject_name=name,
            public_key=private.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=since,
            not_valid_after=(not_after or since + timedelta(days=3650)),
        )
        .add_extension(
            x509.BasicConstraints(ca=True, path_length=0 if parent else None), critical=True
        )
        .add_extension(_ISSUER_USAGE, critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
        .sign(signer, _SHA256)
    )
    return Authority(name=name, certificate=certificate, private=private, parent=parent)


def trust_of(*authorities: Authority, crls: Iterable[bytes] | None = None) -> TrustStore:
    """The store that trusts these authorities' roots; fresh CRLs of each unless given."""
    line: dict[bytes, Authority] = {}
    for authority in authorities:
        level: Authority | None = authority
        while level is not None:
            line[level.der] = level
            level = level.parent
    return TrustStore(
        roots=tuple(der for der, one in line.items() if one.parent is None),
        others=tuple(der for der, one in line.items() if one.parent is not None),
        crls=tuple(crls) if crls is not None else tuple(one.crl() for one in line.values()),
    )
