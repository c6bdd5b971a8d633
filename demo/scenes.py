"""Pictures nobody owns: drawn here, each different, with enough in them to be recognized."""

import io
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = (1200, 800)


def scene(seed: int, *, size: tuple[int, int] = SIZE) -> Image.Image:
    """A landscape of layers, trees and houses; the same number gives the same picture."""
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    width, height = size
    ground = _clouds(seed, size)
    drawn = ImageDraw.Draw(ground)
    for layer in range(5):
        level = height * (0.35 + 0.12 * layer)
        ridge = [(width * step / 16, level + random.uniform(-60, 60)) for step in range(17)]
        shade = tuple(random.randint(20, 200) for _ in range(3))
        drawn.polygon([*ridge, (width, height), (0, height)], fill=shade)
    for _ in range(70):
        _thing(drawn, random, width, height)
    return _grainy(ground, seed)


def as_jpeg(image: Image.Image, *, quality: int = 90) -> bytes:
    """The picture as a camera would have written it, without metadata."""
    written = io.BytesIO()
    image.convert("RGB").save(written, "JPEG", quality=quality)
    return written.getvalue()


def cropped(image: Image.Image, *, share: float) -> Image.Image:
    """What is left of it when `share` of the area is cut off around."""
    keep = (1 - share) ** 0.5
    width, height = image.size
    left, top = round(width * (1 - keep) * 0.3), round(height * (1 - keep) * 0.6)
    return image.crop((left, top, left + round(width * keep), top + round(height * keep)))


def _clouds(seed: int, size: tuple[int, int]) -> Image.Image:
    noise = np.random.default_rng(seed)
    whole = np.zeros((size[1], size[0], 3), np.float32)
    for octave in (4, 9, 21, 47):
        layer = Image.fromarray(noise.integers(0, 255, (octave, octave, 3), dtype=np.uint8))
        whole += np.asarray(layer.resize(size, Image.Resampling.BICUBIC), np.float32) / 4
    return Image.fromarray(whole.clip(0, 255).astype(np.uint8))


def _thing(drawn: ImageDraw.ImageDraw, random: Random, width: int, height: int) -> None:
    x, y = random.uniform(0, width), random.uniform(height * 0.3, height)
    side = random.uniform(15, 90)
    color = tuple(random.randint(0, 255) for _ in range(3))
    edge = tuple(part // 3 for part in color)
    shape = random.randrange(4)
    if shape == 0:
        drawn.ellipse((x, y, x + side, y + side * 1.3), fill=color, outline=edge, width=3)
    elif shape == 1:
        drawn.rectangle((x, y, x + side, y + side * 0.8), fill=color, outline=edge, width=3)
        drawn.polygon([(x, y), (x + side / 2, y - side / 2), (x + side, y)], fill=edge)
    elif shape == 2:
        points = [
            (x + random.uniform(-side, side), y + random.uniform(-side, side)) for _ in range(6)
        ]
        drawn.polygon(points, fill=color, outline=edge)
    else:
        drawn.line((x, y, x + side, y - side * 2), fill=edge, width=random.randint(3, 9))


def _grainy(image: Image.Image, seed: int) -> Image.Image:
    noise = np.random.default_rng(seed + 1).normal(0, 5, (image.height, image.width, 1))
    grained = np.asarray(image.filter(ImageFilter.GaussianBlur(0.7)), np.float32) + noise
    return Image.fromarray(grained.clip(0, 255).astype(np.uint8))
