"""PAdES signatures (ETSI EN 319 142-1), always as an incremental update: signed bytes stay.

Every result is checked byte by byte before it is handed out, since a writer that miscounts
makes a file that looks signed and is not.
"""

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Literal

from asn1crypto import x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.sign.validation.pdf_embedded import read_certification_data

from core import clock
from core.errors import Conflict, InvalidInput, ServiceError
from signatures.cms import assemble, check_signature, signed_attributes
from signatures.keys import SigningKey, check_certificate, read_certificate
from signatures.prepared import Prepared, TooSmall, fill, finish, no_room
from signatures.stamps import Stamper

__all__ = ["NO_WORDS", "Level", "Prepared", "Words", "finish", "prepare", "sign_pdf"]

Level = Literal["B-B", "B-T"]

_STAMP_ROOM = 8 * 1024


@dataclass(frozen=True, slots=True)
class Words:
    """What the signature dictionary says to a reader; shown by viewers, proves nothing."""

    name: str | None = None
    reason: str | None = None
    location: str | None = None


NO_WORDS = Words()


def _unreadable(problem: Exception) -> InvalidInput:
    return InvalidInput(
        "Файл PDF не удалось прочитать. Сохраните его заново и повторите.",
        "The PDF cannot be read. Save it anew and try again.",
        code="pdf_unreadable",
        kind=type(problem).__name__,
    )


def _open(data: bytes) -> IncrementalPdfFileWriter:
    """A writer over the lenient parser: real printers and scanners write sloppy PDF."""
    writer = IncrementalPdfFileWriter(BytesIO(data), strict=False)
    if writer.prev.encrypted:
        raise InvalidInput(
            "Файл PDF защищён паролем. Снимите защиту и повторите.",
            "The PDF is encrypted. Remove the protection and try again.",
            code="pdf_encrypted",
        )
    certified = read_certification_data(writer.prev)
    if certified is not None and certified.permission == MDPPerm.NO_CHANGES:
        raise Conflict(
            "Автор запретил изменения файла. Подпишите его отдельным файлом подписи.",
            "The author forbade changes to this file. Sign it with a detached signature.",
            code="document_certified",
        )
    return writer


def _free_name(writer: IncrementalPdfFileWriter) -> str:
    taken = {name for name, _, _ in enumerate_sig_fields(writer.prev)}
    number = len(taken) + 1
    while f"Signature{number}" in taken:
        number += 1
    return f"Signature{number}"


def _place(
    data: bytes, *, room: int, words: Words, at: datetime
) -> tuple[BytesIO, bytes, int, int]:
    """The PDF with an empty place of `room` bytes: buffer, digest, start and end of the place."""
    try:
        writer = _open(data)
        steps: Any = PdfCMSEmbedder().write_cms(field_name=_free_name(writer), writer=writer)
        next(steps)
        placeholder = SignatureObject(
            bytes_reserved=2 * room,
            subfilter=SigSeedSubFilter.PADES,
            timestamp=at,
            name=words.name,
            location=words.location,
            reason=words.reason,
        )
        steps.send(SigObjSetup(sig_placeholder=placeholder))
        place, output = steps.send(SigIOSetup(md_algorithm="sha256", in_place=True))
    except ServiceError:
        raise
    except Exception as problem:
        # The parser meets bytes of any author and answers with any exception.
        raise _unreadable(problem) from problem
    return (
        output,
        place.document_digest,
        place.reserved_region_start,
        place.reserved_region_end,
    )


def _room(chain: tuple[x509.Certificate, ...], leaf: x509.Certificate, *, stamped: bool) -> int:
    certificates = len(leaf.dump()) * 2 + sum(len(cert.dump()) for cert in chain)
    key = int(leaf.public_key.bit_size) // 8 + 64
    return certificates + key + 1024 + (_STAMP_ROOM if stamped else 0)


def sign_pdf(
    data: bytes,
    *,
    key: SigningKey,
    level: Level = "B-B",
    tsa: Stamper | None = None,
    words: Words = NO_WORDS,
    signing_time: datetime | None = None,
) -> bytes:
    """The PDF with one more signature, as an incremental update; earlier ones stay good.

    `B-T` needs `tsa`. Raises `pdf_unreadable`, `pdf_encrypted`, `document_certified`,
    `timestamp_unavailable` and the codes of `check_certificate`.
    """
    check_certificate(key.certificate)
    if level == "B-T" and tsa is None:
        raise InvalidInput(
            "Для уровня B-T нужна служба отметок времени. Укажите её в настройках.",
            "Level B-T needs a time-stamp authority. Name one in the settings.",
            code="timestamp_unavailable",
        )
    stamper = tsa if level == "B-T" else None
    at = signing_time or clock.now()
    room = _room(key.chain, key.certificate, stamped=stamper is not None)
    for attempt in range(3):
        buffer, digest, start, end = _place(data, room=room << 2 * attempt, words=words, at=at)
        attributes = signed_attributes(
            digest=digest, certificate=key.certificate, signing_time=None
        )
        made = assemble(
            attributes=attributes,
            signature=key.sign(attributes, "sha256"),
            certificate=key.certificate,
            chain=key.chain,
            tsa=stamper,
        )
        check_signature(made, digest=digest)
        try:
            return fill(buffer, start=start, end=end, digest=digest, made=made)
        except TooSmall:
            continue
    raise no_room()


def prepare(
    data: bytes,
    *,
    certificate: bytes,
    chain: tuple[bytes, ...] = (),
    words: Words = NO_WORDS,
    signing_time: datetime | None = None,
    room: int = 24 * 1024,
) -> Prepared:
    """First half for a client-held key: check the certificate, make the place, name the digest.

    Raises like `sign_pdf`; the certificate is refused here, before the user signs.
    """
    leaf = read_certificate(certificate)
    check_certificate(leaf)
    buffer, digest, start, end = _place(
        data, room=room, words=words, at=signing_time or clock.now()
    )
    return Prepared(
        document=buffer.getvalue(),
        digest=digest,
        attributes=signed_attributes(digest=digest, certificate=leaf, signing_time=None),
        certificate=leaf.dump(),
        chain=chain,
        start=start,
        end=end,
    )
