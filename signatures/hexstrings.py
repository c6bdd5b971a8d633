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


_UNESCAPED = re.compile(rb"[\x80-\xff]")
_original_name: Any = getattr(generic, "_decode_name")  # noqa: B009 - a private function


def _decode_name(name: bytes) -> Any:
    """A name with letters beyond ASCII that should have been escaped, as several writers do."""
    return _original_name(_UNESCAPED.sub(lambda found: b"#%02x" % found[0][0], name))


@contextmanager
def quick_hex() -> Iterator[None]:
    """Inside the block: read hexadecimal strings quickly, and names that were not escaped."""
    module: Any = generic
    module.read_hex_string_from_stream = _read
    module._decode_name = _decode_name
    try:
        yield
    finally:
        module.read_hex_string_from_stream = _original
        module._decode_name = _original_name
