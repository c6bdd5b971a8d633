"""What runs inside the sandbox, on any bytes: the reader, and files out of a container."""

import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Sequence

from core.sandbox.errors import HostileInput
from docflow.gateways.medo.messages import Message
from docflow.gateways.medo.reading import read_folder


def read_at(path: bytes, official: bytes = b"") -> Message:
    """Read the folder with this name, which need not be text in any encoding we know."""
    return read_folder(os.fsdecode(path), official=os.fsdecode(official))


def members(data: bytes, wanted: Sequence[tuple[str, int]]) -> dict[str, bytes]:
    """The bytes of the members with these SHA-256 (hexadecimal) and sizes; those that are there.

    By digest, since names in a zip are spelled in several encodings. Nothing larger than what was
    asked for is unpacked. Raises HostileInput (broken_zip).
    """
    found: dict[str, bytes] = {}
    sizes = {size for _, size in wanted}
    digests = {digest for digest, _ in wanted}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for each in archive.infolist():
                if each.is_dir() or each.file_size not in sizes:
                    continue
                with archive.open(each) as opened:
                    content = opened.read(max(sizes) + 1)
                digest = hashlib.sha256(content).hexdigest()
                if digest in digests:
                    found[digest] = content
    except (
        *(zipfile.BadZipFile, zlib.error, OSError, EOFError),
        *(RuntimeError, ValueError),
    ) as problem:
        raise HostileInput(
            "Транспортный контейнер повреждён. Запросите у отправителя новый.",
            "The transport container is broken. Ask the sender for a new one.",
            code="broken_zip",
        ) from problem
    return found
