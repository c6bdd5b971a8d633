"""`credit-lines`: credits printed on photographs, how many fields are read and how many invented.

Lines of both scripts, 14 to 32 pixels, along the picture or up a side, a few degrees askew, light
or dark, on the half of the photographs that was not used for tuning; then the same photographs
bare, and with shop signs. The floor is Tesseract on the whole picture, as one would start.
CREDIT_TRIALS sets how many pictures are printed on.
"""

import asyncio
import io
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench import photographs
from bench.ground import Ground
from bench.recall import wilson
from bench.results import Result, percentile
from compliance.looking import inspection
from compliance.reading import ocr
from compliance.reading.credits import CreditLine, credits_in
from compliance.verdicts.attribution import folded

TRIALS = 120
_FIELDS = ("name", "agency", "stock", "licence", "year")
_FONTS = ("dejavu/DejaVuS*.ttf", "liberation/Liberation*.ttf", "liberation2/Liberation*.ttf",
          "noto/NotoS*-*.ttf")  # fmt: skip

LINES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Фото: А. Смирнов / ТАСС", {"name": "А. Смирнов", "agency": "ТАСС"}),
    ("© Иван Петров", {"name": "Иван Петров"}),
    ("Фото: Ольга Ветрова", {"name": "Ольга Ветрова"}),
    ("РИА Новости / Алексей Куденко", {"agency": "РИА Новости", "name": "Алексей Куденко"}),
    ("© Sergei Ivanov / Getty Images", {"name": "Sergei Ivanov", "stock": "Getty Images"}),
    ("shutterstock.com", {"stock": "Shutterstock"}),
    ("Photo by John Smith on Unsplash", {"name": "John Smith", "stock": "Unsplash"}),
    ("Фото: пресс-служба Минтруда", {"name": "пресс-служба Минтруда"}),
    ("© Анна Белова, CC BY-SA 4.0", {"name": "Анна Белова", "licence": "CC BY-SA 4.0"}),
    ("Фото: Михаил Терещенко/ТАСС", {"name": "Михаил Терещенко", "agency": "ТАСС"}),
    ("© Коммерсантъ, 2023", {"agency": "Коммерсантъ", "year": 2023}),
    ("Автор фото: Пётр Светлов", {"name": "Пётр Светлов"}),
    ("Фото: Depositphotos", {"stock": "Depositphotos"}),
    ("© Мария Кузнецова / Фотобанк Лори", {"name": "Мария Кузнецова",
                                           "agency": "Фотобанк Лори"}),
    ("Photo: REUTERS / Anna Novak", {"agency": "Reuters", "name": "Anna Novak"}),
    ("Фото: Е. Захарова / Интерфакс, 2021", {"name": "Е. Захарова", "agency": "Интерфакс",
                                             "year": 2021}),
)  # fmt: skip
SIGNS = ("АПТЕКА 24 ЧАСА", "ФОТО НА ДОКУМЕНТЫ", "Магазин «Продукты»", "С Днём Победы!",
         "Ксерокопия Фото Печать", "Профсоюз работников образования", "Мир! Труд! Май!",
         "Кафе Ромашка", "COFFEE TO GO", "Фотостудия Анны", "Зарплату вовремя!")  # fmt: skip


@dataclass(slots=True)
class Tally:
    """Fields printed, read right, and read though nobody printed them."""

    printed: int = 0
    found: int = 0
    invented: int = 0
    told: int = 0

    def as_notes(self) -> list[float]:
        """Share found, its 95 % bounds, printed, invented."""
        low, high = wilson(self.found, self.printed)
        return [self.found / max(self.printed, 1), low, high, self.printed, self.invented]


@dataclass(frozen=True, slots=True)
class _Printed:
    data: bytes
    fields: dict[str, Any]
    kinds: tuple[str, ...]


@dataclass(slots=True)
class _Run:
    ours: Tally = field(default_factory=Tally)
    plain: Tally = field(default_factory=Tally)
    bare: Tally = field(default_factory=Tally)
    kinds: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    seconds: list[float] = field(default_factory=list)


async def measure(_: Ground) -> Result:
    """Share of printed fields that were read; the floor's share on every fourth picture."""
    if ocr.engine() is None:
        raise FileNotFoundError("tesseract with Russian is not installed")
    random = Random(77)  # noqa: S311 - a fixed seed, the same lines each time
    unseen = photographs.photographs()[1::2]
    trials = int(os.environ.get("CREDIT_TRIALS", TRIALS))
    run = _Run()
    for number in range(trials):
        made = await asyncio.to_thread(_next, unseen, random)
        began = perf_counter()
        found = await _credits(made.data)
        run.seconds.append(perf_counter() - began)
        for tally in (run.ours, *(run.kinds[kind] for kind in made.kinds)):
            _count(tally, made.fields, found)
        if number % 4 == 0:
            _count(run.plain, made.fields, credits_in(await _whole(made.data)))
    bare = [*map(_saved, unseen), *(_saved(_signed(one, random)) for one in unseen)]
    for data in bare:
        _count(run.bare, {}, await _credits(data))
    value = run.ours.found / run.ours.printed
    floor = run.plain.found / run.plain.printed
    told = run.ours.told + run.bare.told
    invented = run.ours.invented + run.bare.invented
    return Result(
        "credit-lines", value, "share of fields", floor, value / floor if floor else 0.0, trials,
        {"found": run.ours.as_notes(), "whole_picture": run.plain.as_notes(),
         "invented": [invented / max(told, 1), *wilson(invented, told), invented, told],
         "bare_pictures": len(bare), "invented_on_bare": run.bare.told,
         "seconds": [percentile(run.seconds, 0.5), percentile(run.seconds, 0.95)],
         **{kind: tally.as_notes() for kind, tally in sorted(run.kinds.items())}},
    )  # fmt: skip


def _count(tally: Tally, printed: dict[str, Any], found: Iterable[CreditLine]) -> None:
    """A field is found when any credit has it letter by letter; a wrong one beside it is invented.

    A misread value where nothing right was read counts as not found, not as invented.
    """
    told: dict[str, set[str]] = defaultdict(set)
    for one in found:
        for name in _FIELDS:
            if (value := getattr(one, name)) is not None:
                told[name].add(_plain(value))
    for name, value in printed.items():
        tally.printed += 1
        tally.found += _plain(value) in told[name]
    for name, values in told.items():
        tally.told += len(values)
        tally.invented += len(values) - bool(name in printed and values)


def _plain(value: Any) -> str:
    return folded(str(value)).replace(" ", "")


async def _credits(data: bytes) -> tuple[CreditLine, ...]:
    found = await asyncio.to_thread(inspection.print_strips, data)
    strips = [
        ocr.Strip(tuple(one["box"]), one["turn"], one["score"], tuple(one["variants"]))
        for one in found
    ]
    return (await ocr.read(strips, seconds=60.0)).credits


async def _whole(data: bytes) -> str:
    process = await asyncio.create_subprocess_exec(
        str(ocr.engine()), "stdin", "stdout", "-l", "rus+eng", "--psm", "11",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )  # fmt: skip
    answer, _ = await process.communicate(data)
    return answer.decode("utf-8", "replace")


def _next(unseen: tuple[Image.Image, ...], random: Random) -> _Printed:
    while True:
        made = _printed_on(random.choice(unseen), random)
        if made is not None:
            return made


@lru_cache(maxsize=1)
def _fonts() -> tuple[str, ...]:
    root = Path("/usr/share/fonts/truetype")
    found = sorted(str(path) for pattern in _FONTS for path in root.glob(pattern))
    kept = tuple(one for one in found if "Mono" not in one and "ExtraLight" not in one)
    if not kept:
        raise FileNotFoundError("no fonts: install fonts-dejavu or fonts-liberation")
    return kept


def _printed_on(photograph: Image.Image, random: Random) -> _Printed | None:
    """The photograph with one line on it; None where a person could not read it either."""
    text, fields = random.choice(LINES)
    size, is_light = random.randint(14, 32), random.random() < 0.5
    turn, slant = random.choice((0, 0, 0, 90, 270)), random.choice((0, 0, 0, 2, -2, 4, -4))
    font = ImageFont.truetype(random.choice(_fonts()), size)
    wide, high = (int(side) for side in font.getbbox(text)[2:])
    if wide + 60 > photograph.size[0 if turn == 0 else 1] or min(photograph.size) < 300:
        return None
    layer = Image.new("L", (wide + 8, high + 8), 0)
    ImageDraw.Draw(layer).text((3, 2), text, font=font, fill=235)
    layer = layer.rotate(turn + slant, expand=True, resample=Image.Resampling.BICUBIC)
    left = random.choice((8, photograph.width - layer.width - 8))
    top = random.choice((8, photograph.height - layer.height - 8))
    ink = 255 if is_light else 10
    ground = photograph.crop((left, top, left + layer.width, top + layer.height)).convert("L")
    if not _is_readable(np.asarray(layer), np.asarray(ground), ink, axis=int(turn == 0)):
        return None
    made = photograph.copy()
    made.paste(Image.new("RGB", layer.size, (ink,) * 3), (left, top), layer)
    size_kind = "size 14-19" if size < 20 else "size 20-25" if size < 26 else "size 26-32"
    kinds = (size_kind, f"turn {turn}", "askew" if slant else "level",
             "light" if is_light else "dark")  # fmt: skip
    return _Printed(_saved(made), fields, kinds)


def _is_readable(mask: Any, ground: Any, ink: int, *, axis: int) -> bool:
    """Whether in each sixth of the line the ground differs from the print."""
    parts = zip(np.array_split(mask > 0, 6, axis), np.array_split(ground, 6, axis), strict=True)
    for letters, below in parts:
        if letters.sum() > 20:
            differs = np.abs(below[letters].astype(int) - ink) > 64
            if float(differs.mean()) < 0.8:
                return False
    return True


def _signed(photograph: Image.Image, random: Random) -> Image.Image:
    """The photograph with a shop sign or a banner in it."""
    made = photograph.copy()
    font = ImageFont.truetype(random.choice(_fonts()), random.randint(24, 70))
    text = random.choice(SIGNS)
    wide, high = (int(side) for side in font.getbbox(text)[2:])
    board = Image.new("RGB", (wide + 40, high + 30), random.choice(list(_boards())))
    ImageDraw.Draw(board).text((20, 12), text, font=font, fill="white")
    board = board.rotate(random.choice((0, 0, 3, -4)), expand=True)
    made.paste(board, (made.width // 4, random.randint(0, max(made.height // 2, 1))))
    return made


def _boards() -> Iterator[tuple[int, int, int]]:
    yield from ((180, 20, 30), (10, 60, 140), (20, 110, 50), (20, 20, 20))


def _saved(image: Image.Image) -> bytes:
    made = io.BytesIO()
    image.save(made, "JPEG", quality=88)
    return made.getvalue()
