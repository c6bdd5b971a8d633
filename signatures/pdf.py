"""PAdES signatures (ETSI EN 319 142-1), always as an incremental update: signed bytes stay.

Every result is checked byte by byte before it is handed out, since a writer that miscounts
makes a file that looks signed and is not.
"""

from datetime import datetime

from asn1crypto import x509

from core import clock
from core.errors import InvalidInput
from signatures.cms import assemble, check_signature, signed_attributes
from signatures.dss import (
    add_document_timestamp,
    add_validation_data,
    stamp_line,
)
from signatures.keys import SigningKey, check_certificate, digest_for, read_certificate, value_size
from signatures.places import signature_place
from signatures.prepared import STAMP_ROOM, Level, Prepared, TooSmall, fill, finish, no_room
from signatures.revocation_data import (
    Revocation,
    ValidationData,
    no_revocation_data,
    require_covered,
)
from signatures.roles import NO_WORDS, Role, Statement, Words, statement
from signatures.stamps import Stamper

__all__ = [
    "NO_WORDS",
    "Level",
    "Prepared",
    "Words",
    "add_document_timestamp",
    "add_validation_data",
    "finish",
    "prepare",
    "sign_pdf",
]

_SLACK = 512


def sign_pdf(
    data: bytes,
    *,
    key: SigningKey,
    level: Level = "B-B",
    tsa: Stamper | None = None,
    revocation: Revocation | None = None,
    role: Role | None = None,
    words: Words = NO_WORDS,
    signing_time: datetime | None = None,
) -> bytes:
    """The PDF with one more signature, as an incremental update; earlier ones stay good.

    `B-T` and above need `tsa`; `B-LT` and `B-LTA` also `revocation`, which must speak for every
    certificate of the signer's and the time stamp's chain. Raises `pdf_unreadable`,
    `pdf_encrypted`, `document_certified`, `certification_not_first`, `timestamp_unavailable`,
    `revocation_unavailable`, `certificate_revoked`, `signature_too_big` and the codes of
    `check_certificate`; nothing comes out then.
    """
    check_certificate(key.certificate)
    stamper = _required_stamper(level, tsa)
    known = _known(key, revocation) if level in ("B-LT", "B-LTA") else None
    said = statement(role, words)
    signed, made = _signed(
        data, key=key, stamper=stamper, said=said, at=signing_time or clock.now()
    )
    if known is None or revocation is None or stamper is None:
        return signed
    stamp_chain = stamp_line(made)
    validation = known + revocation(stamp_chain) + ValidationData(certificates=stamp_chain)
    require_covered(stamp_chain, validation, at=clock.now())
    if level == "B-LT":
        return add_validation_data(signed, validation)
    return add_document_timestamp(signed, tsa=stamper, validation=validation, revocation=revocation)


def _required_stamper(level: Level, tsa: Stamper | None) -> Stamper | None:
    if level == "B-B":
        return None
    if tsa is None:
        raise InvalidInput(
            f"Для уровня {level} нужна служба отметок времени. Укажите её в настройках.",
            f"Level {level} needs a time-stamp authority. Name one in the settings.",
            code="timestamp_unavailable",
        )
    return tsa


def _known(key: SigningKey, revocation: Revocation | None) -> ValidationData:
    """What proves the signer's chain, asked for before the key is used."""
    chain = (key.certificate.dump(), *(one.dump() for one in key.chain))
    if revocation is None:
        raise no_revocation_data(chain[0])
    found = revocation(chain)
    require_covered(chain, found, at=clock.now())
    above = (one.dump() for one in key.chain if one.subject != one.issuer)
    return found + ValidationData(certificates=(chain[0], *above))


def _signed(
    data: bytes, *, key: SigningKey, stamper: Stamper | None, said: Statement, at: datetime
) -> tuple[bytes, bytes]:
    """The signed PDF and the CMS in it; a place that proves too small is made again, larger."""
    room = _room(key.chain, key.certificate, stamped=stamper is not None)
    for _ in range(3):
        place = signature_place(data, room=room, words=said.words, at=at, certifies=said.certifies)
        attributes = signed_attributes(
            digest=place.digest,
            certificate=key.certificate,
            signing_time=None,
            commitment=said.commitment,
        )
        made = assemble(
            attributes=attributes,
            signature=key.sign(attributes, "sha256"),
            certificate=key.certificate,
            chain=key.chain,
            tsa=stamper,
        )
        check_signature(made, digest=place.digest)
        try:
            return fill(
                place.buffer, start=place.start, end=place.end, digest=place.digest, made=made
            ), made
        except TooSmall:
            room = len(made) + _SLACK
    raise no_room()


def _room(chain: tuple[x509.Certificate, ...], leaf: x509.Certificate, *, stamped: bool) -> int:
    certificates = len(leaf.dump()) * 2 + sum(len(cert.dump()) for cert in chain)
    key = value_size(leaf) + 64
    return certificates + key + 1024 + (STAMP_ROOM if stamped else 0)


def prepare(
    data: bytes,
    *,
    certificate: bytes,
    chain: tuple[bytes, ...] = (),
    role: Role | None = None,
    words: Words = NO_WORDS,
    signing_time: datetime | None = None,
    room: int = 24 * 1024,
) -> Prepared:
    """First half for a client-held key: check the certificate, make the place, name the digest.

    The place is at least `room` bytes, more for a long chain. Raises like `sign_pdf`; the
    certificate is refused here, before the user signs.
    """
    leaf = read_certificate(certificate)
    check_certificate(leaf)
    said = statement(role, words)
    due = _room(tuple(read_certificate(der) for der in chain), leaf, stamped=True)
    place = signature_place(
        data,
        room=max(room, due),
        words=said.words,
        at=signing_time or clock.now(),
        certifies=said.certifies,
        algorithm=digest_for(leaf),
    )
    return Prepared(
        document=place.buffer.getvalue(),
        digest=place.digest,
        attributes=signed_attributes(
            digest=place.digest, certificate=leaf, signing_time=None, commitment=said.commitment
        ),
        certificate=leaf.dump(),
        chain=chain,
        start=place.start,
        end=place.end,
    )
