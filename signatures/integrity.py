"""Whether one signer of a CMS really signed these bytes (RFC 5652 section 5.6, RFC 5035).

Our own check for every algorithm, so that GOST, several signers and hostile attributes take one
path. Says nothing of trust. Malformed input is a finding, never an exception.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any, Final

from asn1crypto import cms, core, parser, tsp, x509
from cryptography.exceptions import InvalidSignature

from signatures import digests, primitives
from signatures.certificates import certificates_of
from signatures.gost import libgcrypt
from signatures.gost.checking import KeyInvalid, Unsupported, ValueInvalid

MAX_SIGNERS: Final = 20
MAX_CERTIFICATES: Final = 100
_DEEPEST: Final = 24

_SINGLE = (
    "content_type",
    "message_digest",
    "signing_time",
    "signing_certificate",
    "signing_certificate_v2",
    "cms_algorithm_protection",
)
_TEXTS: Final = frozenset((12, 18, 19, 20, 22, 30))  # UTF8, Numeric, Printable, Teletex, IA5, BMP
_ESS = {"signing_certificate": tsp.SigningCertificate,
        "signing_certificate_v2": tsp.SigningCertificateV2}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Integrity:
    """`intact`: the digest is the signed one. `valid`: the key made the signature value."""

    intact: bool
    valid: bool
    codes: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Both, and every signed attribute in its place."""
        return self.intact and self.valid and set(self.codes) <= {"attributes_unordered"}


def values_of(attributes: Any, name: str) -> list[Any]:
    """All values of all attributes of this type; none where there are no attributes."""
    if not isinstance(attributes, cms.CMSAttributes):
        return []
    return [value for one in attributes if one["type"].native == name for value in one["values"]]


def signing_time_of(info: cms.SignerInfo) -> datetime | None:
    """The time the signer's own clock claims."""
    found = values_of(info["signed_attrs"], "signing_time")
    return found[0].native if len(found) == 1 else None


def tokens_of(info: cms.SignerInfo) -> Iterator[cms.SignedData]:
    """The time-stamp tokens over the signature value."""
    for token in values_of(info["unsigned_attrs"], "signature_time_stamp_token"):
        yield token["content"]


def is_bound(info: cms.SignerInfo) -> bool:
    """Whether the signature names its certificate, as CAdES and PAdES demand."""
    return any(values_of(info["signed_attrs"], name) for name in _ESS)


def find_certificate(
    signed: cms.SignedData, info: cms.SignerInfo
) -> tuple[x509.Certificate | None, tuple[x509.Certificate, ...]]:
    """The signer's certificate, and all that came along.

    Of several that the signer identifier fits, the one the signed attributes name.
    """
    choices = signed["certificates"]
    if not isinstance(choices, cms.CertificateSet):
        return None, ()
    if len(choices) > MAX_CERTIFICATES:
        raise ValueError("too many certificates")
    every = certificates_of(choices)
    fitting = [one for one in every if _is_named(info["sid"], one)]
    if len(fitting) == 1:
        return fitting[0], every
    named = [one for one in fitting if not _ess_codes(info, one)]
    return next(iter((*named, *fitting)), None), every


def _is_named(sid: cms.SignerIdentifier, one: x509.Certificate) -> bool:
    if sid.name != "issuer_and_serial_number":
        return bool(one.key_identifier == sid.chosen.native)
    if one.serial_number != sid.chosen["serial_number"].native:
        return False
    stated = sid.chosen["issuer"]
    return bool(one.issuer.dump() == stated.dump() or _spelled(one.issuer) == _spelled(stated))


def _spelled(name: x509.Name) -> Any:
    """The name letter by letter; only the kind of string may differ, which some programs change.

    Stricter than RFC 5280 section 7.1: nobody signs the identifier, so it must be no other one.
    """
    pairs = [(pair["type"].dotted, pair["value"]) for rdn in name.chosen for pair in rdn]
    if any(value.dump()[0] not in _TEXTS for _, value in pairs):
        return object()
    return len(name.chosen), [(kind, value.native) for kind, value in pairs]


def _ess_codes(info: cms.SignerInfo, certificate: x509.Certificate) -> tuple[str, ...]:
    """The signed reference to the certificate, in both its versions (RFC 5035 section 5)."""
    try:
        for name, kind in _ESS.items():
            for value in values_of(info["signed_attrs"], name):
                first = kind.load(value.dump())["certs"][0]
                if not _is_reference(first, certificate):
                    return ("signing_certificate_mismatch",)
    except (ValueError, TypeError, KeyError, IndexError):
        return ("signing_certificate_mismatch",)
    return ()


def _is_reference(reference: Any, certificate: x509.Certificate) -> bool:
    is_second = isinstance(reference, tsp.ESSCertIDv2)
    name = reference["hash_algorithm"]["algorithm"].native if is_second else "sha1"
    if not compare_digest(digests.digest(name, certificate.dump()), reference["cert_hash"].native):
        return False
    serial = reference["issuer_serial"]
    if isinstance(serial, core.Void):
        return True
    return bool(serial["serial_number"].native == certificate.serial_number)


def check_integrity(
    info: cms.SignerInfo, certificate: x509.Certificate, *, content_type: str, digest: bytes
) -> Integrity:
    """Everything that binds `digest` to the certificate's key; `content_type` is what is due."""
    try:
        attributes = info["signed_attrs"]
        if isinstance(attributes, core.Void) or not len(attributes):
            wrong = _value_codes(info, certificate, digest, prehashed=True)
            return Integrity(not wrong, not wrong, ("no_signed_attributes", *wrong))
        codes = [
            *_form_codes(info, content_type),
            *_ess_codes(info, certificate),
            *_protection_codes(info),
        ]
        stated = values_of(attributes, "message_digest")
        is_intact = len(stated) == 1 and digest != b"" and compare_digest(stated[0].native, digest)
        if not is_intact:
            codes.append("digest_mismatch")
        broken, notes = _signature_codes(info, certificate)
        return Integrity(is_intact, not broken, (*codes, *broken, *notes))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return Integrity(False, False, ("not_parseable",))


def _form_codes(info: cms.SignerInfo, content_type: str) -> tuple[str, ...]:
    attributes = info["signed_attrs"]
    kinds = []
    for one in attributes:
        name = one["type"].native
        if name in _SINGLE and (name in kinds or len(one["values"]) != 1):
            return ("attributes_malformed",)
        kinds.append(name)
    found = values_of(attributes, "content_type")
    if not found or "message_digest" not in kinds:
        return ("attributes_malformed",)
    return () if found[0].native == content_type else ("content_type_mismatch",)


def _protection_codes(info: cms.SignerInfo) -> tuple[str, ...]:
    """Algorithms named outside the signature are those named inside (RFC 6211)."""
    for guard in values_of(info["signed_attrs"], "cms_algorithm_protection"):
        for name in ("digest_algorithm", "signature_algorithm"):
            if guard[name].native is None or (
                guard[name]["algorithm"].dotted != info[name]["algorithm"].dotted
            ):
                return ("algorithm_mismatch",)
    return ()


def _signature_codes(
    info: cms.SignerInfo, certificate: x509.Certificate
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is wrong with the value, and what is only to be noted.

    Signers that send the attributes in another form than they signed them are met halfway: as
    received first, then in DER, which is what they should have signed (RFC 5652 section 5.4).
    """
    received = parser.emit(0, 1, 17, _contents(info["signed_attrs"]))
    codes = _value_codes(info, certificate, received)
    if not codes and _is_ordered(received):
        return (), ()
    if codes in ((), ("signature_broken",)):
        canonical = _der_of(received)
        if canonical == received:
            return codes, ()
        if not codes or not _value_codes(info, certificate, canonical):
            return (), ("attributes_unordered",)
    return codes, ()


def _contents(attributes: cms.CMSAttributes) -> bytes:
    """The bytes inside the set as they came."""
    return b"".join(part[3] + part[4] + part[5] for part in _parts(attributes.contents))


def _value_codes(
    info: cms.SignerInfo, certificate: x509.Certificate, data: bytes, *, prehashed: bool = False
) -> tuple[str, ...]:
    try:
        primitives.verify(
            info["signature"].native,
            data,
            key=certificate.public_key,
            algorithm=info["signature_algorithm"],
            digest=info["digest_algorithm"]["algorithm"].native,
            prehashed=prehashed,
        )
    except KeyInvalid:
        return ("public_key_invalid",)
    except ValueInvalid:
        return ("signature_value_invalid",)
    except InvalidSignature:
        return ("signature_broken",)
    except (Unsupported, libgcrypt.Unavailable):
        return ("unsupported_algorithm",)
    return ()


def _parts(data: bytes) -> Iterator[tuple[Any, ...]]:
    place = 0
    while place < len(data):
        part = parser.parse(data[place:])
        place += len(part[3]) + len(part[4]) + len(part[5])
        yield part


def _is_ordered(data: bytes) -> bool:
    parts = [part[3] + part[4] + part[5] for part in _parts(parser.parse(data)[4])]
    return parts == sorted(parts)


def _der_of(data: bytes, depth: int = 0) -> bytes:
    """The same value in DER as far as lengths, string pieces and the order of sets go."""
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    kind, method, tag, _, contents, _ = parser.parse(data)
    if not method:
        return bytes(parser.emit(kind, 0, tag, contents))
    pieces = [_der_of(part[3] + part[4] + part[5], depth + 1) for part in _parts(contents)]
    if kind == 0 and tag == 4:
        return bytes(parser.emit(0, 0, 4, b"".join(parser.parse(one)[4] for one in pieces)))
    if kind == 0 and tag == 17:
        pieces.sort()
    return bytes(parser.emit(kind, 1, tag, b"".join(pieces)))


def are_attributes(data: bytes) -> bool:
    """Whether a "document" is in truth the signed attributes of some signature.

    Without its attributes a signature over them fits such a file: the oldest trick with CMS.
    """
    if data[:1] != b"\x31" or len(data) > 1 << 20:
        return False
    try:
        kinds = {one["type"].native for one in cms.CMSAttributes.load(data, strict=True)}
    except (ValueError, TypeError, KeyError):
        return False
    return {"content_type", "message_digest"} <= kinds


def is_whole(cms_der: bytes, *, digest: bytes, algorithm: str) -> bool:
    """Whether every signer of this CMS really signed `digest`; trust is not looked at."""
    try:
        signed = cms.ContentInfo.load(cms_der)["content"]
        infos = list(signed["signer_infos"])
        for info in infos:
            certificate, _ = find_certificate(signed, info)
            if certificate is None or info["digest_algorithm"]["algorithm"].native != algorithm:
                return False
            made = check_integrity(info, certificate, content_type="data", digest=digest)
            if not made.is_sound:
                return False
    except (ValueError, TypeError, KeyError):
        return False
    return bool(infos)


def is_whole_token(signed: cms.SignedData, *, imprint: bytes, algorithm: str) -> bool:
    """Whether a time-stamp token (RFC 3161) stamps `imprint` and its own signature holds."""
    info = signed["signer_infos"][0]
    content = signed["encap_content_info"]["content"]
    stated = content.parsed["message_imprint"]
    certificate, _ = find_certificate(signed, info)
    if (
        certificate is None
        or stated["hash_algorithm"]["algorithm"].native != algorithm
        or stated["hashed_message"].native != imprint
    ):
        return False
    digest = digests.digest(info["digest_algorithm"]["algorithm"].native, bytes(content))
    made = check_integrity(info, certificate, content_type="tst_info", digest=digest)
    return made.is_sound
