"""ZIP archives before anybody unpacks them: what is inside, and is it safe to look."""

import hashlib
import io
import lzma
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, Any

from core.sandbox.errors import HostileInput

_ZIP_START = (b"PK\x03\x04", b"PK\x05\x06")
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1 | 0x40
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_RATIO_FROM = 1 << 20
_PIECE = 1 << 18
_MAX_NAME = 1024
_MOST_KEPT = 16 << 20

_WORDS = {
    "zip_bomb": (
        "Архив раскрывается в слишком большой объём. Разделите содержимое на несколько архивов.",
        "The archive unpacks into too much. Split its content into several archives.",
    ),
    "zip_path_traversal": (
        "В архиве есть файл с недопустимым путём. Соберите архив заново из обычных файлов.",
        "The archive holds a file with a forbidden path. Pack it again from ordinary files.",
    ),
    "zip_duplicate_name": (
        "В архиве два файла с одним именем. Переименуйте один из них и соберите архив заново.",
        "Two files in the archive have the same name. Rename one of them and pack it again.",
    ),
    "zip_symlink": (
        "В архиве есть ссылка или особый файл. Соберите архив заново только из обычных файлов.",
        "The archive holds a link or a special file. Pack it again from ordinary files only.",
    ),
    "zip_encrypted": (
        "Архив защищён паролем. Снимите защиту и отправьте ещё раз.",
        "The archive is protected by a password. Remove it and send again.",
    ),
    "zip_unsupported": (
        "Архив сжат способом, который здесь не читается. Соберите обычный ZIP.",
        "The archive uses a compression that is not read here. Pack an ordinary ZIP.",
    ),
    "broken_zip": (
        "Архив повреждён или это не ZIP. Соберите его заново и отправьте ещё раз.",
        "The archive is broken or is no ZIP. Pack it again and send it once more.",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ZipLimits:
    """What an archive and all archives inside it may come to together."""

    members: int = 10_000
    total_bytes: int = 512 << 20
    ratio: int = 200
    """Unpacked over packed, for members above one megabyte; text compresses 20 to 50 times."""
    nesting: int | None = 2
    """How many archives may lie one inside another below the outer one; None: do not look."""


@dataclass(slots=True)
class _Budget:
    limits: ZipLimits
    keep: str = ""
    members: int = 0
    total: int = 0

    def take_member(self) -> None:
        self.members += 1
        if self.members > self.limits.members:
            raise refused("zip_bomb", limit="members")

    def take_bytes(self, count: int) -> None:
        self.total += count
        if self.total > self.limits.total_bytes:
            raise refused("zip_bomb", limit="total_bytes")


@dataclass(slots=True)
class _Names:
    """Names seen at one level; two that a file system would take for one are duplicates."""

    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)

    def add(self, name: str, *, is_folder: bool) -> None:
        key = unicodedata.normalize("NFC", name).casefold().rstrip("/")
        parents: set[str] = set()
        if "/" in key:
            parents = {str(parent) for parent in PurePosixPath(key).parents} - {"."}
        clash = key in self.files or bool(parents & self.files)
        if clash or (not is_folder and key in self.folders):
            raise refused("zip_duplicate_name", name=name[:_MAX_NAME])
        self.folders |= parents
        (self.folders if is_folder else self.files).add(key)


def refused(code: str, **details: Any) -> HostileInput:
    """The error of this code with its words."""
    ru, en = _WORDS[code]
    return HostileInput(ru, en, code=code, **details)


def inspect_zip(
    source: bytes | str | IO[bytes], limits: ZipLimits | None = None, *, keep: str = ""
) -> dict[str, Any]:
    """Read an archive (bytes, a file's path, or an open file) to its end; list the members.

    Answers ``{"members": [{"name", "size", "packed", "sha256"}], "total", "nested"}``; everything
    was really unpacked and its checksum compared, nested archives included, nothing was written.
    Members up to 16 MB whose name ends with `keep` (lower case) bring their bytes as "data".
    Raises HostileInput with one of the codes zip_bomb, zip_path_traversal, zip_duplicate_name,
    zip_symlink, zip_encrypted, zip_unsupported, broken_zip.
    """
    budget = _Budget(limits or ZipLimits(), keep=keep)
    nested: list[str] = []
    with _opened(source) as stream:
        members = _walk(stream, budget, depth=0, nested=nested, prefix="")
    return {"members": members, "total": budget.total, "nested": nested}


def _opened(source: bytes | str | IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    """A stream that is closed afterwards, unless it is the caller's own."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    return open(source, "rb") if isinstance(source, str) else nullcontext(source)


def _walk(
    stream: IO[bytes], budget: _Budget, *, depth: int, nested: list[str], prefix: str
) -> list[dict[str, Any]]:
    """Check one archive and those inside it; all of them draw on the same budget."""
    members = []
    try:
        with zipfile.ZipFile(stream) as archive:
            for info, name in _checked(archive, budget):
                if info.is_dir():
                    continue
                inner, facts = _read_through(archive, info, budget)
                if inner is not None:
                    if depth >= (budget.limits.nesting or 0):
                        raise refused("zip_bomb", limit="nesting")
                    nested.append(prefix + name)
                    with inner:
                        _walk(
                            inner, budget, depth=depth + 1, nested=nested, prefix=f"{prefix}{name}/"
                        )
                sizes = {"size": info.file_size, "packed": info.compress_size}
                members.append({"name": name, **sizes, **facts})
    except HostileInput:
        raise
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, OverflowError),
        *(RuntimeError, IndexError, struct.error, lzma.LZMAError),
    ) as problem:
        raise refused("broken_zip", problem=str(problem)[:200]) from problem
    return members


def _checked(archive: zipfile.ZipFile, budget: _Budget) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    """All members after the checks that need only the directory."""
    names = _Names()
    infos = archive.infolist()
    _refuse_overlaps(infos)
    found = []
    declared = 0
    for info in infos:
        budget.take_member()
        _refuse_special(info)
        name = _safe_name(info)
        names.add(name, is_folder=info.is_dir())
        declared += info.file_size
        found.append((info, name))
    if budget.total + declared > budget.limits.total_bytes:
        raise refused("zip_bomb", limit="total_bytes")
    yield from found


def _refuse_overlaps(infos: list[zipfile.ZipInfo]) -> None:
    """Members that share packed bytes are how small files become petabytes (Fifield, 2019)."""
    end = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < end:
            raise refused("zip_bomb", limit="overlap")
        end = info.header_offset + 30 + info.compress_size


def _refuse_special(info: zipfile.ZipInfo) -> None:
    """Passwords, links, devices, rare compressions, ratios no document has."""
    if info.flag_bits & _ENCRYPTED:
        raise refused("zip_encrypted")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise refused("zip_symlink", name=info.filename[:_MAX_NAME])
    if info.compress_type not in _METHODS:
        raise refused("zip_unsupported", method=info.compress_type)


def _safe_name(info: zipfile.ZipInfo) -> str:
    """The member's name, decoded as Russian archivers mean it; refuses to leave the folder."""
    original = info.orig_filename
    name = original
    if not info.flag_bits & _UTF8_NAME and not original.isascii():
        # Without the UTF-8 flag zipfile reads cp437; Russian Windows archivers write cp866.
        try:
            name = original.encode("cp437").decode("cp866")
        except UnicodeError:
            name = original
    parts = name.replace("\\", "/").split("/")
    bad = (
        not name
        or len(name) > _MAX_NAME
        or "\\" in name
        or name.startswith("/")
        or ".." in parts
        or ":" in parts[0]
        or (
            not (name.isascii() and name.isprintable())
            and any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name)
        )
    )
    if bad:
        raise refused("zip_path_traversal", name=name[:100].encode("unicode_escape").decode())
    return name


def _read_through(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: _Budget
) -> tuple[IO[bytes] | None, dict[str, Any]]:
    """Unpack a member to its end: itself if it is an archive; SHA-256, and bytes where wanted."""
    limit = max(info.compress_size, 1) * budget.limits.ratio
    is_wanted = bool(budget.keep) and info.filename.lower().endswith(budget.keep)
    is_archive = False
    kept = io.BytesIO()
    digest = hashlib.sha256()
    size = 0
    with archive.open(info) as member:
        while piece := member.read(_PIECE):
            if size == 0 and budget.limits.nesting is not None:
                is_archive = piece.startswith(_ZIP_START)
            size += len(piece)
            digest.update(piece)
            budget.take_bytes(len(piece))
            if size > _RATIO_FROM and size > limit:
                raise refused("zip_bomb", limit="ratio")
            if is_archive or (is_wanted and size <= _MOST_KEPT):
                kept.write(piece)
    if size != info.file_size:
        raise refused("broken_zip", problem="size")
    kept.seek(0)
    data = {"data": kept.getvalue()} if is_wanted and size <= _MOST_KEPT else {}
    return (kept if is_archive else None), {"sha256": digest.hexdigest(), **data}
