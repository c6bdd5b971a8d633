"""Evidence on one picture from one upload: what it is, what it says of itself, what is on it.

Everything that parses the file runs in the sandbox; nothing is fetched and nothing is kept. The
report is plain data (`docflow image evidence --json`); `evidence_of` is its part in a verdict's
case. Only what holds stands among the findings.
"""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import msgspec

from compliance.hashes import PDQ_QUALITY
from compliance.looking.findings import BLURRED, SMALL_SIDE, finding
from compliance.pictures import MAX_BYTES
from compliance.reading import ocr
from compliance.verdicts.case import Credit, Evidence
from core import sandbox
from core.sandbox import HostileInput, Sandbox, SandboxFailure
from storage import media_type

PRELOAD = ("compliance.looking.inspection",)
"""For a pool of its own; the service's pool may load it ahead too."""

_SECONDS = 15.0
_MEMORY_MB = 1536
_EXTENSIONS = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".jpe": "image/jpeg", ".jfif": "image/jpeg",
    ".mpo": "image/jpeg", ".png": "image/png", ".apng": "image/png", ".webp": "image/webp",
    ".gif": "image/gif", ".tif": "image/tiff", ".tiff": "image/tiff", ".bmp": "image/bmp",
    ".dib": "image/bmp", ".avif": "image/avif",
}  # fmt: skip
_EXTENSION = re.compile(r"\.[a-z][a-z0-9]{1,4}")
_REFUSED = {
    "image/svg+xml": "SVG", "image/heic": "HEIC", "image/heif": "HEIC",
    "image/heic-sequence": "HEIC", "image/heif-sequence": "HEIC", "application/pdf": "PDF",
    "image/vnd.adobe.photoshop": "PSD", "image/jp2": "JPEG 2000", "image/jxl": "JPEG XL",
    "image/x-icon": "ICO", "image/vnd.microsoft.icon": "ICO", "image/wmf": "WMF",
}  # fmt: skip
_SVG = re.compile(rb"<svg[\s>]", re.IGNORECASE)
_GENERATORS = re.compile(
    r"midjourney|dall[-·\s]?e|stable[\s-]?diffusion|firefly|kandinsky|шедеврум|chatgpt|gpt-4o"
    r"|gpt-image|imagen\b|comfyui|google.?generative|bing image creator", re.IGNORECASE,
)  # fmt: skip
_MACHINE = re.compile(
    rf"algorithmic|synthetic|virtualRecording|{_GENERATORS.pattern}", re.IGNORECASE
)


async def examine(
    data: bytes,
    *,
    name: str,
    pool: Sandbox | None = None,
    anchors: str = "",
    with_print: bool = True,
    print_seconds: float = ocr.SECONDS,
) -> dict[str, Any]:
    """The report on these bytes; `name` is the file's, for its extension only.

    Print that is not read within `print_seconds` is a finding (`ocr_timeout`).

    Raises HostileInput when there is no picture to speak of: `empty_file`, `file_too_large`,
    `unsupported_format`, `not_a_picture`, `broken_picture`, `picture_too_large`, `parse_timeout` …
    Takes about two seconds of two cores, a third of a second without print.
    """
    pool = pool or sandbox.pool()
    sent = true_type(data)
    shown, said, strips = await asyncio.gather(
        _pixels(pool, data), _declared(pool, data, sent, anchors), _strips(pool, data, with_print)
    )
    if isinstance(shown, HostileInput):
        raise shown
    words = await _print(strips, with_print=with_print, seconds=print_seconds)
    report: dict[str, Any] = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "media_type": shown["media_type"],
        "width": shown["width"],
        "height": shown["height"],
        "frames": shown["frames"],
        "sharpness": shown["sharpness"],
        "hashes": shown["hashes"],
        "rights": said["rights"],
        "said": said["said"],
        "software": said["software"],
        "c2pa": said["c2pa"],
        "ocr": {
            "state": words.state,
            "text": words.text,
            "credits": [{**one.as_dict(), "box": list(one.box or ())} for one in words.credits],
        },
    }
    report["findings"] = [
        *_of_file(shown, name=name),
        *_of_pixels(shown),
        *_of_metadata(said, shown),
        *_of_print(words),
    ]
    return report


def true_type(data: bytes) -> str:
    """The media type by content; raises HostileInput for what is refused before decoding."""
    if not data:
        raise HostileInput(
            "Файл пуст. Выберите изображение и отправьте ещё раз.",
            "The file is empty. Choose a picture and send it again.", code="empty_file",
        )  # fmt: skip
    if len(data) > MAX_BYTES:
        raise HostileInput(
            "Файл слишком велик для изображения (предел 64 МБ). Уменьшите его.",
            "The file is too large for a picture (64 MB at most). Make it smaller.",
            code="file_too_large",
        )
    found = media_type.detect(data[: media_type.HEAD_SIZE])
    if found in ("application/xml", "text/html", "text/plain") and _SVG.search(data[:4096]):
        found = "image/svg+xml"
    if found in _REFUSED:
        raise HostileInput(
            f"Формат {_REFUSED[found]} не проверяется. Сохраните изображение как JPEG или PNG.",
            f"{_REFUSED[found]} is not examined. Save the picture as JPEG or PNG.",
            code="unsupported_format", media_type=found,
        )  # fmt: skip
    return found


def evidence_of(report: Mapping[str, Any]) -> Evidence:
    """The part of a report that a verdict looks at."""
    rights = report["rights"]
    printed = tuple(_credit(one) for one in report["ocr"]["credits"])
    return Evidence(
        sha256=report["sha256"],
        quality=report["hashes"]["quality"],
        credits=(*printed, *_declared_credits(report)),
        rights=dict(rights),
        findings=tuple(dict.fromkeys(one["code"] for one in report["findings"])),
        c2pa=report["c2pa"]["state"],
    )


def _credit(one: Mapping[str, Any]) -> Credit:
    return Credit(
        "ocr", author=one.get("name"), agency=one.get("agency"), stock=one.get("stock"),
        licence=one.get("licence"), year=one.get("year"), text=one.get("text", ""),
    )  # fmt: skip


def _declared_credits(report: Mapping[str, Any]) -> list[Credit]:
    """Authors and agencies each container names; each once."""
    found: dict[tuple[str, str], Credit] = {}
    for one in report["said"]:
        if one["field"] in ("creator", "copyright", "image_creator", "copyright_owner"):
            made = Credit(one["place"], author=one["value"], text=one["value"])
        elif one["field"] in ("credit", "source", "licensor", "image_supplier"):
            made = Credit(one["place"], agency=one["value"], text=one["value"])
        else:
            continue
        found.setdefault((one["place"], one["value"]), made)
    return list(found.values())


async def _pixels(pool: Sandbox, data: bytes) -> dict[str, Any] | HostileInput:
    try:
        found: dict[str, Any] = await pool.run(
            "compliance.looking.inspection:look", data, timeout=_SECONDS, memory_mb=_MEMORY_MB
        )
    except SandboxFailure as problem:
        # A decoder's own complaint, of a kind nobody foresaw.
        return HostileInput(
            "Изображение повреждено. Сохраните его заново и отправьте ещё раз.",
            "The picture is broken. Save it again and send it once more.",
            code="broken_picture", problem=problem.details.get("exception", ""),
        )  # fmt: skip
    except HostileInput as problem:
        return problem
    return found


async def _declared(pool: Sandbox, data: bytes, sent: str, anchors: str) -> dict[str, Any]:
    """Metadata and credentials; a file that kills their reader has neither, and that is said."""
    try:
        found: dict[str, Any] = await pool.run(
            "compliance.looking.inspection:declared", data, sent, anchors=anchors, timeout=_SECONDS,
            memory_mb=_MEMORY_MB,
        )  # fmt: skip
    except HostileInput as problem:
        return {
            "rights": {}, "said": [], "conflicts": [], "findings": ["metadata_unreadable"],
            "software": "", "c2pa": {"state": "broken", "codes": [problem.error_code]},
            "is_by_machine": False,
        }  # fmt: skip
    return found


async def _strips(pool: Sandbox, data: bytes, with_print: bool) -> list[ocr.Strip] | None:
    if not with_print or ocr.engine() is None:
        return None
    try:
        found = await pool.run(
            "compliance.looking.inspection:print_strips",
            data,
            timeout=_SECONDS,
            memory_mb=_MEMORY_MB,
        )
    except HostileInput:
        return []
    return [msgspec.convert(one, ocr.Strip) for one in found]


async def _print(
    strips: list[ocr.Strip] | None, *, with_print: bool, seconds: float
) -> ocr.Print:  # fmt: skip
    if not with_print:
        return ocr.Print(state="skipped")
    if strips is None:
        return ocr.Print(state="unavailable")
    return await ocr.read(strips, seconds=seconds)


def _of_file(shown: Mapping[str, Any], *, name: str) -> list[dict[str, Any]]:
    found = []
    extension = PurePath(name).suffix.lower()
    # «газета.pdf #3» and «Фото 12.05» have none
    if _EXTENSION.fullmatch(extension) and _EXTENSIONS.get(extension) != shown["media_type"]:
        found.append(finding("type_mismatch", extension=extension, actual=shown["media_type"]))
    if shown["frames"] > 1:
        found.append(finding("animated", frames=shown["frames"]))
    if shown["foreign"]:
        found.append(finding("foreign_data", kinds=shown["foreign"]))
    return found


def _of_pixels(shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    small = min(shown["width"], shown["height"]) < SMALL_SIDE
    blurred = shown["sharpness"] < BLURRED
    if small or blurred:
        why = [name for name, holds in (("small", small), ("blurred", blurred)) if holds]
        found.append(
            finding("low_quality", why=why, width=shown["width"], height=shown["height"],
                    sharpness=shown["sharpness"])
        )  # fmt: skip
    if shown["hashes"]["quality"] < PDQ_QUALITY:
        found.append(finding("no_features", quality=shown["hashes"]["quality"]))
    return found


def _of_metadata(said: Mapping[str, Any], shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    by = _machine(said, shown)
    if by:
        found.append(finding("ai_declared", declared_by=by))
    for code in said["findings"]:
        if code == "metadata_conflict":
            found += [finding(code, values=list(pair)) for pair in said["conflicts"]]
        elif code != "ai_declared":
            found.append(finding(code))
    if said["c2pa"]["state"] == "broken":
        found.append(finding("c2pa_broken", codes=list(said["c2pa"].get("codes", ()))))
    if said["c2pa"]["state"] == "remote":
        found.append(finding("c2pa_remote", url=said["c2pa"].get("url", "")))
    return found


def _machine(said: Mapping[str, Any], shown: Mapping[str, Any]) -> list[dict[str, str]]:
    """Where the file says that an algorithm made it, and in which words."""
    by = []
    if "ai_declared" in said["findings"]:
        told = (said["rights"].get("source_type"), said["software"], said["rights"].get("credit"))
        words = sorted((one for one in told if one), key=lambda one: not _MACHINE.search(one))
        by.append({"place": "metadata", "value": words[0] if words else ""})
    generator = said["c2pa"].get("generator", "")
    if said["is_by_machine"] or _GENERATORS.search(generator):
        by.append({"place": "c2pa", "value": said["c2pa"].get("source_type") or generator})
    if shown["generator"]:
        by.append({"place": "file", "value": shown["generator"]})
    return by


def _of_print(words: ocr.Print) -> list[dict[str, Any]]:
    found = []
    if words.state in ("unavailable", "timeout"):
        found.append(finding(f"ocr_{words.state}"))
    for one in words.credits:
        found.append(finding("credit_found", text=one.text, box=list(one.box or ())))
        if one.stock:
            found.append(finding("stock_mark", stock=one.stock, text=one.text))
    return found
