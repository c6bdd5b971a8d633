"""Documents: does each signature bind the bytes kept here?

`documents/…/document.json` names, for each signature, the file it is on and, if it is detached, the
member it is in. What the service found that day is there too: a signature it found broken may be
broken.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from evidence.verifier.archive import Member
from evidence.verifier.cms import TST_INFO, Cms, check_signer, check_token, unarmored
from evidence.verifier.der import parse
from evidence.verifier.findings import MALFORMED, Bad, Report, Unknown
from evidence.verifier.gost import Gost


def check_documents(
    report: Report, members: list[Member], read: Callable[[str], bytes], gost: Gost
) -> None:
    """Every signature of every document, against the bytes in the package."""
    counts = {"good": 0, "known_broken": 0, "unchecked": 0}
    for one in members:
        if not re.fullmatch("documents/[^/]+/document.json", one.name):
            continue
        try:
            signatures = json.loads(read(one.name))["signatures"]
            for said in signatures:
                found = _look(report, f"{one.name}#{said['id']}", said, read, gost)
                counts[found] = counts.get(found, 0) + 1
        except MALFORMED as problem:
            raise Bad("facts_unreadable", one.name) from problem
    report.facts["signatures"] = counts


def _look(
    report: Report, where: str, said: dict[str, Any], read: Callable[[str], bytes], gost: Gost
) -> str:
    if said["file"] is None or (said["form"] == "cades" and said["signature"] is None):
        report.add(report.notes, "declared_gap", where)
        return "unchecked"
    try:
        if _binds(said, read(said["file"]), read, gost):
            return "good"
    except Unknown as problem:
        report.add(report.not_checked, "signature_unchecked", f"{where}: {problem}")
        return "unchecked"
    if said["is_whole"]:
        report.add(report.problems, "document_signature", where)
        return "broken"
    return "known_broken"


def _binds(said: dict[str, Any], content: bytes, read: Callable[[str], bytes], gost: Gost) -> bool:
    """Does the signature bind the file?"""
    if said["form"] == "cades":
        return _is_sound(read(said["signature"]), [content], said["certificate"], gost)
    pairs = list(pdf_signatures(content))
    if not pairs:
        raise Unknown("no signature of a known form in the PDF")
    return any(_is_sound(cms, parts, said["certificate"], gost) for cms, parts in pairs)


def _is_sound(data: bytes, parts: list[bytes], wanted: str, gost: Gost) -> bool:
    def digest_of(name: str) -> bytes:
        hashed = hashlib.new(name)
        for part in parts:
            hashed.update(part)
        return hashed.digest()

    try:
        cms = Cms(data)
        if cms.content_type == TST_INFO:  # a time stamp over the whole document
            return bool(check_token(data, b"".join(parts)))
    except (Bad, *MALFORMED):
        return False
    for one in cms.signers:
        try:
            check_signer(cms, one, digest_of, wanted=wanted)
            return True
        except Unknown as problem:
            if str(problem) != "gost" or one.attributes is None:
                raise
            found = gost.is_signed(
                data if data[:1] == b"\x30" else unarmored(data), b"".join(parts)
            )
            if found is None:
                raise Unknown("GOST R 34.10-2012") from problem
            return found and one.attributes is not None
        except (Bad, *MALFORMED):
            continue
    return False


def pdf_signatures(data: bytes) -> Iterator[tuple[bytes, list[bytes]]]:
    """Each CMS in a PDF with the two ranges of bytes it signs (ISO 32000-1, 12.8.1)."""
    for found in re.finditer(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", data):
        first, size, second, rest = map(int, found.groups())
        try:
            held = binascii.unhexlify(data[first + size : second].strip(b"<> \r\n"))
            cms = parse(held)
        except MALFORMED:
            continue
        yield cms.raw, [data[first : first + size], data[second : second + rest]]
