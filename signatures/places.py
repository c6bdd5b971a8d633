"""Empty places for signatures and time stamps, written as incremental updates of a PDF.

Only here (and in `dss`) pyHanko's writer is used; what goes into a place comes from elsewhere.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.signers.cms_embedder import (
    PdfCMSEmbedder,
    SigIOSetup,
    SigMDPSetup,
    SigObjSetup,
)
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp, SignatureObject
from pyhanko.sign.validation.pdf_embedded import read_certification_data

from core.errors import Conflict, InvalidInput, ServiceError
from signatures import digests
from signatures.hexstrings import quick_hex
from signatures.roles import Words


@dataclass(frozen=True, slots=True)
class Place:
    """A PDF in `buffer` with an empty `<…>` from `start` to `end`, and the digest around it."""

    buffer: BytesIO
    digest: bytes
    start: int
    end: int


@contextmanager
def reading() -> Iterator[None]:
    """Turn whatever the parser raises into `pdf_unreadable`; our own errors pass."""
    try:
        with quick_hex():
            yield
    except ServiceError:
        raise
    except Exception as problem:
        # The parser meets bytes of any author and answers with any exception.
        raise InvalidInput(
            "Файл PDF не удалось прочитать. Сохраните его заново и повторите.",
            "The PDF cannot be read. Save it anew and try again.",
            code="pdf_unreadable",
            kind=type(problem).__name__,
        ) from problem


def updating(data: bytes) -> IncrementalPdfFileWriter:
    """A writer over the lenient parser: real printers and scanners write sloppy PDF."""
    writer = IncrementalPdfFileWriter(BytesIO(data), strict=False)
    if writer.prev.encrypted:
        raise InvalidInput(
            "Файл PDF защищён паролем. Снимите защиту и повторите.",
            "The PDF is encrypted. Remove the protection and try again.",
            code="pdf_encrypted",
        )
    return writer


def signature_place(
    data: bytes,
    *,
    room: int,
    words: Words,
    at: datetime,
    certifies: bool = False,
    algorithm: str = "sha256",
) -> Place:
    """An empty signature of `room` bytes; `certifies` makes it the author's (DocMDP, P = 2).

    P = 2 lets later people sign and changes nothing else (ISO 32000-2 section 12.8.2.2). Raises
    `pdf_unreadable`, `pdf_encrypted`, `document_certified`, `certification_not_first`.
    """
    with reading():
        writer = updating(data)
        _require_open(writer)
        if certifies:
            _require_unsigned(writer)
        made = SignatureObject(
            bytes_reserved=2 * room,
            subfilter=SigSeedSubFilter.PADES,
            timestamp=at,
            name=words.name,
            location=words.location,
            reason=words.reason,
        )
        rules = SigMDPSetup("sha256", certify=True, docmdp_perms=MDPPerm.FILL_FORMS)
        setup = SigObjSetup(sig_placeholder=made, mdp_setup=rules if certifies else None)
        return _placed(writer, setup, "Signature", algorithm)


def stamp_place(writer: IncrementalPdfFileWriter, *, room: int) -> Place:
    """An empty document time stamp (ISO 32000-2 section 12.8.5) in an open update."""
    untyped: Any = DocumentTimestamp
    setup = SigObjSetup(sig_placeholder=untyped(bytes_reserved=2 * room))
    return _placed(writer, setup, "Timestamp")


def _placed(
    writer: IncrementalPdfFileWriter, setup: SigObjSetup, kind: str, algorithm: str = "sha256"
) -> Place:
    steps: Any = PdfCMSEmbedder().write_cms(field_name=_free_name(writer, kind), writer=writer)
    next(steps)
    steps.send(setup)
    place, output = steps.send(SigIOSetup(md_algorithm="sha256", in_place=True))
    start, end = place.reserved_region_start, place.reserved_region_end
    digest = place.document_digest
    if algorithm != "sha256":  # the library knows no Streebog
        view = output.getbuffer()
        hashed = digests.start(algorithm, view[:start])
        hashed.update(view[end:])
        digest = hashed.digest()
        view.release()
    return Place(output, digest, start, end)


def _require_open(writer: IncrementalPdfFileWriter) -> None:
    certified = read_certification_data(writer.prev)
    if certified is not None and certified.permission == MDPPerm.NO_CHANGES:
        raise Conflict(
            "Автор запретил изменения файла. Подпишите его отдельным файлом подписи.",
            "The author forbade changes to this file. Sign it with a detached signature.",
            code="document_certified",
        )


def _require_unsigned(writer: IncrementalPdfFileWriter) -> None:
    if any(value is not None for _, value, _ in enumerate_sig_fields(writer.prev)):
        raise Conflict(
            "Заверяющая подпись ставится только первой, а файл уже подписан. "
            "Поставьте утверждающую или согласующую подпись.",
            "A certifying signature must be the first one, and the file is already signed. "
            "Add an approving or endorsing signature.",
            code="certification_not_first",
        )


def _free_name(writer: IncrementalPdfFileWriter, kind: str) -> str:
    taken = {name for name, _, _ in enumerate_sig_fields(writer.prev)}
    number = len(taken) + 1
    while f"{kind}{number}" in taken:
        number += 1
    return f"{kind}{number}"
