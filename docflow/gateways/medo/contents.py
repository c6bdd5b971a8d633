"""The bytes of a message's files, piece by piece, so that large ones need no memory to speak of."""

import zipfile
import zlib
from io import BufferedReader
from pathlib import Path

from core.sandbox.errors import HostileInput
from docflow.gateways.medo import folders
from docflow.gateways.medo.findings import finding
from docflow.gateways.medo.limits import LIMITS

PIECE = 16 << 20


def read_piece(
    path: Path | str, name: str, *, body: str = "", offset: int = 0, most: int = PIECE
) -> bytes:
    """Up to `most` bytes of one file from `offset` on; empty at its end. Run it in the sandbox.

    `name` is the file's `stored_as`, else its `name`; `body` the container's zip where the file
    lies in one. Raises HostileInput `file_missing`, `broken_zip`; compare the SHA-256 that
    `read_folder` told, for the folder may have changed since.
    """
    try:
        with folders.opened(Path(path), LIMITS) as folder, folder.open(body or name) as stream:
            if body:
                return _member(stream, name, offset, most)
            stream.seek(offset)
            return stream.read(most)
    except (FileNotFoundError, KeyError) as problem:
        raise _refused("file_missing", name) from problem
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError) as problem:
        raise _refused("broken_zip" if body else "folder_unreadable", name, problem) from problem


def _member(stream: BufferedReader, name: str, offset: int, most: int) -> bytes:
    with zipfile.ZipFile(stream) as archive:
        info = next((one for one in archive.infolist() if _is_called(one, name)), None)
        if info is None:
            raise KeyError(name)
        with archive.open(info) as member:
            member.seek(offset)
            return member.read(most)


def _is_called(info: zipfile.ZipInfo, name: str) -> bool:
    """By its name, also where an archiver of Russian Windows wrote it in cp866."""
    if info.filename == name:
        return True
    try:
        return info.orig_filename.encode("cp437").decode("cp866") == name
    except UnicodeError:
        return False


def _refused(code: str, name: str, problem: object = "") -> HostileInput:
    said = finding(code, name, problem=problem)
    return HostileInput(said.ru, said.en, code=code, name=name[:200])
