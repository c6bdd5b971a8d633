"""Writing a package: beside its place, whole, then moved there; at constant memory."""

import asyncio
import hashlib
import os
import re
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from docflow.gateways.offline import pages
from docflow.gateways.offline.manifests import INDEX, MANIFEST, SEAL, Manifest, Seal, encoded

Source = Callable[[], AsyncIterator[bytes]]
Sealer = Callable[[bytes], Seal]
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
SUFFIX = ".docflow.zip"


def safe_name(name: str, *, most: int = 80) -> str:
    """A file name that every file system takes, its ending kept."""
    plain = " ".join(_UNSAFE.sub("_", name).split()).strip(". ") or "файл"
    stem, dot, ending = plain.rpartition(".")
    if not dot or len(ending) > 8:
        stem, ending = plain, ""
    room = most - len(ending) - len(dot)
    return f"{stem[:room].rstrip('. ')}.{ending}" if ending else plain[:most]


def with_index(manifest: Manifest, *, address: str, how: str = "") -> tuple[Manifest, bytes]:
    """The manifest that vouches for its page, and the page."""
    page = pages.index_page(manifest, address=address, how=how).encode()
    return msgspec.structs.replace(manifest, index_sha256=hashlib.sha256(page).hexdigest()), page


async def write(
    target: Path, manifest: Manifest, *, page: bytes, sources: Mapping[str, Source], seal: Sealer
) -> str:
    """Write the package to `target`, whole or not at all; answers its SHA-256.

    `sources` gives the bytes of each file the manifest names. What was at `target` is replaced in
    one step; a power cut leaves the old one or the new one. Raises OSError.
    """
    making = target.with_name(f".{target.name}.making")
    said = encoded(manifest)
    try:
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        with zipfile.ZipFile(making, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            await asyncio.to_thread(_head, archive, manifest.made_at, page, said, seal)
            for path, (size, _) in manifest.members.items():
                await _add(archive, path, size, manifest.made_at, sources[path]())
        return await asyncio.to_thread(_settle, making, target)
    except BaseException:
        making.unlink(missing_ok=True)
        raise


def _head(
    archive: zipfile.ZipFile, moment: datetime, page: bytes, said: bytes, seal: Sealer
) -> None:
    archive.writestr(_info(INDEX, moment), page)
    archive.writestr(_info(MANIFEST, moment), said)
    archive.writestr(_info(SEAL, moment), msgspec.json.encode(seal(said)))


async def _add(
    archive: zipfile.ZipFile, path: str, size: int, moment: datetime, source: AsyncIterator[bytes]
) -> None:
    info = _info(path, moment)
    info.file_size = size  # decides whether the header needs ZIP64
    with archive.open(info, "w", force_zip64=size >= 1 << 31) as member:
        async for chunk in source:
            await asyncio.to_thread(member.write, chunk)


def _info(name: str, moment: datetime) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name, date_time=(*moment.timetuple()[:6],))
    made.external_attr = 0o644 << 16
    return made


def _settle(making: Path, target: Path) -> str:
    digest = hashlib.sha256()
    with making.open("rb") as opened:
        while chunk := opened.read(1 << 20):
            digest.update(chunk)
        os.fsync(opened.fileno())
    making.replace(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)  # a stick is pulled out without asking
    finally:
        os.close(handle)
    return digest.hexdigest()
