"""Signatures in CMS (RFC 5652) and time stamps (RFC 3161): who signed which bytes."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from evidence.verifier.der import Der, parse
from evidence.verifier.findings import MALFORMED, Bad, Unknown

CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
TIME_STAMP, TST_INFO = "1.2.840.113549.1.9.16.2.14", "1.2.840.113549.1.9.16.1.4"
PSS = "1.2.840.113549.1.1.10"
DIGESTS = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
GOST_ARC = "1.2.643."


@dataclass(frozen=True)
class Signer:
    """One SignerInfo (RFC 5652 section 5.3)."""

    digest: str
    algorithm: str
    signature: bytes
    attributes: Der | None
    unsigned: dict[str, Der]

    @property
    def signed(self) -> dict[str, list[Der]]:
        """Signed attributes by type."""
        found: dict[str, list[Der]] = {}
        for one in self.attributes.parts if self.attributes else ():
            kind, values = one.parts
            found.setdefault(kind.oid, []).extend(values.parts)
        return found


class Cms:
    """SignedData (RFC 5652 section 5.1), as DER, BER, PEM or bare base64."""

    def __init__(self, data: bytes) -> None:
        kind, wrapped = parse(data if data[:1] == b"\x30" else unarmored(data)).parts[:2]
        if kind.oid != "1.2.840.113549.1.7.2":
            raise ValueError("no SignedData")
        _, _, inner, *optional, infos = wrapped.parts[0].parts
        self.content_type = inner.parts[0].oid
        self.content = inner.parts[1].parts[0].octets if len(inner.parts) > 1 else None
        self.certificates = [
            one.raw for part in optional if part.tag == 0xA0 for one in part.parts
            if one.tag == 0x30
        ]  # fmt: skip
        self.signers = [_signer(one) for one in infos.parts]


def unarmored(data: bytes) -> bytes:
    """The DER of a signature sent as PEM or bare base64, in any of the encodings of text."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = re.sub("-----[^-]+-----", "", data.decode(encoding))
    return base64.b64decode("".join(text.split()))


def _signer(info: Der) -> Signer:
    _, _, digest, *rest = info.parts
    attributes = rest.pop(0) if rest[0].tag == 0xA0 else None
    algorithm, signature, *more = rest
    unsigned = {
        one.parts[0].oid: one.parts[1].parts[0] for part in more for one in part.parts
    }  # fmt: skip
    return Signer(
        digest.parts[0].oid, algorithm.parts[0].oid, signature.content, attributes, unsigned
    )


def check_signer(
    cms: Cms, one: Signer, digest_of: Callable[[str], bytes], *, wanted: str = ""
) -> bytes:
    """The certificate whose key signed the content with this digest; `wanted`: its SHA-256.

    Raises Bad when it did not, Unknown for algorithms that are not computed here.
    """
    if GOST_ARC in (one.digest[:6] + ".", one.algorithm[:6] + ".", one.digest[:8]):
        raise Unknown("gost")
    if one.digest not in DIGESTS:
        raise Unknown(one.digest)
    if one.attributes is None:
        raise Bad("document_signature")  # such a value would also sign the attributes as a document
    (digest,) = one.signed[MESSAGE_DIGEST]
    (kind,) = one.signed[CONTENT_TYPE]
    if digest.octets != digest_of(DIGESTS[one.digest]) or kind.oid != cms.content_type:
        raise Bad("document_signature")
    as_sent = b"\x31" + one.attributes.raw[1:]
    in_order = b"".join(sorted(part.raw for part in one.attributes.parts))
    for certificate in cms.certificates:
        if wanted and hashlib.sha256(certificate).hexdigest() != wanted:
            continue
        for attributes in (as_sent, b"\x31" + _length(len(in_order)) + in_order):
            if _is_signed(certificate, attributes, one):
                return certificate
    raise Bad("document_signature")


def _length(size: int) -> bytes:
    digits = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    return bytes([size]) if size < 0x80 else bytes([0x80 | len(digits)]) + digits


def _is_signed(certificate: bytes, data: bytes, one: Signer) -> bool:
    name: hashes.HashAlgorithm = {
        "sha1": hashes.SHA1(), "sha256": hashes.SHA256(),  # noqa: S303 - old documents have it
        "sha384": hashes.SHA384(), "sha512": hashes.SHA512(),
    }[DIGESTS[one.digest]]  # fmt: skip
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        if isinstance(key, rsa.RSAPublicKey):
            scheme: padding.AsymmetricPadding = padding.PKCS1v15()
            if one.algorithm == PSS:
                scheme = padding.PSS(padding.MGF1(name), padding.PSS.AUTO)
            key.verify(one.signature, data, scheme, name)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(one.signature, data, ec.ECDSA(name))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(one.signature, data)
        else:
            raise Unknown(type(key).__name__)
    except (InvalidSignature, ValueError):
        return False
    except UnsupportedAlgorithm as problem:
        raise Unknown(str(problem)) from problem
    return True


def check_token(token: bytes, stamped: bytes) -> str:
    """The time a token (RFC 3161) gives to these bytes, as `20261122093000Z`; raises Bad."""
    try:
        cms = Cms(token)
        content = cms.content or b""
        info = parse(content).parts
        algorithm, imprint = info[2].parts
        digest = hashlib.new(DIGESTS[algorithm.parts[0].oid], stamped).digest()
        if cms.content_type != TST_INFO or imprint.octets != digest:
            raise Bad("time_stamp")
        check_signer(cms, cms.signers[0], lambda name: hashlib.new(name, content).digest())
        return info[4].content.decode()
    except (Bad, *MALFORMED) as problem:
        raise Bad("time_stamp") from problem
