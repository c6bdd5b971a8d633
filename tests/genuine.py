"""Honestly signed PDFs in the styles of several writers, with everything that makes them valid."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any

import pypdfium2
import typst
from asn1crypto import crl as asn1_crl
from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import Image
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields as sig_fields
from pyhanko.sign import signers
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.stamp import TextStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from core.clock import frozen
from signatures import pdf
from signatures.authority import Authority, Issued, Subject, create_authority, trust_of
from signatures.stamping import StampAuthority
from signatures.trust import TrustStore

# The library signs by the real clock.
START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
AT = START + timedelta(days=1)

_CATALOG = b"<</Type/Catalog/Pages 2 0 R%s>>"
_TEXT = b"BT /F1 18 Tf 50 700 Td (Pay 100 rubles to Ivanov) Tj ET"
_BODIES = (
    b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
    b"/Resources<</Font<</F1 5 0 R>>>>%s>>",
    b"<</Length %d>>stream\n%s\nendstream" % (len(_TEXT), _TEXT),
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
)
_FIELD = (
    b"<</Type/Annot/Subtype/Widget/FT/Tx/T(sum)/V(100)/DA(/F1 12 Tf 0 g)/Rect[50 600 250 620]"
    b"/P 3 0 R>>"
)


@dataclass(frozen=True)
class World:
    """One authority, two people it knows, a time-stamp authority."""

    issuing: Authority
    person: Issued
    colleague: Issued
    stamp: StampAuthority
    trust: TrustStore


@cache
def world() -> World:
    """Made once a process."""
    with frozen(START):
        root = create_authority("Root")
        issuing = create_authority("Issuing", parent=root)
        return World(
            issuing,
            issuing.issue(Subject("Иванов")),
            issuing.issue(Subject("Петров")),
            StampAuthority(issuing.stamping_key()),
            trust_of(issuing),
        )


class Stamper(TimeStamper):
    """The library's idea of a time-stamp authority over ours."""

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return tsp.TimeStampResp.load(world().stamp.answer(req.dump()))


def stamper() -> TimeStamper:
    """For the library's own signers."""
    make: Any = Stamper
    made: TimeStamper = make()
    return made


def _rows(objects: dict[int, bytes]) -> tuple[bytes, dict[int, int]]:
    out, places = BytesIO(), {}
    out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    for number, body in objects.items():
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    return out.getvalue(), places


def _objects(form: bool) -> dict[int, bytes]:
    catalog = _CATALOG % (b"/AcroForm<</Fields[6 0 R]>>" if form else b"")
    page = _BODIES[1] % (b"/Annots[6 0 R]" if form else b"")
    found = {1: catalog, 2: _BODIES[0], 3: page, 4: _BODIES[2], 5: _BODIES[3]}
    return {**found, 6: _FIELD} if form else found


def by_hand(*, form: bool = False, spare: bytes = b"") -> bytes:
    """A classical cross-reference table; `spare` is laid in as a second object 4."""
    body, places = _rows(_objects(form))
    body += spare
    size = len(places) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n" % size
    table += b"".join(b"%010d 00000 n \n" % place for place in places.values())
    table += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + table


def with_streams() -> bytes:
    """A cross-reference stream, page tree and fonts in an object stream."""
    objects = _objects(form=False)
    packed = {number: objects.pop(number) for number in (2, 3, 5)}
    head, content = b"", b""
    for number, body in packed.items():
        head += b"%d %d " % (number, len(content))
        content += body + b" "
    inner = head + content
    objects[6] = b"<</Type/ObjStm/N 3/First %d/Length %d>>stream\n%s\nendstream" % (
        len(head), len(inner), inner,
    )  # fmt: skip
    body, places = _rows(objects)
    places[7] = len(body)
    rows = b"\0\0\0\0\0"
    for number in range(1, 8):
        if number in packed:
            rows += b"\2\0\0\6" + bytes([list(packed).index(number)])
        else:
            rows += b"\1" + places[number].to_bytes(3, "big") + b"\0"
    xref = b"<</Type/XRef/Size 8/W[1 3 1]/Root 1 0 R/Length %d>>stream\n%s\nendstream" % (
        len(rows), rows,
    )  # fmt: skip
    return body + b"7 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (xref, len(body))


def _typst() -> bytes:
    source = b'#set page(paper: "a4")\n= Letter\nPay 100 rubles. #pagebreak() Page two.'
    made: bytes = typst.compile(source, format="pdf")
    return made


def _pillow() -> bytes:
    out = BytesIO()
    Image.new("RGB", (200, 280), "white").save(out, "PDF")
    return out.getvalue()


def _pdfium() -> bytes:
    document, out = pypdfium2.PdfDocument.new(), BytesIO()
    document.new_page(595, 842)
    document.save(out)
    return out.getvalue()


def _sign(data: bytes, who: Issued | None = None, **options: Any) -> bytes:
    with frozen(START):
        return pdf.sign_pdf(data, key=(who or world().person).key(), **options)


def _library_signer(who: Issued) -> signers.SimpleSigner:
    make: Any = SimpleCertificateStore
    store = make()
    store.register_multiple(asn1_x509.Certificate.load(der) for der in who.chain)
    private = who.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(who.der),
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=store,
    )


def context() -> ValidationContext:
    """What the library needs to put validation data into a file."""
    store = world().trust
    return ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(der) for der in store.roots],
        other_certs=[asn1_x509.Certificate.load(der) for der in store.others],
        crls=[asn1_crl.CertificateList.load(der) for der in store.crls],
        allow_fetching=False,
        revocation_mode="require",
        moment=START,
    )


def by_library(
    data: bytes,
    *,
    name: str,
    who: Issued | None = None,
    lta: bool = False,
    certify: int | None = None,
    box: tuple[int, int, int, int] | None = None,
) -> bytes:
    """Signed by the library itself: long-term data, certification, a visible mark."""
    meta = signers.PdfSignatureMetadata(
        field_name=name,
        md_algorithm="sha256",
        subfilter=sig_fields.SigSeedSubFilter.PADES,
        certify=certify is not None,
        docmdp_permissions=sig_fields.MDPPerm(certify or 2),
        embed_validation_info=lta,
        use_pades_lta=lta,
        validation_context=context() if lta else None,
    )
    signer = signers.PdfSigner(
        meta,
        signer=_library_signer(who or world().person),
        timestamper=stamper() if lta else None,
        stamp_style=TextStampStyle(stamp_text="Signed") if box else None,
        new_field_spec=sig_fields.SigFieldSpec(name, box=box) if box else None,
    )
    with frozen(START):
        out = signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(data), strict=False))
    return bytes(out.getvalue())


@dataclass(frozen=True)
class Genuine:
    """A valid file; `is_certified` and `has_form` tell what attacks make sense."""

    name: str
    data: bytes = field(repr=False)


@cache
def genuine() -> tuple[Genuine, ...]:
    """Every style and history; each is valid at `AT` for `world().trust`."""
    w = world()
    once = _sign(by_hand())
    twice = _sign(once, w.colleague, level="B-T", tsa=w.stamp)
    lta = by_library(by_hand(), name="Long", lta=True)
    made = {
        "typst": _sign(_typst()),
        "pillow": _sign(_pillow()),
        "pdfium": _sign(_pdfium()),
        "by hand": once,
        "streams": _sign(with_streams()),
        "form": _sign(by_hand(form=True)),
        "stamped": _sign(by_hand(), level="B-T", tsa=w.stamp),
        "two": twice,
        "three": _sign(twice),
        "two in streams": _sign(_sign(with_streams()), w.colleague),
        "long-term": lta,
        "long-term, then another": _sign(lta, w.colleague),
        "long-term in streams": by_library(with_streams(), name="Long", lta=True),
        "certified 1": by_library(by_hand(form=True), name="C", certify=1),
        "certified 2": by_library(by_hand(form=True), name="C", certify=2),
        "certified 3": by_library(by_hand(form=True), name="C", certify=3),
        "certified 2, then another": _sign(
            by_library(by_hand(), name="C", certify=2), w.colleague
        ),
        "visible": by_library(by_hand(), name="V", box=(50, 100, 250, 150)),
        "two visible": by_library(
            by_library(by_hand(), name="V", box=(50, 100, 250, 150)),
            name="W", who=w.colleague, box=(300, 100, 500, 150),
        ),
    }  # fmt: skip
    return tuple(Genuine(name, data) for name, data in made.items())
