"""GOST as far as this machine computes it: by libgcrypt, or by openssl with its gost engine."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import subprocess
import tempfile
from collections.abc import Callable
from functools import lru_cache
from typing import Any


class _Libgcrypt:
    """Streebog-256 by libgcrypt, in the manner of hashlib."""

    library: Any = None

    def __init__(self) -> None:
        self._handle = ctypes.c_void_p()
        self.library.gcry_md_open(ctypes.byref(self._handle), 309, 0)

    def update(self, data: bytes) -> None:
        self.library.gcry_md_write(self._handle, data, ctypes.c_size_t(len(data)))

    def hexdigest(self) -> str:
        found = ctypes.string_at(self.library.gcry_md_read(self._handle, 0), 32).hex()
        self.library.gcry_md_close(self._handle)
        return found


class _Openssl:
    """The same by the command `openssl`, one process for each member."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["openssl", "dgst", "-md_gost12_256", "-r"], env=_with_engine(),  # noqa: S607 - by PATH
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def update(self, data: bytes) -> None:
        self._process.stdin.write(data)  # type: ignore[union-attr]  # reason: it is a pipe

    def hexdigest(self) -> str:
        return self._process.communicate()[0][:64].decode()


@lru_cache(maxsize=1)
def _settings() -> Any:
    """Settings for openssl in a folder that goes with this process."""
    folder = tempfile.TemporaryDirectory()
    with open(os.path.join(folder.name, "openssl.cnf"), "w", encoding="ascii") as settings:
        settings.write("openssl_conf=a\n[a]\nengines=b\n[b]\ngost=c\n[c]\nengine_id=gost\n"
                       "default_algorithms=ALL\n")  # fmt: skip
    return folder


def _with_engine() -> dict[str, str]:
    """An environment in which openssl, and nobody else, loads its gost engine."""
    return {**os.environ, "OPENSSL_CONF": os.path.join(_settings().name, "openssl.cnf")}


class Gost:
    """What this machine can compute of GOST; docflow itself brings its own in place of this one."""

    def __init__(self) -> None:
        self.streebog: Callable[[], Any] | None = None
        for kind in (_Libgcrypt, _Openssl):
            try:
                if kind is _Libgcrypt:
                    _Libgcrypt.library = _libgcrypt()
                hashed = kind()
                hashed.update(b"abc")
                if hashed.hexdigest().startswith("4e2919cf137ed41ec4fb6270c61826cc"):
                    self.streebog = kind
                    return
            except (OSError, AttributeError, ValueError):
                continue

    def is_signed(self, signature: bytes, content: bytes) -> bool | None:
        """Do all signers of a CMS sign this content? None when openssl has no GOST here."""
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("content", "signature")]
            for path, data in zip(paths, (content, signature), strict=True):
                with open(path, "wb") as file:
                    file.write(data)
            words = ["openssl", "cms", "-verify", "-noverify", "-binary", "-inform", "DER",
                     "-content", paths[0], "-in", paths[1], "-out", os.devnull]  # fmt: skip
            try:
                done = subprocess.run(words, env=_with_engine(), capture_output=True, timeout=60)  # noqa: S603 - a fixed command
            except (OSError, subprocess.TimeoutExpired):
                return None
        missing = (b"unknown digest", b"unsupported", b"engine", b"invalid digest", b"shared libr")
        if done.returncode and any(one in done.stderr.lower() for one in missing):
            return None
        return done.returncode == 0


def _libgcrypt() -> Any:
    library = ctypes.CDLL(ctypes.util.find_library("gcrypt") or "libgcrypt.so.20")
    library.gcry_check_version(None)
    library.gcry_md_read.restype = ctypes.c_void_p
    return library
