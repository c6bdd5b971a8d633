"""A checked picture made small, for a page; runs in the sandbox."""

import cv2

from compliance.pictures import decode

_QUALITY = 82


def draw(data: bytes, side: int) -> bytes:
    """A JPEG whose longest side is at most `side` pixels. Raises HostileInput as decoding does."""
    cv2.setNumThreads(1)
    rgb = decode(data, shortest=side).rgb
    zoom = min(1.0, side / max(rgb.shape[:2]))
    size = [max(1, round(length * zoom)) for length in rgb.shape[1::-1]]
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    done, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    assert done  # noqa: S101 - encoding a picture made here cannot fail
    return bytes(jpeg)
