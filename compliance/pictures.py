"""Canonical decoding: every picture goes one fixed path, and the path has a name.

A hash can only be compared with one made the same way (a decoder's draft mode alone moves 6 of
256 bits), so `CANON` is stored with every hash and changes whenever a step below does.
"""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from core.errors import ServiceError
from core.sandbox import HostileInput

CANON = "canon-1"
"""Draft to a shortest side of 512 at least, EXIF upright, ICC to sRGB, white below alpha, RGB."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")
MAX_BYTES = 64 << 20
MAX_PIXELS = 120_000_000
MAX_SIDE = 32_000
HASH_SIDE = 512
"""The shortest side a draft may leave, and the longest side of what is hashed."""

Pixels = npt.NDArray[np.uint8]

Image.MAX_IMAGE_PIXELS = None
"""Pillow's own limit only warns; ours is checked below, before anything is decoded."""

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_COLOR_SPACES = {"RGB ": "RGB", "CMYK": "CMYK", "GRAY": "L", "Lab ": "LAB"}
_BROKEN = (
    *(OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError),
    *(OverflowError, ZeroDivisionError, UnidentifiedImageError, Image.DecompressionBombError),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is shown: upright, opaque, sRGB; `rgb` may be smaller than the file."""

    rgb: Pixels
    """Height × width × 3."""
    width: int
    height: int
    """Of the whole picture as shown, after the EXIF turn, in pixels of the file."""
    kind: str
    """The decoder's name of the format: JPEG, PNG …"""


def decode(data: bytes, *, shortest: int = HASH_SIDE) -> Picture:
    """The picture in these bytes, its shortest side not below `shortest` unless the file's is.

    Raises HostileInput: not_a_picture, picture_too_large, broken_picture. Runs decoders written
    in C on the bytes; call it in the sandbox when they come from outside.
    """
    if len(data) > MAX_BYTES:
        raise _too_large(bytes=len(data))
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            return _canonical(opened, shortest)
    except ServiceError:
        raise
    except UnidentifiedImageError as problem:
        raise HostileInput(
            "Это не изображение или формат не поддерживается. Сохраните его как JPEG или PNG.",
            "This is no picture, or of a format that is not read. Save it as JPEG or PNG.",
            code="not_a_picture",
        ) from problem
    except _BROKEN as problem:
        raise HostileInput(
            "Изображение повреждено. Сохраните его заново и отправьте ещё раз.",
            "The picture is broken. Save it again and send it once more.",
            code="broken_picture",
            problem=type(problem).__name__,
        ) from problem


def fitted(rgb: Pixels, longest: int) -> Pixels:
    """The picture with this longest side at most, never made larger."""
    height, width = rgb.shape[:2]
    if max(width, height) <= longest:
        return rgb
    small = Image.fromarray(rgb)
    small.thumbnail((longest, longest), Image.Resampling.BOX)
    return np.asarray(small)


def _canonical(opened: Image.Image, shortest: int) -> Picture:
    width, height = opened.size
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise _too_large(width=width, height=height)
    turned = opened.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    if opened.format == "JPEG" and opened.mode in ("RGB", "L"):
        scale = shortest / max(min(width, height), 1)
        opened.draft(None, (int(width * scale + 0.999), int(height * scale + 0.999)))
    opened.load()
    shown = _opaque(_in_srgb(ImageOps.exif_transpose(opened)))
    return Picture(
        rgb=np.asarray(shown),
        width=height if turned else width,
        height=width if turned else height,
        kind=str(opened.format),
    )


def _in_srgb(image: Image.Image) -> Image.Image:
    """Colours as the file's profile means them; a profile that cannot be used is passed over."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK", "L", "LAB"):
        return image
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = _COLOR_SPACES.get(given.profile.xcolor_space)
        if image.mode == "RGBA" and space == "RGB":
            return ImageCms.profileToProfile(image, given, _SRGB) or image
        if space != image.mode:
            return image
        return ImageCms.profileToProfile(image, given, _SRGB, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image


def _opaque(image: Image.Image) -> Image.Image:
    """RGB of eight bits, on white where the picture is see-through."""
    if image.mode in _DEEP:
        deep = np.asarray(image, dtype=np.float64)
        top = 65535.0 if image.mode.startswith("I;16") else max(float(deep.max()), 255.0)
        image = Image.fromarray(np.clip(deep * (255.0 / top), 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layered).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _too_large(**details: int) -> HostileInput:
    return HostileInput(
        "Изображение слишком велико. Уменьшите его и отправьте ещё раз.",
        "The picture is too large. Make it smaller and send it again.",
        code="picture_too_large",
        **details,
    )
