"""Credit lines read off a picture: lines are cut out in the sandbox, Tesseract reads them.

Tesseract gets strips of our own making, never the file: a hostile picture does not reach it. It
runs as a command on a list of strips (one start for many), in a folder that is removed, under a
time limit. Where it is not installed there is no text and the answer says so.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from compliance.reading.credits import CreditLine
from compliance.reading.recognition import table
from compliance.reading.votes import Reading, Word, chosen, is_worth, likeness, merged, shown_text

LANGUAGES = ("rus", "eng")
LONGEST = 1800
"""Longest side of the picture in which print is looked for."""
SECONDS = 8.0
"""How long reading may take where somebody waits for the answer."""
_WIDE = 16
"""Lines that are read at once with more of their surroundings too."""
_SECOND_LOOK = 7
"""Lines that are read in every preparation and each script on its own."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One line, as the sandbox hands it over: grey pixels in several preparations (PGM)."""

    box: tuple[int, int, int, int]
    turn: int
    score: float
    variants: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Print:
    """What is printed on a picture."""

    text: str = ""
    credits: tuple[CreditLine, ...] = ()
    state: str = "read"
    """`read`, `unavailable` (no Tesseract or no Russian in it) or `timeout`."""


def strips(rgb: Any) -> list[dict[str, Any]]:
    """The lines of a decoded picture as plain data, boxes in its own pixels; in the sandbox."""
    import cv2  # noqa: PLC0415 - only the sandbox's processes need it
    import numpy as np  # noqa: PLC0415 - as above

    from compliance.pictures import fitted  # noqa: PLC0415 - as above
    from compliance.reading.textlines import find_lines  # noqa: PLC0415 - as above

    small = fitted(rgb, LONGEST)
    scale = rgb.shape[1] / small.shape[1]
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    return [
        {
            "box": [round(side * scale) for side in line.box],
            "turn": line.turn,
            "score": line.score,
            "variants": [_pgm(one) for one in line.variants],
        }
        for line in find_lines(grey)
    ]


def _pgm(pixels: Any) -> bytes:
    header = b"P5 %d %d 255\n" % (pixels.shape[1], pixels.shape[0])
    return header + bytes(pixels.tobytes())


@lru_cache(maxsize=1)
def engine() -> str | None:
    """The command, when it is installed with both languages."""
    command = shutil.which("tesseract")
    if command is None:
        return None
    folders = [os.environ.get("TESSDATA_PREFIX", ""), "/usr/share/tesseract-ocr/5/tessdata",
               "/usr/share/tesseract-ocr/4.00/tessdata", "/usr/share/tessdata",
               "/usr/local/share/tessdata"]  # fmt: skip
    for folder in folders:
        if folder and all(Path(folder, f"{one}.traineddata").is_file() for one in LANGUAGES):
            return command
    return None


async def read(found: Sequence[Strip], *, seconds: float = SECONDS) -> Print:
    """The text and the credits of these lines; takes one to two seconds of two cores.

    A closer look that does not end in time leaves what the first one gave.
    """
    if engine() is None:
        return Print(state="unavailable")
    if not found:
        return Print()
    answers: list[list[Reading]] = [[] for _ in found]
    state = "read"
    try:
        async with asyncio.timeout(seconds):
            await _glance(found, answers, seconds)
            await _closer_look(found, answers, seconds)
    except TimeoutError:
        state = "read" if any(answers) else "timeout"
    return Print(text=shown_text(answers), credits=chosen(answers), state=state)


async def _glance(found: Sequence[Strip], answers: Sequence[list[Reading]], seconds: float) -> None:
    """All lines in the plainest preparation, in two processes."""
    wanted = [(place, 0) for place in range(len(found))]
    wanted += [(place, 1) for place in range(min(_WIDE, len(found)))]
    halves = (wanted[::2], wanted[1::2])
    read = await asyncio.gather(*(_run(found, half, "rus+eng", seconds) for half in halves))
    for half, lines in zip(halves, read, strict=True):
        _keep(found, answers, half, lines)


async def _closer_look(
    found: Sequence[Strip], answers: Sequence[list[Reading]], seconds: float
) -> None:
    """The lines with text in every preparation, and with each script on its own."""
    ranked = sorted(range(len(found)), key=lambda place: -_promise(answers[place], found[place]))
    worth = [place for place in ranked[:_SECOND_LOOK] if is_worth(answers[place])]
    if not worth:
        # On a picture without print this look would take half of all the time.
        return
    closer = [(p, n) for p in worth for n in range(len(found[p].variants))]
    rest = [(place, number) for place, number in closer if number > (place < _WIDE)]
    russian, latin, both = await asyncio.gather(
        _run(found, closer, "rus", seconds), _run(found, closer, "eng", seconds),
        _run(found, rest, "rus+eng", seconds),
    )  # fmt: skip
    _keep(found, answers, closer, [merged(*pair) for pair in zip(russian, latin, strict=True)])
    _keep(found, answers, rest, both)


def _keep(
    found: Sequence[Strip], answers: Sequence[list[Reading]], wanted: Sequence[tuple[int, int]],
    lines: Sequence[tuple[Word, ...]],
) -> None:  # fmt: skip
    for (place, _), line in zip(wanted, lines, strict=True):
        if line:
            answers[place].append(Reading(line, found[place].box, found[place].turn))


def _promise(answers: list[Reading], strip: Strip) -> float:
    return max((likeness(one) for one in answers), default=0.0) + 0.1 * strip.score


async def _run(
    found: Sequence[Strip], wanted: Sequence[tuple[int, int]], languages: str, seconds: float
) -> list[tuple[Word, ...]]:
    """The words of each wanted strip, in order."""
    if not wanted:
        return []
    folder = await asyncio.to_thread(_written, found, wanted)
    try:
        answer = await table(
            Path(folder, "list.txt"), languages=languages, page_mode=7, seconds=seconds
        )
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return _words(answer, len(wanted))


def _written(found: Sequence[Strip], wanted: Sequence[tuple[int, int]]) -> str:
    folder = tempfile.mkdtemp(prefix="docflow-print-")
    names = []
    for number, (place, variant) in enumerate(wanted):
        path = Path(folder, f"{number}.pgm")
        path.write_bytes(found[place].variants[variant])
        names.append(str(path))
    Path(folder, "list.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    return folder


def _words(table: str, count: int) -> list[tuple[Word, ...]]:
    """Tesseract's table of words by page, one page a strip."""
    lines: list[list[Word]] = [[] for _ in range(count)]
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) < 12 or cells[0] != "5" or not cells[11].strip():
            continue
        page = int(cells[1]) - 1
        if 0 <= page < count:
            lines[page].append(
                Word(cells[11].strip(), float(cells[10]), int(cells[6]), int(cells[8]))
            )
    return [tuple(line) for line in lines]
