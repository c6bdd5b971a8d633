"""The two primitives, computed by libgcrypt (ADR 0010): hashes, and one elliptic-curve check.

Works without process-wide configuration. Where the library cannot be loaded, `is_available` says
so and everything else raises `Unavailable`.
"""

import ctypes
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_void_p
from functools import lru_cache

from signatures.gost.curves import Curve

_OLDEST = b"1.8.0"
_DISABLE_SECMEM, _FINISHED, _IS_FINISHED = 37, 38, 40
_IDS = {"gost3411_94": 311, "streebog256": 309, "streebog512": 310}
_SIZES = {"gost3411_94": 32, "streebog256": 32, "streebog512": 64}
_PIECE = 1 << 20

Buffer = bytes | bytearray | memoryview


class Unavailable(Exception):
    """libgcrypt is not installed here, too old, or without GOST."""


def _load() -> ctypes.CDLL | None:
    """The library, initialized once and before any thread of ours uses it."""
    try:
        library = ctypes.CDLL("libgcrypt.so.20")
    except OSError:
        return None
    library.gcry_check_version.restype = c_char_p
    library.gcry_check_version.argtypes = [c_char_p]
    if not library.gcry_check_version(_OLDEST):
        return None
    if not library.gcry_control(_IS_FINISHED):
        library.gcry_control(_DISABLE_SECMEM, 0)
        library.gcry_control(_FINISHED, 0)
    library.gcry_md_open.argtypes = [c_void_p, c_int, c_uint]
    library.gcry_md_write.argtypes = [c_void_p, c_char_p, c_size_t]
    library.gcry_md_write.restype = None
    library.gcry_md_read.argtypes = [c_void_p, c_int]
    library.gcry_md_read.restype = c_void_p
    library.gcry_md_close.argtypes = [c_void_p]
    library.gcry_md_close.restype = None
    library.gcry_md_copy.argtypes = [c_void_p, c_void_p]
    library.gcry_sexp_new.argtypes = [c_void_p, c_char_p, c_size_t, c_int]
    library.gcry_sexp_release.argtypes = [c_void_p]
    library.gcry_sexp_release.restype = None
    library.gcry_pk_verify.argtypes = [c_void_p, c_void_p, c_void_p]
    return library


_library = _load()


def is_available() -> bool:
    """Whether the library could be loaded."""
    return _library is not None


def _needed() -> ctypes.CDLL:
    if _library is None:
        raise Unavailable
    return _library


class Hash:
    """A running hash in the manner of hashlib; pieces are copied, at most a mebibyte at a time."""

    def __init__(self, name: str, data: Buffer = b"") -> None:
        self._open = _needed()
        self.name, self.digest_size = name, _SIZES[name]
        self._handle = c_void_p()
        if self._open.gcry_md_open(byref(self._handle), _IDS[name], 0):
            raise Unavailable
        self.update(data)

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._open.gcry_md_close(self._handle)

    def update(self, data: Buffer) -> None:
        """Add bytes; lets other threads run meanwhile."""
        if isinstance(data, bytes):
            self._open.gcry_md_write(self._handle, data, len(data))
            return
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _PIECE):
            piece = bytes(view[start : start + _PIECE])
            self._open.gcry_md_write(self._handle, piece, len(piece))

    def digest(self) -> bytes:
        """The hash of all bytes so far; more may follow."""
        copy = c_void_p()
        if self._open.gcry_md_copy(byref(copy), self._handle):
            raise Unavailable
        try:
            return ctypes.string_at(self._open.gcry_md_read(copy, 0), self.digest_size)
        finally:
            self._open.gcry_md_close(copy)

    def hexdigest(self) -> str:
        """As `digest`, in hexadecimal."""
        return self.digest().hex()


def verify(curve: Curve, key: tuple[int, int], hashed: int, r: int, s: int) -> bool:
    """Whether (r, s) signs the number `hashed`; any complaint of the library is a no."""
    library = _needed()
    size = curve.size
    held: list[c_void_p] = []
    parts = (
        b"(7:sig-val(4:gost" + _number(b"r", r, size) + _number(b"s", s, size) + b"))",
        b"(4:data(5:flags4:gost)" + _number(b"value", hashed, size) + b")",
        b"(10:public-key(3:ecc" + _domain(curve) + _pair(b"q", *key, size) + b"))",
    )
    try:
        for part in parts:
            made = c_void_p()
            if library.gcry_sexp_new(byref(made), part, len(part), 0):
                return False
            held.append(made)
        return bool(library.gcry_pk_verify(*held) == 0)
    finally:
        for made in held:
            library.gcry_sexp_release(made)


@lru_cache(maxsize=16)
def _domain(curve: Curve) -> bytes:
    """The curve spelled out: not every libgcrypt knows every name."""
    size = curve.size
    return b"".join(
        (
            _number(b"p", curve.p, size),
            _number(b"a", curve.a, size),
            _number(b"b", curve.b, size),
            _pair(b"g", curve.x, curve.y, size),
            _number(b"n", curve.q, size),
            _number(b"h", curve.cofactor, 1),
        )
    )


def _entry(name: bytes, value: bytes) -> bytes:
    return b"(%d:%s%d:%s)" % (len(name), name, len(value), value)


def _number(name: bytes, value: int, size: int) -> bytes:
    return _entry(name, b"\0" + value.to_bytes(size, "big"))


def _pair(name: bytes, x: int, y: int, size: int) -> bytes:
    return _entry(name, b"\4" + x.to_bytes(size, "big") + y.to_bytes(size, "big"))
