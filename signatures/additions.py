"""What later revisions may add to a signed one beyond what the library's rules look at.

Its rules let the description of the document change at will, look at no key of a new signature
field, and take a rectangle it cannot add up for an invisible one.
"""

from collections.abc import Iterator
from typing import Any

from lxml import etree
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields

from signatures import marks

_FREE_INFO = {"/ModDate", "/Producer"}
_NEW_INFO = _FREE_INFO | {"/CreationDate", "/Creator"}
_FREE_XMP = {
    "ModifyDate",
    "MetadataDate",
    "Producer",
    "InstanceID",
    "CreateDate",
    "CreatorTool",
    "xmptk",
    "about",
}
_Indirect: Any = generic.IndirectObject
_UNSEEN = {"/Link", "/Popup"}
_DEEPEST = 32
_FORM = ("/DR", "/DA", "/Q")
_WIDGET = {
    *("/Type", "/Subtype", "/FT", "/T", "/TU", "/TM", "/F", "/Ff", "/Rect", "/P", "/V", "/AP"),
    *("/AS", "/Lock", "/SV", "/MK", "/DA", "/DR", "/Q", "/Kids", "/Parent", "/StructParent"),
    *("/NM", "/M", "/H", "/Border", "/BS", "/Lang"),
}

CHANGED = "changed_after_signing"
FILLED = "form_filled_after_signing"
COVERED = "mark_over_content"


def findings(reader: PdfFileReader, data: bytes, revision: int) -> tuple[str, ...]:
    """The first finding in the revisions after `revision`, which are known to be well-formed."""
    for number in range(revision + 1, reader.xrefs.total_revisions):
        before = reader.get_historical_resolver(number - 1)
        after = reader.get_historical_resolver(number)
        code = (
            _description(before, after)
            or _form(before, after)
            or _fields(reader, before, after, data)
        )
        if code:
            return (code,)
    return ()


def _description(before: Any, after: Any) -> str | None:
    """Title, author and the like are shown to the reader; only dates and program may change."""
    old, new = (_plain(one.trailer_view.get("/Info")) for one in (before, after))
    free = _FREE_INFO if old else _NEW_INFO
    for key in (old.keys() | new.keys()) - free:
        if _value(old, key) != _value(new, key):
            return CHANGED
    return CHANGED if _words(before.root) != _words(after.root) else None


def _target(found: Any) -> Any:
    return found.get_object() if isinstance(found, _Indirect) else found


def _plain(found: Any) -> dict[str, Any]:
    found = _target(found)
    return found if isinstance(found, dict) else {}


def _item(holder: dict[str, Any], key: str) -> Any:
    return _target(holder.get(key))


def _value(holder: dict[str, Any], key: str) -> bytes | str | None:
    found = _item(holder, key)
    if isinstance(found, generic.TextStringObject | generic.ByteStringObject):
        return bytes(found.original_bytes)
    return None if found is None else repr(found)


def _words(root: Any) -> set[tuple[str, str]]:
    """What the metadata stream says, without dates, program and instance."""
    stream = _item(root, "/Metadata")
    if not isinstance(stream, generic.StreamObject):
        return set()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    found: set[tuple[str, str]] = set()
    for element in etree.fromstring(stream.data, parser=parser).iter("{*}*"):
        pairs = [(element.tag, (element.text or "").strip()), *element.attrib.items()]
        found.update((str(name), str(text)) for name, text in pairs if text)
    return {pair for pair in found if pair[0].rpartition("}")[2] not in _FREE_XMP}


def _form(before: Any, after: Any) -> str | None:
    """No drawing anew, and no new fonts or colors for fields that show a text."""
    old, new = (_plain(one.root.get("/AcroForm")) for one in (before, after))
    needs = _item(new, "/NeedAppearances")
    if needs is not None and bool(needs) and not bool(_item(old, "/NeedAppearances")):
        return FILLED
    shows_text = any(kind != "/Sig" for kind in _kinds(old.get("/Fields")))
    if shows_text and any(_value(old, key) != _value(new, key) for key in _FORM if key in old):
        return FILLED
    return None


def _kinds(fields: Any, depth: int = 0) -> Iterator[str]:
    for one in _target(fields) or ():
        field = _plain(one)
        if "/FT" in field:
            yield str(_item(field, "/FT"))
        elif depth < _DEEPEST:
            yield from _kinds(field.get("/Kids"), depth + 1)


def _fields(reader: PdfFileReader, before: Any, after: Any, data: bytes) -> str | None:
    known = {name for name, _, _ in enumerate_sig_fields(before)}
    filled = {name for name, value, _ in enumerate_sig_fields(reader) if value is not None}
    for name, _, reference in enumerate_sig_fields(after):
        if name in known:
            continue
        if name not in filled:
            return FILLED
        for one in (reference, *(_item(_plain(reference), "/Kids") or ())):
            widget = _plain(one)
            if not widget.keys() <= _WIDGET:
                return FILLED
            box = _box(widget)
            if box is not None and _hides(before, after, one, box, data):
                return COVERED
    return None


def _box(widget: dict[str, Any]) -> marks.Box | None:
    """The rectangle of what is shown; None if nothing is."""
    return _rectangle(widget) if {"/AP", "/MK"} & widget.keys() else None


def _rectangle(note: dict[str, Any]) -> marks.Box | None:
    """Where it lies; None if it has no area."""
    if len(_item(note, "/Rect") or ()) != 4:
        return None
    x1, y1, x2, y2 = (float(_target(one)) for one in _item(note, "/Rect"))
    box = min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
    return box if box[0] < box[2] and box[1] < box[3] else None


def _hides(before: Any, after: Any, widget: Any, box: marks.Box, data: bytes) -> bool:
    """Whether the mark covers something on any page that lists it; one nowhere listed may."""
    pages = [
        number
        for number, page in enumerate(_pages(after.root.raw_get("/Pages")))
        if _reference(widget) in {_reference(one) for one in _item(page, "/Annots") or ()}
    ]
    table = after.reader.xrefs.get_startxref_for_revision(after.revision)
    seen = data[: data.rfind(b"%%EOF", 0, table) + len(b"%%EOF\n")]
    known = list(_pages(before.root.raw_get("/Pages")))
    return not pages or any(
        _meets_note(known[page], box) or marks.covers(seen, page=page, box=box) for page in pages
    )


def _meets_note(page: dict[str, Any], box: marks.Box) -> bool:
    """Whether the mark lies over a note, field or mark that is there already."""
    notes = (_plain(one) for one in _item(page, "/Annots") or ())
    others = (_rectangle(note) for note in notes if _item(note, "/Subtype") not in _UNSEEN)
    return any(
        other is not None
        and max(box[0], other[0]) < min(box[2], other[2])
        and max(box[1], other[1]) < min(box[3], other[3])
        for other in others
    )


def _reference(found: Any) -> Any:
    return (found.idnum, found.generation) if isinstance(found, _Indirect) else None


def _pages(node: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    found = _plain(node)
    if _item(found, "/Type") == "/Page" or "/Kids" not in found:
        yield found
    elif depth < _DEEPEST:
        for kid in _item(found, "/Kids"):
            yield from _pages(kid, depth + 1)
