"""Copies as people make them: each transform with the place of the picture's corners afterwards.

A transform takes a picture and a random source and answers the copy and the 3 × 3 matrix that
maps pixels of the picture to pixels of the copy; the copy is then encoded as it would be sent.
"""

import io
import math
from collections.abc import Callable, Mapping
from random import Random

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

Matrix = npt.NDArray[np.float64]
Copy = tuple[Image.Image, Matrix]
Transform = Callable[[Image.Image, Random, list[Image.Image]], Copy]

_WORDS = (
    "Профсоюз добился повышения зарплат", "Итоги встречи с работодателем", "Подробнее на сайте",
    "Новости отрасли сегодня", "Коллективный договор подписан", "Смотрите в группе",
)  # fmt: skip


def _matrix(*rows: float) -> Matrix:
    return np.array(rows, np.float64).reshape(3, 3)


def _scale(x: float, y: float | None = None) -> Matrix:
    return _matrix(x, 0, 0, 0, x if y is None else y, 0, 0, 0, 1)


def _shift(x: float, y: float) -> Matrix:
    return _matrix(1, 0, x, 0, 1, y, 0, 0, 1)


def _same(image: Image.Image) -> Copy:
    return image, np.eye(3)


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    """The picture after one more encoding."""
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=quality)
    return Image.open(kept).convert("RGB")


def _jpeg_30(image: Image.Image, _: Random, __: list[Image.Image]) -> Copy:
    return _same(jpeg(image, 30))


def _resize_25(image: Image.Image, _: Random, __: list[Image.Image]) -> Copy:
    size = (max(1, image.width // 4), max(1, image.height // 4))
    small = image.resize(size, Image.Resampling.LANCZOS)
    return small, _scale(size[0] / image.width, size[1] / image.height)


def _grey(image: Image.Image, _: Random, __: list[Image.Image]) -> Copy:
    return _same(ImageOps.grayscale(image).convert("RGB"))


def _gamma(image: Image.Image, random: Random, _: list[Image.Image]) -> Copy:
    power = random.choice((0.6, 1.6))
    table = [round(255 * (level / 255) ** power) for level in range(256)]
    return _same(image.point(table * 3))


def _blur(image: Image.Image, random: Random, _: list[Image.Image]) -> Copy:
    return _same(image.filter(ImageFilter.GaussianBlur(random.choice((1, 3)))))


def _aspect(image: Image.Image, random: Random, _: list[Image.Image]) -> Copy:
    share = random.choice((0.67, 0.75, 1.33))
    size = (max(1, round(image.width * share)), image.height)
    return image.resize(size, Image.Resampling.BICUBIC), _scale(size[0] / image.width, 1.0)


def _font(size: float) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype("DejaVuSans.ttf", max(8.0, size))
    except OSError:
        return ImageFont.load_default(max(8.0, size))


def _watermark(image: Image.Image, random: Random, _: list[Image.Image]) -> Copy:
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    font = _font(image.width / 16)
    ink = (255, 255, 255, int(255 * random.choice((0.2, 0.35, 0.5))))
    for row in range(0, image.height, max(20, image.height // 5)):
        for column in range(-image.width // 4, image.width, max(40, image.width // 3)):
            pen.text((column + row // 3, row), "PHOTO STOCK", ink, font)
    turned = layer.rotate(random.choice((0, 30)))
    return _same(Image.alpha_composite(image.convert("RGBA"), turned).convert("RGB"))


def _mirror(image: Image.Image, _: Random, __: list[Image.Image]) -> Copy:
    return ImageOps.mirror(image), _matrix(-1, 0, image.width, 0, 1, 0, 0, 0, 1)


def _quarter(image: Image.Image, random: Random, _: list[Image.Image]) -> Copy:
    turns = random.choice((1, 2, 3))
    width, height = image.size
    matrix = {
        1: _matrix(0, 1, 0, -1, 0, width, 0, 0, 1),
        2: _matrix(-1, 0, width, 0, -1, height, 0, 0, 1),
        3: _matrix(0, -1, height, 1, 0, 0, 0, 0, 1),
    }[turns]
    return Image.fromarray(np.rot90(np.asarray(image), turns)), matrix


def _crop(share: float) -> Transform:
    def transform(image: Image.Image, random: Random, _: list[Image.Image]) -> Copy:
        side = random.uniform(1 - share, 1.0)
        sides = [side, (1 - share) / side]
        random.shuffle(sides)
        width, height = (round(image.width * sides[0]), round(image.height * sides[1]))
        left, top = random.randint(0, image.width - width), random.randint(0, image.height - height)
        return image.crop((left, top, left + width, top + height)), _shift(-left, -top)

    return transform


def _rotation(degrees: float) -> Transform:
    def transform(image: Image.Image, random: Random, _: list[Image.Image]) -> Copy:
        angle = random.choice((-1, 1)) * degrees
        width, height = image.size
        fill = random.choice(((255, 255, 255), (0, 0, 0)))
        turned = image.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=fill)
        cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        turn = _matrix(cosine, sine, 0, -sine, cosine, 0, 0, 0, 1)
        back = _shift(turned.width / 2, turned.height / 2)
        return turned, back @ turn @ _shift(-width / 2, -height / 2)

    return transform


def _border(image: Image.Image, random: Random, _: list[Image.Image]) -> Copy:
    wide = round(min(image.size) * random.choice((0.05, 0.10, 0.25)))
    size = (image.width + 2 * wide, image.height + 2 * wide)
    kind = random.choice(("white", "black", "blurred"))
    if kind == "blurred":
        canvas = image.resize(size).filter(ImageFilter.GaussianBlur(max(8, image.width / 40)))
    else:
        canvas = Image.new("RGB", size, kind)
    canvas.paste(image, (wide, wide))
    return canvas, _shift(wide, wide)


def _caption(image: Image.Image, random: Random, _: list[Image.Image]) -> Copy:
    high = round(image.height * random.choice((0.1, 0.2, 0.4)))
    above = random.random() < 0.5
    ink, paper = random.choice((("black", "white"), ("white", "black"), ("white", (20, 60, 140))))
    canvas = Image.new("RGB", (image.width, image.height + high), paper)
    canvas.paste(image, (0, high if above else 0))
    words = random.choice(_WORDS)
    place = (image.width // 20, (0 if above else image.height) + high // 4)
    ImageDraw.Draw(canvas).text(place, words, ink, _font(high / 3))
    return canvas, _shift(0, high if above else 0)


def _banner(image: Image.Image, random: Random, _: list[Image.Image]) -> Copy:
    high = round(image.height * random.choice((0.1, 0.2, 0.3)))
    top = random.randint(0, image.height - high)
    covered = image.copy()
    pen = ImageDraw.Draw(covered)
    ink, paper = random.choice((("black", "white"), ("white", (180, 20, 30)), ("yellow", "black")))
    pen.rectangle((0, top, image.width, top + high), fill=paper)
    line = high / random.choice((1, 2, 3))
    for row in range(round(high / line)):
        text = " ".join(random.choice(_WORDS) for _ in range(3))
        pen.text((image.width // 30, top + row * line + line / 6), text, ink, _font(line / 2))
    return covered, np.eye(3)


_SKINS = (("white", (20, 20, 20)), ((18, 18, 18), "white"), ((235, 238, 242), (30, 60, 120)))


def _screenshot(image: Image.Image, random: Random, _: list[Image.Image]) -> Copy:
    """A phone's screen with the picture on 40 % of it or more, as a feed or a viewer shows it."""
    width, height = random.choice(((1080, 2340), (1080, 1920), (1170, 2532), (720, 1600)))
    paper, ink = random.choice(_SKINS)
    screen = Image.new("RGB", (width, height), paper)
    share = random.uniform(0.40, 0.60)
    wanted = share * width * height / width / width
    part, left, top = image, 0, 0
    if image.height / image.width < wanted:
        # A wide picture fills 40 % of a tall screen only when the viewer crops its sides.
        cut = round(image.height / wanted)
        left = random.randint(0, image.width - cut)
        part = image.crop((left, 0, left + cut, image.height))
    elif image.height / image.width > 0.75 * height / width:
        cut = round(image.width * 0.75 * height / width)
        top = random.randint(0, image.height - cut)
        part = image.crop((0, top, image.width, top + cut))
    shown = part.resize((width, round(width * part.height / part.width)), Image.Resampling.BICUBIC)
    down = random.randint(height // 14, max(height // 14, height - shown.height - height // 20))
    _interface(screen, random, ink)
    screen.paste(shown, (0, down))
    zoom = _scale(shown.width / part.width, shown.height / part.height)
    return screen, _shift(0, down) @ zoom @ _shift(-left, -top)


def _interface(screen: Image.Image, random: Random, ink: str | tuple[int, ...]) -> None:
    pen = ImageDraw.Draw(screen)
    unit = screen.width / 27
    pen.text(
        (unit, unit / 2), f"{random.randint(10, 23)}:{random.randint(10, 59)}", ink, _font(unit)
    )
    pen.ellipse((unit, unit * 2, unit * 4, unit * 5), fill=(90, 140, 200))
    pen.text((unit * 5, unit * 2.6), random.choice(_WORDS), ink, _font(unit * 1.2))
    for row in range(int(screen.height / unit / 2)):
        text = random.choice(_WORDS)
        pen.text((unit, unit * (6 + row * 2)), text, ink, _font(unit * random.choice((1, 1.2))))


def _collage(tiles: int) -> Transform:
    def transform(image: Image.Image, random: Random, others: list[Image.Image]) -> Copy:
        columns = 2 if tiles == 4 or random.random() < 0.5 else 1
        rows = tiles // columns
        side, gap = random.choice((400, 600)), random.choice((0, 6, 16))
        place = random.randrange(tiles)
        canvas = Image.new(
            "RGB", (columns * side + (columns + 1) * gap, rows * side + (rows + 1) * gap),
            random.choice(("white", "black")),
        )  # fmt: skip
        found = np.eye(3)
        for tile in range(tiles):
            source = image if tile == place else random.choice(others)
            left = gap + (tile % columns) * (side + gap)
            top = gap + (tile // columns) * (side + gap)
            cut = min(source.size)
            x, y = (source.width - cut) // 2, (source.height - cut) // 2
            square = source.crop((x, y, x + cut, y + cut)).resize((side, side))
            canvas.paste(square, (left, top))
            if tile == place:
                found = _shift(left, top) @ _scale(side / cut) @ _shift(-x, -y)
        return canvas, found

    return transform


TRANSFORMS: Mapping[str, tuple[Transform, float]] = {
    "jpeg-30": (_jpeg_30, 0.999),
    "resize-25": (_resize_25, 0.999),
    "grey": (_grey, 0.999),
    "gamma": (_gamma, 0.999),
    "blur": (_blur, 0.999),
    "aspect": (_aspect, 0.999),
    "watermark": (_watermark, 0.995),
    "mirror": (_mirror, 0.995),
    "quarter-turns": (_quarter, 0.995),
    "crop-10": (_crop(0.10), 0.995),
    "crop-25": (_crop(0.25), 0.99),
    "crop-50": (_crop(0.50), 0.95),
    "rotate-5": (_rotation(5), 0.99),
    "rotate-15": (_rotation(15), 0.97),
    "border": (_border, 0.99),
    "caption": (_caption, 0.99),
    "banner": (_banner, 0.98),
    "screenshot": (_screenshot, 0.80),
    "collage-2": (_collage(2), 0.90),
    "collage-4": (_collage(4), 0.80),
}
"""Each row of the benchmark: the transform and the recall to reach."""


def sent(image: Image.Image, *, quality: int = 85) -> bytes:
    """The copy as a file."""
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=quality)
    return kept.getvalue()


def corners(matrix: Matrix, *, width: int, height: int) -> npt.NDArray[np.float64]:
    """Where the picture's four corners lie on the copy, clockwise from its top left."""
    square = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    return np.asarray(cv2.perspectiveTransform(square, matrix)[0], dtype=np.float64)
