"""The two lists that name every member but the four that close.

`manifest/sha256.txt` is what `sha256sum` prints and `sha256sum -c` reads; the other list is the
same with GOST R 34.11-2012, 256 bits.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

from evidence.verifier.archive import SHA256_LIST, STREEBOG_LIST, Member, pieces
from evidence.verifier.findings import Bad, Report


def check_members(
    report: Report, stream: BinaryIO, members: list[Member], streebog: Callable[[], Any] | None
) -> None:
    """Compare every member with the lists; each difference is a problem of its own."""
    kept = {one.name: one for one in members[-4:]}
    wanted = _listed(stream, kept[SHA256_LIST])
    gost = _listed(stream, kept[STREEBOG_LIST])
    names = [one.name for one in members[:-4]]
    if list(wanted) != names or list(gost) != names:
        for name in sorted(set(names) ^ set(wanted) | set(names) ^ set(gost))[:20] or [""]:
            report.add(report.problems, "members_differ", name)
        return
    if streebog is None:
        report.add(report.not_checked, "streebog_unchecked", STREEBOG_LIST)
    for one in members:
        crc, sha, other = 0, hashlib.sha256(), streebog() if streebog else None
        for piece in pieces(stream, one.data, one.data + one.size):
            crc = zlib.crc32(piece, crc)
            sha.update(piece)
            if other is not None and one.name in gost:
                other.update(piece)
        is_same = crc == one.crc and wanted.get(one.name, sha.hexdigest()) == sha.hexdigest()
        if other is not None and one.name in gost:
            is_same = is_same and other.hexdigest() == gost[one.name]
        if not is_same:
            report.add(report.problems, "member_changed", one.name)
    report.facts["members"] = len(names)
    report.facts["bytes"] = sum(one.size for one in members)


def _listed(stream: BinaryIO, member: Member) -> dict[str, str]:
    found: dict[str, str] = {}
    rest = b""
    for piece in pieces(stream, member.data, member.data + member.size):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            digest, gap, name = line[:64].decode(), line[64:66], line[66:].decode()
            if gap != b"  " or not re.fullmatch("[0-9a-f]{64}", digest) or name in found:
                raise Bad("members_differ", member.name)
            found[name] = digest
    if rest:
        raise Bad("members_differ", member.name)
    return found
