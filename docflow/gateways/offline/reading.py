"""Reading a package of unknown origin; runs in the sandbox, unpacks nothing to disk.

Whole or nothing: every member is read to its end and compared with the manifest before anything
is answered. Members are stored uncompressed, so that their bytes can be taken from the file by
offset later, without a decompressor.
"""

import struct
import zipfile
from dataclasses import dataclass

from core.sandbox.archives import ZipLimits, inspect_zip
from core.sandbox.errors import HostileInput
from docflow.gateways.offline import seals
from docflow.gateways.offline.manifests import (
    INDEX,
    MANIFEST,
    SEAL,
    Manifest,
    Seal,
    decoded,
    decoded_seal,
)

LIMITS = ZipLimits(members=20_000, total_bytes=16 << 30, nesting=None)
_LOCAL_HEADER = struct.Struct("<4s22xHH")
"""Signature, then the lengths of name and extra field (APPNOTE 4.3.7)."""


@dataclass(frozen=True, slots=True)
class Found:
    """A package that is whole; whether its seal is trusted is judged by the caller."""

    manifest: bytes
    seal: bytes
    offsets: dict[str, int]
    """Where the bytes of each named file begin in the package."""

    def parsed(self) -> tuple[Manifest, Seal]:
        """Manifest and seal as values."""
        return decoded(self.manifest), decoded_seal(self.seal)


def read(path: str) -> Found:
    """Look through a package; raises HostileInput: codes of archives, `package_manifest`,
    `package_version`, `package_tampered`, `package_compressed`.
    """
    members = {one["name"]: one for one in inspect_zip(path, LIMITS, keep=".json")["members"]}
    for name in (MANIFEST, SEAL):
        if "data" not in members.get(name, {}):
            raise HostileInput(
                "Это не пакет документов: в архиве нет описи.",
                "This is no package of documents: the archive has no manifest.",
                code="package_manifest", missing=name,
            )  # fmt: skip
    manifest = bytes(members[MANIFEST]["data"])
    said = decoded(manifest)
    _compare(said, members)
    found = Found(manifest, bytes(members[SEAL]["data"]), _offsets(path, said))
    _, seal = found.parsed()
    if seal.form == "ed25519" and not seals.is_intact(manifest, seal):
        raise seals.tampered("seal")
    seals.require_answers_only(said, seal)
    return found


def _compare(said: Manifest, members: dict[str, dict[str, object]]) -> None:
    """Exactly the members the manifest names, each with its digest."""
    wanted = said.members
    listed = sum(1 + len(one.signatures) for each in said.documents for one in each.files)
    if len(wanted) != listed or {MANIFEST, SEAL, INDEX} & wanted.keys():
        raise seals.tampered("names")
    if set(members) != {*wanted, MANIFEST, SEAL, INDEX}:
        odd = sorted({*wanted, INDEX} ^ (set(members) - {MANIFEST, SEAL}))
        raise seals.tampered(odd[0][:200])
    if members[INDEX]["sha256"] != said.index_sha256:
        raise seals.tampered(INDEX)
    for name, (size, digest) in wanted.items():
        if (members[name]["size"], members[name]["sha256"]) != (size, digest):
            raise seals.tampered(name[:200])


def _offsets(path: str, said: Manifest) -> dict[str, int]:
    places: dict[str, int] = {}
    with zipfile.ZipFile(path) as archive, open(path, "rb") as raw:
        for info in archive.infolist():
            if info.orig_filename not in said.members:
                continue
            if info.compress_type != zipfile.ZIP_STORED:
                raise HostileInput(
                    "Файлы в пакете сжаты; пакет собран не этой программой.",
                    "Files of the package are compressed; another program packed it.",
                    code="package_compressed",
                )
            raw.seek(info.header_offset)
            _, name, extra = _LOCAL_HEADER.unpack(raw.read(_LOCAL_HEADER.size))
            places[info.orig_filename] = info.header_offset + _LOCAL_HEADER.size + name + extra
    if places.keys() != said.members.keys():
        raise seals.tampered("names")
    return places
