"""Signing keys, each loaded once and kept: reading an RSA key anew costs more than signing.

A key signs bytes with SHA-256 (or a stronger digest by name) and hands out the raw value.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import algos, x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import Certificate

from core import clock
from core.errors import InvalidInput
from signatures.gost import checking, selftest
from signatures.trust import certificates

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}

_WORD = b"docflow: does this key fit its certificate?"

_FOREIGN_USES = {"server_auth", "client_auth", "code_signing", "time_stamping", "ocsp_signing"}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that is ready to sign, with its certificate and the chain to embed."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    sign: Callable[[bytes, str], bytes] = field(repr=False)

    @property
    def signature_size(self) -> int:
        """The largest number of bytes a raw signature can take."""
        return value_size(self.certificate)


def read_certificate(data: bytes) -> x509.Certificate:
    """A certificate in DER, parsed to its end; raises `certificate_unreadable`."""
    try:
        parsed = x509.Certificate.load(data, strict=True)
        parsed.native  # noqa: B018 - forces the parse
    except (ValueError, TypeError) as problem:
        raise InvalidInput(
            "Сертификат не читается. Выберите его заново.",
            "The certificate cannot be read. Choose it again.",
            code="certificate_unreadable",
        ) from problem
    return parsed


def check_certificate(certificate: x509.Certificate, *, at: datetime | None = None) -> None:
    """Refuse a certificate before anybody signs with it.

    Raises `certificate_expired`, `certificate_not_yet_valid`, `certificate_usage` or
    `unsupported_algorithm`. Whether it is revoked or trusted is the validation's matter.
    """
    moment = at or clock.now()
    if moment > certificate.not_valid_after:
        raise InvalidInput(
            "Срок действия сертификата истёк. Выберите другой или получите новый.",
            "The certificate has expired. Choose another one or get a new one.",
            code="certificate_expired",
        )
    if moment + timedelta(minutes=5) < certificate.not_valid_before:
        raise InvalidInput(
            "Срок действия сертификата ещё не начался. Выберите другой сертификат.",
            "The certificate is not valid yet. Choose another one.",
            code="certificate_not_yet_valid",
        )
    if not may_sign(certificate):
        raise InvalidInput(
            "Сертификат не предназначен для подписи документов. Выберите другой.",
            "The certificate is not meant for signing documents. Choose another one.",
            code="certificate_usage",
        )
    if not _is_supported(certificate):
        raise InvalidInput(
            "Алгоритм ключа не поддерживается. Нужен сертификат ГОСТ Р 34.10-2012, RSA или ECDSA.",
            "This key algorithm is not supported. Choose GOST R 34.10-2012, RSA or ECDSA.",
            code="unsupported_algorithm",
        )


def _is_supported(certificate: x509.Certificate) -> bool:
    kind = certificate.public_key.algorithm
    if not checking.is_gost(kind):
        return kind in ("rsa", "ec")
    try:
        checking.key_of(certificate.public_key)
    except (checking.KeyInvalid, checking.Unsupported):
        return False
    return kind != "gost3410_2001" and selftest.is_passed()


def digest_for(certificate: x509.Certificate) -> str:
    """The hash to sign with this key: Streebog of the key's size for GOST, else SHA-256."""
    return checking.HASH_OF.get(certificate.public_key.algorithm, "sha256")


def value_size(certificate: x509.Certificate) -> int:
    """The largest number of bytes a raw signature by this certificate's key can take."""
    kind = certificate.public_key.algorithm
    if checking.is_gost(kind):
        return 128 if kind == "gost3410_2012_512" else 64
    bits = int(certificate.public_key.bit_size)
    return bits // 4 + 16 if kind == "ec" else bits // 8


def may_sign(certificate: x509.Certificate) -> bool:
    """Whether key usage (RFC 5280 section 4.2.1.3, .12) lets the key sign documents."""
    usage = certificate.key_usage_value
    if usage is not None and not usage.native & {"digital_signature", "non_repudiation"}:
        return False
    extended = certificate.extended_key_usage_value
    return extended is None or not set(extended.native) <= _FOREIGN_USES


def signature_algorithm(certificate: x509.Certificate, digest: str) -> algos.SignedDigestAlgorithm:
    """The CMS algorithm identifier for a signature with this certificate's key.

    For GOST the key's own, as the field's programs write it.
    """
    kind = certificate.public_key.algorithm
    if checking.is_gost(kind):
        return algos.SignedDigestAlgorithm({"algorithm": kind})
    return algos.SignedDigestAlgorithm(
        {"algorithm": f"{digest}_{'ecdsa' if kind == 'ec' else 'rsa'}"}
    )


def from_private_key(
    private: Any, certificate: x509.Certificate, chain: tuple[x509.Certificate, ...] = ()
) -> SigningKey:
    """A signing key around a loaded `cryptography` private key (RSA or EC)."""
    if isinstance(private, rsa.RSAPrivateKey):
        scheme = padding.PKCS1v15()

        def sign(data: bytes, digest: str) -> bytes:
            return private.sign(data, scheme, _HASHES[digest])

    elif isinstance(private, ec.EllipticCurvePrivateKey):

        def sign(data: bytes, digest: str) -> bytes:
            return private.sign(data, ec.ECDSA(_HASHES[digest]))

    else:
        raise InvalidInput(
            "Этот вид ключа не поддерживается. Нужен ключ RSA или ECDSA.",
            "This kind of key is not supported. RSA or ECDSA is needed.",
            code="unsupported_algorithm",
        )
    key = SigningKey(certificate, chain, sign)
    if private.public_key() != _public_key(certificate):
        raise _mismatch()
    return key


def _public_key(certificate: x509.Certificate) -> Any:
    return serialization.load_der_public_key(certificate.public_key.dump())


def _mismatch() -> InvalidInput:
    return InvalidInput(
        "Ключ не подходит к сертификату. Укажите сертификат этого ключа.",
        "The key does not fit the certificate. Name the certificate of this key.",
        code="key_mismatch",
    )


def require_fit(key: SigningKey) -> None:
    """Sign a word and verify it with the certificate; raises `key_mismatch`."""
    value, public = key.sign(_WORD, "sha256"), _public_key(key.certificate)
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(value, _WORD, padding.PKCS1v15(), hashes.SHA256())
        else:
            public.verify(value, _WORD, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as problem:
        raise _mismatch() from problem


def _from_cryptography(certificate: Certificate) -> x509.Certificate:
    return x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


_loaded: dict[bytes, SigningKey] = {}


def _once(load: Callable[[], SigningKey], *parts: bytes) -> SigningKey:
    """Load a key a single time in this process; the cache knows it by a hash only."""
    name = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()
    if name not in _loaded:
        try:
            _loaded[name] = load()
        except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
            raise InvalidInput(
                "Ключ не читается: неверный пароль или формат. Нужен PKCS#12 или PEM.",
                "The key cannot be read: wrong passphrase or format. PKCS#12 or PEM is needed.",
                code="key_unreadable",
            ) from problem
    return _loaded[name]


def load_pkcs12(data: bytes, *, passphrase: bytes | None) -> SigningKey:
    """The key of a PKCS#12 file; loaded once a process. Raises `key_unreadable`."""

    def load() -> SigningKey:
        content = pkcs12.load_pkcs12(data, passphrase)
        if content.key is None or content.cert is None:
            raise ValueError("no key or certificate inside")
        return from_private_key(
            content.key,
            _from_cryptography(content.cert.certificate),
            tuple(_from_cryptography(extra.certificate) for extra in content.additional_certs),
        )

    return _once(load, b"p12", data, passphrase or b"")


def load_pem(
    key: bytes, *, certificate: bytes, chain: bytes = b"", passphrase: bytes | None = None
) -> SigningKey:
    """The key of PEM files; loaded once a process. Raises `key_unreadable`."""

    def load() -> SigningKey:
        private = serialization.load_pem_private_key(key, passphrase)
        (leaf,) = certificates(certificate)
        extra = tuple(x509.Certificate.load(der) for der in certificates(chain)) if chain else ()
        return from_private_key(private, x509.Certificate.load(leaf), extra)

    return _once(load, b"pem", key, certificate, chain, passphrase or b"")
