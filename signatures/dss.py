"""Validation data inside a PDF and the document time stamp over it: PAdES B-LT and B-LTA.

ETSI EN 319 142-1 sections 5.4 and 5.5, ISO 32000-2 section 12.8.4.3. Everything is appended; what
was there stays. Data and stamp go into one update, so that the file is parsed once for both.
"""

from typing import Any

from asn1crypto import cms, crl, ocsp, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.general import find_unique_cms_attribute
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.validation.dss import DocumentSecurityStore

from core import clock
from signatures.places import Place, reading, stamp_place, updating
from signatures.prepared import STAMP_ROOM, TooSmall, fill, no_room
from signatures.revocation_data import Revocation, ValidationData, require_covered, token_line
from signatures.stamps import Stamper, request_stamp


def add_validation_data(data: bytes, validation: ValidationData) -> bytes:
    """The PDF with certificates, CRLs and OCSP answers in its security store (B-LT).

    What the store holds already is not written twice; the newest signature gets its own entry
    (VRI). Whether the data is enough is the caller's to ask (`require_covered`).
    """
    with reading():
        writer: Any = updating(data)
        _store(writer, data, validation)
        writer.write_in_place()
        return bytes(writer.prev.stream.getvalue())


def add_document_timestamp(
    data: bytes,
    *,
    tsa: Stamper,
    validation: ValidationData | None = None,
    revocation: Revocation | None = None,
    room: int = STAMP_ROOM,
) -> bytes:
    """The PDF under one more document time stamp: makes B-LT to B-LTA, and renews a B-LTA.

    `validation` goes into the store under the stamp, as renewal needs the data of the stamps
    before. With `revocation`, the stamp's own chain is proved too, by one more update where the
    store lacks it. Raises `timestamp_unavailable`, `revocation_unavailable`, `pdf_unreadable`.
    """
    for _ in range(3):
        place = place_stamp(data, validation=validation, room=room)
        token = request_stamp(place.digest, tsa=tsa)
        try:
            stamped = fill(
                place.buffer, start=place.start, end=place.end, digest=place.digest, made=token
            )
        except TooSmall:
            room = len(token) + 512
            continue
        if revocation is None:
            return stamped
        return _with_chain_of(stamped, token, validation=validation, revocation=revocation)
    raise no_room()


def place_stamp(
    data: bytes, *, validation: ValidationData | None = None, room: int = STAMP_ROOM
) -> Place:
    """The PDF with `validation` in its store and an empty document time stamp."""
    with reading():
        writer = updating(data)
        if validation is not None:
            _store(writer, data, validation)
        else:
            _declare(writer)
        return stamp_place(writer, room=room)


def _with_chain_of(
    stamped: bytes, token: bytes, *, validation: ValidationData | None, revocation: Revocation
) -> bytes:
    chain = token_line(token)
    known = validation or ValidationData()
    if set(chain) <= set(known.certificates):
        return stamped
    more = revocation(chain)
    require_covered(chain, more, at=clock.now())
    return add_validation_data(stamped, more + ValidationData(certificates=chain))


def stamp_line(signature: bytes) -> tuple[bytes, ...]:
    """The same for the time stamp on a CMS signature; empty if it has none."""
    info = cms.ContentInfo.load(signature)["content"]["signer_infos"][0]
    if not isinstance(info["unsigned_attrs"], cms.CMSAttributes):
        return ()
    found = find_unique_cms_attribute(info["unsigned_attrs"], "signature_time_stamp_token")
    return token_line(found.dump())


def _declare(writer: IncrementalPdfFileWriter) -> None:
    """Say that a PDF below 2.0 uses the extension that knows the security store."""
    if writer.output_version < (2, 0):
        writer.register_extension(ESIC_EXTENSION_1)


def _store(writer: IncrementalPdfFileWriter, data: bytes, validation: ValidationData) -> None:
    _declare(writer)
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        _newest_contents(writer, data),
        certs=[x509.Certificate.load(der) for der in validation.certificates],
        crls=[crl.CertificateList.load(der) for der in validation.crls],
        ocsps=[ocsp.OCSPResponse.load(der) for der in validation.ocsps],
    )


def _newest_contents(writer: IncrementalPdfFileWriter, data: bytes) -> bytes | None:
    """The hexadecimal digits of the newest signature as they stand: a VRI is named by them."""
    ranges = [
        [int(number) for number in value.get_object()["/ByteRange"]]
        for _, value, _ in enumerate_sig_fields(writer.prev, filled_status=True)
    ]
    if not ranges:
        return None
    _, start, end, _ = max(ranges, key=lambda one: one[2] + one[3])
    return data[start + 1 : end - 1]
