"""Every byte after a signed revision, accounted for (ISO 32000-2 section 7.5).

Programs differ in how they read a PDF that is slightly wrong: one repairs it by searching for
objects, another takes the first of two definitions. What was appended to signed bytes must
therefore leave no room for a second reading: objects and tables tile it without a gap.
"""

import re
from io import BytesIO
from itertools import pairwise
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.xref import ObjStreamRef

_SPACE = b"\0\t\n\f\r "
_END = re.compile(rb"startxref[\r\n ]+(\d{1,12})[\r\n ]+%%EOF(?:\r\n|\r|\n)?")
_OBJECT = re.compile(rb"(?<![0-9A-Za-z])(\d{1,10})[\s\0]+(\d{1,5})[\s\0]+obj\b")
_HEAD = re.compile(rb"(\d{1,10})[ \r\n\t]+(\d{1,5})[ \r\n\t]+obj\b")
_REMARK = re.compile(rb"(?:\s|%(?!PDF-|%EOF)[^\r\n]{0,32}(?=[\r\n]|$))*")
_STREAM = re.compile(rb"stream\r?\n$")
_ENTRY = re.compile(rb"(\d{10}) (\d{5}) ([nf])(?: \r| \n|\r\n)")
_SECTION = re.compile(rb"\s*(\d{1,10}) (\d{1,7})\s*[\r\n]")


def is_tail_whole(reader: PdfFileReader, data: bytes, start: int, revision: int) -> bool:
    """Whether all of `data[start:]` belongs to well-formed revisions later than `revision`."""
    position = start
    for number in range(revision + 1, reader.xrefs.total_revisions):
        wanted = reader.xrefs.get_startxref_for_revision(number)
        ends = _END.match(data, data.find(b"startxref", max(position, wanted)))
        if ends is None or int(ends[1]) != wanted or not position <= wanted < ends.start():
            return False
        if not _Part(reader, data, position, ends, number).is_whole():
            return False
        position = ends.end()
    return position == len(data)


class _Part:
    """One appended revision: the bytes from `start` to the end of its %%EOF."""

    def __init__(
        self, reader: PdfFileReader, data: bytes, start: int, ends: re.Match[bytes], number: int
    ) -> None:
        self._reader = reader
        self._data = data
        self._start = start
        self._stop = ends.start()
        self._end = ends.end()
        self._number = number
        self._table = reader.xrefs.get_xref_container_info(number)
        self._table_at = self._table.declared_startxref

    def is_whole(self) -> bool:
        """Objects known to the table, a table of one reading, nothing between them."""
        places = self._places()
        return (
            places is not None
            and self._is_chained()
            and self._are_all_known()
            and self._is_tiled(places)
        )

    def _is_chained(self) -> bool:
        """The trailer leads to the revision before this one and names nothing else."""
        trailer = self._reader.xrefs
        before = trailer.get_startxref_for_revision(self._number - 1)
        found = self._trailer()
        return (
            found is not None
            and found.get("/Prev") == before
            and "/XRefStm" not in found
            and "/Encrypt" not in found
        )

    def _trailer(self) -> Any:
        """The trailer dictionary as it stands in the bytes; None if it can be read two ways."""
        if self._table.stream_ref is not None:
            return self._read(self._table.stream_ref, self._table_at)
        text = self._data[self._table_at : self._stop]
        place = text.find(b"trailer")
        if place < 0 or text.count(b"trailer") > 1 or not _is_table_plain(text[:place]):
            return None
        stream = BytesIO(text)
        stream.seek(place + len(b"trailer"))
        found = self._strictly(stream, self._reader.root_ref)
        rest = text[stream.tell() :]
        return found if found is not None and _REMARK.fullmatch(rest) else None

    def _places(self) -> dict[int, generic.Reference] | None:
        """Where this revision's own objects begin; None if one lies outside of it."""
        found: dict[int, generic.Reference] = {}
        for reference in self._reader.xrefs.explicit_refs_in_revision(self._number):
            place = self._reader.xrefs.get_historical_ref(reference, self._number)
            if isinstance(place, ObjStreamRef):
                holder: Any = generic.Reference(place.obj_stream_id, 0, self._reader)
                at = self._reader.xrefs.get_historical_ref(holder, self._number)
                if not isinstance(at, int) or not self._start <= at < self._stop:
                    return None
                if not self._is_member(holder, place.ix_in_stream, reference.idnum):
                    return None
            elif place is not None:
                if not self._start <= place < self._stop or place in found:
                    return None
                found[place] = reference
        if self._table.stream_ref is not None:
            found[self._table_at] = self._table.stream_ref
        return found

    def _is_member(self, holder: generic.Reference, index: int, number: int) -> bool:
        """Object streams list their members; nothing but what the table knows may be there."""
        reader: Any = self._reader
        stream = reader.get_object(holder, revision=self._number)
        count = int(stream["/N"])
        numbers = [int(text) for text in stream.data[: int(stream["/First"])].split()]
        listed = numbers[0 : 2 * count : 2]
        if len(numbers) != 2 * count or len(set(listed)) != count:
            return False
        if not 0 <= index < count or listed[index] != number or "/Extends" in stream:
            return False
        known = self._reader.xrefs.explicit_refs_in_revision(self._number)
        if not {generic.Reference(one, 0, self._reader) for one in listed} <= known:
            return False
        content = BytesIO(stream.data)
        content.seek(int(stream["/First"]) + numbers[2 * index + 1])
        return self._strictly(content, holder) is not None

    def _are_all_known(self) -> bool:
        """Whoever searches for objects instead of using the table finds the same ones."""
        for match in _OBJECT.finditer(self._data, self._start, self._end):
            reference: Any = generic.Reference(int(match[1]), int(match[2]), self._reader)
            known = self._reader.xrefs.get_historical_ref(reference, self._number)
            if known != match.start() and match.start() != self._table_at:
                return False
        return True

    def _is_tiled(self, places: dict[int, generic.Reference]) -> bool:
        starts = sorted({*places, self._table_at})
        if not _REMARK.fullmatch(self._data, self._start, starts[0] if starts else self._start):
            return False
        for place, end in pairwise([*starts, self._stop]):
            reference = places.get(place)
            if reference is not None and not self._is_object(reference, place, end):
                return False
        return True

    def _is_object(self, reference: generic.Reference, place: int, end: int) -> bool:
        """One object from its number to its `endobj`, and then nothing but remarks."""
        text = self._data[place:end]
        head = _HEAD.match(text)
        closing = text.rfind(b"endobj")
        if head is None or (int(head[1]), int(head[2])) != (
            reference.idnum,
            reference.generation,
        ):
            return False
        if closing < 0 or not _REMARK.fullmatch(text, closing + len(b"endobj")):
            return False
        found = self._read(reference, place)
        if found is None:
            return False
        if not isinstance(found, generic.StreamObject):
            return text.count(b"endobj") == 1
        return _is_stream_exact(text[:closing].rstrip(_SPACE), found.encoded_data)

    def _read(self, reference: generic.Reference, place: int) -> Any:
        stream: Any = self._reader.stream
        head = _HEAD.match(self._data, place)
        if head is None:
            return None
        stream.seek(head.end())
        return self._strictly(stream, reference)

    def _strictly(self, stream: Any, reference: Any) -> Any:
        """The object at the stream's place; None where a key of it is defined twice."""
        while (letter := stream.read(1)) and letter in _SPACE:
            pass
        stream.seek(-1, 1)
        holder: Any = generic.Reference(reference.idnum, reference.generation, self._reader)
        was, self._reader.strict = self._reader.strict, True
        try:
            return generic.read_object(stream, holder)
        except PdfReadError as problem:
            if "Multiple definitions" in str(problem):
                return None
            raise
        finally:
            self._reader.strict = was


def _is_table_plain(text: bytes) -> bool:
    """A cross-reference table by the letter, each number in it once."""
    if not text.startswith(b"xref"):
        return False
    position, seen = len(b"xref"), set[int]()
    while section := _SECTION.match(text, position):
        position = section.end()
        first, count = int(section[1]), int(section[2])
        for number in range(first, first + count):
            entry = _ENTRY.match(text, position)
            if entry is None or number in seen:
                return False
            seen.add(number)
            position = entry.end()
    return not text[position:].strip()


def _is_stream_exact(text: bytes, content: bytes) -> bool:
    """Whether `content` is all that stands between `stream` and `endstream`."""
    if not text.endswith(b"endstream"):
        return False
    text = text[: -len(b"endstream")]
    for ending in (b"\r\n", b"\n", b"\r", b""):
        if text.endswith(content + ending):
            head = text[: len(text) - len(content) - len(ending)]
            if _STREAM.search(head):
                return True
    return False
