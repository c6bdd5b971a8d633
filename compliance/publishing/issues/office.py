"""Pictures of DOCX, PPTX, ODT and ODP: the media of the package, and where they are shown.

Word notes where it broke pages when it last laid the text out; that page is given as estimated.
Slides have exact numbers. ECMA-376 part 1 (17.3.3.13, 20.1.8.14), OpenDocument 1.3 (10.4.4).
"""

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from PIL import Image, UnidentifiedImageError

from compliance.pictures import FORMATS
from compliance.publishing.issues.model import DECORATION, MOST_PIXELS, Taken
from core.sandbox import HostileInput
from core.sandbox.archives import ZipLimits, inspect_zip

_LIMITS = ZipLimits(total_bytes=256 << 20, nesting=2)
_MAX_DEPTH = 256
_OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MEDIA = re.compile(r"(word|ppt)/media/[^/]+|Pictures/[^/]+|media/[^/]+")
_THUMBNAIL = re.compile(r"docProps/thumbnail\.\w+|Thumbnails/.+")
_EMBEDDED = re.compile(r"(word|ppt)/embeddings/.+|Object \d+/content\.xml")
_PARTS = re.compile(
    r"word/(document|header\d*|footer\d*|footnotes|endnotes)\.xml|ppt/slides/slide\d+\.xml"
    r"|(content|styles)\.xml"
)
_VECTOR = (".emf", ".wmf", ".svg", ".svm", ".pdf", ".eps")
_KINDS = {"JPEG": "image/jpeg", "MPO": "image/jpeg"}


@dataclass(slots=True)
class Shown:
    """One place of a document that shows a picture."""

    target: str
    page: int | None
    cut: int = 0
    """How many percent of the picture the frame hides."""


@dataclass(slots=True)
class _Part:
    """One XML part while it is read."""

    relations: dict[str, str]
    shown: list[Shown] = field(default_factory=list)
    outside: int = 0
    breaks: int = 0
    depth: int = 0
    by_slide: int = 0
    noted: int = 0
    """Page breaks as the program noted them itself."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise _broken("xml_depth")
        local = name.rpartition(" ")[2]
        said = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        if local in ("lastRenderedPageBreak", "soft-page-break"):
            self.noted += 1
        elif local == "br" and said.get("type") == "page":
            self.breaks += 1
        elif local == "page":
            self.by_slide += 1
        elif local in ("blip", "imagedata", "svgBlip"):
            self._picture(said.get("embed") or said.get("id"), said.get("link"))
        elif local == "image" and "href" in said:
            self._href(said["href"])
        elif local == "srcRect" and self.shown:
            self.shown[-1].cut = _cut(said)

    def end(self, _: str) -> None:
        self.depth -= 1

    def _picture(self, relation: str | None, link: str | None) -> None:
        if relation in self.relations:
            self._shown(self.relations[relation])
        elif relation or link:
            self.outside += 1

    def _href(self, href: str) -> None:
        if re.match(r"[a-z]+:", href, re.IGNORECASE) or href.startswith(("/", "../")):
            self.outside += 1
        else:
            self._shown(href.removeprefix("./"))

    def _shown(self, target: str) -> None:
        page = self.by_slide or 1 + (self.noted or self.breaks)
        self.shown.append(Shown(target, page))


def take_from_office(data: bytes, media_type: str, taken: Taken) -> None:
    """Take all raster pictures of the package; vectors, links and objects inside are listed."""
    if data.startswith(_OLE_START):
        raise _broken("office_encrypted")
    names = [member["name"] for member in inspect_zip(data, _LIMITS)["members"]]
    if not any(_PARTS.fullmatch(name) for name in names):
        raise _broken("broken_office")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        shown = _all_shown(archive, names, taken)
        for name in names:
            _take_member(archive, name, shown.get(name, []), taken)
    is_slides = "presentation" in media_type
    pages = {place["page"] for one in taken.pictures.values() for place in one["places"]} - {None}
    taken.page_report = [
        {
            "page": page,
            "pictures": sum(
                any(place["page"] == page for place in one["places"])
                for one in taken.pictures.values()
            ),
            "is_estimated": not is_slides,
        }
        for page in sorted(pages)
    ]


def _all_shown(archive: zipfile.ZipFile, names: list[str], taken: Taken) -> dict[str, list[Shown]]:
    found: dict[str, list[Shown]] = {}
    slides = _slide_numbers(archive, names)
    for name in names:
        if not _PARTS.fullmatch(name):
            continue
        part = _Part(_relations(archive, name, names))
        _parse(archive.read(name), part)
        taken.problems += ["linked_picture"] * min(part.outside, 20)
        is_running = name not in ("word/document.xml", "content.xml") and name not in slides
        for one in part.shown:
            # Headers, footers and masters stand on many pages, so on none in particular.
            one.page = slides.get(name, None if is_running else one.page)
            found.setdefault(one.target, []).append(one)
    return found


def _slide_numbers(archive: zipfile.ZipFile, names: list[str]) -> dict[str, int]:
    """Slides in the order they are shown, which their file names do not tell."""
    if "ppt/presentation.xml" not in names:
        return {}
    relations = _relations(archive, "ppt/presentation.xml", names)
    order: list[str] = []

    class _Order(_Part):
        def start(self, name: str, attributes: dict[str, str]) -> None:
            if name.rpartition(" ")[2] == "sldId":
                named = [value for key, value in attributes.items() if " " in key]
                order.extend(relations[one] for one in named if one in relations)

    _parse(archive.read("ppt/presentation.xml"), _Order({}))
    return {name: number for number, name in enumerate(order, start=1)}


def _relations(archive: zipfile.ZipFile, name: str, names: list[str]) -> dict[str, str]:
    """Ids of a part's relationships and the members of the package they name."""
    folder, _, file = name.rpartition("/")
    path = f"{folder}/_rels/{file}.rels"
    if path not in names:
        return {}
    found: dict[str, str] = {}

    class _Relations(_Part):
        def start(self, name: str, attributes: dict[str, str]) -> None:
            if name.endswith("Relationship") and attributes.get("TargetMode") != "External":
                target = attributes.get("Target", "")
                where = target[1:] if target.startswith("/") else posixpath.join(folder, target)
                found[attributes.get("Id", "")] = posixpath.normpath(where)

    _parse(archive.read(path), _Relations({}))
    return found


def _take_member(archive: zipfile.ZipFile, name: str, shown: list[Shown], taken: Taken) -> None:
    if _THUMBNAIL.fullmatch(name):
        taken.ignore("thumbnail", file=name[:200], page=None)
    elif _EMBEDDED.fullmatch(name):
        taken.problems.append("embedded_object")
    elif not (shown or _MEDIA.fullmatch(name)):
        return
    elif name.lower().endswith(_VECTOR):
        taken.ignore("vector", file=name[:200], page=shown[0].page if shown else None)
    else:
        _take_media(archive.read(name), name, shown, taken)


def _take_media(content: bytes, name: str, shown: list[Shown], taken: Taken) -> None:
    page = shown[0].page if shown else None
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            size, kind = opened.size, str(opened.format)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        taken.ignore("unreadable", file=name[:200], page=page)
        return
    if min(size) < DECORATION or size[0] * size[1] > MOST_PIXELS:
        reason = "decoration" if min(size) < DECORATION else "unreadable"
        taken.ignore(reason, file=name[:200], page=page, width=size[0], height=size[1])
        return
    media_type = _KINDS.get(kind, f"image/{kind.lower()}")
    for one in shown or [Shown(name, None)]:
        taken.add(
            content, media_type, size, page=one.page, file=name[:200], shown=100 - one.cut,
            is_cropped=one.cut >= 2, is_masked=False,
        )  # fmt: skip


def _cut(said: dict[str, Any]) -> int:
    """Percent of the area that `srcRect` hides; its sides are in thousandths of a percent."""

    def side(name: str) -> float:
        text = str(said.get(name, "0")).rstrip("%")
        return max(float(text), 0.0) / 100_000 if re.fullmatch(r"-?\d{1,7}", text) else 0.0

    left = 1 - side("l") - side("r")
    down = 1 - side("t") - side("b")
    return round(100 * (1 - max(left, 0.0) * max(down, 0.0)))


def _parse(data: bytes, part: _Part) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = _refuse_dtd
    parser.EntityDeclHandler = _refuse_dtd
    parser.StartElementHandler = part.start
    parser.EndElementHandler = part.end
    try:
        parser.Parse(data, True)
    except expat.ExpatError as problem:
        raise _broken("broken_xml") from problem


def _refuse_dtd(*_: Any) -> None:
    raise _broken("xml_dtd")


def _broken(code: str) -> HostileInput:
    return HostileInput(
        "Документ повреждён, защищён паролем или старого формата. Сохраните его заново как DOCX, "
        "ODT или PDF.",
        "The document is broken, has a password or an old format. Save it as DOCX, ODT or PDF.",
        code=code,
    )
