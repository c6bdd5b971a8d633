"""The index of the registers on disk, so that a process that starts need not read them all again.

A snapshot is two files and a manifest that names them, their SHA-256 and the change of the
registers they stand at. The manifest is put in place last and in one step; readers of any process
see the old snapshot or the new one. It is a copy, never the truth: whoever reads it asks the
database whether that change has that digest, takes up what came after it, and reads the registers
where anything does not fit.
"""

import fcntl
import hashlib
import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec
import numpy as np

from compliance.hashes import PDQ_QUALITY
from compliance.index import Frozen, HammingIndex
from compliance.local_index import Effort, Floats, LocalIndex, Longs, Words
from compliance.pictures import CANON
from compliance.sketches import SKETCHES_CANON
from core.errors import InvalidInput

log = logging.getLogger(__name__)

RECIPE = f"index-1 {CANON} {SKETCHES_CANON} quality {PDQ_QUALITY}"
"""How the rows are made of pictures; a snapshot made otherwise is passed over."""
_MANIFEST = "manifest.json"
_LOCK = "lock"
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, InvalidInput, msgspec.MsgspecError)


class _File(msgspec.Struct, frozen=True):
    name: str
    sha256: str


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    recipe: str
    seen: int
    digest: str
    effort: tuple[int, int]
    hashes: _File
    local: _File


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The index as it was at one change of the registers."""

    seen: int
    digest: str
    """Of that change, in hexadecimal."""
    hashes: HammingIndex
    local: LocalIndex


def read(folder: Path) -> Snapshot | None:
    """The snapshot in a folder; None where there is none that is whole and made as we make it."""
    for _ in range(2):  # another process may put a new one in place meanwhile
        try:
            return _read(folder)
        except FileNotFoundError:
            continue
        except _UNREADABLE as problem:
            log.warning("the snapshot of the index is passed over: %s", problem)
            return None
    return None


def write(
    folder: Path,
    *,
    seen: int,
    digest: str,
    effort: Effort,
    hashes: Frozen,
    local: tuple[list[UUID], Longs, Words, Floats],
) -> bool:
    """Put a new snapshot in place of the old one; False while another process is at it."""
    folder.mkdir(parents=True, exist_ok=True)
    with Path(folder, _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        mark = f"{seen}-{os.getpid()}"
        paths = Path(folder, f"hashes-{mark}"), Path(folder, f"local-{mark}")
        hashes.save(paths[0])
        _save_local(paths[1], *local)
        made = _Manifest(
            RECIPE, seen, digest, (effort.kept, effort.asked),
            *(_File(path.name, _sha256(path)) for path in paths),
        )  # fmt: skip
        new = Path(folder, f"{_MANIFEST}.new")
        new.write_bytes(msgspec.json.encode(made))
        new.replace(Path(folder, _MANIFEST))
        for path in folder.iterdir():
            if path.name not in (_MANIFEST, _LOCK, made.hashes.name, made.local.name):
                with suppress(FileNotFoundError):
                    path.unlink()
    return True


def _read(folder: Path) -> Snapshot | None:
    manifest = Path(folder, _MANIFEST)
    if not manifest.exists():
        return None
    made = msgspec.json.decode(manifest.read_bytes(), type=_Manifest)
    if made.recipe != RECIPE:
        return None
    for one in (made.hashes, made.local):
        if _sha256(Path(folder, one.name)) != one.sha256:
            raise ValueError(f"{one.name} is not as the manifest says")
    local = LocalIndex(Effort(*made.effort))
    with np.load(Path(folder, made.local.name), allow_pickle=False) as held:
        raw = held["ids"].tobytes()
        ids = [UUID(bytes=raw[at : at + 16]) for at in range(0, len(raw), 16)]
        local.extend(ids, held["counts"], held["words"], held["poses"])
    hashes = HammingIndex.load(Path(folder, made.hashes.name))
    return Snapshot(made.seen, made.digest, hashes, local)


def _save_local(
    path: Path, ids: list[UUID], counts: Longs, words: Words, poses: Floats
) -> None:  # fmt: skip
    packed = np.frombuffer(b"".join(id.bytes for id in ids), np.uint8)
    with path.open("wb") as file:
        np.savez(file, ids=packed, counts=counts, words=words, poses=poses)
        file.flush()
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
