"""How often the method misses a copy: the figures of the last `copy-recall`, as they were printed.

`docflow bench copy-recall --json > compliance/dossiers/measured/copy_recall.json` renews them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "measured" / "copy_recall.json"

COPIES = {
    "jpeg-30": "JPEG с качеством 30",
    "resize-25": "уменьшение до 25 %",
    "grey": "чёрно-белая",
    "gamma": "осветление и затемнение",
    "blur": "размытие",
    "aspect": "сжатие по одной стороне",
    "watermark": "водяной знак",
    "mirror": "зеркальное отражение",
    "quarter-turns": "поворот на 90°, 180°, 270°",
    "crop-10": "обрезка 10 % площади",
    "crop-25": "обрезка 25 % площади",
    "crop-50": "обрезка 50 % площади",
    "rotate-5": "поворот на 5°",
    "rotate-15": "поворот на 15°",
    "border": "рамка",
    "caption": "полоса с подписью",
    "banner": "плашка с текстом",
    "screenshot": "снимок экрана телефона",
    "collage-2": "коллаж из двух",
    "collage-4": "коллаж из четырёх",
}
"""Words for the rows; a row without words is shown by its own name."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of copies."""

    name: str
    missed: float
    lowest: float
    highest: float
    """Wilson's 95 % bounds of the share that was missed."""
    trials: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The last run that was kept."""

    at: str
    rows: tuple[Row, ...]
    content: bytes
    """The file itself, for the dossier."""


def last(path: Path = FILE) -> Measured | None:
    """The figures, or None when nobody has kept a run."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    told: dict[str, Any] = json.loads(content)
    result = next(one for one in told["results"] if one["name"] == "copy-recall")
    rows = [
        Row(
            COPIES.get(name, name), 1 - row["recall"], 1 - row["bounds"][1], 1 - row["bounds"][0],
            row["n"],
        )
        for name, row in result["notes"]["rows"].items()
    ]  # fmt: skip
    return Measured(told["machine"]["at"], tuple(rows), content)
