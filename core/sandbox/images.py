"""Pictures by their headers only: how large would they be if somebody decoded them."""

import struct
from typing import Any

from core.sandbox.errors import HostileInput

MAX_SIDE = 50_000
MAX_PIXELS = 250_000_000

_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


def inspect_image(data: bytes) -> dict[str, Any]:
    """Width and height in pixels from the header: ``{"width", "height"}``, None if not known.

    Knows PNG, JPEG, GIF. Raises HostileInput image_too_large for what would not fit into memory,
    broken_image for a header that ends too early.
    """
    try:
        size = _size(data)
    except (struct.error, IndexError) as problem:
        raise HostileInput(
            "Изображение повреждено. Сохраните его заново и отправьте ещё раз.",
            "The picture is broken. Save it again and send it once more.",
            code="broken_image",
        ) from problem
    if size is None:
        return {"width": None, "height": None}
    width, height = size
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise HostileInput(
            "Изображение слишком велико. Уменьшите его и отправьте ещё раз.",
            "The picture is too large. Make it smaller and send it again.",
            code="image_too_large",
            width=width,
            height=height,
        )
    return {"width": width, "height": height}


def _size(data: bytes) -> tuple[int, int] | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = struct.unpack_from(">II", data, 16)
        return width, height
    if data.startswith((b"GIF87a", b"GIF89a")):
        width, height = struct.unpack_from("<HH", data, 6)
        return width, height
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg_size(data)
    return None


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Walk the segments to the frame header (ITU-T T.81, B.2.2)."""
    at = 2
    while True:
        while data[at] != 0xFF or data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        if marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        if marker in _JPEG_BARE:
            at += 2
        else:
            at += 2 + max(struct.unpack_from(">H", data, at + 2)[0], 2)
