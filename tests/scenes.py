"""Made pictures that behave like photographs, and pages that share everything but the photo."""

from random import Random

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZE = (900, 675)
_WORDS = [
    "договор",
    "профсоюз",
    "комитет",
    "отрасль",
    "соглашение",
    "работник",
    "охрана",
    "труд",
    "зарплата",
    "отпуск",
    "суд",
    "инспекция",
    "директор",
    "завод",
    "школа",
    "больница",
    "область",
    "решение",
    "письмо",
    "заседание",
    "председатель",
]


def scene(number: int) -> Image.Image:
    """Shapes at many scales under uneven light with grain: textured everywhere, never twice."""
    return Image.fromarray(_ground(number, SIZE))


def views(number: int, *, shift: float) -> tuple[Image.Image, Image.Image]:
    """One scene from two places: what is nearer moves further, by `shift` of the width at most."""
    random = Random(number)  # noqa: S311 - repeatable, not secret
    width, height = SIZE
    background = _ground(number, (width + 200, height))
    layers = [(_ground(number * 50 + at, (180, 220)), random.uniform(0.2, 1.0)) for at in range(16)]
    places = [(random.randint(100, width - 100), random.randint(0, height - 220)) for _ in layers]
    shown = []
    for side in (0.0, 1.0):
        canvas = background[:, 100 : 100 + width].copy()
        for (patch, depth), (left, top) in sorted(
            zip(layers, places, strict=True), key=lambda one: one[0][1]
        ):
            at = round(left + side * depth * shift * width) - 50
            part = canvas[top : top + 220, max(at, 0) : at + 180]
            part[:] = patch[: part.shape[0], : part.shape[1]]
        shown.append(Image.fromarray(canvas))
    return shown[0], shown[1]


def bowl(number: int) -> Image.Image:
    """The rim of a bowl on a table, the same for each number, under faint grain of its own."""
    width, height = SIZE
    drawn = np.full((height, width), 150, np.float32)
    cv2.circle(drawn, (width // 2, 700), 520, 60, -1)
    cv2.circle(drawn, (width // 2, 720), 470, 200, -1)
    drawn = np.asarray(cv2.GaussianBlur(drawn, (0, 0), 6))
    noise = np.random.default_rng(number).normal(0, 1, drawn.shape).astype(np.float32)
    grain = np.asarray(cv2.GaussianBlur(noise, (0, 0), 8))
    drawn += grain * 7 / grain.std()
    return Image.fromarray(np.clip(drawn, 0, 255).astype(np.uint8)).convert("RGB")


def page(kind: str, photo: Image.Image, *, share: float) -> Image.Image:
    """A page of a series: heading, logo, frame and text are always the same, the photo is not."""
    random = Random(kind)  # noqa: S311 - repeatable, not secret
    width, height = (1000, 1400) if kind != "card" else (1200, 1200)
    paper = {"newspaper": "#f4f1e8", "card": "#1d3557", "magazine": "#ffffff"}[kind]
    ink = "white" if kind == "card" else "black"
    sheet = Image.new("RGB", (width, height), paper)
    pen = ImageDraw.Draw(sheet)
    if kind == "magazine":
        sheet.paste(scene(99).resize((width, height // 4)), (0, 0))
    pen.rectangle((0, 0, width, 120), fill="#b5121b")
    pen.text((30, 25), "ВЕСТНИК ПРОФСОЮЗА", "white", _font(60))
    pen.ellipse((width - 110, 15, width - 20, 105), outline="white", width=8)
    high = round(height * share)
    top = 150 if kind != "magazine" else height // 4 + 20
    sheet.paste(photo.resize((width - 80, high)), (40, top))
    line = top + high + 25
    while line < height - 40:
        pen.text((40, line), " ".join(random.choices(_WORDS, k=9)), ink, _font(26))
        line += 38
    return sheet


def letter(number: int) -> Image.Image:
    """A typed page under one letterhead; the text is this number's own."""
    random = Random(number)  # noqa: S311 - repeatable, not secret
    sheet = Image.new("RGB", (1000, 1400), "white")
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((60, 50, 160, 150), outline="navy", width=6)
    pen.text((190, 70), "ОБЛАСТНОЙ СОЮЗ ПРОФЕССИОНАЛЬНЫХ СОЮЗОВ", "navy", _font(28))
    pen.line((60, 170, 940, 170), "navy", 3)
    for line in range(220, 1340, 40):
        pen.text((60, line), " ".join(random.choices(_WORDS, k=9)), "black", _font(26))
    return sheet


def _ground(number: int, size: tuple[int, int]) -> np.ndarray:
    random = np.random.default_rng(number)
    width, height = size
    canvas = np.zeros((height, width, 3), np.float32)
    for cells in (3, 9, 30, 90):
        grid = random.uniform(0, 255, (max(2, cells * height // width), cells, 3)).astype(
            np.float32
        )
        canvas += cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC) / (1 + cells / 12)
    canvas = cv2.normalize(canvas, None, 20, 235, cv2.NORM_MINMAX)
    for _ in range(width * height // 4000):
        center = [int(random.integers(0, width)), int(random.integers(0, height))]
        points = (random.normal(0, random.uniform(6, 45), (5, 2)) + center).astype(np.int32)
        shade = [float(part) for part in random.uniform(0, 255, 3)]
        cv2.fillPoly(canvas, [points], shade, cv2.LINE_AA)
    canvas = cv2.GaussianBlur(canvas, (0, 0), 0.8) + random.normal(0, 4, canvas.shape)
    return np.clip(canvas, 0, 255).astype(np.uint8)


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default(size)
