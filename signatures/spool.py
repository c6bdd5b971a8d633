"""Trust as files that worker processes read once, named by the SHA-256 of their content.

A request names one small file instead of carrying every root and seven megabytes of a list; the
reader checks the name against the content (`trust.of_request`, `revocation_lists.from_file`).
"""

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from core.settings import settings
from signatures import trust
from signatures.trust import TrustStore

SMALL = 64 * 1024
"""Lists up to this size travel inside the store's own file."""
_KEPT_SECONDS = 2 * 24 * 3600.0


def folder() -> Path:
    """Where the files lie; nobody else may look."""
    place = settings().data_dir / "trust"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def path_of(sha256: str) -> Path:
    """Where the list of that hash (hex) lies, or would lie."""
    return folder() / f"{sha256}.crl"


def is_there(sha256: str) -> bool:
    """Is the list spooled already?"""
    return path_of(sha256).is_file()


async def keep(content: bytes, *, kind: str) -> Path:
    """Write a file once; raises OSError where the folder cannot be written."""
    return await asyncio.to_thread(_keep, content, kind)


async def keep_store(store: TrustStore) -> Path:
    """The file of a store; what nothing refers to any more goes after two days."""
    path = await keep(trust.packed(store), kind="trust")
    await asyncio.to_thread(_sweep, {path.name, *(Path(one.path).name for one in store.lists)})
    return path


def _keep(content: bytes, kind: str) -> Path:
    path = folder() / f"{hashlib.sha256(content).hexdigest()}.{kind}"
    if not path.is_file() or path.stat().st_size != len(content):
        part = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
        part.replace(path)
    return path


def _sweep(needed: Iterable[str]) -> None:
    """Processes that still hold an old store map its files; a removed one stays mapped."""
    kept, before = set(needed), time.time() - _KEPT_SECONDS
    for path in folder().iterdir():
        with contextlib.suppress(OSError):
            if path.name in kept:
                os.utime(path)
            elif path.stat().st_mtime < before:
                path.unlink()
