"""What the bytes of one picture say; everything here runs in the sandbox, on any bytes.

Three looks that fail apart: the pixels (`look`), what the file declares of itself (`declared`), and
where small print may stand (`print_strips`). A file that kills the reader of metadata keeps its
hashes.
"""

import io
import re
from typing import Any

import cv2
import numpy as np
from PIL import Image

from compliance import hashes as known
from compliance.looking import metadata, provenance
from compliance.pictures import FORMATS, HASH_SIDE, decode, fitted
from compliance.reading import ocr

MEDIA_TYPES = {
    "JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp",
    "GIF": "image/gif", "TIFF": "image/tiff", "BMP": "image/bmp", "AVIF": "image/avif",
}  # fmt: skip
PRINT_SIDE = 1100
"""Shortest side of the picture in which print is looked for, where the file has it."""
_GENERATED = re.compile(r"\bSteps: \d+.{0,400}\b(?:Sampler|CFG scale|Model hash): ", re.DOTALL)
_FOREIGN = (
    ("zip", b"PK\x03\x04"), ("pdf", b"%PDF-"), ("php", b"<?php"), ("script", b"<script"),
    ("html", b"<html"), ("rar", b"Rar!\x1a\x07"), ("7z", b"7z\xbc\xaf\x27\x1c"),
    ("elf", b"\x7fELF"),
)  # fmt: skip
_ENDS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}


def look(data: bytes) -> dict[str, Any]:
    """Size, hashes and measures of the picture; raises HostileInput for what is none."""
    cv2.setNumThreads(1)
    picture = decode(data)
    found = known.hashes(data, picture)
    small = fitted(picture.rgb, HASH_SIDE * 2)
    grey = cv2.cvtColor(np.ascontiguousarray(small), cv2.COLOR_RGB2GRAY)
    return {
        "media_type": MEDIA_TYPES[picture.kind],
        "width": picture.width,
        "height": picture.height,
        "hashes": {
            "phash": found.phash,
            "dhash": found.dhash,
            "pdq": [one.hex() for one in found.pdq],
            "quality": found.quality,
            "canon": found.canon,
        },
        "sharpness": round(float(cv2.Laplacian(grey, cv2.CV_64F).var()), 1),
        "foreign": _foreign(data, picture.kind),
        **_container(data),
    }


def _container(data: bytes) -> dict[str, Any]:
    """Frames, and what a generator wrote into the file's own remarks."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        is_animated = bool(getattr(opened, "is_animated", False))
        frames = 1 if not is_animated else int(getattr(opened, "n_frames", 2))
        notes = {
            name: value if isinstance(value, str) else value.decode("latin-1")
            for name, value in opened.info.items()
            if isinstance(name, str) and isinstance(value, str | bytes) and len(value) < 100_000
        }
        # EXIF comments may be UTF-16; without zeros either encoding reads alike.
        remark = " ".join(notes.values()).replace("\0", "")
    generator = ""
    if "parameters" in notes and "Steps:" in notes["parameters"]:
        generator = "Stable Diffusion"
    elif '"class_type"' in notes.get("prompt", "") or '"nodes"' in notes.get("workflow", ""):
        generator = "ComfyUI"
    elif _GENERATED.search(remark):
        generator = "Stable Diffusion"
    return {"frames": frames, "generator": generator}


def _foreign(data: bytes, kind: str) -> list[str]:
    """Kinds of another file that lies behind the picture's end, or begins before it."""
    end = _ENDS.get(kind)
    at = data.rfind(end) if end else -1
    tail = data[at + len(end) :] if end and at >= 0 else b""
    head = data[:1024]
    found = [name for name, mark in _FOREIGN if mark in tail.lower() or mark in tail]
    if b"%PDF-" in head:
        found.append("pdf")
    return sorted(set(found))


def declared(data: bytes, media_type: str, *, anchors: str = "") -> dict[str, Any]:
    """Rights in the file's metadata and its content credentials."""
    said = metadata.read(data)
    credentials = provenance.read(data, media_type, anchors=anchors)
    return {
        "rights": said.rights,
        "said": [_value(one) for one in said.said],
        "conflicts": [[_value(one), _value(other)] for one, other in said.conflicts],
        "findings": list(said.findings),
        "software": said.software,
        "c2pa": credentials.as_dict(),
        "is_by_machine": credentials.is_by_machine,
    }


def _value(one: metadata.Said) -> dict[str, str]:
    return {"field": one.field, "place": one.origin, "value": one.value}


def print_strips(data: bytes) -> list[dict[str, Any]]:
    """The lines that may be print, boxes in pixels of the picture as shown."""
    cv2.setNumThreads(1)
    picture = decode(data, shortest=PRINT_SIDE)
    scale = picture.width / picture.rgb.shape[1]
    found = ocr.strips(picture.rgb)
    for one in found:
        one["box"] = [round(side * scale) for side in one["box"]]
    return found
