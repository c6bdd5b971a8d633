"""The container of a message: its manifest, and behind it either every part or none.

    4 bytes   length of the manifest, big-endian
    …         the manifest, JSON
    …         the parts in the order of the manifest, each once, or nothing

Sizes and digests of the parts stand in the manifest, so nothing between them has to be parsed.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from docflow.gateways.node.messages import MAX_MANIFEST, MAX_PARTS, Manifest, decode
from docflow.gateways.node.problems import BadMessage

MEDIA_TYPE = "application/vnd.docflow.message"
INLINE = 4 * 1024 * 1024
"""Bytes of parts up to which a message goes in one request."""
PIECE = 8 * 1024 * 1024
"""Bytes of a part that go in one request otherwise; every piece but the last has exactly these."""
MAX_BODY = MAX_MANIFEST + INLINE + 4
_HEAD = 4
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Container:
    """A message taken apart."""

    manifest: Manifest
    raw: bytes
    """The manifest as it came: what its digest is over."""
    parts: Mapping[str, bytes] | None
    """By SHA-256; None when they come one by one."""

    @property
    def sha256(self) -> str:
        """Digest of the manifest: what tells a repeat from another message under its uid."""
        return hashlib.sha256(self.raw).hexdigest()


def pack(manifest: bytes, parts: list[bytes]) -> bytes:
    """The container; `parts` is empty, or holds all in the manifest's order."""
    return b"".join([len(manifest).to_bytes(_HEAD, "big"), manifest, *parts])


def unpack(body: bytes) -> Container:
    """Take a container apart; raises `BadMessage` for anything that is not exactly one."""
    size = int.from_bytes(body[:_HEAD], "big")
    if len(body) < _HEAD or size > MAX_MANIFEST or _HEAD + size > len(body):
        raise BadMessage(code="node_container_malformed")
    raw = body[_HEAD : _HEAD + size]
    manifest = decode(raw, Manifest)
    _check(manifest)
    rest = len(body) - _HEAD - size
    return Container(manifest, raw, _parts(manifest, body, _HEAD + size) if rest else None)


def _parts(manifest: Manifest, body: bytes, start: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for sha256, size in manifest.parts().items():
        part = body[start : start + size]
        start += size
        if len(part) != size or hashlib.sha256(part).hexdigest() != sha256:
            raise BadMessage(code="node_part_changed", part=sha256)
        found[sha256] = part
    if start != len(body):
        raise BadMessage(code="node_container_malformed")
    return found


def _check(manifest: Manifest) -> None:
    sizes: dict[str, int] = {}
    for one in manifest.files:
        for sha256, size in ((one.sha256, one.size),
                             *((each.sha256, each.size) for each in one.signatures)):  # fmt: skip
            if not _SHA256.fullmatch(sha256) or size <= 0 or sizes.setdefault(sha256, size) != size:
                raise BadMessage(code="node_manifest_malformed", part=sha256[:64])
    places = [(one.role, one.position) for one in manifest.files]
    deliveries = {one.delivery for one in manifest.recipients}
    if (
        not manifest.recipients
        or len(deliveries) != len(manifest.recipients)
        or places.count(("main", 0)) != 1
        or len(set(places)) != len(places)
        or any(not 0 <= position <= 1000 for _, position in places)
        or len(sizes) > MAX_PARTS
    ):
        raise BadMessage(code="node_manifest_malformed")
