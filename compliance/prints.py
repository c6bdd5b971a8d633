"""The plain data of `references`: what a process holds that never opens a picture itself."""

import struct
from dataclasses import dataclass

RECORD = 144
"""Bytes of one feature: x, y, size, angle, and the descriptor."""
SKETCH = 24
"""Bytes of its sketch, with turn and size: what is searched."""
PRINT_FEATURES = 120
"""How many are kept of a picture that was only checked."""
HEAD = struct.Struct("<4sIIiIII")
"""Of a packed reference: magic, width, height, quality, shape of the grey picture, features."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What the register keeps of a picture."""

    sha256: str
    width: int
    height: int
    canon: str
    pdq: bytes
    quality: int
    phash: str
    dhash: str
    content: bytes
    """For `unpacked`."""
    rights: dict[str, str]
    carries_rights: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """What is compared of a picture somebody asks about."""

    sha256: str
    width: int
    height: int
    canon: str
    quality: int
    needles: list[bytes]
    """PDQ of the whole, of the picture without border and of panels, in eight orientations each."""
    features: bytes
    """Records for `features_of`."""
    working_width: int
    sketches: bytes
    """Of the first `PRINT_FEATURES` of them, made as `sketch_canon` says."""
    sketch_canon: str


def start_of(count: int) -> int:
    """How many bytes of a packed reference hold its first `count` features."""
    return HEAD.size + count * RECORD
