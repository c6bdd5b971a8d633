"""New signature fields, and what two programs read in two ways."""

import re
from io import BytesIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.attack_files import (
    ATTACKS,
    EVIL_PAGE,
    EVIL_STREAM,
    SCRIPT,
    Victim,
    attack,
    signature_field,
    written,
)


def _with_signature_field(v: Victim, field: bytes, **more: bytes) -> bytes:
    form = v.reader.root.raw_get("/AcroForm")
    fields = written(form.get_object()["/Fields"]).strip()[:-1] + b" %d 0 R]" % v.size
    body = v.changed(form.get_object(), Fields=fields)
    direct = not isinstance(form, generic.IndirectObject)
    if direct:
        body = v.changed(v.reader.root, AcroForm=body)
    holder = v.root.idnum if direct else form.idnum
    found = v.page.get("/Annots")
    annots = written(found.get_object()).strip()[:-1] if found is not None else b"["
    objects = {holder: body, v.size: field}
    if isinstance(found, generic.IndirectObject):
        objects[found.idnum] = annots + b" %d 0 R]" % v.size
    else:
        objects[v.page_ref.idnum] = v.changed(v.page, Annots=annots + b" %d 0 R]" % v.size)
    for extra in more.values():
        objects[v.size + 1] = extra
    return v.append(objects)


_SIG = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Evil)/Rect%s/P %d 0 R%s>>"
for _name, _rect, _more in (
    ("empty field", b"[0 0 0 0]", b""),
    ("empty visible field", b"[40 690 400 720]", b"/AP<</N %d 0 R>>"),
    ("empty field of indirect size", b"[%d 0 R 690 400 720]", b"/AP<</N %d 0 R>>"),
    ("field with a script", b"[0 0 0 0]", b"/AA<</PV %s>>" % SCRIPT),
    ("field with an action", b"[0 0 0 0]", b"/A %s" % SCRIPT),
    ("field with a painted box", b"[40 690 400 720]", b"/MK<</BG[1 1 1]>>"),
):

    def _evil_field(v: Victim, rect: bytes = _rect, more: bytes = _more) -> bytes:
        last = v.size + 1
        rect = rect.replace(b"%d", b"%d" % last)
        more = more.replace(b"%d", b"%d" % last)
        return _with_signature_field(v, _SIG % (rect, v.page_ref.idnum, more), look=EVIL_STREAM)

    ATTACKS[f"certified: {_name}"] = _evil_field


@attack("certified: time stamp without content")
def _fake_stamp(v: Victim) -> bytes:
    value = (
        b"<</Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161"
        b"/Contents<00>/ByteRange[0 1 2 3]>>"
    )
    return _with_signature_field(
        v, _SIG % (b"[0 0 0 0]", v.page_ref.idnum, b"/V %d 0 R" % (v.size + 1)), value=value
    )


@attack("certified: signature copied")
def _copied(v: Victim) -> bytes:
    """Somebody's good signature value under a field of one's own."""
    value = written(signature_field(v).get_object().raw_get("/V"))
    return _with_signature_field(
        v, _SIG % (b"[40 690 400 720]", v.page_ref.idnum, b"/V %s" % value)
    )


@attack("parser: key defined twice")
def _twice(v: Victim) -> bytes:
    root = v.changed(v.reader.root)[:-2] + b"/Pages %d 0 R>>" % v.size
    return v.append(
        {
            v.root.idnum: root,
            v.size: b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % (v.size + 1),
            v.size + 1: EVIL_PAGE % (v.size, v.size + 2),
            v.size + 2: EVIL_STREAM,
        }
    )


@attack("parser: root defined twice")
def _root_twice(v: Victim) -> bytes:
    evil = v.changed(v.reader.root, Pages=b"%d 0 R" % (v.size + 1))
    return v.append(
        {
            v.size: evil,
            v.size + 1: b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % (v.size + 2),
            v.size + 2: EVIL_PAGE % (v.size + 1, v.size + 3),
            v.size + 3: EVIL_STREAM,
        },
        extra=b"/Root %d 0 R" % v.size,
    )


@attack("parser: two trailers")
def _two_trailers(v: Victim) -> bytes:
    done = v.append({v.size: b"<</Type/VRI>>"})
    place = done.rindex(b"trailer\n")
    return done[:place] + b"trailer\n<</Root %d 0 R>>\n" % v.size + done[place:]


@attack("parser: number listed twice")
def _listed_twice(v: Victim) -> bytes | None:
    found = v.contents()
    if found is None:
        return None
    hidden = b"%d 0 obj\n%s\nendobj\n" % (found.idnum, EVIL_STREAM)
    place = len(v.data) + (not v.data.endswith(b"\n"))
    return v.append(
        {v.size: b"<</Type/VRI>>"},
        before=hidden,
        rows=b"%d 1\n%010d 00000 n \n" % (v.size, place),
    )


@attack("parser: object without entry")
def _unlisted(v: Victim) -> bytes | None:
    found = v.contents()
    hidden = b"%d 0 obj\n%s\nendobj\n" % (found.idnum if found else v.size, EVIL_STREAM)
    return v.append({v.size + 1: b"<</Type/VRI>>"}, before=hidden)


@attack("parser: object nobody refers to")
def _orphan(v: Victim) -> bytes:
    return v.append({v.size: EVIL_STREAM})


@attack("parser: higher generation")
def _generation(v: Victim) -> bytes | None:
    found = v.contents()
    return v.append({found.idnum: EVIL_STREAM}, generation=1) if found else None


@attack("parser: object freed")
def _freed(v: Victim) -> bytes | None:
    found = v.contents()
    rows = b"%d 1\n0000000000 00001 f \n" % found.idnum if found else b""
    return v.append({v.size: b"<</Type/VRI>>"}, rows=rows) if found else None


@attack("parser: hybrid reference")
def _hybrid(v: Victim) -> bytes | None:
    found = v.contents()
    if found is None:
        return None
    evil = len(v.data) + 1
    text = b"%d 0 obj\n%s\nendobj\n" % (found.idnum, EVIL_STREAM)
    row = b"\1" + evil.to_bytes(4, "big") + b"\0"
    stream = b"%d 0 obj\n<</Type/XRef/Size %d/Index[%d 1]/W[1 4 1]/Length 6>>" \
        b"stream\n%s\nendstream\nendobj\n" % (
        v.size, v.size + 1, found.idnum, row,
    )  # fmt: skip
    return v.append({}, before=text + stream, extra=b"/XRefStm %d" % (evil + len(text)))


@attack("parser: encrypted afterwards")
def _encrypted(v: Victim) -> bytes:
    return v.append(
        {v.size: b"<</Filter/Standard/V 1/R 2/O(%s)/U(%s)/P -1>>" % (b"o" * 32, b"u" * 32)},
        extra=b"/Encrypt %d 0 R/ID[<00><00>]" % v.size,
    )


@attack("parser: earlier revision as the one before")
def _skipped(v: Victim) -> bytes:
    first = int(re.findall(rb"startxref\s+(\d+)", v.data)[0])
    return v.evil_content(prev=first) or b""


@attack("parser: second header")
def _second_header(v: Victim) -> bytes | None:
    return v.append({v.size: b"<</Type/VRI>>"}, before=b"%PDF-1.7\n")


@attack("parser: words between objects")
def _words(v: Victim) -> bytes:
    return v.append({v.size: b"<</Type/VRI>>"}, before=b"pay 900000\n")


@attack("parser: long remark")
def _remark(v: Victim) -> bytes:
    return v.append({v.size: b"<</Type/VRI>>"}, before=b"%" + b"remark" * 50 + b"\n")


@attack("parser: object hidden in an object stream")
def _in_stream(v: Victim) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(v.data), strict=False)
    inner = generic.StreamObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/ObjStm"),
            generic.pdf_name("/N"): generic.NumberObject(1),
            generic.pdf_name("/First"): generic.NumberObject(len(b"%d 0 " % v.root.idnum)),
        },
        stream_data=b"%d 0 %s" % (v.root.idnum, v.changed(v.reader.root, OpenAction=SCRIPT)),
    )
    writer.add_object(inner)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


@attack("title changed")
def _title(v: Victim) -> bytes:
    return v.append({v.size: b"<</Title(Order to pay 900000)>>"}, extra=b"/Info %d 0 R" % v.size)


@attack("metadata changed")
def _metadata(v: Victim) -> bytes:
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf'
        b'-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Pay '
        b"900000</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    stream = b"<</Type/Metadata/Subtype/XML/Length %d>>stream\n%s\nendstream" % (len(xmp), xmp)
    root = v.changed(v.reader.root, Metadata=b"%d 0 R" % v.size)
    return v.append({v.root.idnum: root, v.size: stream})


@attack("validation data with an action")
def _dss(v: Victim) -> bytes:
    root = v.changed(v.reader.root, DSS=b"<</Type/DSS/AA<</O %s>>>>" % SCRIPT)
    return v.append({v.root.idnum: root})


@attack("validation data that is a page")
def _dss_page(v: Victim) -> bytes:
    root = v.changed(v.reader.root, DSS=b"<</Type/DSS/Certs[%d 0 R]>>" % v.size)
    return v.append({v.root.idnum: root, v.size: EVIL_PAGE % (v.pages.idnum, v.size)})
