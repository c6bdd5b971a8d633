"""A quick reader of long hexadecimal strings, in force only while we validate.

The library reads the 16 to 60 KB of a signature's /Contents one character at a time, which
takes half of a validation. Anything but plain digits goes back to the library's own reader.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyhanko.pdf_utils import generic

_DIGITS = re.compile(rb"[0-9A-Fa-f]*")
_original = generic.read_hex_string_from_stream


def _read(stream: Any) -> Any:
    start = stream.tell()
    stream.seek(start + 1)
    pieces: list[bytes] = []
    size = 128
    while piece := stream.read(size):
        end = piece.find(b">")
        if end >= 0:
            pieces.append(piece[:end])
            digits = b"".join(pieces)
            if _DIGITS.fullmatch(digits) is None:
                break
            stream.seek(start + len(digits) + 2)
            return generic.pdf_string(bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()))
        pieces.append(piece)
        size = 1 << 15
    stream.seek(start)
    return _original(stream)


@contextmanager
def quick_hex() -> Iterator[None]:
    """Read hexadecimal strings quickly inside the block; the result is the same."""
    module: Any = generic
    module.read_hex_string_from_stream = _read
    try:
        yield
    finally:
        module.read_hex_string_from_stream = _original
