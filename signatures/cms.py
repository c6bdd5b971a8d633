"""CMS and CAdES-BES (RFC 5652, ETSI EN 319 122-1): made from a digest, so no file is too big.

The own assembly keeps PDF, detached files, time stamps and the client's key on one path.
"""

import hashlib
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final

from asn1crypto import algos, cms, core, parser, tsp, x509

from core import clock
from core.errors import InvalidInput, TooLarge
from signatures import digests
from signatures.integrity import is_whole
from signatures.keys import (
    SigningKey,
    check_certificate,
    digest_for,
    read_certificate,
    signature_algorithm,
    value_size,
)
from signatures.stamps import Stamper, request_stamp

_PEM = re.compile(r"-----BEGIN [A-Z0-9# ]+-----(.*?)-----END [A-Z0-9# ]+-----", re.DOTALL)
_COMMITMENT_TYPE = "1.2.840.113549.1.9.16.2.16"
MAX_CMS: Final = 1 << 20
"""Bytes of a signature in DER; an attached document inside does not count."""
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


def normalize_cms(data: bytes) -> bytes:
    """The DER (or BER) of an uploaded signature: PEM, bare base64, UTF-16 and BOM are undone.

    Raises `signature_unreadable` when no CMS SignedData comes out, `signature_too_large`.
    """
    der = data if data[:1] == b"\x30" else _from_text(data)
    try:
        info = cms.ContentInfo.load(der)
        if info["content_type"].native != "signed_data":
            raise ValueError("not SignedData")
        signed = info["content"]
        content = signed["encap_content_info"]["content"]
        is_bare = isinstance(content, core.Void)
        if is_bare and len(der) > MAX_CMS:
            raise _too_large()
        len(signed["signer_infos"])
    except TooLarge:
        raise
    except Exception as problem:
        raise _unreadable() from problem
    return der


def _too_large() -> TooLarge:
    return TooLarge(
        "Файл подписи больше 1 МБ. Запросите отсоединённую подпись без лишних вложений.",
        "The signature is larger than 1 MB. Ask for a detached one without attachments.",
        code="signature_too_large",
        limit=MAX_CMS,
    )


def _from_text(data: bytes) -> bytes:
    encoding = next((name for bom, name in _BOMS.items() if data.startswith(bom)), None)
    if encoding is None:
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-8"
        encoding = "utf-16-be" if data[:1] == b"\0" else encoding
    try:
        text = data.decode(encoding)
        armored = _PEM.search(text)
        body = "".join((armored[1] if armored else text).split())
        return b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (UnicodeDecodeError, Base64Error, ValueError) as problem:
        raise _unreadable() from problem


def _unreadable() -> InvalidInput:
    return InvalidInput(
        "Файл не похож на подпись. Нужна подпись CMS: DER, PEM или base64 (.sig, .p7s, .sgn).",
        "This does not look like a signature. CMS in DER, PEM or base64 is needed.",
        code="signature_unreadable",
    )


def _attribute(name: str, value: object) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": name, "values": (value,)})


@lru_cache(maxsize=1024)
def _signing_certificate(der: bytes) -> bytes:
    """ESSCertIDv2 with the key's hash; SHA-256 is the default and left out (RFC 5035 section 4)."""
    cert = x509.Certificate.load(der)
    algorithm = digest_for(cert)
    issuer = x509.GeneralName(name="directory_name", value=cert.issuer)
    named = {} if algorithm == "sha256" else {"hash_algorithm": {"algorithm": algorithm}}
    cert_id = tsp.ESSCertIDv2(
        {
            **named,
            "cert_hash": digests.digest(algorithm, der),
            "issuer_serial": {"issuer": [issuer], "serial_number": cert.serial_number},
        }
    )
    value = tsp.SigningCertificateV2({"certs": [cert_id]})
    return bytes(_attribute("signing_certificate_v2", value).dump())


@lru_cache(maxsize=16)
def _content_type(name: str) -> bytes:
    return bytes(_attribute("content_type", name).dump())


class _Commitment(core.Sequence):  # type: ignore[misc]  # reason: asn1crypto has no types
    """CommitmentTypeIndication (RFC 5126 section 5.11.1) without qualifiers."""

    _fields = [("commitment_type_id", core.ObjectIdentifier)]  # noqa: RUF012 - asn1crypto's way


@lru_cache(maxsize=16)
def _commitment(identifier: str) -> bytes:
    value = _Commitment({"commitment_type_id": identifier})
    body = core.ObjectIdentifier(_COMMITMENT_TYPE).dump() + parser.emit(0, 1, 17, value.dump())
    return bytes(parser.emit(0, 1, 16, body))


def signed_attributes(
    *,
    digest: bytes,
    certificate: x509.Certificate,
    signing_time: datetime | None,
    content_type: str = "data",
    commitment: str | None = None,
) -> bytes:
    """The DER that gets signed: type, digest, certificate and, unless PAdES, the time.

    `commitment` is the identifier of a commitment type (ETSI EN 319 122-1 section 5.2.3).
    """
    parts = [
        _content_type(content_type),
        bytes(_attribute("message_digest", digest).dump()),
        _signing_certificate(certificate.dump()),
    ]
    if signing_time is not None:
        time = cms.Time({"utc_time": core.UTCTime(signing_time.replace(microsecond=0))})
        parts.append(bytes(_attribute("signing_time", time).dump()))
    if commitment is not None:
        parts.append(_commitment(commitment))
    # DER orders the members of a SET OF by their encoding (X.690 section 11.6).
    body = b"".join(sorted(parts))
    return b"\x31" + _length(len(body)) + body


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(digits)]) + digits


def assemble(
    *,
    attributes: bytes,
    signature: bytes,
    certificate: x509.Certificate,
    chain: tuple[x509.Certificate, ...] = (),
    digest_algorithm: str = "sha256",
    tsa: Stamper | None = None,
    token: bytes | None = None,
    content: cms.EncapsulatedContentInfo | None = None,
) -> bytes:
    """The whole CMS around a signature value, time-stamped by `tsa` or with `token` (SHA-256)."""
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {
                    "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                        {
                            "issuer": certificate.issuer,
                            "serial_number": certificate.serial_number,
                        }
                    )
                }
            ),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": digest_algorithm}),
            "signed_attrs": cms.CMSAttributes.load(attributes),
            "signature_algorithm": signature_algorithm(certificate, digest_algorithm),
            "signature": signature,
        }
    )
    if tsa is not None:
        token = request_stamp(hashlib.sha256(signature).digest(), tsa=tsa)
    if token is not None:
        signer["unsigned_attrs"] = cms.CMSAttributes(
            [_attribute("signature_time_stamp_token", cms.ContentInfo.load(token))]
        )
    certs = {cert.dump(): cert for cert in (certificate, *chain) if _is_embedded(cert, certificate)}
    signed = cms.SignedData(
        {
            "version": "v1" if content is None else "v3",
            "digest_algorithms": [{"algorithm": digest_algorithm}],
            "encap_content_info": content or {"content_type": "data"},
            "certificates": list(certs.values()),
            "signer_infos": [signer],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())


def _is_embedded(cert: x509.Certificate, leaf: x509.Certificate) -> bool:
    """A root is the validator's business and only costs bytes."""
    return cert is leaf or cert.subject != cert.issuer


def check_signature(cms_der: bytes, *, digest: bytes, algorithm: str = "sha256") -> None:
    """Refuse a CMS that does not sign `digest` with its own certificate's key.

    Raises `signature_does_not_fit`. Says nothing about trust.
    """
    if not is_whole(cms_der, digest=digest, algorithm=algorithm):
        raise InvalidInput(
            "Подпись не соответствует документу. Подпишите документ ещё раз.",
            "The signature does not fit the document. Sign it again.",
            code="signature_does_not_fit",
        )


def sign_detached(
    *,
    digest: bytes,
    key: SigningKey,
    tsa: Stamper | None = None,
    signing_time: datetime | None = None,
    commitment: str | None = None,
) -> bytes:
    """A detached CAdES-BES (with `tsa`: CAdES-T) over a SHA-256 digest, as DER.

    Only the digest is needed: the file may stream. `commitment` is one of `roles.COMMITMENTS`.
    Raises the codes of `check_certificate`.
    """
    check_certificate(key.certificate)
    attributes = signed_attributes(
        digest=digest, certificate=key.certificate, signing_time=signing_time or clock.now(),
        commitment=commitment,
    )  # fmt: skip
    return assemble(
        attributes=attributes,
        signature=key.sign(attributes, "sha256"),
        certificate=key.certificate,
        chain=key.chain,
        tsa=tsa,
    )


def prepare_detached(
    *,
    digest: bytes,
    certificate: bytes,
    signing_time: datetime | None = None,
    commitment: str | None = None,
) -> bytes:
    """First half for a client-held key: the DER of the attributes that the client signs.

    `digest` is made by the algorithm that `keys.digest_for` names for the certificate. Keep the
    attributes with the certificate; `finish_detached` wants both back.
    """
    cert = read_certificate(certificate)
    check_certificate(cert)
    return signed_attributes(
        digest=digest, certificate=cert, signing_time=signing_time or clock.now(),
        commitment=commitment,
    )  # fmt: skip


def finish_detached(
    *,
    digest: bytes,
    attributes: bytes,
    certificate: bytes,
    answer: bytes,
    chain: tuple[bytes, ...] = (),
    tsa: Stamper | None = None,
) -> bytes:
    """Second half: `answer` is the raw signature value or a whole CMS. Raises as it must.

    `signature_does_not_fit` when the answer does not sign this digest; `certificate_changed`
    when a whole CMS was made with another certificate than was shown to the user.
    """
    cert = x509.Certificate.load(certificate)
    algorithm = digest_for(cert)
    made = client_answer(answer, certificate=cert)
    if made is None:
        made = assemble(
            attributes=attributes,
            signature=answer,
            certificate=cert,
            chain=tuple(x509.Certificate.load(der) for der in chain),
            digest_algorithm=algorithm,
            tsa=tsa,
        )
    check_signature(made, digest=digest, algorithm=algorithm)
    return made


def client_answer(answer: bytes, *, certificate: x509.Certificate) -> bytes | None:
    """The DER if the client sent a whole CMS, None if it sent a bare signature value."""
    if len(answer) <= max(600, value_size(certificate)):
        return None
    der = normalize_cms(answer)
    signed = cms.ContentInfo.load(der)["content"]
    ders = {choice.chosen.dump() for choice in signed["certificates"]}
    if certificate.dump() not in ders:
        raise InvalidInput(
            "Подписано другим сертификатом. Начните подписание заново.",
            "Another certificate was used. Start signing again.",
            code="certificate_changed",
        )
    return der


def digest_stream(read: Callable[[int], bytes], *, algorithm: str = "sha256") -> bytes:
    """The digest of a stream, read in pieces of one mebibyte."""
    hashed = digests.start(algorithm)
    while piece := read(1 << 20):
        hashed.update(piece)
    return hashed.digest()
